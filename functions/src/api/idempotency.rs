//! Idempotency: the same request with the same `Idempotency-Key` takes effect once. A receipt is written in the same commit and
//! kept for a day.

use muster_domain::times::after;
use muster_schemas::{
    envelopes::sha256_hex,
    problems::{Problem, ProblemCode},
};
use serde::{Deserialize, Serialize};

use super::{extract::IdempotencyKey, problem::Failure};
use crate::{
    app::App,
    commit::{Cause, put},
    records,
    store::{Consistency, Expect, Key, Versioned, Write},
};

const KEPT_SECONDS: u32 = 86_400;

/// A request that may be repeated. Without a key it is new every time.
pub struct Once {
    key: Option<Key>,
    request_sha256: String,
    /// The revision of a record of an earlier request whose day is over.
    over: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Receipt {
    request_sha256: String,
    id: String,
}

impl Once {
    /// A request of this caller that makes this part.
    pub fn of(cause: &Cause, IdempotencyKey(key): IdempotencyKey, part: &str, request_sha256: &str) -> Self {
        let key = key.map(|key| records::idempotency::key(&cause.actor, &sha256_hex(key.as_bytes()), part));
        Self { key, request_sha256: request_sha256.into(), over: None }
    }

    /// The id of what an earlier request has made.
    pub async fn earlier(&mut self, app: &App) -> Result<Option<String>, Failure> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(item) = app.table.get(key, Consistency::Strong).await? else { return Ok(None) };
        // A store may keep for days what is over.
        if item.expires_at.is_some_and(|expires_at| expires_at <= app.now()) {
            self.over = Some(item.revision);
            return Ok(None);
        }
        let made = Versioned::<Receipt>::read(&item)?;
        if made.record.request_sha256 == self.request_sha256 {
            Ok(Some(made.record.id))
        } else {
            Err(Failure::of(ProblemCode::IdempotencyKeyReused))
        }
    }

    /// Refuses a repeat, for records whose secret is shown only once.
    pub async fn refuse_repeat(&mut self, app: &App) -> Result<(), Failure> {
        match self.earlier(app).await? {
            None => Ok(()),
            Some(id) => {
                let detail = format!("an earlier request created {id}; its secret is shown only once");
                Err(Problem::new(ProblemCode::AlreadyExists).detail(detail).into())
            }
        }
    }

    /// A receipt of what was made, to be written in the same commit.
    pub fn write(&self, app: &App, id: &impl ToString) -> Option<Write> {
        let made = Receipt { request_sha256: self.request_sha256.clone(), id: id.to_string() };
        let (revision, expect) = self.over.map_or((1, Expect::Absent), |over| (over + 1, Expect::Revision(over)));
        let write = put(self.key.clone()?, revision, Vec::new(), &made, expect);
        Some(write.until(after(app.now(), KEPT_SECONDS)))
    }
}
