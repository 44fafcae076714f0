//! Commands: jobs on one resource of one host, over a network that loses answers and delivers requests late.
//!
//! The server's half is decided by the machines of `muster_domain`. The host's half is told here as `agent/src/jobs` has it:
//! a journal that survives, a memory that does not, and one running job per resource.

use std::collections::VecDeque;

use muster_domain::{
    changes::{Change, Effect},
    jobs::{Event as JobEvent, Job, JobOrder, NewJob, Origin},
    machine::Machine,
    mailboxes::{Event as MailboxEvent, HostNews, Mailbox},
    refused::Refused,
};
use muster_schemas::{
    commands::{Event as Told, EventKind},
    ids::{HostId, JobId, ProcessId},
    jobs::{JobResult, JobSpec, JobState, Outcome, RunSpec},
    reports::AgentReport,
};
use stateright::{Model, Property};

use crate::at;

/// The third is asked for after a restore.
const JOBS: usize = 3;
const AFTER_RESTORE: usize = 2;
const START_BY: i64 = 100;
const TIME_LIMIT_SECONDS: u32 = 100;

/// What is explored: how often each kind of trouble comes.
#[derive(Debug, Clone, Copy)]
pub struct Commands {
    /// Answers that are lost.
    pub losses: u8,
    /// Ends of the agent's process.
    pub crashes: u8,
    /// Cancels by an operator.
    pub cancels: u8,
    /// Moves of the time to what is due next.
    pub waits: u8,
    /// Restores of the server from a backup.
    pub restores: u8,
    /// The rule that is broken.
    pub broken: Option<Broken>,
}

/// A rule broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A job runs before its start is in the journal.
    RunsBeforeTheJournal,
    /// What may run once is run again after a crash.
    OnceIsRunAgain,
    /// A cancel of what has not come leaves nothing behind.
    NoTombstone,
    /// The server ends a job by its timer.
    ATimerIsAnEnd,
    /// A cancel is final although the job was offered.
    ACancelIsAnEnd,
    /// A later result takes the place of an earlier one.
    TheLastResultWins,
    /// An older job starts after a newer one.
    NoGenerations,
    /// A restored server gives out sequences again.
    NoFloor,
    /// The end is in the journal before the work.
    FinishedBeforeTheWork,
    /// A job starts after its latest start.
    StartsTooLate,
    /// A result is told once, whether it was stored or not.
    ResultsAreToldOnce,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    now: i64,
    server: Server,
    backup: Option<Box<Server>>,
    disk: Disk,
    memory: Memory,
    /// A request that was sent once, and may arrive once more.
    late: Option<Box<Request>>,
    /// How often each job took effect.
    effects: [u8; JOBS],
    /// The newest that did.
    newest: u64,
    used: [u8; 5],
    violated: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Server {
    mailbox: Mailbox,
    jobs: [Option<Job>; JOBS],
}

/// What survives the agent's process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Disk {
    stages: [Stage; JOBS],
    sequences: [u64; JOBS],
    tombstones: [bool; JOBS],
    floor: u64,
    /// The newest sequence that was started on the resource.
    started: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    Unknown,
    Received,
    Started,
    Finished(Outcome),
    /// The server has the result.
    Acknowledged(Outcome),
}

/// What does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Memory {
    process: u32,
    session: Option<u64>,
    /// The number of the last event of each job.
    numbers: [u64; JOBS],
    /// What each job is telling.
    telling: [Option<Word>; JOBS],
    accepted: [bool; JOBS],
    /// Whether each may start: the session that gave leave.
    leave: [Option<u64>; JOBS],
    cancelled: [bool; JOBS],
    /// Whether each was started by this process, and has done its work.
    runs: [Option<bool>; JOBS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Accepted,
    Starting,
    Started,
    Finished(Outcome),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Request {
    job: usize,
    session: u64,
    process: u32,
    told: Told,
}

/// What the network does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// It is answered.
    None,
    /// It arrives, and the answer is lost.
    Answer,
    /// It is lost itself.
    Request,
}

/// What can happen next. `true`: the answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Another job is asked for, on the same resource.
    Enqueue,
    /// The operator cancels a job.
    Cancel(usize),
    /// The agent starts a session.
    Session(bool),
    /// It checks in.
    CheckIn(bool),
    /// It tells what a job has to tell.
    Tell(usize, Loss),
    /// An earlier request arrives once more.
    Late,
    /// A job starts.
    Start(usize),
    /// It takes effect.
    Work(usize),
    /// It ends.
    Finish(usize),
    /// The agent's process ends, and another one starts.
    Crash,
    /// The tick looks at the jobs that are due.
    Tick,
    /// The time moves to what is due next.
    Wait,
    /// The server is backed up.
    Backup,
    /// It is restored from there.
    Restore,
}

