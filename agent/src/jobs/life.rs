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
    jobs::{HOST, JobResult, JobSpec, Outcome, Recovery},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{
    desk::{Desk, Gate},
    outbox::{Outbox, Stored},
    output::{Output, Printed},
    reporter::report,
    resources::Turn,
    spool::JobSpool,
};
use crate::{
    agent::Agent,
    errors::chain,
    exits::Exit,
    journal::{Entry, Record, Stage},
    runners::{
        self, Task,
        results::{ended, ended_with, interrupted},
    },
    versions::pointer::Update,
};

/// How long to wait before a journal that cannot be written is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// Lives a job of the journal through to its end, or to the end of this process.
pub async fn live(desk: Arc<Desk>, id: JobId, cancel: CancellationToken) {
    let record = desk.journal(|journal| journal.ledger().jobs().get(&id).cloned());
    if let Some(record) = record {
        let last = desk.numbers(|numbers| numbers.remove(&id)).unwrap_or(0);
        let outbox = Arc::new(Outbox::after(last, JobSpool::new(desk.spool.clone(), id, desk.agent.process_id)));
        let life = Life { desk: desk.clone(), id, outbox, cancel, place: OnceLock::new() };
        tokio::join!(report(&desk.agent, id, &life.outbox, &life.cancel), life.go_on(record));
        life.write(&Entry::Acknowledged { id }).await;
        life.outbox.clear();
        desk.numbers(|numbers| numbers.insert(id, life.outbox.last()));
    }
    desk.live(|live| live.remove(&id));
}

struct Life {
    desk: Arc<Desk>,
    id: JobId,
    outbox: Arc<Outbox>,
    cancel: CancellationToken,
    /// Its place among running jobs, kept until everything is told: what is not told yet takes room.
    place: OnceLock<OwnedSemaphorePermit>,
}

impl Life {
    async fn go_on(&self, record: Record) {
        let ending = match (record.stage, record.command) {
            (Stage::Finished(result), _) => return self.tell(*result),
            (Stage::Received, Some(command)) => self.run_in_turn(&command).await,
            (Stage::Started, Some(command)) => self.recover(&command).await,
            (Stage::Received | Stage::Started, None) => {
                let message = "its place in the journal was damaged; whether it ran is unknown";
                ended_with(Outcome::Interrupted, "journal_damaged", message).into()
            }
        };
        // Its turn lasts until its end is on disk, and it counts as running as long.
        let Ending { result, running, turn: _turn } = ending;
        if let Some(result) = result {
            return self.finish(result).await;
        }
        drop(running);
        // The next process tells how it ended, and nobody else's turn comes in this one.
        std::future::pending::<()>().await;
    }

    /// The process that had started it is gone.
    async fn recover(&self, command: &Command) -> Ending {
        // By what this agent knows of the kind: the server's word could make a job run twice.
        let spec = JobSpec::from_parts(&command.kind, &command.spec).ok();
        match spec.as_ref().map(|spec| (spec.rules().recovery(), runners::of(spec))) {
            Some((Recovery::Converge, _)) => self.run_in_turn(command).await,
            Some((Recovery::Probe, runner)) => {
                // To look how a job ended that took the whole host needs no turn: it must not wait for the jobs that run now,
                // and keep others waiting behind it.
                let alone = spec.as_ref().and_then(|spec| spec.rules().resource()).as_deref() == Some(HOST);
                let turn = if alone { None } else { Some(self.turn(command).await) };
                let result = runner.probe(&self.desk.agent, self.id).await;
                Ending { result: Some(result), running: None, turn }
            }
            Some((Recovery::Once, _)) | None => interrupted().into(),
        }
    }

