//! Long poll: sessions and check-ins, and how their answers are handled.

use std::{sync::Arc, time::Duration};

use muster_schemas::{
    check_ins::{CheckInRequest, CheckInResponse, SessionEnd, SessionRequest, SessionResponse},
    problems::ProblemCode,
    reports::Section,
};
use tokio::time::{Instant, timeout};
use tracing::{error, info, warn};

use crate::{
    agent::{Agent, Session},
    errors::chain,
    exits::Exit,
    failure::Failure,
    jobs::{
        desk::Desk,
        intake::{self, Intake},
    },
    link::{Hold, Outcome},
    reports::{self, Reports},
    supervisor::report::Reporter,
    sys::dice,
};

/// The least between two check-ins of which the first brought nothing.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// How long the server may hold the first check-in: its answer proves the way to the server, which a version on
/// trial, and the one before it, have limited time for.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// By so much longer at most it may hold the first one after a call that failed: many hosts come back together.
const NEXT_WAIT: Duration = Duration::from_secs(30);

/// How long an agent that stops waits for the server to hear of it.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);

/// Tells the server that this agent stops, so that its host is known to be offline at once. Not heard, or by a server of before,
/// it is missed a little later.
pub async fn say_goodbye(agent: &Agent) {
    let Some(session) = *agent.session.borrow() else { return };
    let end = SessionEnd { session: session.number };
    let told = agent.client.post::<_, SessionResponse>("/api/v1/agent/session/end", &end, Duration::ZERO);
    if !matches!(timeout(GOODBYE_PATIENCE, told).await, Ok(Ok(_))) {
        info!("The server was not told that this agent stops");
    }
}

/// The check-in loop's memory between two calls.
#[derive(Debug)]
pub struct Caller {
    desk: Arc<Desk>,
    reporter: Reporter,
    reports: Reports,
    /// Whether the server compares one digest of all reports; one of before compares that of the facts.
    compares_reports: bool,
    /// How long check-ins may be held on this way.
    hold: Hold,
    /// Whether the last call failed.
    is_troubled: bool,
    failure: String,
}

impl Caller {
    /// A caller that has not called yet.
    pub fn new(desk: Arc<Desk>, reporter: Reporter) -> Self {
        let (reports, hold) = (Reports::default(), Hold::default());
        Self { desk, reporter, reports, compares_reports: false, hold, is_troubled: false, failure: String::new() }
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
        self.is_troubled = called.is_err();
        called.unwrap_or_else(|failure| self.failed(session, &failure))
    }

    async fn start_session(&mut self) -> Result<Outcome, Failure> {
        let agent = self.desk.agent.clone();
        let current = reports::gather(&self.desk, &self.reporter).await;
        let floor = self.desk.journal(|journal| journal.ledger().floor());
        let request = SessionRequest::of(floor, &current).expect("every section was gathered");
        let answer = agent.client.post("/api/v1/agent/session", &request, Duration::ZERO).await?;
        let SessionResponse { session, server_time, sections } = answer;
        agent.client.clock.learn(server_time);
        (self.reports, self.compares_reports) = (Reports::default(), !sections.is_empty());
        self.reports.heard(current);
        agent.session_begun(session);
        info!(session, "Session {session} started");
        Ok(Outcome::Answered { next: Duration::ZERO })
    }