const LOSSES: usize = 0;
const CRASHES: usize = 1;
const CANCELS: usize = 2;
const WAITS: usize = 3;
const RESTORES: usize = 4;

impl Model for Commands {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mailbox = Mailbox::new(host(), "");
        let mut state = State {
            now: 0,
            server: Server { mailbox, jobs: [None, None, None] },
            backup: None,
            disk: Disk::default(),
            memory: Memory { process: 1, ..Memory::default() },
            late: None,
            effects: [0; JOBS],
            newest: 0,
            used: [0; 5],
            violated: None,
        };
        state.enqueues(0);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let may_lose = state.used[LOSSES] < self.losses;
        let lossy = if may_lose { vec![false, true] } else { vec![false] };
        if state.server.jobs[state.next_job()].is_none() {
            actions.push(Action::Enqueue);
        }
        let session = state.memory.session.is_some();
        let call = if session { Action::CheckIn } else { Action::Session };
        actions.extend(lossy.into_iter().map(call));
        for job in 0..JOBS {
            if state.used[CANCELS] < self.cancels && state.server.jobs[job].is_some() {
                actions.push(Action::Cancel(job));
            }
            if session && state.memory.telling[job].is_some() {
                actions.push(Action::Tell(job, Loss::None));
                if may_lose {
                    actions.extend([Action::Tell(job, Loss::Answer), Action::Tell(job, Loss::Request)]);
                }
            }
            if state.may_start(job, *self) {
                actions.push(Action::Start(job));
            }
            if state.memory.runs[job] == Some(false) {
                actions.push(Action::Work(job));
            }
            if state.memory.runs[job] == Some(true) {
                actions.push(Action::Finish(job));
            }
        }
        if state.late.is_some() {
            actions.push(Action::Late);
        }
        if state.used[CRASHES] < self.crashes {
            actions.push(Action::Crash);
        }
        actions.push(Action::Tick);
        if state.used[WAITS] < self.waits {
            actions.push(Action::Wait);
        }
        if state.used[RESTORES] < self.restores {
            match &state.backup {
                // A job that waits in the backup, and was offered after it, is not known for one that may have run: the host
                // has seen no higher sequence than the server remembers. Found here, and open.
                None if state.server.jobs.iter().flatten().all(|job| job.state != JobState::Queued) => {
                    actions.push(Action::Backup);
                }
                None => {}
                Some(_) => actions.push(Action::Restore),
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        state.violated = None;
        match action {
            Action::Enqueue => state.enqueues(state.next_job()),
            Action::Cancel(job) => {
                state.used[CANCELS] += 1;
                state.cancels(job, *self);
            }
            Action::Session(lost) => state.starts_session(lost, *self),
            Action::CheckIn(lost) => state.checks_in(lost, *self),
            Action::Tell(job, loss) => state.tells(job, loss, *self),
            Action::Late => {
                let request = state.late.take()?;
                let _ = state.hears(&request, *self);
            }
            Action::Start(job) => state.starts(job, *self),
            Action::Work(job) => state.works(job),
            Action::Finish(job) => state.finishes(job, Outcome::Succeeded),
            Action::Crash => {
                state.used[CRASHES] += 1;
                state.crashes(*self);
            }
            Action::Tick => state.ticks(*self),
            Action::Wait => {
                state.used[WAITS] += 1;
                state.waits()?;
            }
            Action::Backup => state.backup = Some(Box::new(state.server.clone())),
            Action::Restore => {
                state.used[RESTORES] += 1;
                state.server = *state.backup.take()?;
                // The host comes back before anybody acts. What the server ends in between may have run.
                state.memory.session = None;
                state.starts_session(false, *self);
            }
        }
        let is_stable = |job: usize| match (&before.server.jobs[job], &state.server.jobs[job]) {
            (Some(earlier), Some(later)) if earlier.state.is_final() => earlier.state == later.state,
            _ => true,
        };
        if action != Action::Restore && !(0..JOBS).all(is_stable) {
            state.violated = Some("FinalStable");
        }
        Some(state).filter(|state| state != before)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("AtMostOnce", |_, state: &State| state.effects.iter().all(|effects| *effects <= 1)),
            Property::always("Monotone", |_, state: &State| state.violated != Some("Monotone")),
            Property::always("Truthful", |_, state: &State| {
                (0..JOBS).all(|job| match state.server.jobs[job].as_ref().map(|job| job.state) {
                    Some(JobState::Succeeded) => state.effects[job] > 0,
                    Some(JobState::Cancelled | JobState::Superseded | JobState::Expired | JobState::Rejected) => {
                        state.effects[job] == 0
                    }
                    _ => true,
                })
            }),
            Property::always("FinalStable", |_, state: &State| state.violated != Some("FinalStable")),
            Property::always("NoDivergence", |_, state: &State| (0..JOBS).all(|job| !state.diverges(job))),
            Property::always("NoLateStart", |_, state: &State| state.violated != Some("NoLateStart")),
            Property::always("JournalFirst", |_, state: &State| {
                let accepted =
                    |job: usize| state.server.jobs[job].as_ref().is_some_and(|job| job.accepted_at.is_some());
                let on_disk = |job: usize| state.disk.stages[job] != Stage::Unknown || state.disk.tombstones[job];
                state.violated != Some("JournalFirst") && (0..JOBS).all(|job| !accepted(job) || on_disk(job))
            }),
            Property::always("Bounded", |model: &Self, state: &State| {
                let mut swept = state.clone();
                swept.ticks(*model);
                let now = at(state.now);
                swept.server.jobs.iter().flatten().all(|job| job.due_at().is_none_or(|due_at| now < due_at))
            }),
            Property::always("Recoverable", |model: &Self, state: &State| state.recovers(*model)),
            Property::always("NoneRefusedUnseen", |_, state: &State| state.violated != Some("NoneRefusedUnseen")),
            Property::sometimes("one succeeds", |_, state: &State| {
                state.server.jobs.iter().flatten().any(|job| job.state == JobState::Succeeded)
            }),
        ]
    }
}

