//! The root of trust for releases, so far as the server knows it: a release whose signatures do not hold against it is refused
//! when it is published, and not on the first host. Hosts never get it from here: they are given it by whoever installs them.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use muster_domain::changes::Note;
use muster_schemas::{
    envelopes::{Envelope, PublicKey},
    problems::{Problem, ProblemCode},
    releases::Root,
};

use super::{
    auth::{Operator, may},
    extract::JsonBody,
    problem::Failure,
    route::{self, Route},
    trusted::known,
};
use crate::{
    app::App,
    commit::{keep_audited, put},
    records,
    store::{Expect, StoreError, Versioned},
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/trust-root", get)
            .says("Get the root of trust that releases are checked against when they are published.")
            .gives::<Envelope>(200),
        route::put("/api/v1/trust-root", replace)
            .says("Tell the server the root of trust, or its successor.")
            .takes::<Envelope>()
            .gives::<Envelope>(200),
    ]
}

/// `GET /api/v1/trust-root`
pub async fn get(_: Operator<may::Look>, State(app): State<App>) -> Result<Json<Envelope>, Failure> {
    let known = known(&app)
        .await?
        .ok_or_else(|| Problem::new(ProblemCode::NotFound).detail("nobody has told this server the root of trust"))?;
    Ok(Json(known.record))
}

/// `PUT /api/v1/trust-root`: the first one is believed; from then on only its successor, which its own root keys have signed.
/// The same one again changes nothing.
pub async fn replace(
    operator: Operator<may::ManageReleases>,
    State(app): State<App>,
    JsonBody { body: envelope, .. }: JsonBody<Envelope>,
) -> Result<Json<Envelope>, Failure> {
    let invalid = |error| Problem::invalid("payload", error);
    let known = known(&app).await?;
    let (root, expect, revision) = match &known {
        None => (Root::first(&envelope).map_err(invalid)?, Expect::Absent, 1),
        Some(known) if known.record == envelope => return Ok(Json(envelope)),
        Some(Versioned { record, revision }) => {
            let current = Root::first(record).map_err(Failure::broken)?;
            let foreign = |error| {
                let detail = format!("this server has another root of trust, and this is not its successor: {error}");
                Problem::new(ProblemCode::AlreadyExists).detail(detail)
            };
            (current.successor(&envelope).map_err(foreign)?, Expect::Revision(*revision), revision + 1)
        }
    };
    let distinct = root.release.keys.iter().map(PublicKey::id).collect::<BTreeSet<_>>();
    if distinct.len() < root.release.threshold {
        let rule = "names fewer keys than must sign a release, so that no release could ever be good";
        return Err(Problem::invalid("payload.release", rule).into());
    }
    let keys = root.release.keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ");
    let detail =
        format!("version {}; {} of {keys} must sign releases", root.root_version, root.release.threshold.max(1));
    let write = put(records::trust_root::key(), revision, Vec::new(), &envelope, expect);
    match keep_audited(&app, vec![write], Note::new("trust_root.told", "trust-root", detail), &operator.cause()).await {
        Ok(()) => Ok(Json(envelope)),
        Err(StoreError::Stale { .. }) => Err(Failure::of(ProblemCode::Contended)),
        Err(error) => Err(error.into()),
    }
}