    async fn run_in_turn(&self, command: &Command) -> Ending {
        let started = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Box::new(ended(Outcome::Cancelled))),
            started = self.start_in_turn(command) => started,
        };
        match started {
            Ok(Started { spec, running, turn }) => {
                let time_limit = Duration::from_secs(command.time_limit_seconds.into());
                Ending { result: self.work(spec, time_limit).await, running: Some(running), turn: Some(turn) }
            }
            Err(result) => (*result).into(),
        }
    }

    /// Starts the job when it is its turn. A disk that is full for hours delays the start: whatever was asked before is asked
    /// again then.
    async fn start_in_turn(&self, command: &Command) -> Result<Started, Box<JobResult>> {
        let turn = self.confirmed_turn(command).await?;
        loop {
            let spec = self.check(command)?;
            let entry = Entry::Started { id: self.id, at: Timestamp::now() };
            match self.desk.journal(|journal| journal.append(entry)) {
                Ok(()) => {
                    self.outbox.push(EventKind::Started);
                    info!(job.id = %self.id, kind = spec.kind(), "Job {} ({}) has started", self.id, spec.kind());
                    return Ok(Started { spec, running: Running::new(self.desk.running.clone()), turn });
                }
                Err(failed) => error!(job.id = %self.id, "Job {} cannot start yet: {}", self.id, chain(&failed)),
            }
            sleep(DISK_PAUSE).await;
            self.leave().await?;
        }
    }

    /// Waits until it is this job's turn and the server, in its current session, gives leave to start it.
    async fn confirmed_turn(&self, command: &Command) -> Result<Turn, Box<JobResult>> {
        self.outbox.push(EventKind::Accepted);
        let turn = tokio::select! {
            biased;
            turn = self.turn(command) => turn,
            () = self.too_late(command) => return Err(start_by_passed()),
        };
        self.leave().await?;
        Ok(turn)
    }

    /// Returns when the latest start has passed by the server's clock: a job that waits holds others back that come after it.
    async fn too_late(&self, command: &Command) {
        let Agent { client, .. } = &*self.desk.agent;
        // With a session the server has said what time it is.
        self.desk.agent.session_after(None).await;
        while let Ok(left) = Duration::try_from(command.start_by.duration_since(client.clock.now())) {
            sleep(left + Duration::from_millis(1)).await;
        }
    }

    /// Waits until the job may start. Leave is asked for as late as can be: where once is all a job may run, the server
    /// gives it to one process only.
    async fn leave(&self) -> Result<(), Box<JobResult>> {
        loop {
            self.gate_open().await;
            let number = self.outbox.push(EventKind::Starting);
            let Stored { closed, cancel, session, through: _ } = self.outbox.stored_through(number).await;
            if closed {
                let message = "the server does not know this job any more";
                return Err(Box::new(ended_with(Outcome::Rejected, "unknown_job", message)));
            }
            if cancel {
                return Err(Box::new(ended(Outcome::Cancelled)));
            }
            let open = *self.desk.gate.borrow() == Gate::Open;
            if open && *self.desk.agent.session.borrow() == Some(session) {
                return Ok(());
            }
        }
    }

    async fn turn(&self, command: &Command) -> Turn {
        // What the kind acts on by itself goes before what the server says.
        let own = JobSpec::from_parts(&command.kind, &command.spec).ok().and_then(|spec| spec.rules().resource());
        let turn = self.desk.resources.turn(own.as_deref().or(command.resource.as_deref())).await;
        // The semaphore is never closed.
        if let Ok(place) = self.desk.places.clone().acquire_owned().await {
            let _ = self.place.set(place);
        }
        turn
    }

    async fn gate_open(&self) {
        // The sender lives as long as the agent.
        let _ = self.desk.gate.subscribe().wait_for(|gate| *gate == Gate::Open).await;
    }

    /// The last checks before the promise on disk.
    fn check(&self, command: &Command) -> Result<JobSpec, Box<JobResult>> {
        let refusal = |code, message: String| Box::new(ended_with(Outcome::Rejected, code, message));
        let reject = |code, message: &str| Err(refusal(code, message.into()));
        if command.start_by < self.desk.agent.client.clock.now() {
            return Err(start_by_passed());
        }
        if self.desk.journal(|journal| journal.ledger().is_outdated(command)) {
            return reject("generation", "a newer job for the same resource has started");
        }
        if self.desk.journal(|journal| journal.ledger().is_full_for(command)) {
            return reject("resources", "this host has seen as many resources as it can remember");
        }
        let spec = JobSpec::from_parts(&command.kind, &command.spec)
            .map_err(|problem| refusal("invalid", problem.to_string()))?;
        self.desk.allows(&spec).map_err(|message| refusal("policy", message))?;
        Ok(spec)
    }

    async fn work(&self, spec: JobSpec, time_limit: Duration) -> Option<JobResult> {
        let stop = self.cancel.child_token();
        let output = Arc::new(Output::new(self.outbox.clone(), spec.rules().log_limit_bytes()));
        let printing = output.clone();
        let account = self.desk.policy.in_force().account();
        let task = Task {
            id: self.id,
            account,
            time_limit,
            stop: stop.clone(),
            output: Arc::new(move |text| printing.text(text)),
        };
        let mut work = runners::of(&spec).run(&self.desk.agent, &task);
        let result = tokio::select! {
            biased;
            result = &mut work => result,
            () = self.desk.stopping.cancelled() => {
                stop.cancel();
                work.await
            }
        };
        let Printed { bytes: output_bytes, missing } = output.end();
        let cut_off = self.desk.stopping.is_cancelled() && !self.cancel.is_cancelled();
        let result = match result? {
            JobResult { outcome: Outcome::Cancelled, .. } if cut_off => {
                ended_with(Outcome::Interrupted, "agent_stopped", self.why_stopped())
            }
            result => result,
        };
        Some(JobResult { output_bytes, output_truncated: missing > 0, ..result })
    }

    /// Why this process ends before the job did.
    fn why_stopped(&self) -> String {
        let Agent { state, exit, .. } = &*self.desk.agent;
        let exit = *exit.borrow();
        match exit {
            Some(Exit::Update) => {
                let version = Update::load(state).ok().flatten().map(|update| format!(" to {}", update.to.version));
                let (version, seconds) = (version.unwrap_or_default(), self.desk.agent.config().drain_seconds);
                format!("the update of the agent{version} waited {seconds} s (drain_seconds) and then cut the job off")
            }
            Some(Exit::Retired) => "the server retired this host while the job ran".into(),
            Some(Exit::Stop | Exit::Unusable) | None => "the agent was stopped while the job ran".into(),
        }
    }

    async fn finish(&self, result: JobResult) {
        let started_at =
            self.desk.journal(|journal| journal.ledger().jobs().get(&self.id).and_then(|record| record.started_at));
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
        while let Err(failed) = self.desk.journal(|journal| journal.append(entry.clone())) {
            error!(job.id = %self.id, "Job {} waits for the journal: {}", self.id, chain(&failed));
            sleep(DISK_PAUSE).await;
        }
    }
}

fn start_by_passed() -> Box<JobResult> {
    let message = "its latest start passed while it waited";
    Box::new(ended_with(Outcome::Rejected, "start_by_passed", message))
}

/// A job whose start is on disk.
struct Started {
    spec: JobSpec,
    running: Running,
    turn: Turn,
}

/// How a job ended, still counted as running if it ran. Without a result the next process tells it.
struct Ending {
    result: Option<JobResult>,
    running: Option<Running>,
    turn: Option<Turn>,
}

impl From<JobResult> for Ending {
    fn from(result: JobResult) -> Self {
        Self { result: Some(result), running: None, turn: None }
    }
}

/// Counts a running job until it is dropped.
struct Running(watch::Sender<usize>);

impl Running {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