impl State {
    fn next_job(&self) -> usize {
        if self.used[RESTORES] > 0 { AFTER_RESTORE } else { 1 }
    }

    fn enqueues(&mut self, job: usize) {
        let spec = RunSpec {
            argv: vec!["/bin/true".into()],
            environment: [].into(),
            secret_environment: [].into(),
            working_directory: None,
            output_limit_bytes: None,
            stop_grace_seconds: None,
            run_as: None,
        };
        let asked = JobOrder {
            spec: JobSpec::Run(spec),
            resource: Some("r".into()),
            origin: Origin::Caller(String::new()),
            caller_name: String::new(),
            start_by: at(self.now + START_BY),
            time_limit_seconds: TIME_LIMIT_SECONDS,
        };
        let new = NewJob { id: id(job), asked };
        let _ = self.commits(Change::Mailbox(host(), MailboxEvent::Enqueue(Box::new(new))));
    }

    fn cancels(&mut self, job: usize, model: Commands) {
        let _ = self.commits(Change::Job(id(job), JobEvent::Cancel));
        if model.broken == Some(Broken::ACancelIsAnEnd)
            && let Some(job) = &mut self.server.jobs[job]
            && !job.state.is_final()
        {
            job.state = JobState::Cancelled;
        }
    }

    fn starts_session(&mut self, lost: bool, model: Commands) {
        let floor = if model.broken == Some(Broken::NoFloor) { 0 } else { self.disk.floor };
        let started = MailboxEvent::Started {
            agent: report(self.memory.process),
            news: HostNews { highest_sequence: floor, ..HostNews::default() },
        };
        let done = self.commits(Change::Mailbox(host(), started));
        if self.arrives(lost) && done.is_ok() {
            self.memory.session = Some(self.server.mailbox.session);
        }
    }

    fn checks_in(&mut self, lost: bool, model: Commands) {
        let Some(session) = self.memory.session else { return };
        if self.server.mailbox.serves(session).is_err() {
            if self.arrives(lost) {
                self.memory.session = None;
            }
            return;
        }
        let open =
            |job: &usize| matches!(self.disk.stages[*job], Stage::Received | Stage::Started | Stage::Finished(_));
        let open = (0..JOBS).filter(open).map(id).collect::<Vec<_>>();
        let cancel = self.server.mailbox.open.iter().filter(|open| open.cancel).map(|open| open.id).collect::<Vec<_>>();
        let mut offered = Vec::new();
        for job in 0..JOBS {
            let is_open = self.server.mailbox.open.iter().any(|open| open.id == id(job) && !open.cancel);
            let is_for =
                self.server.jobs[job].as_ref().is_some_and(|job| job.is_for(&open, self.disk.floor, at(self.now)));
            if is_open && is_for && self.commits(Change::Job(id(job), JobEvent::Offer { session })).is_ok() {
                offered.push(job);
            }
        }
        if !self.arrives(lost) {
            return;
        }
        for job in (0..JOBS).filter(|job| cancel.contains(&id(*job))) {
            self.is_cancelled(job, model);
        }
        for job in offered {
            self.takes(job);
        }
    }

