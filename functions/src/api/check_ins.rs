//! Sessions and check-ins of hosts. An idle held check-in reads one item when it begins and nothing when it ends.

use std::time::Duration;

use axum::{Json, extract::State};
use muster_domain::{
    changes::Change,
    jobs::{self, Job},
    load::Work,
    mailboxes::{Event, Mailbox, Told},
};
use muster_schemas::{
    PROTOCOL,
    check_ins::{CheckInRequest, CheckInResponse, SessionRequest, SessionResponse},
    commands::Command,
    hosts::Facts,
    ids::{HostId, JobId},
    jobs::JobState,
    problems::{Problem, ProblemCode},
};

use super::{
    auth::Agent,
    extract::Sent,
    problem::Failure,
    reports::{check_agent, check_facts, check_sequence, check_upstreams},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{CommitError, Extras},
    records,
    store::{Consistency, Item, Versioned},
};

/// How many jobs one answer offers, and how much of them in bytes; at least one.
const MAX_OFFERED: usize = 20;
const MAX_OFFERED_BYTES: usize = 1024 * 1024;
/// How many check-ins of one host are held at once: one, and those that a bad line has repeated.
const MAX_HELD: usize = 3;
/// Over how many seconds hosts are spread that a stopping server sends away.
const DRAIN_SPREAD_SECONDS: u32 = 10;

/// `POST /api/v1/agent/session`: an agent process has started.
pub async fn start(
    agent: Agent,
    State(app): State<App>,
    Sent { body, .. }: Sent<SessionRequest>,
) -> Result<Json<SessionResponse>, Failure> {
    let SessionRequest { protocol, agent: report, facts, highest_sequence, upstreams } = body;
    if protocol != PROTOCOL {
        let detail = format!("this server speaks protocol {PROTOCOL}, the agent {protocol}");
        return Err(Problem::new(ProblemCode::AgentTooOld).detail(detail).into());
    }
    check_agent(&report)?;
    check_facts(&facts)?;
    check_sequence(highest_sequence)?;
    check_upstreams(&upstreams)?;
    let facts_digest = facts.digest();
    let event = Event::Started { agent: report, facts, facts_digest, highest_sequence, upstreams };
    let advanced = advance(&app, Change::Mailbox(agent.host_id, event), &agent.cause()).await?;
    let mailbox = advanced.record::<Mailbox>(&records::mailboxes::key(agent.host_id))?.record;
    // It may have been quarantined for it.
    mailbox.served()?;
    Ok(Json(SessionResponse { session: mailbox.session, server_time: app.now() }))
}

/// `POST /api/v1/agent/check-in`: the long poll.
pub async fn check_in(
    agent: Agent,
    State(app): State<App>,
    Sent { body: request, .. }: Sent<CheckInRequest>,
) -> Result<Json<CheckInResponse>, Failure> {
    request.agent.as_ref().map_or(Ok(()), check_agent)?;
    request.facts.as_ref().map_or(Ok(()), check_facts)?;
    request.upstreams.as_deref().map_or(Ok(()), check_upstreams)?;
    check_sequence(request.highest_sequence)?;
    let pacing = app.settings.pacing;
    let hold = Duration::from_secs(pacing.hold_seconds(request.wait_seconds).into());
    let mut over = app.clock.sleep(hold);
    let mut news = true;
    let mut consistency = Consistency::Eventual;
    loop {
        // Begun before the read, so that nothing that comes after it is missed.
        let mut woken = app.polls.begin(agent.host_id);
        let (item, mailbox) = served(&app, agent.host_id, request.session, consistency).await?;
        if std::mem::take(&mut news) {
            if is_idle(&app, &mailbox, &request) {
                app.admit(Work::IdleCheckIn, rand::random_range(1..=pacing.spread_seconds()))?;
            }
            seen(&app, &agent, item, &mailbox, &request).await?;
        }
        let answer = answer(&app, &agent, &mailbox, &request).await?;
        let too_many = || app.polls.waiting(agent.host_id) > MAX_HELD;
        if hold.is_zero() || too_many() || !answer.jobs.is_empty() || !answer.cancel.is_empty() || app.is_draining() {
            return Ok(Json(answer));
        }
        tokio::select! {
            biased;
            () = woken.woken() => consistency = Consistency::Strong,
            () = app.time_to_look_again() => consistency = Consistency::Eventual,
            () = &mut over => return Ok(Json(CheckInResponse { server_time: app.now(), ..answer })),
        }
    }
}

