//! The story: join, work, update in waves, and a bad release that halts by itself and undoes itself.

use std::{
    env::consts::{ARCH, OS},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    place::{BROKEN_VERSION, Place},
    processes::{PAUSE, Processes},
};
use crate::{Result, commands::say, console, fleet, signals};

const HOSTS: [&str; 4] = ["web-1", "web-2", "database-1", "backup-1"];
const SCRIPT: &str = "for i in 1 2 3; do echo line $i; sleep 1; done";
const LIMIT: Duration = Duration::from_secs(30);

/// When the demo ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// When somebody presses Ctrl-C.
    AtCtrlC,
    /// When the story is told.
    AfterTheStory,
}

/// Tells the story.
pub fn run(ending: Ending) -> Result {
    signals::catch()?;
    chapter("The binaries, the agent in two versions");
    fleet::DEMO.build()?;
    let mut demo = Demo { place: Place::new()?, processes: Processes::default() };
    let told = demo.tell().map_err(|reason| if signals::interrupted() { "interrupted".into() } else { reason });
    if told.is_err() && !signals::interrupted() {
        say(&format!("\nThe end of the server's log:\n{}", demo.place.tail("server.log", 20)));
    }
    let ended = told.and_then(|()| if ending == Ending::AtCtrlC { demo.stay() } else { Ok(()) });
    demo.processes.stop();
    ended
}

struct Demo {
    place: Place,
    processes: Processes,
}

impl Demo {
    fn tell(&mut self) -> Result {
        self.start_the_server()?;
        self.enroll_the_hosts()?;
        self.run_a_job()?;
        self.bring_a_release()?;
        self.bring_a_bad_release()
    }

    fn start_the_server(&mut self) -> Result {
        chapter("A server, and a session");
        let mut command =
            self.place.command("muster-server", &["serve", "--listen", &self.place.address, "--data", "data"]);
        say(&format!("$ {} &", crate::commands::typed(&command)));
        let log = self.place.folder.join("server.log");
        self.processes.start("the server", command.env("MUSTER_ADMIN_PASSWORD", &self.place.password), &log)?;
        let place = &self.place;
        self.processes.wait_until("the server's health", LIMIT, || Ok(place.is_healthy()))?;
        self.place.run("muster", &["login", "--server", &self.place.url(), "--username", "admin"])
    }

    fn enroll_the_hosts(&mut self) -> Result {
        chapter("Four hosts join; they are told whose releases to believe");
        self.place.run("muster", &["release", "keygen", "--out", "keys"])?;
        let created = ["token", "create", "--seats", "4", "--label", "site=demo", "--json"];
        let created: Value = parse(&self.place.read("muster", &created)?)?;
        let token = created["token"].as_str().ok_or("the answer has no token")?;
        for name in HOSTS {
            self.enroll(name, token)?;
        }
        let place = &self.place;
        let all_online = || Ok(agents(place, "--online")?.len() == HOSTS.len());
        self.processes.wait_until("four hosts online", LIMIT, all_online)?;
        self.place.run("muster", &["hosts"])
    }

    fn enroll(&mut self, name: &str, token: &str) -> Result {
        self.place.host(name)?;
        let (url, state) = (self.place.url(), format!("hosts/{name}"));
        let enroll =
            ["enroll", "--server", &url, "--token", token, "--trust-root", "keys/root.json", "--state", &state];
        let said = self.place.read("muster-agent", &enroll)?;
        let id = said.split_whitespace().find(|word| word.starts_with("host_")).ok_or("the host was told no id")?;
        let mut command = self.place.command("muster-agent", &["run", "--state", &state]);
        let log = self.place.folder.join(format!("hosts/{name}.log"));
        self.processes.start(name, &mut command, &log)?;
        self.place.run("muster", &["host", "rename", id, name])
    }

    fn run_a_job(&mut self) -> Result {
        chapter("A job with a live log; the exit code is the job's");
        let hosts = agents(&self.place, "--online")?;
        let (id, _) = hosts.first().ok_or("no host is online")?;
        self.place.run("muster", &["jobs", "run", "--host", id, "-f", "--wait", "--", "/bin/sh", "-c", SCRIPT])
    }

    fn bring_a_release(&mut self) -> Result {
        chapter("A release: signed offline, published, brought to the fleet with one canary first");
        self.publish("1.1.0", "1")?;
        self.place.run("muster", &["fleet-update", "plan", "--version", "1.1.0"])?;
        let start = ["fleet-update", "start", "--version", "1.1.0", "--max-in-flight", "3", "--soak", "3s"];
        self.place.run("muster", &[&start[..], &["--watch", "--timeout", "3m"]].concat())?;
        self.place.run("muster", &["hosts"])
    }

    fn bring_a_bad_release(&mut self) -> Result {
        chapter("A bad release: it crashes, the canary returns by itself, and nobody else is offered it");
        self.publish(BROKEN_VERSION, "2")?;
        let start =
            ["fleet-update", "start", "--version", BROKEN_VERSION, "--soak", "3s", "--watch", "--timeout", "3m"];
        let code = self.place.code("muster", &start)?;
        say(&format!("(exit code {})", code.map_or_else(|| "none".into(), |code| code.to_string())));
        if code != Some(4) {
            return Err("a fleet update that brings a crash must halt: exit code 4".into());
        }
        let place = &self.place;
        let all_back =
            || Ok(agents(place, "--online")?.iter().filter(|(_, version)| version == "1.1.0").count() == HOSTS.len());
        self.processes.wait_until("every host back on 1.1.0", LIMIT, all_back)?;
        self.place.run("muster", &["hosts"])
    }

    fn publish(&self, version: &str, manifest_version: &str) -> Result {
        let target = format!("{OS}-{ARCH}=releases/{version}/muster-agent");
        let manifest = format!("releases/{version}/manifest.json");
        let sign = ["release", "sign", "--key", "keys/release.key", "--version", version];
        let rest = ["--manifest-version", manifest_version, "--target", &target, "--out", &manifest];
        self.place.run("muster", &[&sign[..], &rest[..]].concat())?;
        let publish = ["release", "publish", &manifest, "--root", "keys/root.json", "--target", &target];
        self.place.run("muster", &publish)
    }

    /// Keeps the fleet for whoever wants to play with it.
    fn stay(&mut self) -> Result {
        let Place { folder, password, .. } = &self.place;
        chapter("The fleet is yours");
        say(&format!("The server:    {} (admin, {password})", self.place.url()));
        // Its server reads the console from its folder each time: it may be built while it serves.
        let how = if console::is_built() { "at the server's URL" } else { "cargo xtask console build" };
        say(&format!("The console:   {how}"));
        say(&format!("The terminal:  export MUSTER_CONFIG={}", folder.join("config.toml").display()));
        say(&format!("               export PATH={}:$PATH", folder.join("bin").display()));
        say("\n  muster hosts\n  muster jobs list\n  muster fleet-update list\n  muster audit\n");
        say("Ctrl-C stops it all.");
        while let Ok(()) = self.processes.check() {
            thread::sleep(PAUSE);
        }
        if !signals::interrupted() {
            return self.processes.check();
        }
        say("\nStopping the hosts and the server.");
        Ok(())
    }
}

/// Hosts by id, with the version of their agents.
fn agents(place: &Place, filter: &str) -> Result<Vec<(String, String)>> {
    let page = place.ask(&["hosts", filter])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let hosts = page["items"].as_array().into_iter().flatten();
    Ok(hosts.map(|host| (text(&host["id"]), text(&host["agent"]["version"]))).collect())
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

fn chapter(title: &str) {
    say(&format!("\n━━ {title}"));
}
