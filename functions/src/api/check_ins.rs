//! Long poll: sessions and check-ins of hosts. An idle check-in that is held reads one item when it begins and nothing when it
//! ends.

use std::time::Duration;

use axum::{Json, extract::State};
use muster_domain::{
    changes::Change,
    jobs::{self, Job},
    load::Sheddable,
    mailboxes::{Digests, Event, HostNews, Mailbox},
};
use muster_schemas::{
    PROTOCOL,
    check_ins::{CheckInRequest, CheckInResponse, SessionEnd, SessionRequest, SessionResponse},
    commands::Command,
    ids::{HostId, JobId},
    jobs::JobState,
    problems::{Problem, ProblemCode},
    reports::{self, Facts, Section},
};

use super::{
    auth::Agent,
    checks::{check_report, check_sequence},
    extract::JsonBody,
    problem::Failure,
    route::{self, Route},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{CommitError, Extras},
    presence::End,
    records,
    store::{Consistency, Item, Versioned},
};

/// How many jobs one answer offers, and how much of them in bytes; at least one.
const MAX_OFFERED: usize = 20;
const MAX_OFFERED_BYTES: usize = 1024 * 1024;
/// How many check-ins of one host are held at once: one, and those that a bad line has repeated.
const MAX_HELD: usize = 3;
/// Over how many seconds hosts are spread at most that a stopping server sends away.
const DRAIN_SPREAD_SECONDS: u32 = 10;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/agent/session", start)
            .says("Start the session of an agent process.")
            .takes::<SessionRequest>()
            .gives::<SessionResponse>(200),
        route::post("/api/v1/agent/session/end", end)
            .says("End the session of an agent process that stops.")
            .takes::<SessionEnd>()
            .gives::<SessionResponse>(200),
        route::post("/api/v1/agent/check-in", check_in)
            .says("Check in: a long poll that brings jobs.")
            .takes::<CheckInRequest>()
            .gives::<CheckInResponse>(200),
    ]
}

/// `POST /api/v1/agent/session`: an agent process has started.
pub async fn start(
    agent: Agent,
    State(app): State<App>,
    JsonBody { body, .. }: JsonBody<SessionRequest>,
) -> Result<Json<SessionResponse>, Failure> {
    if body.protocol != PROTOCOL {
        let detail = format!("this server speaks protocol {PROTOCOL}, the agent {}", body.protocol);
        return Err(Problem::new(ProblemCode::AgentTooOld).detail(detail).into());
    }
    let event = Event::Started { news: news_of_session(&body)?, agent: body.agent };
    let advanced = advance(&app, Change::Mailbox(agent.host_id, event), &agent.cause()).await?;
    let mailbox = advanced.record::<Mailbox>(&records::mailboxes::key(agent.host_id))?.record;
    // It may have been quarantined for it.
    mailbox.served()?;
    Ok(Json(SessionResponse { session: mailbox.session, server_time: app.now(), sections: Section::ALL.into() }))
}

/// `POST /api/v1/agent/session/end`: an agent process stops, so that its host is known to be offline at once. A process that
/// another one has taken over from says nothing new.
pub async fn end(
    agent: Agent,
    State(app): State<App>,
    JsonBody { body: SessionEnd { session }, .. }: JsonBody<SessionEnd>,
) -> Result<Json<SessionResponse>, Failure> {
    let left = Event::Left { session, seen_at: app.now(), said_goodbye: true };
    let advanced = advance(&app, Change::Mailbox(agent.host_id, left), &agent.cause()).await?;
    let mailbox = advanced.record::<Mailbox>(&records::mailboxes::key(agent.host_id))?.record;
    if mailbox.left_at.is_some() {
        app.presence.leaves(agent.host_id);
    }
    Ok(Json(SessionResponse { session: mailbox.session, server_time: app.now(), sections: Vec::new() }))
}

