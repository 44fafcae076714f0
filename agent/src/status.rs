//! The commands `status` and `self-check`, which only read files; and the file in which a running agent says what is in force.

use std::path::Path;

use muster_schemas::ids::ProcessId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    config::Config,
    errors::chain,
    followed::{Standing, sha256_of},
    identity::{Identity, is_retired},
    journal::{self, Damage, Stage},
    policy::Policy,
    sys::{
        files::{FileError, read_json, write_json},
        lock::is_held,
        texts::TextFile,
    },
    version::{COMMIT, VERSION},
    versions::pointer::{Choice, Pointer, Update},
};

/// `in-force.json`: what the running agent has in force of the files that people change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// Which start of the agent.
    pub process_id: ProcessId,
    /// Its version.
    pub version: String,
    /// The policy, in a few words.
    pub policy: String,
    /// Which text of `policy.toml` that is.
    pub policy_file: Standing,
    /// Which text of `agent.toml` is in force.
    pub configuration_file: Standing,
}

impl InForce {
    /// Puts it on disk.
    pub fn save(&self, state: &Path) -> Result<(), FileError> {
        write_json(&state.join(IN_FORCE), self)
    }

    /// What the agent that runs has said; `None` when none runs, or one that says nothing.
    fn of_running(state: &Path) -> Option<Self> {
        let running = is_held(&state.join("worker.lock"));
        running.then(|| read_json(&state.join(IN_FORCE)).ok().flatten()).flatten()
    }
}

const IN_FORCE: &str = "in-force.json";

/// How a file that people change stands to what the running agent has in force.
fn standing(running: Option<&Standing>, name: &str, file: &TextFile, read: Result<(), String>) -> String {
    match (read, running) {
        (Err(reason), Some(_)) => {
            format!("{name} cannot be used, so what was in force before stays in force: {reason}")
        }
        (Err(reason), None) => format!("{name} cannot be used: {reason}"),
        // What it needs beside itself may be missing.
        (Ok(()), Some(Standing { broken: Some(reason), sha256 })) if *sha256 != sha256_of(file) => {
            format!("{name} cannot be used, so what was in force before stays in force: {reason}")
        }
        (Ok(()), Some(standing)) if standing.sha256 == sha256_of(file) => "in force".into(),
        (Ok(()), Some(_)) => format!("{name} has changed, and comes into force within ten seconds"),
        (Ok(()), None) => "valid; the agent does not run".into(),
    }
}

