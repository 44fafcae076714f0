//! A server in the hands of somebody else: what is not signed for this host, now, is never executed.
//!
//! The server itself is honest, and so would refuse half of this. Between it and the host sits what makes it hostile: jobs name
//! the attacker's manifest, and manifests and files are the attacker's.

use std::fs;

use muster_schemas::{
    envelopes::Envelope, jobs::JobState, problems::ProblemCode, releases::ReleaseView, reports::UpdateOutcome,
};
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::{Fleet, reason},
    host::{Host, Setup},
    patience::{until, until_so},
    proxy::{Deed, Proxy, answer},
    releases::Release,
};

struct Attack {
    fleet: Fleet,
    proxy: Proxy,
    host: Host,
    honest: Release,
}

impl Attack {
    /// None where there is no server to be had.
    fn prepare() -> Option<Self> {
        let fleet = Fleet::start()?;
        let proxy = Proxy::start(&fleet.server.address);
        let host = fleet.host_with("one", &Setup::of(&proxy.url()));
        let honest = fleet.publisher.release("1.1.0", 10, program(&host));
        fleet.publish(&honest);
        Some(Self { fleet, proxy, host, honest })
    }

    /// A release of the same file, signed as usual.
    fn release(&self, manifest_version: u64) -> Release {
        self.fleet.publisher.release("1.1.0", manifest_version, self.honest.file.clone())
    }

    /// Gives the host this release and this file instead, and expects it to say no by this word.
    fn is_refused(&self, what: &str, release: &Release, file: Vec<u8>, code: &str) {
        self.proxy.be_honest();
        let (asked, given) = (self.honest.sha256(), release.sha256());
        let manifest = answer("application/json", &serde_json::to_vec(&release.envelope).unwrap());
        let file = if file.starts_with(b"HTTP") { file } else { answer("application/octet-stream", &file) };
        self.proxy.meddle(move |exchange| {
            if exchange.target.ends_with("/manifest") {
                Deed::Say(manifest.clone())
            } else if exchange.target.contains("/agent/blobs/") {
                Deed::Say(file.clone())
            } else if exchange.says("/check-in", &asked) {
                Deed::Say(String::from_utf8_lossy(&exchange.answer).replace(&asked, &given).into_bytes())
            } else {
                Deed::Pass
            }
        });
        let job = self.fleet.job_in(self.fleet.update(&self.host, "1.1.0"), JobState::Failed);
        assert_eq!(reason(&job).0, code, "{what}: {job:#?}");
        assert_eq!(self.host.read("executed"), "", "{what}");
        self.fleet.runs(&self.host, "1.0.0");
        let told = || self.fleet.view(self.host.id).agent.and_then(|agent| agent.last_update);
        let told = until(what, || told().filter(|told| told.transaction == job.id));
        assert_eq!(told.outcome, UpdateOutcome::Refused, "{what}");
    }
}

#[test]
fn a_manifest_that_is_not_signed_for_this_host_now_is_refused_before_anything_is_executed() {
    let Some(attack) = Attack::prepare() else { return };
    let refused = |what: &str, release: Release, code: &str| {
        attack.is_refused(what, &release, release.file.clone(), code);
    };
    let with = |change: fn(&mut muster_schemas::releases::Manifest)| {
        attack.fleet.publisher.release_with("1.1.0", 20, attack.honest.file.clone(), change)
    };
    let unsigned = Envelope { signatures: Vec::new(), ..attack.release(20).envelope };
    refused("unsigned", Release { envelope: unsigned, ..attack.release(20) }, "signature");
    refused("signed by a stranger", attack.release(20).signed_by_a_stranger(), "signature");
    let envelope = Envelope { payload: attack.release(21).envelope.payload, ..attack.release(20).envelope };
    refused("changed after it was signed", Release { envelope, ..attack.release(20) }, "signature");
    refused("another version than asked for", with(|manifest| manifest.version = "1.2.0".into()), "signature");
    refused("another system", with(|manifest| manifest.targets[0].os = "windows".into()), "platform");
    refused("another processor", with(|manifest| manifest.targets[0].arch = "riscv64".into()), "platform");
    refused("another product", with(|manifest| manifest.product = "another".into()), "platform");
    refused("below its own security floor", with(|manifest| manifest.security_floor = 21), "rollback");
    refused("revoked", with(|manifest| manifest.revoked = vec!["1.1.0".into()]), "revoked");
}

