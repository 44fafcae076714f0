//! Who calls: the argument type of a handler says who may call it, and the router refuses a handler that does not say.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use jiff::Timestamp;
use muster_domain::{access::Permission, budgets::Budget};
use muster_schemas::{
    access::{Role, SessionKind},
    ids::HostId,
    problems::{Problem, ProblemCode},
};
use subtle::ConstantTimeEq;

use super::{
    api_keys, enrollment, extract,
    problem::Failure,
    session::{self, COOKIE, CSRF_HEADER},
    tokens,
};
use crate::{
    app::{App, Settings},
    commit::Cause,
};

/// Who may call a route.
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
    /// Who.
    const ACCESS: Access;
}

/// Anybody.
pub struct Anyone;

impl Caller for Anyone {
    const ACCESS: Access = Access::Anyone;
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Failure;

    async fn from_request_parts(_parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        Ok(Self)
    }
}

/// A machine that may become a host.
pub struct Machine;

impl Caller for Machine {
    const ACCESS: Access = Access::Machine;
}

impl FromRequestParts<App> for Machine {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = bearer(parts).filter(|token| token.starts_with(enrollment::PREFIX)).ok_or_else(unauthorized)?;
        let token = enrollment::known_token(app, token).await?;
        within_budget(app, &token.id.to_string(), app.settings.pacing.host_budget)?;
        token.lets_install(app.now())?;
        Ok(Self)
    }
}

/// A host. Every agent route works on this host alone.
pub struct Agent {
    /// Which.
    pub host_id: HostId,
    /// The request.
    pub request_id: String,
}

impl Agent {
    /// As the cause of a change.
    pub fn cause(&self) -> Cause {
        Cause { actor: format!("host:{}", self.host_id), name: String::new(), request_id: self.request_id.clone() }
    }
}

impl Caller for Agent {
    const ACCESS: Access = Access::Agent;
}

impl FromRequestParts<App> for Agent {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let host_id = bearer(parts).and_then(|token| tokens::host(app, token)).ok_or_else(unauthorized)?;
        within_budget(app, &host_id.to_string(), app.settings.pacing.host_budget)?;
        Ok(Self { host_id, request_id: extract::request_id(parts) })
    }
}

/// A person or a program that has the permission `P`.
pub struct Operator<P> {
    /// Who.
    pub identity: Identity,
    permission: PhantomData<P>,
}

/// Who a person or a program is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `user:<id>` or `key:<id>`.
    pub actor: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The session, if it is a person's.
    pub session: Option<String>,
    /// When the credential ends.
    pub expires_at: Timestamp,
    /// The request.
    pub request_id: String,
}

impl<P> Operator<P> {
    /// As the audit trail names it.
    pub fn actor(&self) -> &str {
        &self.identity.actor
    }

    /// What it may do.
    pub fn role(&self) -> Role {
        self.identity.role
    }

    /// Whether it is a person, and no program.
    pub fn is_person(&self) -> bool {
        self.identity.session.is_some()
    }

    /// As the cause of a change.
    pub fn cause(&self) -> Cause {
        let Identity { actor, name, request_id, .. } = self.identity.clone();
        Cause { actor, name, request_id }
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
}

impl<P: may::Permit> Caller for Operator<P> {
    const ACCESS: Access = Access::Operator(P::PERMISSION);
}

impl<P: may::Permit> FromRequestParts<App> for Operator<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let identity = identify(parts, app).await?;
        within_budget(app, &identity.actor, app.settings.pacing.operator_budget)?;
        P::PERMISSION.check(identity.role)?;
        Ok(Self { identity, permission: PhantomData })
    }
}

/// One that runs wild costs the others nothing.
pub fn within_budget(app: &App, caller: &str, budget: Budget) -> Result<(), Failure> {
    app.budgets.spend(caller, budget, app.now()).map_err(|wait| {
        let detail = format!("at most {} requests at once and {} a second", budget.burst, budget.per_second);
        let problem = Problem::new(ProblemCode::TooManyRequests).detail(detail);
        problem.with("retry_after_seconds", wait.as_secs().unsigned_abs() + u64::from(wait.subsec_nanos() > 0)).into()
    })
}

async fn identify(parts: &Parts, app: &App) -> Result<Identity, Failure> {
    let request_id = extract::request_id(parts);
    if let Some(token) = bearer(parts) {
        let found = if token.starts_with(api_keys::PREFIX) {
            api_keys::identify(app, token, request_id).await?
        } else {
            session::identify(app, token, SessionKind::Bearer, request_id).await?.map(|(identity, _)| identity)
        };
        return found.ok_or_else(unauthorized);
    }
    let token = cookie(&parts.headers).ok_or_else(unauthorized)?;
    let found = session::identify(app, token, SessionKind::Cookie, request_id).await?;
    let (identity, csrf_token) = found.ok_or_else(unauthorized)?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        sent_by_the_console(parts, app, &csrf_token)?;
    }
    Ok(identity)
}

/// A browser sends the cookie along whoever asks it to: a change must come from our own page and know its token.
fn sent_by_the_console(parts: &Parts, app: &App, csrf_token: &str) -> Result<(), Failure> {
    let origin = extract::header_text(&parts.headers, header::ORIGIN.as_str());
    let Settings { public_url, console_url, .. } = &app.settings;
    let ours = [public_url, console_url].into_iter().any(|url| !url.is_empty() && origin == origin_of(url));
    let token = extract::header_text(&parts.headers, CSRF_HEADER);
    let knows = bool::from(token.as_bytes().ct_eq(csrf_token.as_bytes()));
    if ours && knows && !csrf_token.is_empty() { Ok(()) } else { Err(Failure::of(ProblemCode::CsrfRefused)) }
}

/// A URL without its path, as browsers say where a page came from.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |path| &url[..host + path])
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session's cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn unauthorized() -> Failure {
    Failure::of(ProblemCode::Unauthorized)
}
