//! The commands `status` and `self-check`, which only read files.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    config::Config,
    errors::chain,
    identity::{Identity, is_retired},
    journal::{self, Damage, Stage},
    policy::Policy,
    version::{COMMIT, VERSION},
    versions::pointer::{Choice, Pointer, Update},
};

/// Everything that `status` tells.
pub fn status(state: &Path) -> Value {
    let identity = Identity::find(state).map_err(|failed| chain(&failed));
    let host = match &identity {
        Ok(Some(identity)) => json!({ "server": identity.server, "host_id": identity.host_id }),
        Ok(None) => json!({ "error": "this host has not joined a server" }),
        Err(reason) => json!({ "error": reason }),
    };
    json!({
        "identity": host,
        "retired": is_retired(state),
        "versions": versions(state),
        "last_update": last_update(state),
        "journal": journal(state),
        "policy": Policy::load(state).map_or_else(|failed| format!("no jobs are allowed: {}", chain(&failed)), |policy| policy.summary()),
        "configuration": Config::load(state).map_or_else(|failed| chain(&failed), |_| "valid".into()),
    })
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