#[test]
fn a_file_that_is_not_what_was_signed_is_refused_before_anything_is_executed() {
    let Some(attack) = Attack::prepare() else { return };
    let file = &attack.honest.file;
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = file.clone();
        change(&mut file);
        file
    };
    let last = file.len() - 1;
    let release = attack.release(30);
    attack.is_refused("one bit is another", &release, changed(&|file| file[last] ^= 1), "digest");
    attack.is_refused("one byte more", &release, changed(&|file| file.push(b'\n')), "size");
    attack.is_refused("one byte less", &release, changed(&|file| file.truncate(last)), "size");
    let mut cut = answer("application/octet-stream", file);
    cut.pop();
    attack.is_refused("always cut off", &release, cut, "download");
    // It was signed well, so that it has raised the floor although its file was bad.
    attack.is_refused("older than what the host has seen", &attack.release(29), file.clone(), "rollback");
    // The same file, honestly signed and given, is executed: the traps above could have snapped.
    attack.proxy.be_honest();
    let good = attack.fleet.publisher.release("1.3.0", 31, file.clone());
    attack.fleet.publish(&good);
    attack.fleet.ended(attack.fleet.update(&attack.host, "1.3.0"));
    assert!(attack.host.read("executed").contains("self-check"));
}

#[test]
fn a_file_that_was_changed_on_the_host_after_its_installation_is_not_started() {
    let Some(fleet) = Fleet::start() else { return };
    let host = fleet.host("one");
    let release = fleet.publisher.release("1.1.0", 1, bytes(AGENT_2));
    fleet.publish(&release);
    // So that there is time between the installation and the start.
    host.supervisor().signal(Signal::STOP);
    let job = fleet.update(&host, "1.1.0");
    until_so("the worker has left it to the supervisor", || host.phase() == "armed" && host.workers().is_empty());
    let directory = format!("1.1.0-{}", &release.manifest.targets[0].sha256[..12]);
    fs::write(host.state.join("versions").join(directory).join("muster-agent"), program(&host)).unwrap();
    host.supervisor().signal(Signal::CONT);
    let job = fleet.job_in(job, JobState::Failed);
    assert_eq!(reason(&job).0, "digest");
    assert_eq!(host.read("executed"), "");
    fleet.runs(&host, "1.0.0");
}

#[test]
fn the_server_takes_no_file_that_is_not_what_was_signed_and_offers_no_release_without_it() {
    let Some(fleet) = Fleet::start() else { return };
    let host = fleet.host("one");
    let release = fleet.publisher.release("1.1.0", 1, program(&host));
    fleet.announce(&release);
    let path = format!("/releases/1.1.0/targets/{}", release.manifest.targets[0].platform());
    let mut file = release.file.clone();
    file[0] ^= 1;
    assert!(fleet.api().try_put(&path, file.clone()).is_err());
    file.pop();
    assert!(fleet.api().try_put(&path, file).is_err());
    assert_eq!(fleet.api().get::<ReleaseView>("/releases/1.1.0").uploaded, Vec::<String>::new());
    let refused =
        fleet.api().try_post(&format!("/hosts/{}/update", host.id), &json!({ "version": "1.1.0" })).unwrap_err();
    assert_eq!(refused.code, ProblemCode::WrongState);
}

/// A program that leaves a trace of being executed.
fn program(host: &Host) -> Vec<u8> {
    let trace = host.work.join("executed");
    format!("#!/bin/sh\necho \"$@\" >> {}\necho '{{\"version\":\"1.1.0\"}}'\n", trace.display()).into_bytes()
}
