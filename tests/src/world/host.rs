//! A host by its protocol: a key of its own, sessions, check-ins, and what it tells about jobs.

use std::collections::{BTreeMap, BTreeSet};

use axum::{body::Body, http::Method};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster_schemas::{
    PROTOCOL,
    check_ins::{
        ASSERTION_TYPE, AssertionClaims, CheckInRequest, CheckInResponse, GRANT_TYPE, SessionRequest, SessionResponse,
        TokenResponse,
    },
    commands::{Command, Event, EventKind, EventsRequest},
    enrollment::EnrollResponse,
    envelopes::{public_key, sha256_hex},
    ids::{HostId, JobId},
    jobs::{JobError, JobResult, Outcome, SECRET_ENVIRONMENT},
    reports::{AgentReport, Facts, LastUpdate, UpdateOutcome},
};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Answer, Caller, PUBLIC_URL, Release, World, request};

/// The claims of an assertion, signed by a host's key.
pub fn assertion(key: &SigningKey, claims: &AssertionClaims) -> String {
    assertion_under(&Header::new(Algorithm::EdDSA), key, claims)
}

fn assertion_under(header: &Header, key: &SigningKey, claims: &AssertionClaims) -> String {
    // PKCS #8, version 1: a fixed head and the 32 bytes.
    const HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let key = EncodingKey::from_ed_der(&[&HEAD[..], &key.to_bytes()[..]].concat());
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

/// A host.
#[derive(Clone)]
pub struct Host {
    /// What the server gave it; nothing before it has joined.
    id: Option<HostId>,
    /// Its own name.
    pub name: String,
    /// What runs.
    pub agent: AgentReport,
    /// What it says of itself.
    pub facts: Facts,
    /// The number of its session.
    pub session: u64,
    /// Jobs in its journal that are not finished.
    pub journal: BTreeSet<JobId>,
    /// Every command it ever got, as often as it got it.
    pub received: Vec<Command>,
    key: SigningKey,
    told: BTreeMap<JobId, u64>,
    /// The highest job sequence in its journal.
    pub highest_sequence: u64,
    token: Option<(String, Timestamp)>,
    world: World,
}

impl Host {
    /// A machine that has not joined.
    pub fn new(world: &World, name: &str) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&world.number().to_le_bytes());
        let agent = AgentReport {
            version: "1.0.0".into(),
            executable_sha256: sha256_hex(b"the agent 1.0.0"),
            process_id: world.process(),
            boot_id: "the only boot".into(),
            committed: true,
            last_update: None,
        };
        let facts = Facts {
            hostname: name.into(),
            os: "linux".into(),
            architecture: "x86_64".into(),
            capabilities: ["inspect", "run", "self_update", SECRET_ENVIRONMENT].map(Into::into).into(),
            ..Facts::default()
        };
        Self {
            id: None,
            name: name.into(),
            agent,
            facts,
            session: 0,
            journal: BTreeSet::new(),
            received: Vec::new(),
            key: SigningKey::from_bytes(&seed),
            told: BTreeMap::new(),
            highest_sequence: 0,
            token: None,
            world: world.clone(),
        }
    }

    /// Its id.
    pub fn id(&self) -> HostId {
        self.id.unwrap()
    }

    /// Goes on talking to this server: another process on the same store.
    pub fn talks_to(&mut self, world: &World) {
        self.world = world.clone();
    }

    /// Its public key as it is sent.
    pub fn public_key(&self) -> String {
        public_key(&self.key).to_string()
    }

    /// Joins.
    pub async fn joins(&mut self, token: &str) -> Answer {
        let body = json!({ "enrollment_token": token, "public_key": self.public_key(), "facts": self.facts });
        let answer = self.world.nobody().post("/api/v1/agent/enroll", &body).await;
        if answer.status == 201 {
            self.id = Some(answer.json::<EnrollResponse>().host_id);
        }
        answer
    }

    /// A proof of its identity, for a minute.
    pub fn assertion(&self) -> String {
        let now = self.world.now().as_second();
        self.signs(&AssertionClaims {
            iss: self.id(),
            sub: self.id(),
            aud: PUBLIC_URL.into(),
            iat: now,
            exp: now + 60,
            jti: self.world.number().to_string(),
        })
    }

    /// Signs the claims of an assertion.
    pub fn signs(&self, claims: &AssertionClaims) -> String {
        assertion(&self.key, claims)
    }

    /// Signs them under another header.
    pub fn signs_under(&self, header: &Header, claims: &AssertionClaims) -> String {
        assertion_under(header, &self.key, claims)
    }

    /// Asks for an access token with an assertion.
    pub async fn asks_for_token(&self, assertion: &str) -> Answer {
        let kind = ASSERTION_TYPE.replace(':', "%3A");
        let form = format!("grant_type={GRANT_TYPE}&client_assertion_type={kind}&client_assertion={assertion}");
        let request = request(Method::POST, "/oauth/token").body(Body::from(form)).unwrap();
        self.world.nobody().sends(request).await
    }

    /// As a caller of its own routes.
    pub async fn caller(&mut self) -> Caller {
        let now = self.world.now();
        if self.token.as_ref().is_none_or(|(_, until)| *until <= now) {
            let token = self.asks_for_token(&self.assertion()).await.is(200).json::<TokenResponse>();
            let until = now + jiff::SignedDuration::from_secs(token.expires_in.into());
            self.token = Some((token.access_token.reveal().to_owned(), until));
        }
        let (token, _) = self.token.as_ref().unwrap();
        self.world.nobody().bearing(token)
    }

    /// A caller with an access token of its own.
    pub async fn caller_of_its_own(&self) -> Caller {
        self.clone().caller().await
    }

    /// Its process asks for a session.
    pub async fn starts(&mut self) -> Answer {
        let body = SessionRequest {
            protocol: PROTOCOL,
            agent: self.agent.clone(),
            facts: self.facts.clone(),
            highest_sequence: self.highest_sequence,
            upstreams: Vec::new(),
            reports_digest: String::new(),
        };
        let answer = self.caller().await.post("/api/v1/agent/session", &body).await;
        if answer.status == 200 {
            self.session = answer.json::<SessionResponse>().session;
        }
        answer
    }

    /// Its process ends and another one starts, with the same journal.
    pub async fn restarts(&mut self) -> Answer {
        self.agent.process_id = self.world.process();
        self.told.clear();
        self.starts().await
    }

    /// A second machine with the same identity and the same journal, not started yet.
    #[must_use]
    pub fn cloned(&self) -> Self {
        let mut clone = self.clone();
        clone.agent.process_id = self.world.process();
        clone.told.clear();
        clone
    }

    /// What a check-in says when nothing has changed.
    pub fn check_in_request(&self) -> CheckInRequest {
        CheckInRequest {
            session: self.session,
            wait_seconds: 0,
            facts_digest: self.facts.digest(),
            reports_digest: String::new(),
            digest_before: String::new(),
            highest_sequence: self.highest_sequence,
            open: self.journal.iter().copied().collect(),
            agent: None,
            facts: None,
            upstreams: None,
        }
    }

    /// Checks in and says this.
    pub async fn says(&mut self, request: &CheckInRequest) -> Answer {
        let answer = self.caller().await.post("/api/v1/agent/check-in", request).await;
        if answer.status == 200 {
            for command in answer.json::<CheckInResponse>().jobs {
                self.highest_sequence = self.highest_sequence.max(command.sequence);
                self.received.push(command);
            }
        }
        answer
    }

    /// Checks in without waiting.
    pub async fn check_in(&mut self) -> CheckInResponse {
        self.asks().await.is(200).json()
    }

    /// Checks in without waiting, whatever comes of it.
    pub async fn asks(&mut self) -> Answer {
        let request = self.check_in_request();
        self.says(&request).await
    }

    /// Checks in and waits; returns once the server holds the poll.
    pub async fn holds(&mut self, wait_seconds: u16) -> JoinHandle<Answer> {
        let request = CheckInRequest { wait_seconds, ..self.check_in_request() };
        let caller = self.caller().await;
        let held = tokio::spawn(async move { caller.post("/api/v1/agent/check-in", &request).await });
        self.world.clock.until_asleep(1).await;
        held
    }

    /// Tells what happened to a job, numbered on.
    pub async fn tells(&mut self, job: JobId, kinds: Vec<EventKind>) -> Answer {
        let first = self.told.get(&job).copied().unwrap_or(0) + 1;
        let last = first + kinds.len() as u64 - 1;
        let answer = self.tells_from(job, first, kinds).await;
        if answer.status == 200 {
            self.told.insert(job, last);
        }
        answer
    }

    /// Tells what happened to a job, numbered from `first`.
    pub async fn tells_from(&mut self, job: JobId, first: u64, kinds: Vec<EventKind>) -> Answer {
        let at = self.world.now();
        let events = (first..).zip(kinds).map(|(sequence, kind)| Event { sequence, at, kind }).collect();
        let body = EventsRequest { session: self.session, process_id: self.agent.process_id, events };
        self.caller().await.post(&format!("/api/v1/agent/jobs/{job}/events"), &body).await
    }

    /// Writes a job into its journal and says so.
    pub async fn accepts(&mut self, job: JobId) -> Answer {
        self.journal.insert(job);
        self.tells(job, vec![accepted()]).await
    }

    /// Reports how a job ended.
    pub async fn finishes(&mut self, job: JobId, result: JobResult) -> Answer {
        let answer = self.tells(job, vec![finished(result)]).await;
        if answer.status == 200 {
            self.journal.remove(&job);
        }
        answer
    }

    /// Checks in, and does a job from its acceptance to its success.
    pub async fn runs(&mut self, job: JobId) -> Answer {
        self.check_in().await;
        assert!(self.received.iter().any(|command| command.id == job), "{} was not offered {job}", self.name);
        self.accepts(job).await.is(200);
        self.tells(job, vec![started()]).await.is(200);
        let done = result(Outcome::Succeeded, self.world.now());
        self.finishes(job, done).await
    }

    /// Checks in and accepts and starts the update it is offered; the job.
    pub async fn begins_update(&mut self) -> Option<JobId> {
        let offered = self.check_in().await.jobs;
        let job = offered.iter().find(|command| command.kind == "self_update")?.id;
        self.accepts(job).await.is(200);
        self.tells(job, vec![started()]).await.is(200);
        Some(job)
    }

    /// The new version starts, unproven.
    pub async fn tries(&mut self, release: &Release) -> Answer {
        self.agent.version.clone_from(&release.version);
        self.agent.executable_sha256 = release.sha256();
        self.agent.committed = false;
        self.restarts().await
    }

    /// The new version has passed its own health gate.
    pub async fn commits(&mut self, job: JobId) -> Answer {
        self.agent.committed = true;
        let request = CheckInRequest { agent: Some(self.agent.clone()), ..self.check_in_request() };
        let answer = self.says(&request).await;
        let done = result(Outcome::Succeeded, self.world.now());
        self.finishes(job, done).await.is(200);
        answer
    }

    /// An update from the offer to its success; the job, if there was an offer.
    pub async fn updates(&mut self, release: &Release) -> Option<JobId> {
        let job = self.begins_update().await?;
        self.tries(release).await.is(200);
        self.commits(job).await.is(200);
        Some(job)
    }

    /// An update from the offer to the return of the old version; the job, if there was an offer.
    pub async fn rolls_back(&mut self, release: &Release, reason: &str) -> Option<JobId> {
        let before = self.agent.clone();
        let job = self.begins_update().await?;
        self.tries(release).await.is(200);
        let last_update = LastUpdate {
            transaction: job,
            to: release.version.clone(),
            outcome: UpdateOutcome::RolledBack,
            reason: reason.into(),
            tries: 3,
        };
        self.agent = AgentReport { last_update: Some(last_update), ..before };
        self.restarts().await.is(200);
        let error = JobError { code: "rolled_back".into(), message: reason.into() };
        let failed = JobResult { error: Some(error), ..result(Outcome::Failed, self.world.now()) };
        self.finishes(job, failed).await.is(200);
        Some(job)
    }
}

/// The job is on the host's disk.
pub fn accepted() -> EventKind {
    EventKind::Accepted
}

/// The job has started.
pub fn started() -> EventKind {
    EventKind::Started
}

/// The job printed something.
pub fn output(text: &str) -> EventKind {
    EventKind::Output { text: text.into() }
}

/// The job has ended.
pub fn finished(result: JobResult) -> EventKind {
    EventKind::Finished { result }
}

/// How a job ended.
pub fn result(outcome: Outcome, finished_at: Timestamp) -> JobResult {
    JobResult::new(outcome, finished_at)
}
