//! Authorization: the type of a handler's first argument says which callers it serves, and a handler without one does not
//! compile.

use std::{marker::PhantomData, net::IpAddr};

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use jiff::SignedDuration;
use muster_domain::{access::Permission, budgets::Budget};
use muster_schemas::{
    access::Role,
    ids::{HostId, RequestId},
    problems::ProblemCode,
};
use tracing::{Span, field::display};

use super::{
    extract,
    identity::{Identity, access_tokens, addresses, api_keys, enrollment_tokens, sessions},
    known::Known,
    problem::Failure,
};
use crate::{app::App, commit::Cause};

/// The callers that a route serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anyone,
    /// A machine that may become a host, with an enrollment token.
    Machine,
    /// A host, with its access token.
    Agent,
    /// A person or a program with this permission.
    Operator(Permission),
}

/// An argument type that says who may call.
pub trait Caller {
    /// The callers.
    const ACCESS: Access;
}

/// Anybody.
pub struct Anyone {
    /// The request.
    pub request_id: String,
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
}

impl Anyone {
    /// As the cause of a change, in the name of whom it turned out to be.
    pub fn cause(&self, actor: String, name: String) -> Cause {
        Cause { actor, name, request_id: self.request_id.clone(), address: self.address }
    }
}

impl Caller for Anyone {
    const ACCESS: Access = Access::Anyone;
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        Ok(Self { request_id: extract::request_id(parts), address: addresses::of(parts) })
    }
}

/// A machine that is about to become a host.
pub struct Machine;

impl Caller for Machine {
    const ACCESS: Access = Access::Machine;
}

impl FromRequestParts<App> for Machine {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = bearer(parts).filter(|token| enrollment_tokens::is_one(token)).ok_or_else(unauthorized)?;
        let token = enrollment_tokens::known(app, token).await?;
        acts(parts, format!("token:{}", token.id));
        within_budget(app, &token.id.to_string(), app.settings.pacing.host_budget)?;
        token.lets_install(app.now())?;
        Ok(Self)
    }
}

/// A host. Every agent route works on this host alone.
pub struct Agent {
    /// Which.
    pub host_id: HostId,
    /// The request. Its text is made only where it is needed: most check-ins change nothing.
    request_id: Option<RequestId>,
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
}

impl Agent {
    /// As the cause of a change.
    pub fn cause(&self) -> Cause {
        Cause {
            actor: format!("host:{}", self.host_id),
            name: String::new(),
            request_id: self.request_id.map(|id| id.to_string()).unwrap_or_default(),
            address: self.address,
        }
    }
}

impl Caller for Agent {
    const ACCESS: Access = Access::Agent;
}

impl FromRequestParts<App> for Agent {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let host_id = bearer(parts).and_then(|token| access_tokens::host(app, token)).ok_or_else(unauthorized)?;
        acts(parts, format!("host:{host_id}"));
        within_budget(app, &host_id.to_string(), app.settings.pacing.host_budget)?;
        Ok(Self { host_id, request_id: parts.extensions.get().copied(), address: addresses::of(parts) })
    }
}

/// A person or a program that has the permission `P`.
pub struct Operator<P> {
    /// Its identity.
    pub identity: Identity,
    permission: PhantomData<P>,
}

impl<P> Operator<P> {
    /// As the audit trail names it.
    pub fn actor(&self) -> &str {
        &self.identity.actor
    }

    /// Its role.
    pub fn role(&self) -> Role {
        self.identity.role
    }

    /// Whether it is a person, and no program.
    pub fn is_person(&self) -> bool {
        self.identity.session.is_some()
    }

    /// As the cause of a change.
    pub fn cause(&self) -> Cause {
        let Identity { actor, name, request_id, address, .. } = self.identity.clone();
        Cause { actor, name, request_id, address }
    }
}

/// Permissions as types, for handlers to name.
pub mod may {
    use super::Permission;

    /// A permission as a type.
    pub trait Permit: Send + Sync {
        /// Which.
        const PERMISSION: Permission;
    }

    /// [`Permission::Look`]
    pub struct Look;
    /// [`Permission::RunJobs`]
    pub struct RunJobs;
    /// [`Permission::DescribeHosts`]
    pub struct DescribeHosts;
    /// [`Permission::ManageHosts`]
    pub struct ManageHosts;
    /// [`Permission::ManageReleases`]
    pub struct ManageReleases;
    /// [`Permission::ManageFleetUpdates`]
    pub struct ManageFleetUpdates;
    /// [`Permission::ManageAccess`]
    pub struct ManageAccess;
    /// [`Permission::RunTick`]
    pub struct RunTick;
    /// [`Permission::EraseLogs`]
    pub struct EraseLogs;

    impl Permit for Look {
        const PERMISSION: Permission = Permission::Look;
    }
    impl Permit for RunJobs {
        const PERMISSION: Permission = Permission::RunJobs;
    }
    impl Permit for DescribeHosts {
        const PERMISSION: Permission = Permission::DescribeHosts;
    }
    impl Permit for ManageHosts {
        const PERMISSION: Permission = Permission::ManageHosts;
    }
    impl Permit for ManageReleases {
        const PERMISSION: Permission = Permission::ManageReleases;
    }
    impl Permit for ManageFleetUpdates {
        const PERMISSION: Permission = Permission::ManageFleetUpdates;
    }
    impl Permit for ManageAccess {
        const PERMISSION: Permission = Permission::ManageAccess;
    }
    impl Permit for RunTick {
        const PERMISSION: Permission = Permission::RunTick;
    }
    impl Permit for EraseLogs {
        const PERMISSION: Permission = Permission::EraseLogs;
    }
}

impl<P: may::Permit> Caller for Operator<P> {
    const ACCESS: Access = Access::Operator(P::PERMISSION);
}

impl<P: may::Permit> FromRequestParts<App> for Operator<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let identity = identify(parts, app).await?;
        acts(parts, identity.actor.clone());
        within_budget(app, &identity.actor, app.settings.pacing.operator_budget)?;
        P::PERMISSION.check(identity.role)?;
        Ok(Self { identity, permission: PhantomData })
    }
}

/// The longest that a rate limit asks anybody to wait, whatever the budget.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// Charges one request to the caller's rate limit; 429 with `Retry-After` when it is spent.
pub fn within_budget(app: &App, caller: &str, budget: Budget) -> Result<(), Failure> {
    app.budgets.spend(caller, budget, app.now()).map_err(|wait| {
        let detail =
            format!("rate limit: at most {} requests at once and {} per second", budget.burst, budget.per_second);
        Failure::too_many(detail, wait.min(LONGEST_WAIT))
    })
}

async fn identify(parts: &Parts, app: &App) -> Result<Identity, Failure> {
    let found = match bearer(parts) {
        Some(token) if api_keys::is_one(token) => api_keys::identify(app, token, extract::request_id(parts)).await?,
        Some(token) => sessions::of_bearer(app, token, parts).await?,
        None => sessions::of_cookie(app, parts).await?,
    };
    let found = found.ok_or_else(unauthorized)?;
    Ok(Identity { address: addresses::of(parts), ..found })
}

/// Adds the caller to the request's span, and lets everybody know who it is.
fn acts(parts: &Parts, actor: String) {
    Span::current().record("actor", display(&actor));
    Known::of(&parts.extensions).becomes(actor);
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized() -> Failure {
    Failure::of(ProblemCode::Unauthorized)
}
