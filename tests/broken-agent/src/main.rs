//! An agent that fails in a chosen way: what a bad release looks like to the supervisor. See the library for the ways.

use std::{
    env, fs,
    io::{self, Read, Write},
    process::{self, ExitCode},
    thread,
    time::Duration,
};

use muster_broken_agent::{Behaviour, Mode};

fn main() -> ExitCode {
    let Some(behaviour) = own_behaviour() else {
        return complain("nothing at the end of this file says how to behave");
    };
    match env::args().nth(1).as_deref() {
        Some("self-check") => self_check(&behaviour),
        Some("work") => work(&behaviour),
        Some("--version") => say(&format!("muster-agent {} (broken)", behaviour.version)),
        _ => complain(&format!("only self-check and work, and those badly: {behaviour}")),
    }
}

fn own_behaviour() -> Option<Behaviour> {
    let file = env::current_exe().and_then(fs::read).ok()?;
    Behaviour::read(&file)
}

fn self_check(behaviour: &Behaviour) -> ExitCode {
    let Behaviour { version, mode } = behaviour;
    match mode {
        Mode::PreflightFails => complain("the configuration cannot be read"),
        Mode::PreflightHangs => sleep(),
        Mode::WrongVersion => say("{\"version\":\"0.0.0-wrong\"}"),
        Mode::Crash | Mode::Hang | Mode::Deaf | Mode::Exit0 => say(&format!("{{\"version\":\"{version}\"}}")),
    }
}

fn work(behaviour: &Behaviour) -> ExitCode {
    match behaviour.mode {
        Mode::Crash => {
            complain(&format!(
                "thread 'main' panicked at agent/src/run.rs:42:\nversion {} is broken on purpose",
                behaviour.version
            ));
            process::abort()
        }
        Mode::Exit0 => ExitCode::SUCCESS,
        Mode::Deaf => sleep(),
        // The last two never get here when they are released; started by hand, they wait like the first.
        Mode::Hang | Mode::WrongVersion | Mode::PreflightFails | Mode::PreflightHangs => {
            // Whatever comes is thrown away, until the supervisor lets go.
            drop(io::stdin().lock().read_to_end(&mut Vec::new()));
            ExitCode::SUCCESS
        }
    }
}

fn sleep() -> ! {
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

fn say(line: &str) -> ExitCode {
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(line: &str) -> ExitCode {
    drop(writeln!(io::stderr(), "{line}"));
    ExitCode::FAILURE
}
