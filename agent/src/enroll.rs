//! Enrollment (`muster-agent enroll`): joins a server, and installs the first root of trust.

use std::{path::Path, sync::Arc};

use muster_schemas::{
    enrollment::{EnrollRequest, EnrollResponse},
    ids::HostId,
    secrets::Secret,
};
use tracing::info;

use crate::{
    client::Client,
    clock::ServerClock,
    config::{Config, ConfigError, take_over},
    facts,
    failure::Failure,
    identity::{Identity, IdentityError, check_server, is_retired},
    policy::Policy,
    sys::{
        disks::Sizes,
        files::{FileError, Mode, create_private_directory, make_private},
    },
    transport::{Http, TransportError},
};

/// Why this host did not join.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// It belongs to another server.
    #[error(
        "this host belongs to {server}; use another state directory to join another server. If that server has got another \
         URL: `muster-agent point-to`"
    )]
    Elsewhere {
        /// The server that it belongs to.
        server: String,
    },
    /// The server retired it.
    #[error("the server retired this host; use another state directory to join again as a new host")]
    Retired,
    /// The state directory cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The identity cannot be made or kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The transport cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server did not let the host in.
    #[error("this host could not enroll")]
    Refused(#[source] Failure),
}

/// Joins. The key is on disk before the server hears of it: when the answer is lost, the same command gets the same host.
pub async fn enroll(state: &Path, server: &str, token: Secret) -> Result<HostId, EnrollError> {
    let server = check_server(server)?;
    create_private_directory(state)?;
    make_private(state, Mode::Directory)?;
    if is_retired(state) {
        return Err(EnrollError::Retired);
    }
    let config = Config::load(state)?;
    let identity = match Identity::find(state)? {
        Some(identity) if identity.server == server => identity,
        Some(Identity { server, host_id: Some(_), .. }) => return Err(EnrollError::Elsewhere { server }),
        Some(_) | None => Identity::create(&server)?,
    };
    identity.save(state)?;
    let http = Http::new(&identity.server, &config.way())?;
    let client = Client::new(identity.clone(), &config, Arc::new(http), ServerClock::default());
    let joined = join(state, identity, &client, token).await?;
    if take_over(state, &server)? {
        info!("The way to the server is kept in agent.toml, section [network]: the service has another environment");
    }
    Ok(joined)
}

/// Joins by this client, and writes down who this host is.
pub async fn join(state: &Path, mut identity: Identity, client: &Client, token: Secret) -> Result<HostId, EnrollError> {
    let capabilities = Policy::load(state).unwrap_or_else(|_| Policy::nothing()).capabilities();
    // How large its file systems are is told with the first session: to join waits for none of them.
    let facts = facts::gather(&capabilities, &Sizes::new());
    let request = EnrollRequest { enrollment_token: token, public_key: identity.public_key()?, facts };
    let EnrollResponse { host_id, audience, .. } = client.enroll(&request).await.map_err(EnrollError::Refused)?;
    (identity.host_id, identity.audience) = (Some(host_id), audience);
    identity.save(state)?;
    Ok(host_id)
}