/// `POST /api/v1/agent/check-in`: the long poll.
pub async fn check_in(
    agent: Agent,
    State(app): State<App>,
    JsonBody { body: request, .. }: JsonBody<CheckInRequest>,
) -> Result<Json<CheckInResponse>, Failure> {
    let mut held = None;
    let answered = answer_when_due(&app, &agent, &request, &mut held).await;
    // Where nothing is answered, this is not reached.
    if let Some(held) = &mut held {
        held.closed = false;
    }
    answered.map(Json)
}

async fn answer_when_due(
    app: &App,
    agent: &Agent,
    request: &CheckInRequest,
    held: &mut Option<Held>,
) -> Result<CheckInResponse, Failure> {
    let told = news_of_check_in(request)?;
    let pacing = app.settings.pacing;
    let longest = Duration::from_secs(pacing.hold_seconds(request.wait_seconds).into());
    let mut hold_over = app.clock.sleep(longest);
    let mut news = true;
    let mut consistency = Consistency::Eventual;
    let digest = stored_digest(request);
    let mut place = None;
    loop {
        // Begun before the read, so that nothing that comes after it is missed.
        let woken = (!longest.is_zero()).then(|| app.polls.begin(agent.host_id));
        let (item, mailbox) = served(app, agent.host_id, request.session, consistency).await?;
        // Another process has missed it here, where its check-in is held.
        news |= held.is_some() && mailbox.is_missed();
        if std::mem::take(&mut news) {
            if is_idle(app, &mailbox, request) {
                let spread = pacing.spread_seconds(app.presence.most());
                app.admit(Sheddable::IdleCheckIn, rand::random_range(1..=spread))?;
            }
            seen(app, agent, item, &mailbox, request.session, &told).await?;
        }
        let answer = answer(app, agent, &mailbox, (request, &digest)).await?;
        if !longest.is_zero() && held.is_none() {
            *held = Some(Held::begins(app, agent.host_id, request.session));
        }
        let has_nothing = answer.jobs.is_empty() && answer.cancel.is_empty();
        let Some(mut woken) = woken.filter(|_| has_nothing && !app.is_draining()) else {
            return Ok(answer);
        };
        let one_more = place.get_or_insert_with(|| app.held.begin(agent.host_id.to_string()));
        if one_more.is_over(MAX_HELD) {
            return Ok(answer);
        }
        tokio::select! {
            biased;
            () = woken.woken() => consistency = Consistency::Strong,
            () = one_more.let_go() => return Ok(CheckInResponse { server_time: app.now(), ..answer }),
            () = app.time_to_look_again() => consistency = Consistency::Eventual,
            () = &mut hold_over => {
                let (server_time, retry_cap_seconds) = (app.now(), app.retry_cap_seconds());
                return Ok(CheckInResponse { server_time, retry_cap_seconds, ..answer });
            }
        }
    }
}

/// A check-in that is held: if it ends without an answer, the host has closed its connection.
struct Held {
    app: App,
    host: HostId,
    closed: bool,
}

impl Held {
    fn begins(app: &App, host: HostId, session: u64) -> Self {
        app.presence.begins(host, session);
        Self { app: app.clone(), host, closed: true }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Self { app, host, closed } = self;
        app.presence.ends(*host, End { at: app.now(), elapsed: app.clock.elapsed(), closed: *closed });
    }
}

/// Whether a check-in can wait: the host has nothing to tell, nothing waits for it, and it does not count as offline for it.
fn is_idle(app: &App, mailbox: &Mailbox, request: &CheckInRequest) -> bool {
    let tells_nothing = request.reports().is_empty() && request.open.is_empty();
    let nothing_waits = mailbox.open.is_empty() && mailbox.fleet_update.is_none();
    tells_nothing && nothing_waits && !app.settings.pacing.presence_is_urgent(mailbox, app.now())
}