/// What is in force of the policy and of the configuration: by the agent that runs, not by the files.
fn in_force(state: &Path) -> [(&'static str, Value); 4] {
    let running = InForce::of_running(state);
    let [policy_file, config_file] = ["policy.toml", "agent.toml"].map(|name| TextFile::read(&state.join(name)));
    let policy = Policy::read(&policy_file).map_err(|failed| chain(&failed));
    let config = Config::read_again(&state.join("agent.toml"), &config_file).map_err(|failed| chain(&failed));
    let in_words = match (&running, &policy) {
        (Some(running), _) => running.policy.clone(),
        (None, Ok(policy)) => policy.summary(),
        (None, Err(_)) => "no jobs are allowed".into(),
    };
    let told = running.as_ref();
    let policy = standing(told.map(|told| &told.policy_file), "policy.toml", &policy_file, policy.map(drop));
    let config = standing(told.map(|told| &told.configuration_file), "agent.toml", &config_file, config.map(drop));
    let agent = match &running {
        Some(InForce { version, .. }) => format!("version {version} runs"),
        None if is_held(&state.join("worker.lock")) => "a version runs that does not say what it has in force".into(),
        None => "does not run".into(),
    };
    [
        ("agent", agent.into()),
        ("policy", in_words.into()),
        ("policy_file", policy.into()),
        ("configuration", config.into()),
    ]
}

/// Everything that `status` tells.
pub fn status(state: &Path) -> Value {
    let identity = Identity::find(state).map_err(|failed| chain(&failed));
    let host = match &identity {
        Ok(Some(identity)) => json!({ "server": identity.server, "host_id": identity.host_id }),
        Ok(None) => json!({ "error": "this host has not joined a server" }),
        Err(reason) => json!({ "error": reason }),
    };
    let mut told = json!({
        "identity": host,
        "retired": is_retired(state),
        "versions": versions(state),
        "last_update": last_update(state),
        "journal": journal(state),
    });
    if let Value::Object(members) = &mut told {
        members.extend(in_force(state).map(|(name, value)| (name.to_owned(), value)));
    }
    told
}

/// The preflight check of a new version: read the configuration, the policy and the journal.
pub fn self_check(state: &Path) -> Result<Value, String> {
    Config::load(state).map_err(|failed| chain(&failed))?;
    Policy::load(state).map_err(|failed| chain(&failed))?;
    journal::read(state).map_err(|failed| chain(&failed))?;
    Ok(json!({ "version": VERSION, "commit": COMMIT }))
}

fn versions(state: &Path) -> Value {
    let name = |choice: &Choice| match choice {
        Choice::Factory => "factory".into(),
        Choice::Installed(installed) => installed.version.clone(),
    };
    match Pointer::load(state) {
        Ok(Pointer { committed, previous }) => {
            json!({ "committed": name(&committed), "previous": previous.as_ref().map(name), "this_binary": VERSION })
        }
        Err(failed) => json!({ "error": chain(&failed), "committed": "factory", "this_binary": VERSION }),
    }
}

fn last_update(state: &Path) -> Value {
    match Update::load(state) {
        Ok(update) => json!(update),
        Err(failed) => json!({ "error": chain(&failed) }),
    }
}

fn journal(state: &Path) -> Value {
    let found = match journal::read(state) {
        Ok(found) => found,
        Err(failed) => return json!({ "error": chain(&failed) }),
    };
    let damage = match found.damage {
        Damage::None => Value::Null,
        Damage::TornTail => "the last line is cut off, as a power failure leaves it".into(),
        Damage::Corrupt => "damaged; it will be moved aside at the next start".into(),
    };
    let job = |(id, record): (&muster_schemas::ids::JobId, &journal::Record)| {
        let progress = match record.stage {
            Stage::Received => "received",
            Stage::Started => "started",
            Stage::Finished(_) => "finished, the server does not have the result yet",
        };
        json!({ "id": id, "kind": record.command.as_ref().map(|command| &command.kind), "stage": progress })
    };
    let jobs: Vec<_> = found.ledger.jobs().iter().map(job).collect();
    json!({ "highest_sequence": found.ledger.floor(), "open_jobs": jobs, "damage": damage })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sys::lock::lock_within;

    fn told(state: &Path) -> [String; 3] {
        let status = status(state);
        ["policy", "policy_file", "configuration"].map(|name| status[name].as_str().unwrap().to_owned())
    }

    #[test]
    fn status_tells_what_the_running_agent_has_in_force_and_how_the_files_differ() {
        let state = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(state.path().join(name), text).unwrap();
        write("policy.toml", "[allow]\nrun = [\"/bin/old\"]");
        let standing =
            |name: &str| Standing { sha256: sha256_of(&TextFile::read(&state.path().join(name))), broken: None };
        let in_force = InForce {
            process_id: ProcessId::new(jiff::Timestamp::UNIX_EPOCH, 1),
            version: "1.0.0".into(),
            policy: Policy::load(state.path()).unwrap().summary(),
            policy_file: standing("policy.toml"),
            configuration_file: standing("agent.toml"),
        };
        in_force.save(state.path()).unwrap();
        write("policy.toml", "[allow]\nrun = [\"/bin/new\"]");
        let [policy, file, _] = told(state.path());
        assert!(policy.contains("/bin/new") && file.contains("does not run"), "{policy} {file}");

        let _lock = lock_within(&state.path().join("worker.lock"), std::time::Duration::from_secs(1)).unwrap();
        let [policy, file, configuration] = told(state.path());
        assert!(policy.contains("/bin/old") && file.contains("within ten seconds"), "{policy} {file}");
        assert_eq!(configuration, "in force");
        write("policy.toml", "[allow]\nrun = /bin/new");
        write("agent.toml", "wait_second = 1");
        let [policy, file, configuration] = told(state.path());
        assert!(policy.contains("/bin/old") && file.contains("line 2") && file.contains("stays in force"), "{file}");
        assert!(configuration.contains("wait_second"), "{configuration}");
        write("policy.toml", "[allow]\nrun = [\"/bin/old\"]");
        assert_eq!(told(state.path())[1], "in force");
    }
}
