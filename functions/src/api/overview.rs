//! The overview (dashboard): the whole fleet in one answer. Counting the hosts is expensive, so one request does it now and
//! then, and only while somebody looks; other requests get the last count and its time.

use std::time::Duration;

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use muster_domain::{
    hosts::{Host, Standing},
    jobs::Job,
    load::Sheddable,
    overview::{Tally, with_sample},
    releases::Release,
    times::after,
};
use muster_schemas::{
    access::Role,
    ids::{FleetUpdateId, JobId},
    jobs::{JobState, JobView},
    overview::{FleetSample, Overview},
};
use serde::{Deserialize, Serialize};

use super::{
    auth::{Operator, may},
    extract::LIST_AGAIN_SECONDS,
    fleet_updates::views,
    found::newest_release,
    lists::List,
    looks::{Hold, Look, Snapshot},
    problem::Failure,
    route::{self, Route},
};
use crate::{
    app::App,
    commit::{keep, put},
    polls, records,
    store::{Consistency, Expect, Key, StoreError, Versioned},
    workers::fleet_updates::with_lagging_mailboxes,
};

/// How many hosts one request counts in any case, how many at once, and for how long it counts on, in seconds; the next request
/// continues.
const COUNTED: usize = 10_000;
const STRIDE: usize = 1_000;
const COUNTING_SECONDS: u32 = 2;
/// How long other requests leave the counting to one, in seconds.
const CLAIM_SECONDS: u32 = 15;
/// How far the clocks of two servers of one store may differ, in seconds.
const CLOCKS_DIFFER_SECONDS: u32 = 10;
/// How often a held request reads again.
const AGAIN: Duration = Duration::from_secs(15);
/// How many jobs are searched for failures, and how many failures are shown.
const MAX_JOBS: usize = 200;
const MAX_FAILURES: usize = 10;

/// The last count as it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct StoredCount {
    /// Absent: hosts were never counted.
    figures: Option<Figures>,
    /// A count that is not finished.
    going_on: Option<OpenCount>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Figures {
    tally: Tally,
    newest_release: Option<String>,
    failures: Vec<JobId>,
    /// Fleet updates that were not over.
    #[serde(default)]
    fleet_updates: Vec<FleetUpdateId>,
    as_of: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OpenCount {
    /// Until when it is left to the request that does it.
    claimed_until: Timestamp,
    /// The host behind which the count continues.
    from: Option<String>,
    tally: Tally,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/overview", get)
            .says("Get the whole fleet in one answer, or with `wait` its next change.")
            .waits()
            .gives::<Overview>(200),
    ]
}

/// `GET /api/v1/overview`, with `?wait=30` for another answer than `If-None-Match` names.
pub async fn get(operator: Operator<may::Look>, State(app): State<App>, look: Look) -> Result<Response, Failure> {
    app.admit(Sheddable::List, LIST_AGAIN_SECONDS)?;
    let (app, role, caller) = (&app, operator.role(), operator.actor());
    let see = || async move { Ok(Snapshot { revision: 0, over: false, view: overview(app, role).await? }) };
    look.answer(app, Hold { caller, topics: &[polls::OVERVIEW.into()], again: Some(AGAIN) }, see).await
}

async fn overview(app: &App, role: Role) -> Result<Overview, Failure> {
    let Figures { tally, newest_release, failures, fleet_updates, as_of } = figures(app).await?;
    Ok(Overview {
        hosts: tally.hosts,
        newest_release,
        versions: tally.versions,
        fleet_updates: views::active(app, role, &fleet_updates).await?,
        recent_failures: views(app, role, &failures).await?,
        history: history(app, Consistency::Eventual).await?.map(|history| history.record).unwrap_or_default(),
        as_of,
    })
}

/// The last figures, or new ones if those are old and nobody else counts.
async fn figures(app: &App) -> Result<Figures, Failure> {
    let (found, now) = (app.load::<StoredCount>(&records::overview::counted(), Consistency::Strong).await?, app.now());
    let (counted, revision) = found.map(|found| (found.record, found.revision)).unwrap_or_default();
    let StoredCount { figures, going_on } = counted;
    // What is further ahead than it can be is from a clock that has been set back since.
    let is_young = |figures: &Figures| {
        figures.as_of <= after(now, CLOCKS_DIFFER_SECONDS) && now < after(figures.as_of, figures.valid_seconds(app))
    };
    let longest_claim = after(now, CLAIM_SECONDS + CLOCKS_DIFFER_SECONDS);
    let is_claimed = |claim: &OpenCount| now < claim.claimed_until && claim.claimed_until <= longest_claim;
    let is_claimed = going_on.as_ref().is_some_and(is_claimed);
    if let Some(figures) = figures.as_ref().filter(|figures| is_claimed || is_young(figures)) {
        return Ok(figures.clone());
    }
    let (from, tally) = going_on.map(|going_on| (going_on.from, going_on.tally)).unwrap_or_default();
    let claimed_until = after(now, CLAIM_SECONDS);
    let claim = OpenCount { claimed_until, from: from.clone(), tally: tally.clone() };
    let claim = StoredCount { figures: figures.clone(), going_on: Some(claim) };
    match (write(app, records::overview::counted(), revision, &claim).await?, figures) {
        (false, Some(figures)) => Ok(figures),
        (_, figures) => count(app, figures, revision + 1, from, tally).await,
    }
}