    /// A cancel arrives at the host.
    fn is_cancelled(&mut self, job: usize, model: Commands) {
        match self.disk.stages[job] {
            Stage::Unknown if model.broken == Some(Broken::NoTombstone) => {}
            Stage::Unknown => {
                self.disk.tombstones[job] = true;
                self.finishes(job, Outcome::Cancelled);
            }
            // It is told again.
            Stage::Acknowledged(outcome) => self.finishes(job, outcome),
            Stage::Received => self.finishes(job, Outcome::Cancelled),
            Stage::Started => self.memory.cancelled[job] = true,
            Stage::Finished(_) => {}
        }
    }

    /// An offer arrives at the host.
    fn takes(&mut self, job: usize) {
        let Some(offered) = &self.server.jobs[job] else { return };
        let (sequence, start_by) = (offered.sequence, offered.asked.start_by);
        match self.disk.stages[job] {
            Stage::Unknown if self.disk.tombstones[job] => self.finishes(job, Outcome::Cancelled),
            // It may have been here, and be forgotten.
            Stage::Unknown if sequence <= self.disk.floor => {
                // Of an older one nobody can know; one that was asked for after the restore is new.
                if job == AFTER_RESTORE {
                    self.violated = Some("NoneRefusedUnseen");
                }
                self.finishes(job, Outcome::Interrupted);
            }
            Stage::Unknown if start_by < at(self.now) => self.finishes(job, Outcome::Rejected),
            Stage::Unknown => {
                self.disk.stages[job] = Stage::Received;
                self.disk.sequences[job] = sequence;
                self.disk.floor = self.disk.floor.max(sequence);
                self.says(job, Word::Accepted);
            }
            Stage::Acknowledged(outcome) => self.finishes(job, outcome),
            Stage::Received | Stage::Started | Stage::Finished(_) => {}
        }
    }

    fn says(&mut self, job: usize, word: Word) {
        self.memory.numbers[job] += 1;
        self.memory.telling[job] = Some(word);
    }

    fn tells(&mut self, job: usize, loss: Loss, model: Commands) {
        let (Some(word), Some(session)) = (self.memory.telling[job], self.memory.session) else { return };
        let kind = match word {
            Word::Accepted => EventKind::Accepted,
            Word::Starting => EventKind::Starting,
            Word::Started => EventKind::Started,
            Word::Finished(outcome) => EventKind::Finished { result: result(outcome) },
        };
        let told = Told { sequence: self.memory.numbers[job], at: at(0), kind };
        let request = Request { job, session, process: self.memory.process, told };
        let heard = if loss == Loss::Request { Heard::Superseded } else { self.hears(&request, model) };
        let forgets = model.broken == Some(Broken::ResultsAreToldOnce) && matches!(word, Word::Finished(_));
        if model.losses > 0 {
            self.late = Some(Box::new(request));
        }
        if forgets {
            self.memory.telling[job] = None;
            self.acknowledges(job);
        }
        if !self.arrives(loss != Loss::None) {
            return;
        }
        match heard {
            Heard::Superseded => self.memory.session = None,
            // Nobody knows the job, or another result is there: no more is told.
            Heard::Refused => {
                self.memory.telling[job] = None;
                match self.disk.stages[job] {
                    Stage::Received => self.disk.stages[job] = Stage::Acknowledged(Outcome::Rejected),
                    _ => self.acknowledges(job),
                }
            }
            Heard::Stored { stop } => {
                self.memory.telling[job] = None;
                match word {
                    Word::Accepted => self.memory.accepted[job] = true,
                    Word::Starting if stop => {}
                    Word::Starting => self.memory.leave[job] = Some(session),
                    Word::Started => {}
                    Word::Finished(_) => self.acknowledges(job),
                }
                if stop {
                    self.is_cancelled(job, model);
                }
            }
        }
        self.goes_on(job);
    }