/// Writes down what the host says, if it says anything new or it is time to write that it was heard from.
async fn seen(
    app: &App,
    agent: &Agent,
    item: Item,
    mailbox: &Mailbox,
    session: u64,
    told: &HostNews,
) -> Result<(), Failure> {
    let (pacing, now) = (app.settings.pacing, app.now());
    let urgent = pacing.presence_is_urgent(mailbox, now);
    let presence = urgent || (pacing.presence_is_due(mailbox, now) && !app.puts_off(Sheddable::Presence));
    if !told.is_new_to(mailbox) && !presence {
        return Ok(());
    }
    let event = Event::Seen { session, news: told.clone() };
    let own = Extras { found: Some(item), ..Extras::default() };
    advance_with(app, Change::Mailbox(agent.host_id, event), &agent.cause(), own).await?;
    Ok(())
}

async fn answer(
    app: &App,
    agent: &Agent,
    mailbox: &Mailbox,
    (request, digest): (&CheckInRequest, &str),
) -> Result<CheckInResponse, Failure> {
    let cancel = mailbox.open.iter().filter(|open| open.cancel).map(|open| open.id).collect::<Vec<_>>();
    let (jobs, offered_before) = offers(app, agent, mailbox, request).await?;
    let next_check_in_seconds = if app.is_draining() {
        rand::random_range(1..=app.retry_cap_seconds().min(DRAIN_SPREAD_SECONDS))
    } else if jobs.is_empty() && !cancel.is_empty() || offered_before {
        // The host knows already, and has not come to it yet: no tight loop.
        2
    } else if jobs.is_empty() {
        app.settings.pacing.next_check_in_seconds(mailbox, request.wait_seconds, app.now())
    } else {
        0
    };
    let (send_facts, wanted) = missing(request, digest, mailbox);
    let attention_until = mailbox.attention_until(app.now());
    let retry_cap_seconds = app.retry_cap_seconds();
    Ok(CheckInResponse {
        server_time: app.now(),
        jobs,
        cancel,
        send_facts,
        wanted,
        next_check_in_seconds,
        retry_cap_seconds,
        attention_until,
    })
}

/// The reports of a new session, within the bounds.
pub fn news_of_session(request: &SessionRequest) -> Result<HostNews, Failure> {
    let digests = Some(digests(&request.reports_digest, Some(&request.facts)));
    let reports = request.reports();
    checked(HostNews { reports, digests, after: None, highest_sequence: request.highest_sequence })
}

/// The reports of a check-in, within the bounds.
pub fn news_of_check_in(request: &CheckInRequest) -> Result<HostNews, Failure> {
    let (reports, facts) = (request.reports(), request.facts.as_ref());
    // The digests in the mailbox are those of what is stored: they change with it, and with nothing else.
    let tells = if request.reports_digest.is_empty() { facts.is_some() } else { !reports.is_empty() };
    let digests = tells.then(|| digests(&request.reports_digest, facts));
    let after = (!request.digest_before.is_empty()).then(|| reports::as_stored(&request.digest_before));
    checked(HostNews { reports, digests, after, highest_sequence: request.highest_sequence })
}

fn checked(news: HostNews) -> Result<HostNews, Failure> {
    news.reports.iter().try_for_each(check_report)?;
    check_sequence(news.highest_sequence)?;
    Ok(news)
}

/// The part of a host's digests that the mailbox keeps.
fn digests(reports_digest: &str, facts: Option<&Facts>) -> Digests {
    if reports_digest.is_empty() {
        Digests { facts_digest: facts.map(Facts::digest).unwrap_or_default(), ..Digests::default() }
    } else {
        Digests { reports_digest: reports::as_stored(reports_digest), ..Digests::default() }
    }
}

/// The digest of a check-in's reports as the mailbox keeps it, made once for all looks at the mailbox. Empty: it compares none.
fn stored_digest(request: &CheckInRequest) -> String {
    if request.reports_digest.is_empty() { String::new() } else { reports::as_stored(&request.reports_digest) }
}