/// Whether a check-in can wait: the host has nothing to tell, nothing waits for it, and it does not count as offline for it.
fn is_idle(app: &App, mailbox: &Mailbox, request: &CheckInRequest) -> bool {
    let CheckInRequest { agent, facts, open, upstreams, .. } = request;
    let tells_nothing = agent.is_none() && facts.is_none() && open.is_empty() && upstreams.is_none();
    let nothing_waits = mailbox.open.is_empty() && mailbox.fleet_update.is_none();
    tells_nothing && nothing_waits && !app.settings.pacing.presence_is_urgent(mailbox, app.now())
}

/// Writes down what the host says, if it says anything new or it is time to write that it was heard from.
async fn seen(
    app: &App,
    agent: &Agent,
    item: Item,
    mailbox: &Mailbox,
    request: &CheckInRequest,
) -> Result<(), Failure> {
    let with_digest = |facts: &Facts| (facts.clone(), facts.digest());
    let told = Told {
        agent: request.agent.clone(),
        facts: request.facts.as_ref().map(with_digest),
        upstreams: request.upstreams.clone(),
        highest_sequence: request.highest_sequence,
    };
    let (pacing, now) = (app.settings.pacing, app.now());
    let urgent = pacing.presence_is_urgent(mailbox, now);
    let presence = urgent || (pacing.presence_is_due(mailbox, now) && !app.puts_off(Work::Presence));
    if !told.is_news_to(mailbox) && !presence {
        return Ok(());
    }
    let event = Event::Seen { session: request.session, told };
    let own = Extras { found: Some(item), ..Extras::default() };
    advance_with(app, Change::Mailbox(agent.host_id, event), &agent.cause(), own).await?;
    Ok(())
}

async fn answer(
    app: &App,
    agent: &Agent,
    mailbox: &Mailbox,
    request: &CheckInRequest,
) -> Result<CheckInResponse, Failure> {
    let cancel = mailbox.open.iter().filter(|open| open.cancel).map(|open| open.id).collect::<Vec<_>>();
    let (jobs, offered_before) = offers(app, agent, mailbox, request).await?;
    let next_check_in_seconds = if app.is_draining() {
        rand::random_range(1..=DRAIN_SPREAD_SECONDS)
    } else if jobs.is_empty() && !cancel.is_empty() || offered_before {
        // The host knows already, and has not come to it yet: no tight loop.
        2
    } else if jobs.is_empty() {
        app.settings.pacing.next_check_in_seconds(mailbox, request.wait_seconds, app.now())
    } else {
        0
    };
    let send_facts = request.facts.is_none() && request.facts_digest != mailbox.facts_digest;
    let attention_until = mailbox.attention_until.filter(|until| app.now() < *until);
    let retry_cap_seconds = app.settings.pacing.retry_cap_seconds;
    Ok(CheckInResponse {
        server_time: app.now(),
        jobs,
        cancel,
        send_facts,
        next_check_in_seconds,
        retry_cap_seconds,
        attention_until,
    })
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
    for job in app.load_many::<Job>(&wanted).await?.into_iter().flatten().map(|found| found.record) {
        if !job.is_for(&request.open, request.highest_sequence, app.now())
            || commands.len() >= MAX_OFFERED
            || bytes >= MAX_OFFERED_BYTES
        {
            continue;
        }
        bytes += serde_json::to_vec(&job.asked.spec).map_err(Failure::broken)?.len();
        offered_before |= job.state != JobState::Queued && job.session == Some(request.session);
        let event = jobs::Event::Offer { session: request.session };
        match advance(app, Change::Job(job.id, event), &agent.cause()).await {
            Ok(advanced) => {
                let offered = advanced.record::<Job>(&records::jobs::key(job.id))?.record;
                commands.extend(
                    offered.is_for(&request.open, request.highest_sequence, app.now()).then(|| offered.command()),
                );
            }
            Err(CommitError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    commands.sort_by_key(|command| command.sequence);
    Ok((commands, offered_before))
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
