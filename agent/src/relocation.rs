//! Relocation: a host follows its server to another URL. It moves only to where the same installation answers, which it finds
//! out by proving who it is there.

use std::{path::Path, sync::Arc, time::Duration};

use muster_schemas::check_ins::Relocation;
use reqwest::Url;
use tokio::time::timeout;
use tracing::info;

use crate::{
    agent::Agent,
    client::{Client, may_follow},
    clock::ServerClock,
    config::{Config, ConfigError},
    errors::chain,
    failure::Failure,
    identity::{Identity, IdentityError, check_server},
    transport::{Http, TransportError},
};

/// How long to wait before a URL is tried again that has not answered.
const TRY_AGAIN: Duration = Duration::from_mins(5);

/// Why a host was not pointed to another URL.
#[derive(Debug, thiserror::Error)]
pub enum RelocationError {
    /// The host has no usable identity, or the URL is none.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The transport cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Not this host's server, or nobody, answers there.
    #[error("nothing was changed: the server that this host has joined does not answer at {server}")]
    Elsewhere {
        /// The URL.
        server: String,
        /// What came instead.
        #[source]
        source: Failure,
    },
}

/// Where to move from the URL `ours`, by the word of the server: only from one that it had before, and never to a port of this
/// machine unless the server has been there all the time.
pub fn destination(ours: &str, told: &Relocation) -> Option<String> {
    let to = check_server(&told.to).ok()?;
    let had = told.from.iter().filter_map(|url| check_server(url).ok()).any(|url| url == ours);
    let may = may_follow(&Url::parse(ours).ok()?, &Url::parse(&to).ok()?);
    (had && may && to != ours).then_some(to)
}

/// Points a host to another URL of its server, on request of who runs the machine. An agent that runs follows within seconds.
pub async fn point_to(state: &Path, server: &str) -> Result<String, RelocationError> {
    let (identity, _) = Identity::load(state)?;
    let identity = proven_at(&identity, &check_server(server)?, &Config::load(state)?).await?;
    identity.save(state)?;
    Ok(identity.server)
}

/// Follows the server's own word, as long as the worker lives.
pub async fn follow(agent: Arc<Agent>) {
    let mut told = agent.client.relocation.subscribe();
    let mut complaint = String::new();
    loop {
        let relocation = told.borrow_and_update().clone();
        let ours = agent.client.server();
        let to = relocation.and_then(|told| destination(&ours, &told));
        let moved = match &to {
            Some(to) => relocate(&agent, to).await,
            None => Ok(()),
        };
        match (&to, moved) {
            (Some(to), Ok(())) => {
                info!("The server has moved from {ours} to {to}, and this host calls it there from now on");
            }
            (Some(to), Err(failed)) => {
                let reason = chain(&failed);
                if reason != complaint {
                    info!("The server says that it has moved to {to}; this host stays with {ours} for now: {reason}");
                }
                complaint = reason;
                let _ = timeout(TRY_AGAIN, told.changed()).await;
            }
            // The sender lives as long as the agent.
            (None, _) => drop(told.changed().await),
        }
    }
}

async fn relocate(agent: &Agent, to: &str) -> Result<(), RelocationError> {
    let config = agent.config();
    let identity = proven_at(&agent.client.identity(), to, &config).await?;
    identity.save(&agent.state)?;
    agent.client.relocate(identity, &config)?;
    agent.news.send_modify(|count| *count += 1);
    Ok(())
}

/// The identity with which this host is known at another URL. A server of before knows itself by its URL alone.
async fn proven_at(identity: &Identity, server: &str, config: &Config) -> Result<Identity, RelocationError> {
    let mut refused = None;
    for identity in [identity.at(server, &identity.audience), identity.at(server, server)] {
        let http = Arc::new(Http::new(server, &config.way())?);
        match Client::new(identity.clone(), config, http, ServerClock::default()).authenticate().await {
            Ok(()) => return Ok(identity),
            Err(failure) => refused.get_or_insert(failure),
        };
    }
    let source = refused.unwrap_or(Failure::TimedOut);
    Err(RelocationError::Elsewhere { server: server.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(ours: &str, to: &str, from: &[&str]) -> Option<String> {
        let from = from.iter().map(|url| (*url).to_owned()).collect();
        destination(ours, &Relocation { to: to.into(), from })
    }

    #[test]
    fn a_host_follows_only_from_a_url_that_the_server_had() {
        let new = "https://new.example";
        assert_eq!(
            to("https://old.example", new, &["https://older.example", "https://old.example/"]),
            Some(new.into())
        );
        assert_eq!(to("https://inside.example", new, &["https://old.example"]), None, "it has its own way there");
        assert_eq!(to(new, new, &[new]), None);
        assert_eq!(to("https://old.example", "not a URL", &["https://old.example"]), None);
    }

    #[test]
    fn no_server_elsewhere_moves_a_host_to_its_own_machine_or_out_of_tls() {
        let old = "https://old.example";
        for new in ["http://127.0.0.1:8080", "https://localhost", "http://new.example"] {
            assert_eq!(to(old, new, &[old]), None, "{new}");
        }
        let local = "http://127.0.0.1:8080";
        assert_eq!(to(local, "http://localhost:8080", &[local]), Some("http://localhost:8080".into()));
    }
}