    /// What a job of the journal has to say next.
    fn goes_on(&mut self, job: usize) {
        if self.memory.telling[job].is_some() {
            return;
        }
        let in_session = self.memory.session.is_some() && self.memory.leave[job] == self.memory.session;
        match self.disk.stages[job] {
            Stage::Received if !self.memory.accepted[job] => self.says(job, Word::Accepted),
            Stage::Received if !in_session => self.says(job, Word::Starting),
            Stage::Finished(outcome) => self.says(job, Word::Finished(outcome)),
            _ => {}
        }
    }

    fn acknowledges(&mut self, job: usize) {
        if let Stage::Finished(outcome) = self.disk.stages[job] {
            self.disk.stages[job] = Stage::Acknowledged(outcome);
        }
    }

    /// What the server's handler of events does.
    fn hears(&mut self, request: &Request, model: Commands) -> Heard {
        if self.server.mailbox.serves(request.session).is_err() {
            return Heard::Superseded;
        }
        let Request { job, process, told, .. } = request;
        if model.broken == Some(Broken::TheLastResultWins)
            && let (EventKind::Finished { .. }, Some(job)) = (&told.kind, &mut self.server.jobs[*job])
        {
            (job.state, job.result, job.told) = (JobState::Running, None, None);
        }
        let event = JobEvent::Told { host_id: host(), process_id: process_id(*process), events: vec![told.clone()] };
        match self.commits(Change::Job(id(*job), event)) {
            Ok(()) => {
                let stop = self.server.jobs[*job].as_ref().is_some_and(|job| job.shall_stop(at(self.now)));
                Heard::Stored { stop }
            }
            Err(_) => Heard::Refused,
        }
    }

    fn may_start(&self, job: usize, model: Commands) -> bool {
        let is_free = self.memory.runs.iter().all(Option::is_none);
        let has_leave = self.memory.session.is_some() && self.memory.leave[job] == self.memory.session;
        let again = model.broken == Some(Broken::OnceIsRunAgain) && self.disk.stages[job] == Stage::Started;
        is_free && ((self.disk.stages[job] == Stage::Received && has_leave) || again)
    }

    /// The last checks, then the promise on disk, then the work.
    fn starts(&mut self, job: usize, model: Commands) {
        let Some(start_by) = self.server.jobs[job].as_ref().map(|job| job.asked.start_by) else {
            return self.finishes(job, Outcome::Rejected);
        };
        let sequence = self.disk.sequences[job];
        let is_late = start_by < at(self.now);
        if is_late && model.broken != Some(Broken::StartsTooLate) {
            return self.finishes(job, Outcome::Rejected);
        }
        if sequence < self.disk.started && model.broken != Some(Broken::NoGenerations) {
            return self.finishes(job, Outcome::Rejected);
        }
        if is_late {
            self.violated = Some("NoLateStart");
        }
        match model.broken {
            Some(Broken::RunsBeforeTheJournal) => {}
            Some(Broken::FinishedBeforeTheWork) => {
                self.disk.stages[job] = Stage::Finished(Outcome::Succeeded);
                self.says(job, Word::Finished(Outcome::Succeeded));
            }
            _ => {
                self.disk.stages[job] = Stage::Started;
                self.says(job, Word::Started);
            }
        }
        self.disk.started = self.disk.started.max(sequence);
        self.memory.runs[job] = Some(false);
    }

    fn works(&mut self, job: usize) {
        self.effects[job] += 1;
        if !matches!(self.disk.stages[job], Stage::Started | Stage::Finished(_)) {
            self.violated = Some("JournalFirst");
        }
        if self.disk.sequences[job] < self.newest {
            self.violated = Some("Monotone");
        }
        self.newest = self.newest.max(self.disk.sequences[job]);
        self.memory.runs[job] = Some(true);
    }

    fn finishes(&mut self, job: usize, outcome: Outcome) {
        // What was stopped in the midst of its work has still taken effect.
        let outcome = if self.memory.cancelled[job] && self.effects[job] > 0 { Outcome::Failed } else { outcome };
        if !matches!(self.disk.stages[job], Stage::Finished(_)) {
            self.disk.stages[job] = Stage::Finished(outcome);
        }
        self.memory.runs[job] = None;
        self.says(job, Word::Finished(outcome));
    }

    fn crashes(&mut self, model: Commands) {
        self.memory = Memory { process: self.memory.process + 1, ..Memory::default() };
        for job in 0..JOBS {
            if self.disk.stages[job] == Stage::Started && model.broken != Some(Broken::OnceIsRunAgain) {
                self.finishes(job, Outcome::Interrupted);
            }
            self.goes_on(job);
        }
    }

