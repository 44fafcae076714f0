//! One job's life on this host.
//!
//! ```text
//! received ──accepted, acknowledged in this session──▶ its turn ──STARTED on disk──▶ runs ──FINISHED on disk──▶ told ──▶ ACKED
//!     └─ cancelled, late, outdated: FINISHED without a start ─────────────────────────────▲
//! started before this process: once → interrupted · converge → received · probe → what the update's record says
//! ```

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::{
    commands::{Command, EventKind},
    ids::JobId,
    jobs::{JobResult, JobSpec, Outcome, Recovery},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{
    outbox::{Outbox, Stored},
    reporter::report,
    results::{chain, ended, ended_with},
};
use crate::{
    agent::{Agent, Gate},
    journal::{Entry, Record, Stage},
    runners::{self, Task},
};

/// How long to wait before a journal that cannot be written is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// Lives a job of the journal through to its end, or to the end of this process.
pub async fn live(agent: Arc<Agent>, id: JobId, cancel: CancellationToken) {
    let record = agent.journal(|journal| journal.ledger().jobs().get(&id).cloned());
    if let Some(record) = record {
        let outbox = Arc::new(Outbox::after(agent.numbers(|numbers| numbers.remove(&id)).unwrap_or(0)));
        let life = Life { agent: agent.clone(), id, outbox, cancel, place: OnceLock::new() };
        tokio::join!(report(&agent, id, &life.outbox, &life.cancel), life.go_on(record));
        life.write(&Entry::Acknowledged { id }).await;
        agent.numbers(|numbers| numbers.insert(id, life.outbox.last()));
    }
    agent.live(|live| live.remove(&id));
}

struct Life {
    agent: Arc<Agent>,
    id: JobId,
    outbox: Arc<Outbox>,
    cancel: CancellationToken,
    /// Its place among running jobs, kept until everything is told: what is not told yet is in memory.
    place: OnceLock<OwnedSemaphorePermit>,
}

/// A job's turn: given back when it is dropped.
struct Turn {
    _resource: Option<OwnedSemaphorePermit>,
    waited: bool,
}

impl Life {
    async fn go_on(&self, record: Record) {
        let result = match (record.stage, record.command) {
            (Stage::Finished(result), _) => return self.tell(*result),
            (Stage::Received, Some(command)) => self.run_in_turn(&command).await,
            (Stage::Started, Some(command)) => self.recover(&command).await,
            (Stage::Received | Stage::Started, None) => {
                let message = "its place in the journal was damaged; whether it ran is unknown";
                Some(ended_with(Outcome::Interrupted, "journal_damaged", message))
            }
        };
        match result {
            Some(result) => self.finish(result).await,
            // The next process tells how it ended.
            None => std::future::pending().await,
        }
    }

    /// The process that had started it is gone.
    async fn recover(&self, command: &Command) -> Option<JobResult> {
        // By what this agent knows of the kind: the server's word could make a job run twice.
        let recovery = JobSpec::from_parts(&command.kind, &command.spec).map_or(Recovery::Once, |spec| spec.recovery());
        match recovery {
            Recovery::Converge => self.run_in_turn(command).await,
            Recovery::Probe => {
                let _turn = self.turn(command).await;
                Some(runners::update::probe(&self.agent, self.id).await)
            }
            Recovery::Once => {
                let message = "the agent was restarted while the job ran; how far it came is unknown";
                Some(ended_with(Outcome::Interrupted, "agent_restarted", message))
            }
        }
    }

    async fn run_in_turn(&self, command: &Command) -> Option<JobResult> {
        let turn = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ended(Outcome::Cancelled)),
            turn = self.confirmed_turn(command) => turn,
        };
        match turn {
            Ok(_turn) => self.run(command).await,
            Err(result) => Some(result),
        }
    }

    /// Waits until it is this job's turn and the server, in its current session, still wants it.
    async fn confirmed_turn(&self, command: &Command) -> Result<Turn, JobResult> {
        let (mut stored, turn) = tokio::join!(self.confirm(), self.turn(command));
        let mut fresh = !turn.waited;
        loop {
            if stored.closed {
                return Err(ended_with(Outcome::Rejected, "unknown_job", "the server does not know this job any more"));
            }
            if stored.cancel {
                return Err(ended(Outcome::Cancelled));
            }
            let open = *self.agent.gate.borrow() == Gate::Open;
            if fresh && open && *self.agent.session.borrow() == Some(stored.session) {
                return Ok(turn);
            }
            self.gate_open().await;
            stored = self.confirm().await;
            fresh = true;
        }
    }

    async fn confirm(&self) -> Stored {
        let number = self.outbox.push(EventKind::Accepted);
        self.outbox.stored_through(number).await
    }

    async fn turn(&self, command: &Command) -> Turn {
        let resource = match command.kind.as_str() {
            "self_update" => Some("agent"),
            _ => command.resource.as_deref(),
        };
        let queue = resource.map(|resource| self.agent.resources.queue(resource));
        let busy = queue.as_ref().is_some_and(|queue| queue.available_permits() == 0);
        let waited = busy || self.agent.places.available_permits() == 0 || *self.agent.gate.borrow() != Gate::Open;
        let resource = match queue {
            // Neither semaphore is ever closed.
            Some(queue) => queue.acquire_owned().await.ok(),
            None => None,
        };
        if let Ok(place) = self.agent.places.clone().acquire_owned().await {
            let _ = self.place.set(place);
        }
        Turn { _resource: resource, waited }
    }

    async fn gate_open(&self) {
        // The sender lives as long as the agent.
        let _ = self.agent.gate.subscribe().wait_for(|gate| *gate == Gate::Open).await;
    }

    /// The last checks, the promise on disk, and the work.
    async fn run(&self, command: &Command) -> Option<JobResult> {
        if command.start_by < self.agent.client.clock.now() {
            return Some(ended_with(Outcome::Rejected, "start_by_passed", "its latest start passed while it waited"));
        }
        if self.agent.journal(|journal| journal.ledger().is_outdated(command)) {
            return Some(ended_with(Outcome::Rejected, "generation", "a newer job for the same resource has started"));
        }
        let spec = match JobSpec::from_parts(&command.kind, &command.spec) {
            Ok(spec) => spec,
            Err(problem) => return Some(ended_with(Outcome::Rejected, "invalid", problem.to_string())),
        };
        if let Err(message) = self.agent.policy().check(&spec) {
            return Some(ended_with(Outcome::Rejected, "policy", message));
        }
        self.write(&Entry::Started { id: self.id, at: Timestamp::now() }).await;
        let _running = Running::new(&self.agent.running);
        self.outbox.push(EventKind::Started);
        info!(job.id = %self.id, kind = spec.kind(), "Job {} ({}) has started", self.id, spec.kind());
        self.work(spec, Duration::from_secs(command.time_limit_seconds.into())).await
    }

    async fn work(&self, spec: JobSpec, time_limit: Duration) -> Option<JobResult> {
        let stop = self.cancel.child_token();
        let outbox = self.outbox.clone();
        let task =
            Task { id: self.id, time_limit, stop: stop.clone(), output: Arc::new(move |text| outbox.text(text)) };
        let work = runners::run(&self.agent, &spec, task);
        tokio::pin!(work);
        let result = tokio::select! {
            result = &mut work => result,
            () = self.agent.stopping.cancelled() => {
                stop.cancel();
                work.await
            }
        };
        let cut_off = self.agent.stopping.is_cancelled() && !self.cancel.is_cancelled();
        result.map(|result| match result.outcome {
            Outcome::Cancelled if cut_off => {
                let JobResult { output_bytes, output_truncated, .. } = result;
                let message = "the agent was stopped while the job ran";
                let result = ended_with(Outcome::Interrupted, "agent_stopped", message);
                JobResult { output_bytes, output_truncated, ..result }
            }
            _ => result,
        })
    }

    async fn finish(&self, result: JobResult) {
        let started_at =
            self.agent.journal(|journal| journal.ledger().jobs().get(&self.id).and_then(|record| record.started_at));
        let result = JobResult { started_at, ..result };
        info!(job.id = %self.id, outcome = ?result.outcome, "Job {} has ended: {:?}", self.id, result.outcome);
        self.write(&Entry::Finished { id: self.id, result: Box::new(result.clone()) }).await;
        self.tell(result);
    }

    fn tell(&self, result: JobResult) {
        self.outbox.push(EventKind::Finished { result });
    }

    /// Returns when the entry is on disk, however long the disk is full.
    async fn write(&self, entry: &Entry) {
        while let Err(failed) = self.agent.journal(|journal| journal.append(entry.clone())) {
            error!(job.id = %self.id, "Job {} waits for the journal: {}", self.id, chain(&failed));
            sleep(DISK_PAUSE).await;
        }
    }
}

/// Counts a running job until it is dropped.
struct Running<'a>(&'a watch::Sender<usize>);

impl<'a> Running<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
