//! Access in the document: from the same type that lets the caller in.

use axum::http::Method;
use muster_domain::words::word;
use muster_schemas::problems::ProblemCode;
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::api::{auth::Access, route::Route};

/// The extension that says who may call an operation.
pub const EXTENSION: &str = "x-muster-access";

const OPERATOR: &str = "bearer";
const HOST: &str = "host_token";
const MACHINE: &str = "enrollment_token";

/// Each way to say who one is, by name.
pub fn schemes() -> [(&'static str, SecurityScheme); 3] {
    [
        (OPERATOR, "The token of a session, or an API key."),
        (HOST, "The access token of a host, from `POST /oauth/token`."),
        (MACHINE, "An enrollment token that can still be used."),
    ]
    .map(|(name, meaning)| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(meaning)).build();
        (name, SecurityScheme::Http(scheme))
    })
}

/// The scheme that an operation is called with; none where anybody may call it.
pub fn scheme(access: Access) -> Option<&'static str> {
    match access {
        Access::Anyone => None,
        Access::Machine => Some(MACHINE),
        Access::Agent => Some(HOST),
        Access::Operator(_) => Some(OPERATOR),
    }
}

/// For programs: who calls, with which permission, and the least role that has it.
pub fn extension(access: Access) -> Value {
    match access {
        Access::Anyone => json!({ "caller": "anyone" }),
        Access::Machine => json!({ "caller": "enrollment_token" }),
        Access::Agent => json!({ "caller": "host" }),
        Access::Operator(permission) => {
            json!({ "caller": "operator", "permission": permission, "least_role": permission.least_role() })
        }
    }
}

/// The same for people.
pub fn sentence(access: Access) -> String {
    match access {
        Access::Anyone => "Open to everybody: no credential is needed.".to_owned(),
        Access::Machine => "For a machine that is about to become a host. Needs an enrollment token.".to_owned(),
        Access::Agent => "For hosts. Needs the access token of the host.".to_owned(),
        Access::Operator(permission) => {
            format!("Needs the permission `{}`: role {} or above.", word(permission), word(permission.least_role()))
        }
    }
}

/// The problems of callers that are not let in.
pub fn problems(route: &Route) -> Vec<ProblemCode> {
    let mut problems = match route.access {
        Access::Anyone => return Vec::new(),
        Access::Machine => vec![ProblemCode::Unauthorized, ProblemCode::EnrollmentTokenInvalid],
        Access::Agent => vec![ProblemCode::Unauthorized],
        Access::Operator(_) => vec![ProblemCode::Unauthorized, ProblemCode::Forbidden],
    };
    if matches!(route.access, Access::Operator(_)) && route.method != Method::GET {
        problems.push(ProblemCode::CsrfRefused);
    }
    problems.push(ProblemCode::TooManyRequests);
    problems
}