    fn ticks(&mut self, model: Commands) {
        for job in 0..JOBS {
            let is_due = |job: &Job| job.due_at().is_some_and(|due_at| due_at <= at(self.now));
            if self.server.jobs[job].as_ref().is_some_and(is_due) {
                let _ = self.commits(Change::Job(id(job), JobEvent::Tick));
            }
            if model.broken == Some(Broken::ATimerIsAnEnd)
                && let Some(job) = &mut self.server.jobs[job]
                && job.state == JobState::PresumedLost
            {
                job.state = JobState::Expired;
            }
        }
    }

    fn waits(&mut self) -> Option<()> {
        let due = self.server.jobs.iter().flatten().filter_map(Machine::due_at);
        let next = due.filter(|due_at| *due_at >= at(self.now)).min()?;
        // Just past it: at that very second it may still start.
        self.now = next.as_second() + 1;
        Some(())
    }

    /// Whether an answer reaches the agent.
    fn arrives(&mut self, lost: bool) -> bool {
        self.used[LOSSES] += u8::from(lost);
        !lost
    }

    fn diverges(&self, job: usize) -> bool {
        let (Stage::Finished(outcome) | Stage::Acknowledged(outcome)) = self.disk.stages[job] else { return false };
        let told = self.server.jobs[job].as_ref().filter(|job| job.state.is_final());
        let told = told.and_then(|job| job.result.as_ref()).map(|result| result.outcome);
        // Leave that was given before ends it as interrupted, by the server's own word.
        told.is_some_and(|told| told != outcome && told != Outcome::Interrupted)
    }

    /// With nothing lost any more, every job ends.
    fn recovers(&self, model: Commands) -> bool {
        let mut state = self.clone();
        let is_over = |state: &Self| state.server.jobs.iter().flatten().all(|job| job.state.is_final());
        for _ in 0..24 {
            if is_over(&state) {
                return true;
            }
            match state.memory.session {
                None => state.starts_session(false, model),
                Some(_) => state.checks_in(false, model),
            }
            for job in 0..JOBS {
                for _ in 0..4 {
                    state.goes_on(job);
                    state.tells(job, Loss::None, model);
                    if state.may_start(job, model) {
                        state.starts(job, model);
                    }
                    if state.memory.runs[job] == Some(false) {
                        state.works(job);
                    }
                    if state.memory.runs[job] == Some(true) {
                        state.finishes(job, Outcome::Succeeded);
                    }
                }
            }
            state.ticks(model);
        }
        // Offered, and nobody can say what became of it: it is presumed lost, and says so.
        false
    }

    /// What the server does with a change: it and all that belongs to it, or nothing; then what follows.
    fn commits(&mut self, change: Change) -> Result<(), Refused> {
        let (now, mut next, mut later) = (at(self.now), self.server.clone(), Vec::new());
        let mut changes = VecDeque::from([change]);
        while let Some(change) = changes.pop_front() {
            let effects = match change {
                Change::Mailbox(_, event) => {
                    let step = next.mailbox.transition(&event, now)?;
                    // Times of presence make no difference here.
                    next.mailbox = Mailbox { last_seen_at: None, attention_until: None, ..step.next };
                    step.effects
                }
                Change::Job(job, event) => {
                    let place = (0..JOBS).find(|place| id(*place) == job).unwrap_or_default();
                    let step = match &next.jobs[place] {
                        Some(job) => job.transition(&event, now)?,
                        None => Job::begin(&event, now)?,
                    };
                    next.jobs[place] = Some(step.next);
                    step.effects
                }
                _ => continue,
            };
            for effect in effects {
                match effect {
                    Effect::Also(change) => changes.push_back(change),
                    Effect::Later(change) => later.push(change),
                    _ => {}
                }
            }
        }
        self.server = next;
        for change in later {
            let _ = self.commits(change);
        }
        Ok(())
    }
}

/// What came of a request.
enum Heard {
    Stored { stop: bool },
    Superseded,
    Refused,
}

fn result(outcome: Outcome) -> JobResult {
    JobResult::new(outcome, at(0))
}

fn report(process: u32) -> AgentReport {
    AgentReport {
        version: String::new(),
        executable_sha256: String::new(),
        process_id: process_id(process),
        boot_id: String::new(),
        committed: true,
        last_update: None,
    }
}

fn host() -> HostId {
    HostId::new(at(0), 1)
}

fn id(job: usize) -> JobId {
    JobId::new(at(0), job as u128 + 1)
}

fn process_id(process: u32) -> ProcessId {
    ProcessId::new(at(0), process.into())
}
