//! Orders: put work into a host's mailbox for any source: a route, a webhook, a schedule.

use muster_domain::{
    changes::Change,
    hosts::Host,
    jobs::{Job, JobOrder, NewJob},
    mailboxes::{self, Mailbox},
};
use muster_schemas::{
    ids::{HostId, JobId},
    jobs::IfOffline,
    problems::{Problem, ProblemCode},
};

use super::{
    found::{found, mailbox},
    idempotency::Once,
    problem::Failure,
};
use crate::{
    advance::advance_with,
    app::App,
    commit::{Cause, CommitError, Extras},
    records,
    store::{Versioned, Write},
};

/// Orders one job for a host, unless the same request has ordered it before.
pub async fn order(
    app: &App,
    host_id: HostId,
    asked: &JobOrder,
    if_offline: IfOffline,
    cause: &Cause,
    once: &mut Once,
) -> Result<Versioned<Job>, Failure> {
    if let Some(job) = earlier(app, once).await? {
        return Ok(job);
    }
    let mailbox = mailbox(app, host_id).await?;
    mailbox.takes_work()?;
    if if_offline == IfOffline::Fail {
        refuse_offline(app, &mailbox)?;
    }
    if let Some(needed) = asked.spec.rules().needs() {
        refuse_unable(app, host_id, needed).await?;
    }
    let job = NewJob { id: JobId::new(app.now(), rand::random()), asked: asked.clone() };
    let writes = once.write(app, &job.id).into_iter().collect();
    match enqueue(app, host_id, job, cause, writes).await {
        // The same request came a moment before.
        Err(CommitError::Overtaken) => earlier(app, once).await?.ok_or_else(|| Failure::of(ProblemCode::Contended)),
        done => Ok(done?),
    }
}

async fn earlier(app: &App, once: &mut Once) -> Result<Option<Versioned<Job>>, Failure> {
    let Some(id) = once.earlier(app).await?.and_then(|id| id.parse().ok()) else { return Ok(None) };
    found::<Job>(app, &id).await.map(Some)
}

/// Puts a job into a host's mailbox.
pub async fn enqueue(
    app: &App,
    host_id: HostId,
    job: NewJob,
    cause: &Cause,
    writes: Vec<Write>,
) -> Result<Versioned<Job>, CommitError> {
    let id = job.id;
    let change = Change::Mailbox(host_id, mailboxes::Event::Enqueue(Box::new(job)));
    let advanced = advance_with(app, change, cause, Extras { writes, ..Extras::default() }).await?;
    advanced.record::<Job>(&records::jobs::key(id))
}

/// Refuses work that the host's agent is too old for: it would refuse it, or do only part of it.
async fn refuse_unable(app: &App, host_id: HostId, needed: &str) -> Result<(), Failure> {
    let host = found::<Host>(app, &host_id).await?.record;
    if host.facts.capabilities.iter().any(|able| able == needed) {
        return Ok(());
    }
    let version = host.agent.map_or_else(|| "unknown".into(), |agent| agent.version);
    let detail =
        format!("the agent of {host_id} (version {version}) does not take {needed}: update it, or look at its policy");
    Err(Problem::new(ProblemCode::WrongState).detail(detail).into())
}

/// Refuses work for a host that was not heard from lately.
fn refuse_offline(app: &App, mailbox: &Mailbox) -> Result<(), Failure> {
    if app.is_online(mailbox) {
        return Ok(());
    }
    Err(mailbox.offline("if_offline=queue keeps the job until start_by").into())
}
