//! `self_update`: from a version's name to a verified, installed, armed binary, and afterwards to the truth about it.
//!
//! ```text
//! manifest ─▶ signatures, floor, platform ─▶ floor on disk ─▶ download, digest ─▶ versions/… ─▶ preflight ─▶ armed ─▶ drain, exit
//! ```
//!
//! Until it is armed, any failure is `refused`: the host keeps working and says why. From then on the supervisor's record tells.

use std::{ffi::OsStr, path::Path, time::Duration};

use futures_util::future::BoxFuture;
use muster_schemas::{
    envelopes::Envelope,
    ids::JobId,
    jobs::{JobResult, Outcome, SelfUpdateSpec},
};
use serde::Deserialize;
use tokio::time::timeout;
use tracing::{info, warn};

use super::{
    Runner, Task,
    results::{ended, ended_with, error},
    switch::Switch,
};
use crate::{
    agent::Agent,
    errors::chain,
    exits::Exit,
    programs::{self, End, Program},
    sys::{
        files::{FileError, Mode, create_private_directory, make_private, rename_durably, sync_parent, write_json},
        machine::own_sha256,
    },
    version::{ARCHITECTURE, OS, VERSION},
    versions::{
        download,
        pointer::{BINARY, Installed, Phase, Pointer, TRIES, Update},
        trust::{Platform, Refusal, Trust, remove_versions_except},
    },
};

/// How long a new version may take to check itself.
const PREFLIGHT_PATIENCE: Duration = Duration::from_secs(20);
/// How long an armed update waits for a supervisor that does not take it up.
const SUPERVISOR_PATIENCE: Duration = Duration::from_mins(15);
/// How much it may say, in bytes.
const PREFLIGHT_BYTES: u64 = 32 * 1024;

/// `self_update = false`: somebody else brings new versions of the agent.
pub type Allowed = Switch<SelfUpdateSpec, true>;

impl Runner for SelfUpdateSpec {
    fn run<'a>(&'a self, agent: &'a Agent, task: &'a Task) -> BoxFuture<'a, Option<JobResult>> {
        Box::pin(run(agent, self, task))
    }

    fn probe<'a>(&'a self, agent: &'a Agent, id: JobId) -> BoxFuture<'a, JobResult> {
        Box::pin(probe(agent, id))
    }
}

/// Brings the new version to the point where the supervisor takes over. `None`: it does, and the next process tells how it went.
async fn run(agent: &Agent, spec: &SelfUpdateSpec, task: &Task) -> Option<JobResult> {
    let prepared = tokio::select! {
        biased;
        () = task.stop.cancelled() => return Some(ended(Outcome::Cancelled)),
        prepared = timeout(task.time_limit, prepare(agent, spec, task)) => prepared,
    };
    let late = || Refusal::new("time_limit", format!("not ready after {} s", task.time_limit.as_secs()));
    let installed = match prepared.unwrap_or_else(|_| Err(late())) {
        Ok(Some(installed)) => installed,
        Ok(None) => return Some(ended(Outcome::Succeeded)),
        Err(refusal) => return Some(refused(agent, spec, task.id, refusal)),
    };
    let update = record(task.id, installed, Phase::Armed);
    // A disk that fails after it has put the record in place has armed the update all the same: what is there counts.
    let is_there = || Update::load(&agent.state).is_ok_and(|found| found.as_ref() == Some(&update));
    if let Err(failed) = update.save(&agent.state)
        && !is_there()
    {
        return Some(ended_with(Outcome::Failed, "disk", chain(&failed)));
    }
    info!("The update to {} is armed; the agent restarts when its jobs have ended", update.to.version);
    agent.end(Exit::Update);
    None
}

/// How an update ended that this journal had started: by the supervisor's record, once it is decided.
async fn probe(agent: &Agent, id: JobId) -> JobResult {
    let mut spoke = agent.supervisor_spoke.subscribe();
    loop {
        let update = match Update::load(&agent.state) {
            Ok(Some(update)) if update.transaction == id => update,
            Ok(_) => return failed("no_attempt", "the agent was restarted before the update was ready".into()),
            Err(error) => return failed("no_attempt", chain(&error)),
        };
        let reason = update.full_reason();
        match update.phase {
            Phase::Committed => return ended(Outcome::Succeeded),
            Phase::RolledBack => return failed("rolled_back", reason),
            Phase::Inconclusive => return failed("inconclusive", reason),
            Phase::Refused => return failed(&update.code, reason),
            // The supervisor speaks when it has decided.
            Phase::OnTrial | Phase::Unproven => drop(spoke.changed().await),
            Phase::Armed => {
                if timeout(SUPERVISOR_PATIENCE, spoke.changed()).await.is_err() {
                    return disarm(agent, update);
                }
            }
            Phase::Unknown => return failed("inconclusive", "a newer agent wrote how it went".into()),
        }
    }
}

/// An armed update that no supervisor takes up must not hold back every other.
fn disarm(agent: &Agent, update: Update) -> JobResult {
    let reason = "the supervisor did not start the new version".to_owned();
    let update = Update { phase: Phase::Refused, code: "no_attempt".into(), reason: reason.clone(), ..update };
    if let Err(failed) = update.save(&agent.state) {
        warn!("The update to {} cannot be disarmed: {}", update.to.version, chain(&failed));
    }
    failed("no_attempt", reason)
}