/// What the host must tell again, because the server does not have it: the facts, of an agent that compares nothing else;
/// or any sections.
fn missing(request: &CheckInRequest, digest: &str, mailbox: &Mailbox) -> (bool, Vec<Section>) {
    let Digests { facts_digest, reports_digest } = &mailbox.digests;
    if request.reports_digest.is_empty() {
        return (request.facts.is_none() && request.facts_digest != *facts_digest, Vec::new());
    }
    let lacks = request.reports().is_empty() && digest != *reports_digest;
    (false, if lacks { Section::ALL.into() } else { Vec::new() })
}

/// Jobs that this session has not received, each marked as offered before the answer leaves; and whether one of them had
/// been offered to this session before.
async fn offers(
    app: &App,
    agent: &Agent,
    mailbox: &Mailbox,
    request: &CheckInRequest,
) -> Result<(Vec<Command>, bool), Failure> {
    let unknown = |id: &JobId| !request.open.contains(id);
    let wanted = mailbox.open.iter().filter(|open| !open.cancel).map(|open| open.id).filter(unknown);
    let wanted = wanted.map(records::jobs::key).collect::<Vec<_>>();
    let mut commands = Vec::new();
    let (mut offered_before, mut bytes) = (false, 0);
    // A few at a time: a job may be as large as an answer.
    for wanted in wanted.chunks(MAX_OFFERED) {
        for job in app.load_many::<Job>(wanted).await?.into_iter().flatten().map(|found| found.record) {
            if !job.is_for(&request.open, request.highest_sequence, app.now())
                || commands.len() >= MAX_OFFERED
                || bytes >= MAX_OFFERED_BYTES
            {
                continue;
            }
            bytes += serde_json::to_vec(&job.asked.spec).map_err(Failure::broken)?.len();
            offered_before |= job.state != JobState::Queued && job.session == Some(request.session);
            let offered = offer(app, agent, job.id, request.session).await?;
            commands.extend(
                offered
                    .filter(|job| job.is_for(&request.open, request.highest_sequence, app.now()))
                    .map(|job| job.command()),
            );
        }
        if commands.len() >= MAX_OFFERED || bytes >= MAX_OFFERED_BYTES {
            break;
        }
    }
    commands.sort_by_key(|command| command.sequence);
    Ok((commands, offered_before))
}

/// A job that this session is offered from now on, unless it can be offered no more.
async fn offer(app: &App, agent: &Agent, id: JobId, session: u64) -> Result<Option<Job>, Failure> {
    match advance(app, Change::Job(id, jobs::Event::Offer { session }), &agent.cause()).await {
        Ok(advanced) => Ok(Some(advanced.record::<Job>(&records::jobs::key(id))?.record)),
        Err(CommitError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The mailbox of a host whose session is served. The cheap read may lag behind: it is believed when it says that there is
/// nothing to do, and nobody is refused or offered anything on its strength.
async fn served(app: &App, id: HostId, session: u64, consistency: Consistency) -> Result<(Item, Mailbox), Failure> {
    let key = records::mailboxes::key(id);
    let read = async |consistency| -> Result<_, Failure> {
        let Some(item) = app.table.get(&key, consistency).await? else { return Ok(None) };
        let mailbox = Versioned::<Mailbox>::read(&item)?.record;
        Ok(Some((item, mailbox)))
    };
    if consistency == Consistency::Eventual {
        let idle = |(_, mailbox): &(Item, Mailbox)| mailbox.open.is_empty() && mailbox.serves(session).is_ok();
        if let Some(found) = read(consistency).await?.filter(idle) {
            return Ok(found);
        }
    }
    let found = read(Consistency::Strong).await?.ok_or_else(|| Failure::of(ProblemCode::HostNotFound))?;
    found.1.serves(session)?;
    Ok(found)
}
