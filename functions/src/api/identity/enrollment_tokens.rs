//! Enrollment tokens: the credential of a machine that is about to become a host.

use muster_domain::{enrollment_tokens::EnrollmentToken, refused::Refused};
use muster_schemas::{ids::EnrollmentTokenId, problems::ProblemCode, secrets::Secret};

use super::credentials;
use crate::{api::problem::Failure, app::App, records, store::Consistency};

/// The prefix of every enrollment token.
const PREFIX: &str = "met_";

/// A new text for the token with this id, and what is stored of it.
pub fn issue(id: EnrollmentTokenId) -> (Secret, String) {
    credentials::issue(PREFIX, id)
}

/// Whether a bearer token says that it is one.
pub fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The token of this text, valid or not.
pub async fn known(app: &App, text: &str) -> Result<EnrollmentToken, Failure> {
    let invalid = || Failure::from(Refused::new(ProblemCode::EnrollmentTokenInvalid, "the token is unknown"));
    let ulid = credentials::ulid(PREFIX, text).ok_or_else(invalid)?;
    let id = format!("{}{ulid}", EnrollmentTokenId::PREFIX).parse().map_err(|_| invalid())?;
    let found = app.load::<EnrollmentToken>(&records::enrollment_tokens::key(id), Consistency::Strong).await?;
    let known = found.filter(|found| credentials::matches(text, &found.record.secret_sha256));
    Ok(known.ok_or_else(invalid)?.record)
}
