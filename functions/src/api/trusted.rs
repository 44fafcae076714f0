//! Releases against the root of trust that the server was told, if it was.

use muster_schemas::{
    envelopes::{Envelope, PublicKey},
    problems::Problem,
    releases::{Manifest, Root},
};

use super::problem::Failure;
use crate::{
    app::App,
    records,
    store::{Consistency, Versioned},
};

/// A release that hosts with the known root of trust would refuse is refused here.
pub async fn check(app: &App, envelope: &Envelope) -> Result<(), Failure> {
    let Some(known) = known(app).await? else { return Ok(()) };
    let keys = Root::first(&known.record).map_err(Failure::broken)?.release;
    if let Err(error) = Manifest::verified(envelope, &keys.keys, keys.threshold) {
        let named = keys.keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ");
        let rule = format!("must be of keys that sign releases by the root of trust ({named}): {error}");
        return Err(Problem::invalid("signatures", rule).into());
    }
    Ok(())
}

/// The root of trust that the server was told.
pub async fn known(app: &App) -> Result<Option<Versioned<Envelope>>, Failure> {
    Ok(app.load::<Envelope>(&records::trust_root::key(), Consistency::Strong).await?)
}