impl Figures {
    fn valid_seconds(&self, app: &App) -> u32 {
        app.settings.pacing.overview_seconds(self.tally.hosts.total)
    }
}

/// Goes on counting and writes down how far it came, under the claim of this revision.
async fn count(
    app: &App,
    known: Option<Figures>,
    revision: u64,
    from: Option<String>,
    tally: Tally,
) -> Result<Figures, Failure> {
    let newest = newest_release(app).await?;
    let (tally, from) = counted(app, newest.as_ref(), from, tally).await?;
    let new = Figures {
        tally: tally.clone().bounded(),
        newest_release: newest.map(|release| release.manifest.version),
        failures: failures(app).await?,
        fleet_updates: views::open(app).await?,
        as_of: app.now(),
    };
    let Some(from) = from else {
        let counted = StoredCount { figures: Some(new.clone()), going_on: None };
        if write(app, records::overview::counted(), revision, &counted).await? {
            sample(app, &new).await?;
            app.polls.wake(polls::OVERVIEW);
        }
        return Ok(new);
    };
    let going_on = OpenCount { claimed_until: app.now(), from: Some(from), tally: new.tally.clone() };
    write(
        app,
        records::overview::counted(),
        revision,
        &StoredCount { figures: known.clone(), going_on: Some(going_on) },
    )
    .await?;
    // Of a fleet that was never counted so far, what is known so far.
    Ok(known.unwrap_or(new))
}

/// Counts some more hosts; the result has the host to continue behind, if there are more.
async fn counted(
    app: &App,
    newest: Option<&Release>,
    mut from: Option<String>,
    mut tally: Tally,
) -> Result<(Tally, Option<String>), Failure> {
    let (mut looked_at, stop) = (0, after(app.now(), COUNTING_SECONDS));
    while looked_at < COUNTED || app.now() < stop {
        looked_at += STRIDE;
        let (records, more) = List::all("hosts").before::<Host>(app, from.as_deref(), STRIDE).await?;
        from = records.last().map(|(place, _)| place.clone());
        let hosts = records.into_iter().map(|(_, host)| host.record).collect();
        for (host, mailbox) in with_lagging_mailboxes(app, hosts).await? {
            let online = app.is_online(&mailbox);
            tally.count(&Standing { host: &host, mailbox: &mailbox, online, release: newest });
        }
        if !more {
            return Ok((tally, None));
        }
    }
    Ok((tally, from))
}

/// The newest jobs that did not end well.
async fn failures(app: &App) -> Result<Vec<JobId>, Failure> {
    let (jobs, _) = List::all("jobs").before::<Job>(app, None, MAX_JOBS).await?;
    let failed = jobs.into_iter().map(|(_, job)| job.record).filter(|job| has_failed(job.state));
    Ok(failed.map(|job| job.id).take(MAX_FAILURES).collect())
}

fn has_failed(state: JobState) -> bool {
    use JobState::{Expired, Failed, Interrupted, PresumedLost, Rejected};
    matches!(state, Failed | Interrupted | Rejected | Expired | PresumedLost)
}

async fn views(app: &App, role: Role, ids: &[JobId]) -> Result<Vec<JobView>, Failure> {
    let keys = ids.iter().copied().map(records::jobs::key).collect::<Vec<_>>();
    let jobs = app.load_many::<Job>(&keys).await?.into_iter().flatten();
    // One that was presumed lost may have come to a good end since.
    Ok(jobs
        .filter(|job| has_failed(job.record.state))
        .map(|job| job.record.view(role, app.now(), job.revision, false))
        .collect())
}

async fn history(app: &App, consistency: Consistency) -> Result<Option<Versioned<Vec<FleetSample>>>, Failure> {
    Ok(app.load(&records::overview::history(), consistency).await?)
}

/// Keeps how the fleet is, if it is time to. Lost to another request: it has kept the same.
async fn sample(app: &App, figures: &Figures) -> Result<(), Failure> {
    let found = history(app, Consistency::Strong).await?;
    let (history, revision) = found.map(|found| (found.record, found.revision)).unwrap_or_default();
    if let Some(history) = with_sample(&history, &figures.tally, figures.as_of) {
        write(app, records::overview::history(), revision, &history).await?;
    }
    Ok(())
}

/// Writes a record over its revision (0: there is none), unless another request came first.
async fn write(app: &App, key: Key, revision: u64, record: &impl Serialize) -> Result<bool, Failure> {
    let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
    let write = put(key, revision + 1, Vec::new(), record, expect);
    match keep(app, vec![write]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Stale { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