    async fn check_in(&mut self, session: Session) -> Result<Outcome, Failure> {
        let agent = self.desk.agent.clone();
        let current = reports::gather(&self.desk, &self.reporter).await;
        let facts_digest = if self.compares_reports { String::new() } else { reports::facts_digest(&current) };
        let sections = current.len();
        let news = self.reports.news(current);
        let is_partial = self.compares_reports && !news.is_empty() && news.len() < sections;
        let digest_before = if is_partial { self.reports.digest_with(&[]) } else { String::new() };
        let reports_digest = if self.compares_reports { self.reports.digest_with(&news) } else { String::new() };
        let wait_seconds = self.hold.seconds(agent.config().wait_seconds).min(self.longest_wait_seconds());
        let request = CheckInRequest {
            session: session.number,
            wait_seconds,
            facts_digest,
            reports_digest,
            digest_before,
            highest_sequence: self.desk.journal(|journal| journal.ledger().floor()),
            open: self.desk.journal(|journal| journal.ledger().jobs().keys().copied().collect()),
            agent: None,
            facts: None,
            upstreams: None,
        };
        let request = news.iter().cloned().fold(request, CheckInRequest::with);
        let (held, asked) = (Duration::from_secs(wait_seconds.into()), Instant::now());
        let answer: CheckInResponse = agent.client.post("/api/v1/agent/check-in", &request, held).await?;
        self.hold = self.hold.answered(asked.elapsed());
        agent.client.clock.learn(answer.server_time);
        self.reports.heard(news);
        agent.client.cap(answer.retry_cap_seconds);
        agent.contact.send_replace(true);
        Ok(self.follow(answer, asked.elapsed()))
    }

    /// How long a check-in may be held at most. An answer says that the server is back, and three of them close a circuit.
    fn longest_wait_seconds(&self) -> u16 {
        let client = &self.agent().client;
        let wait = if !*self.agent().contact.borrow() {
            FIRST_WAIT
        } else if !client.is_well() {
            // A whole fleet comes back within this span. What says that all is well must not come into it on top.
            client.pacing().max.mul_f64(1.0 + dice::random())
        } else if self.is_troubled {
            FIRST_WAIT + NEXT_WAIT.mul_f64(dice::random())
        } else {
            Duration::MAX
        };
        u16::try_from(wait.as_secs()).unwrap_or(u16::MAX)
    }

    fn follow(&mut self, answer: CheckInResponse, held: Duration) -> Outcome {
        let CheckInResponse { jobs, cancel, send_facts, wanted, next_check_in_seconds, .. } = answer;
        self.reports.want(wanted.into_iter().chain(send_facts.then_some(Section::Facts)));
        let before = self.desk.live(|live| live.len());
        // Cancels first: one that crosses its own offer wins.
        intake::cancel(&self.desk, &cancel);
        let taken = intake::take(&self.desk, jobs);
        let nothing_new = self.desk.live(|live| live.len()) == before;
        match taken {
            // A quick answer without news, followed at once by another, would go round and round.
            Intake::All if nothing_new && held < IDLE_PAUSE && next_check_in_seconds == 0 => {
                Outcome::Answered { next: IDLE_PAUSE }
            }
            Intake::All => Outcome::Answered { next: Duration::from_secs(next_check_in_seconds.into()) },
            Intake::Partly => Outcome::Failed,
        }
    }

    fn failed(&mut self, session: Option<Session>, failure: &Failure) -> Outcome {
        match (failure.code(), session) {
            (Some(ProblemCode::SessionSuperseded), Some(session)) => {
                let number = session.number;
                warn!(session = number, "Session {number} was superseded; starting a new one");
                self.desk.agent.session_lost(session);
            }
            (Some(ProblemCode::HostRetired), _) => self.desk.agent.end(Exit::Retired),
            (Some(ProblemCode::HostQuarantined), _) => {
                error!("This host is quarantined: it runs no jobs until an operator readmits it");
            }
            (Some(ProblemCode::AgentTooOld), _) => error!("The server no longer supports this version of the agent"),
            _ => {}
        }
        if let Failure::CutShort { age, .. } = failure {
            return self.cut_short(*age, failure);
        }
        self.failure = chain(failure);
        failure.outcome()
    }

    /// A held check-in was cut off on its way.
    fn cut_short(&mut self, age: Duration, failure: &Failure) -> Outcome {
        let (configured, before) = (self.desk.agent.config().wait_seconds, self.hold);
        self.hold = before.cut_off(age);
        self.failure = chain(failure);
        let seconds = self.hold.seconds(configured);
        if seconds == before.seconds(configured) {
            return Outcome::Failed;
        }
        info!(
            seconds,
            "Held check-ins are cut off after {} s on this way: asking for {seconds} s from now on",
            age.as_secs()
        );
        Outcome::CutShort
    }
}
