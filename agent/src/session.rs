//! Sessions and check-ins: what this agent tells of itself, and what it makes of the answers.

use std::{sync::Arc, time::Duration};

use muster_schemas::{
    PROTOCOL,
    check_ins::{AgentReport, CheckInRequest, CheckInResponse, SessionRequest, SessionResponse},
    hosts::Facts,
    problems::ProblemCode,
    upstreams::{BreakerState, Upstream},
};
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::{
    agent::{Agent, Session},
    errors::chain,
    exits::Exit,
    facts,
    failure::Failure,
    jobs::{
        desk::Desk,
        intake::{self, Taken},
    },
    link::Outcome,
    supervisor::report::Reporter,
};

/// The least between two check-ins of which the first brought nothing.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// How often at most the server hears of single calls that failed.
const TELL_EVERY: Duration = Duration::from_mins(15);

/// How long the server may hold the first check-in, in seconds: its answer proves the way to the server, which a version on
/// trial, and the one before it, have limited time for.
const FIRST_WAIT_SECONDS: u16 = 1;

/// The check-in loop's memory between two calls.
#[derive(Debug)]
pub struct Caller {
    desk: Arc<Desk>,
    reporter: Reporter,
    sent: Option<Facts>,
    facts_wanted: bool,
    reported: Option<AgentReport>,
    upstreams: Vec<Upstream>,
    upstreams_told: Instant,
    failure: String,
}

impl Caller {
    /// A caller that has not called yet.
    pub fn new(desk: Arc<Desk>, reporter: Reporter) -> Self {
        Self {
            desk,
            reporter,
            sent: None,
            facts_wanted: false,
            reported: None,
            upstreams: Vec::new(),
            upstreams_told: Instant::now(),
            failure: String::new(),
        }
    }

    /// The agent it calls for.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.desk.agent
    }

    /// Why the last call that failed did.
    pub fn failure(&self) -> &str {
        &self.failure
    }

    /// One call: a session when there is none, a check-in when there is one.
    pub async fn call(&mut self) -> Outcome {
        let session = *self.desk.agent.session.borrow();
        let called = match session {
            None => self.start_session().await,
            Some(session) => self.check_in(session).await,
        };
        called.unwrap_or_else(|failure| self.failed(session, &failure))
    }

    async fn start_session(&mut self) -> Result<Outcome, Failure> {
        let (facts, report) = (facts::gather(&self.agent().capabilities), self.reporter.report());
        let upstreams = self.desk.upstreams();
        let request = SessionRequest {
            protocol: PROTOCOL,
            agent: report.clone(),
            facts: facts.clone(),
            highest_sequence: self.desk.journal(|journal| journal.ledger().floor()),
            upstreams: upstreams.clone(),
        };
        let answer = self.desk.agent.client.post("/api/v1/agent/session", &request, Duration::ZERO).await?;
        let SessionResponse { session, server_time } = answer;
        self.desk.agent.client.clock.learn(server_time);
        (self.sent, self.facts_wanted, self.reported) = (Some(facts), false, Some(report));
        (self.upstreams, self.upstreams_told) = (upstreams, Instant::now());
        self.desk.agent.session_begun(session);
        info!(session, "Session {session} has begun");
        Ok(Outcome::Answered { next: Duration::ZERO })
    }

    async fn check_in(&mut self, session: Session) -> Result<Outcome, Failure> {
        let (facts, report) = (facts::gather(&self.agent().capabilities), self.reporter.report());
        let facts_news = self.facts_wanted || self.sent.as_ref() != Some(&facts);
        let report_news = self.reported.as_ref() != Some(&report);
        let upstreams = self.desk.upstreams();
        let most = if *self.desk.agent.contact.borrow() { u16::MAX } else { FIRST_WAIT_SECONDS };
        let wait_seconds = self.desk.agent.config.wait_seconds.min(most);
        let request = CheckInRequest {
            session: session.number,
            wait_seconds,
            facts_digest: facts::digest(&facts),
            highest_sequence: self.desk.journal(|journal| journal.ledger().floor()),
            open: self.desk.journal(|journal| journal.ledger().jobs().keys().copied().collect()),
            agent: report_news.then(|| report.clone()),
            facts: facts_news.then(|| facts.clone()),
            upstreams: self.is_news(&upstreams).then(|| upstreams.clone()),
        };
        let (held, asked) = (Duration::from_secs(wait_seconds.into()), Instant::now());
        let answer: CheckInResponse = self.desk.agent.client.post("/api/v1/agent/check-in", &request, held).await?;
        self.desk.agent.client.clock.learn(answer.server_time);
        (self.sent, self.reported) = (Some(facts), Some(report));
        if request.upstreams.is_some() {
            (self.upstreams, self.upstreams_told) = (upstreams, Instant::now());
        }
        self.desk.agent.client.cap(answer.retry_cap_seconds);
        self.desk.agent.contact.send_replace(true);
        Ok(self.follow(answer, asked.elapsed()))
    }

    /// Whether the server shall hear of it at once: it writes down what it hears. A circuit that has opened and closed is news;
    /// single calls that failed are told now and then.
    fn is_news(&self, upstreams: &[Upstream]) -> bool {
        let settled = upstreams.iter().all(|upstream| upstream.breaker != BreakerState::HalfOpen);
        let circuits = |upstreams: &[Upstream]| {
            upstreams.iter().map(|upstream| (upstream.breaker, upstream.opened)).collect::<Vec<_>>()
        };
        let turned = settled && circuits(&self.upstreams) != circuits(upstreams);
        turned || (self.upstreams != upstreams && self.upstreams_told.elapsed() >= TELL_EVERY)
    }

    fn follow(&mut self, answer: CheckInResponse, held: Duration) -> Outcome {
        let CheckInResponse { jobs, cancel, send_facts, next_check_in_seconds, .. } = answer;
        self.facts_wanted = send_facts;
        let before = self.desk.live(|live| live.len());
        // Cancels first: one that crosses its own offer wins.
        intake::cancel(&self.desk, &cancel);
        let taken = intake::take(&self.desk, jobs);
        let nothing_new = self.desk.live(|live| live.len()) == before;
        match taken {
            // A quick answer without news, followed at once by another, would go round and round.
            Taken::All if nothing_new && held < IDLE_PAUSE && next_check_in_seconds == 0 => {
                Outcome::Answered { next: IDLE_PAUSE }
            }
            Taken::All => Outcome::Answered { next: Duration::from_secs(next_check_in_seconds.into()) },
            Taken::Partly => Outcome::Failed,
        }
    }

    fn failed(&mut self, session: Option<Session>, failure: &Failure) -> Outcome {
        match (failure.code(), session) {
            (Some(ProblemCode::SessionSuperseded), Some(session)) => {
                let number = session.number;
                warn!(session = number, "Session {number} was superseded; another one will be started");
                self.desk.agent.session_lost(session);
            }
            (Some(ProblemCode::HostRetired), _) => self.desk.agent.end(Exit::Retired),
            (Some(ProblemCode::HostQuarantined), _) => {
                error!("This host is quarantined: nothing is run until an operator readmits it");
            }
            (Some(ProblemCode::AgentTooOld), _) => error!("The server does not talk to this version any more"),
            _ => {}
        }
        self.failure = chain(failure);
        failure.outcome()
    }
}
