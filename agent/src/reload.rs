//! Reload: follows the files that people change while the agent runs (`policy.toml`, `agent.toml`, `identity.json`, the
//! authorities), and keeps the record of what is in force for `status`.
//!
//! They are looked at every few seconds, at SIGHUP, and the policy also before each job.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::{
    agent::Agent, config::Config, errors::chain, followed::News, identity::Identity, jobs::desk::Desk, status::InForce,
    sys::signals::Reloads, version::VERSION,
};

/// How often the files are looked at: what was changed is in force within ten seconds.
const LOOK: Duration = Duration::from_secs(8);

/// Follows them as long as the worker lives.
pub async fn follow(desk: Arc<Desk>) {
    let agent = &desk.agent;
    let (mut reloads, mut told) = (Reloads::new(), None);
    loop {
        tell(&desk, &mut told);
        tokio::select! {
            () = sleep(LOOK) => {}
            () = agent.look.notified() => {}
            () = reloads.next() => info!("SIGHUP: reading the files again"),
        }
        desk.look_at_policy();
        look_at_configuration(agent);
        look_at_identity(agent);
        agent.client.look();
    }
}

/// Writes down what is in force, if it is another than was written down last. What cannot be written now is tried at the next
/// look.
fn tell(desk: &Desk, told: &mut Option<InForce>) {
    let in_force = InForce {
        process_id: desk.agent.process_id,
        version: VERSION.into(),
        policy: desk.policy.in_force().summary(),
        policy_file: desk.policy.standing(),
        configuration_file: desk.agent.settings.standing(),
    };
    if told.as_ref() == Some(&in_force) {
        return;
    }
    match in_force.save(&desk.agent.state) {
        Ok(()) => *told = Some(in_force),
        Err(failed) => warn!("`muster-agent status` cannot tell what is in force: {}", chain(&failed)),
    }
}

/// Brings the configuration into force that is in the file now.
fn look_at_configuration(agent: &Agent) {
    let path = agent.settings.path().to_owned();
    let news = agent.settings.look(|file| {
        let config = Config::read_again(&path, file).map_err(|failed| chain(&failed))?;
        // What the network refuses is not in force either.
        agent.client.configure(&config).map_err(|failed| chain(&failed))?;
        Ok(config)
    });
    match news {
        Some(News::InForce) => info!("agent.toml has changed, and is in force"),
        Some(News::Broken(reason)) => {
            error!("agent.toml has changed and cannot be used, so what was in force stays in force: {reason}");
        }
        None => {}
    }
}

/// Follows `muster-agent point-to`.
fn look_at_identity(agent: &Agent) {
    let known = agent.client.identity();
    let found = match Identity::find(&agent.state) {
        Ok(Some(found)) if found.host_id == known.host_id => found,
        // Who this host is stays as it is for as long as this process lives.
        Ok(_) | Err(_) => return,
    };
    if (&found.server, &found.audience) == (&known.server, &known.audience) {
        return;
    }
    let server = found.server.clone();
    match agent.client.relocate(found, &agent.config()) {
        Ok(()) => {
            info!("This host was pointed to {server}, and calls it from now on");
            agent.news.send_modify(|count| *count += 1);
        }
        Err(failed) => error!("This host was pointed to {server}, which it cannot call: {}", chain(&failed)),
    }
}