/// The installed version, or `None` when it is what runs already.
async fn prepare(agent: &Agent, spec: &SelfUpdateSpec, task: &Task) -> Result<Option<Installed>, Refusal> {
    let mut trust = Trust::load(&agent.state)?;
    let envelope = download::manifest(agent, &spec.version).await?;
    let (manifest, target) = trust.judge(&envelope, spec, Platform { os: OS, architecture: ARCHITECTURE })?;
    trust.raise(&agent.state, &manifest)?;
    if own_sha256().is_ok_and(|own| own == target.sha256) {
        return Ok(None);
    }
    let file = download::download(agent, &target).await?;
    let installed = Installed { version: manifest.version, sha256: target.sha256.clone() };
    install(&agent.state, &installed, &envelope, &file).map_err(|failed| Refusal::new("disk", chain(&failed)))?;
    preflight(agent, task, &installed).await?;
    Ok(Some(installed))
}

/// Puts the file and its manifest in place. The directory gets its name last, so that what has a name is whole.
fn install(state: &Path, installed: &Installed, envelope: &Envelope, file: &Path) -> Result<(), FileError> {
    let gone = || FileError::new("name", state, std::io::ErrorKind::InvalidInput.into());
    let directory = installed.directory(state).ok_or_else(gone)?;
    let staging = state.join("versions").join(".staging");
    prune(state);
    create_private_directory(&staging)?;
    make_private(file, Mode::Executable)?;
    write_json(&staging.join("manifest.json"), envelope)?;
    rename_durably(file, &staging.join(BINARY))?;
    if directory.exists() {
        // From an earlier attempt; never what runs, because that was looked at before.
        std::fs::remove_dir_all(&directory).map_err(|source| FileError::new("remove", &directory, source))?;
    }
    rename_durably(&staging, &directory)?;
    sync_parent(&directory)
}

/// Removes what failed before: neither committed nor previous. What cannot be removed only takes room.
fn prune(state: &Path) {
    if let Ok(pointer) = Pointer::load(state) {
        let _ = remove_versions_except(state, &pointer.installed());
    }
}

#[derive(Deserialize)]
struct SelfCheck {
    version: String,
}

/// Runs the new binary's check of itself. It is signed, and still it gets nothing but the state directory.
async fn preflight(agent: &Agent, task: &Task, installed: &Installed) -> Result<(), Refusal> {
    let refuse = |message: String| Refusal::new("preflight", message);
    let program = Program {
        job: task.id,
        path: installed.binary(&agent.state).ok_or_else(|| refuse("the new version has no file".into()))?,
        arguments: vec!["self-check".into(), "--state".into(), agent.state.clone().into()],
        environment: std::env::vars_os().filter(|(name, _)| is_passed(name)).collect(),
        directory: None,
        time_limit: PREFLIGHT_PATIENCE,
        account: None,
        stop_grace: Duration::ZERO,
        output_limit_bytes: PREFLIGHT_BYTES,
    };
    let (ran, said) = programs::read(&*agent.machine, &program, &task.stop).await;
    match (ran.end, ran.exit_code) {
        (End::NotStarted(why), _) => return Err(refuse(format!("the new version does not start: {why}"))),
        (End::TimeLimit, _) => {
            let seconds = PREFLIGHT_PATIENCE.as_secs();
            return Err(refuse(format!("the new version's self-check took over {seconds} s")));
        }
        (End::Itself, Some(0)) => {}
        (End::Itself | End::Stopped, _) => {
            return Err(refuse(format!("the new version's self-check failed: {}", said.trim_end())));
        }
    }
    // What it complains of stands in between.
    match said.lines().rev().find_map(|line| serde_json::from_str::<SelfCheck>(line).ok()) {
        Some(SelfCheck { version }) if version == installed.version => Ok(()),
        Some(SelfCheck { version }) => Err(refuse(format!("the new version says that it is {version:?}"))),
        None => Err(refuse(format!("the new version's self-check ({} bytes) says nothing of use", said.len()))),
    }
}

/// Whether a check of itself gets this variable: what the platform needs to start anything, and the agent's own settings.
fn is_passed(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["PATH", "SystemRoot"].contains(&name.as_ref()) || name.starts_with("MUSTER_AGENT_")
}

fn refused(agent: &Agent, spec: &SelfUpdateSpec, id: JobId, refusal: Refusal) -> JobResult {
    warn!("The update to {} is refused: {}", spec.version, refusal.message);
    let Refusal { code, message } = refusal;
    let to = Installed { version: spec.version.clone(), sha256: String::new() };
    let update = Update { code: code.into(), reason: message.clone(), ..record(id, to, Phase::Refused) };
    if let Err(failed) = update.save(&agent.state) {
        warn!("That an update was refused cannot be remembered: {}", chain(&failed));
    }
    failed(code, message)
}

fn record(transaction: JobId, to: Installed, phase: Phase) -> Update {
    let (code, reason, log_tail) = (String::new(), String::new(), String::new());
    Update { transaction, from: VERSION.into(), to, phase, tries_left: TRIES, tries: 0, code, reason, log_tail }
}

fn failed(code: &str, message: String) -> JobResult {
    JobResult { error: Some(error(code, message)), ..ended(Outcome::Failed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_itself_gets_no_foreign_variable() {
        for (name, passed) in
            [("PATH", true), ("MUSTER_AGENT_WAIT_SECONDS", true), ("MUSTER_ENROLLMENT_TOKEN", false), ("HOME", false)]
        {
            assert_eq!(is_passed(OsStr::new(name)), passed, "{name}");
        }
    }
}
