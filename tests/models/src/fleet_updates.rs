//! Fleet updates: two that tick with stale reads, hosts that are silent, late or roll back, and an operator.
//!
//! What happens is chosen by the explorer; what follows from it is decided by the rules. Each rule can be broken on purpose:
//! an explorer that finds nothing then would find nothing ever.

use std::collections::VecDeque;

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect},
    fleet_updates::hosts::{Event as HostEvent, FleetUpdateHost, MAX_ATTEMPTS, Place},
    fleet_updates::{Brings, Candidate, Event, FleetUpdate, Plan, Planning, Selection, brings::releases::Release},
    jobs,
    machine::Machine,
    mailboxes,
    refused::Refused,
};
use muster_schemas::{
    fleet_updates::{FleetUpdateHostState, FleetUpdateState, OfflinePolicy, Share},
    hosts::{HostState, Selector},
    ids::{FleetUpdateId, HostId, JobId, ProcessId},
    jobs::{JobError, JobState},
    reports::{AgentReport, LastUpdate, Report, UpdateOutcome},
};
use stateright::{Model, Property};

use crate::at;

const OLD: &str = "1.0.0";
const NEW: &str = "2.0.0";
const SOAK_SECONDS: u32 = 10;
const TIME_LIMIT_SECONDS: u32 = 100;
/// How many look at it at once.
const TICKERS: usize = 2;

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub struct FleetUpdates {
    /// How many hosts there are; the first is the canary.
    pub hosts: u32,
    /// How many may be in an unproven update.
    pub max_in_flight: u32,
    /// How many failures halt it.
    pub max_failures: u32,
    /// How often the time moves to what is due next.
    pub waits: u8,
    /// How often the operator acts.
    pub acts: u8,
    /// How often a host goes away or returns.
    pub flips: u8,
    /// The rule that is broken.
    pub broken: Option<Broken>,
}

/// A rule broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A lost host gives its slot back.
    LostHostsFreeTheirSlot,
    /// All slots held by lost hosts are no reason to halt.
    ExhaustedSlotsGoOn,
    /// A commit does not look whether what it was decided on has changed.
    LastWriterWins,
    /// A halt is forgotten by the next offer.
    OffersAfterAHalt,
    /// The next wave opens at once.
    WavesWithoutAGate,
    /// The version alone is a proof.
    TheVersionIsAProof,
    /// What was cancelled can be resumed.
    CancelledCanBeResumed,
    /// Attempts are not counted.
    AttemptsAreForgotten,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    now: i64,
    fleet_update: FleetUpdate,
    records: Vec<FleetUpdateHost>,
    hosts: Vec<Host>,
    looked: Vec<Option<Looked>>,
    /// How often each host was offered the release.
    offers: Vec<u32>,
    waits: u8,
    acts: u8,
    flips: u8,
    /// The rule that the last step has broken.
    violated: Option<&'static str>,
}

/// What is true on a host, whoever knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Host {
    is_away: bool,
    /// A job that it has not fetched.
    mailbox: Option<JobId>,
    /// A job that it has.
    job: Option<JobId>,
    /// The latest start of the last job.
    start_by: i64,
    process: u32,
    runs: Runs,
    record: Option<(JobId, bool)>,
    /// What it has told the server of that.
    told: (u32, Runs),
    news: News,
    /// An operator has given up on it.
    is_written_off: bool,
    /// How a job ended that the server has not heard of.
    ended: Option<(JobId, JobState)>,
}

/// What the server has not heard of a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum News {
    /// Nothing.
    #[default]
    None,
    /// That what runs is committed.
    Commit,
    /// A new process: it is served after it has said what it is.
    Process,
}

/// What runs on a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Runs {
    /// What ran before.
    #[default]
    Old,
    /// The release, unproven.
    Trial,
    /// The release.
    New,
}

/// What somebody who ticks has read, a while ago.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Looked {
    position: u32,
    online: bool,
    attempts: u32,
    update_open: bool,
    told: (u32, Runs),
    /// For a commit that does not look again.
    stale: Option<Box<FleetUpdate>>,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody reads whose turn it is.
    Look(usize),
    /// And offers that host the release.
    Admit(usize),
    /// A tick looks at the fleet update.
    Tick,
    /// A tick looks at a host of it.
    TickHost(usize),
    /// The time moves to what is due next.
    Wait,
    /// A job that was never fetched runs out.
    Expire(usize),
    /// A host fetches its job.
    Fetch(usize),
    /// It starts the release.
    Start(usize),
    /// The release proves itself.
    Commit(usize),
    /// It does not, and the old version is back.
    RollBack(usize),
    /// Neither could reach the server, and the old version is back.
    GiveUp(usize),
    /// It says what runs.
    Report(usize),
    /// It says how its job ended.
    Finish(usize),
    /// It goes away, or returns.
    Flip(usize),
    /// The operator acts.
    Pause,
    /// The operator acts.
    Resume,
    /// The operator acts.
    Cancel,
    /// The operator acts.
    RetryFailed,
    /// The operator gives up on a lost host.
    WriteOff(usize),
}

impl Model for FleetUpdates {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begun()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend([Action::Tick]);
        actions.extend((0..TICKERS).map(|ticker| match state.looked[ticker] {
            None => Action::Look(ticker),
            Some(_) => Action::Admit(ticker),
        }));
        if state.waits < self.waits {
            actions.push(Action::Wait);
        }
        for (place, host) in state.hosts.iter().enumerate() {
            if state.records[place].due_at().is_some_and(|due_at| at(state.now) >= due_at) {
                actions.push(if host.mailbox.is_some() { Action::Expire(place) } else { Action::TickHost(place) });
            }
            if host.mailbox.is_some() && !host.is_away && host.news != News::Process {
                actions.push(Action::Fetch(place));
            }
            if host.job.is_some() && host.ended.is_none() {
                match host.runs {
                    Runs::Old => actions.push(Action::Start(place)),
                    Runs::Trial => {
                        actions.extend([Action::Commit(place), Action::RollBack(place), Action::GiveUp(place)]);
                    }
                    Runs::New => {}
                }
            }
            if host.news != News::None {
                actions.push(Action::Report(place));
            }
            if host.ended.is_some() && host.news != News::Process {
                actions.push(Action::Finish(place));
            }
            if state.flips < self.flips {
                actions.push(Action::Flip(place));
            }
        }
        if state.acts < self.acts {
            actions.extend([Action::Pause, Action::Resume, Action::Cancel, Action::RetryFailed]);
            actions.extend((0..state.hosts.len()).map(Action::WriteOff));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.violated = None;
        let done = match action {
            Action::Look(ticker) => self.looks(&mut state, ticker),
            Action::Admit(ticker) => self.admits(&mut state, ticker),
            Action::Tick => self.happens(&mut state, Event::Tick),
            Action::TickHost(place) => self.happens_to(&mut state, place, HostEvent::Tick),
            Action::Wait => state.waits(),
            Action::Expire(place) => {
                let job_id = state.hosts[place].mailbox.take()?;
                self.ends(&mut state, place, job_id, JobState::Expired)
            }
            Action::Fetch(place) => {
                state.hosts[place].job = state.hosts[place].mailbox.take();
                Some(())
            }
            Action::Start(place) => state.hosts[place].begins(state.now),
            Action::Commit(place) => state.hosts[place].commits(),
            Action::RollBack(place) => state.hosts[place].goes_back(true),
            Action::GiveUp(place) => state.hosts[place].goes_back(false),
            Action::Report(place) => self.reports(&mut state, place),
            Action::Finish(place) => {
                let (job_id, ended) = state.hosts[place].ended.take()?;
                state.hosts[place].job = None;
                self.ends(&mut state, place, job_id, ended)
            }
            Action::Flip(place) => {
                state.flips += 1;
                state.hosts[place].is_away = !state.hosts[place].is_away;
                Some(())
            }
            Action::Pause => self.acts(&mut state, Event::Pause(String::new())),
            Action::Resume => {
                if self.broken == Some(Broken::CancelledCanBeResumed)
                    && state.fleet_update.state == FleetUpdateState::Cancelled
                {
                    state.fleet_update.state = FleetUpdateState::Paused;
                }
                self.acts(&mut state, Event::Resume("on".into()))
            }
            Action::Cancel => self.acts(&mut state, Event::Cancel("off".into())),
            Action::RetryFailed => self.acts(&mut state, Event::RetryFailed("again".into())),
            Action::WriteOff(place) => {
                state.acts += 1;
                state.hosts[place].is_written_off = true;
                self.happens_to(&mut state, place, HostEvent::WriteOff)
            }
        };
        done?;
        if last.fleet_update.state == FleetUpdateState::Cancelled && state.fleet_update.state != last.fleet_update.state
        {
            state.violated = Some("CancelAbsorbs");
        }
        if last.fleet_update.wave < state.fleet_update.wave && !state.gate_is_open() {
            state.violated = Some("WaveGate");
        }
        Some(state).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("BoundedInFlight", |model: &Self, state: &State| {
                let in_an_update = |(record, host): &(&FleetUpdateHost, &Host)| {
                    // Whom an operator has written off, somebody has looked at.
                    let written_off = host.is_written_off && record.slot.is_none();
                    host.is_in_an_unproven_update(state.now) && !written_off
                };
                let physical = state.records.iter().zip(&state.hosts).filter(in_an_update).count();
                state.fleet_update.slots.len().max(physical) <= model.max_in_flight as usize
            }),
            Property::always("OfferWhileRunning", |_, state: &State| state.violated != Some("OfferWhileRunning")),
            Property::always("NoOfferAfterHalt", |_, state: &State| state.violated != Some("NoOfferAfterHalt")),
            Property::always("WaveGate", |_, state: &State| state.violated != Some("WaveGate")),
            Property::always("CancelAbsorbs", |_, state: &State| state.violated != Some("CancelAbsorbs")),
            Property::always("ExactTarget", |_, state: &State| {
                state.offers.iter().all(|offers| *offers <= MAX_ATTEMPTS)
            }),
            Property::always("ProvenSuccess", |_, state: &State| {
                let proven = |(record, host): (&FleetUpdateHost, &Host)| {
                    record.state != FleetUpdateHostState::Succeeded || host.runs == Runs::New
                };
                state.records.iter().zip(&state.hosts).all(proven)
            }),
            Property::always("TickIdempotent", |model: &Self, state: &State| {
                let mut once = state.clone();
                model.ticks(&mut once);
                let mut twice = once.clone();
                model.ticks(&mut twice);
                once == twice
            }),
            Property::always("Terminates", Self::terminates),
            Property::always("SlotsAreRecords", |model: &Self, state: &State| {
                let unproven = state.records.iter().filter(|record| record.slot.is_some());
                let unproven = unproven.map(|record| record.place.position);
                // That rule is broken on purpose there.
                model.broken == Some(Broken::LostHostsFreeTheirSlot)
                    || unproven.eq(state.fleet_update.slots.iter().copied())
            }),
            Property::sometimes("completed", |_, state: &State| {
                state.fleet_update.state == FleetUpdateState::Completed
            }),
            Property::sometimes("halted", |_, state: &State| state.fleet_update.state == FleetUpdateState::Halted),
        ]
    }
}

impl FleetUpdates {
    fn begun(&self) -> State {
        let id = FleetUpdateId::new(at(0), 1);
        let plan = Plan {
            brings: Brings::Release(Release { version: NEW.into(), manifest_sha256: String::new() }),
            waves: Vec::new(),
            max_in_flight: 0,
            max_failures: self.max_failures,
            soak_seconds: SOAK_SECONDS,
            host_time_limit_seconds: TIME_LIMIT_SECONDS,
            offline_policy: OfflinePolicy::Skip,
            maintenance_window: None,
            deadline_at: at(1_000_000),
            note: String::new(),
            created_by: String::new(),
            created_by_name: String::new(),
            created_at: at(0),
        };
        let planning = Planning {
            selection: Selection::Matching(Selector::default()),
            waves: vec![Share::Count(1)],
            max_in_flight: Share::Count(self.max_in_flight),
            from: None,
        };
        let start = Event::Start { id, plan: Box::new(plan), planning: Box::new(planning) };
        let planned = Event::Planned { from: None, ready: self.hosts, others: 0, to: None };
        let begun = FleetUpdate::begin(&start, at(0)).expect("it can be started").next;
        let fleet_update = begun.transition(&planned, at(0)).expect("it can be planned").next;
        let record = |position| FleetUpdateHost::planned(Place { fleet_update_id: id, position }, host_id(position));
        let places = self.hosts as usize;
        State {
            now: 0,
            fleet_update,
            records: (0..self.hosts).map(record).collect(),
            hosts: vec![Host::default(); places],
            looked: vec![None; TICKERS],
            offers: vec![0; places],
            waits: 0,
            acts: 0,
            flips: 0,
            violated: None,
        }
    }

    fn looks(&self, state: &mut State, ticker: usize) -> Option<()> {
        let position = *state.fleet_update.turns(at(state.now)).first()?;
        let (record, host) = (&state.records[place(position)], &state.hosts[place(position)]);
        let looked = Looked {
            position,
            online: !host.is_away,
            attempts: record.attempts,
            update_open: host.mailbox.or(host.job).is_some_and(|open| Some(open) != record.job_id),
            told: host.told,
            stale: (self.broken == Some(Broken::LastWriterWins)).then(|| Box::new(state.fleet_update.clone())),
        };
        state.looked[ticker] = Some(looked);
        Some(())
    }

    fn admits(&self, state: &mut State, ticker: usize) -> Option<()> {
        let Looked { position, online, attempts, update_open, told, stale } = state.looked[ticker].take()?;
        let candidate = Candidate {
            host_id: host_id(position),
            state: Some(HostState::Active),
            online,
            capabilities: vec!["self_update".into()],
            update_open,
            has_room: true,
            yanked: None,
            agent: Some(report(told.0, told.1, told.1 != Runs::Trial, None)),
            os: String::new(),
            architecture: String::new(),
            executable_sha256: Some(NEW.into()),
            attempts,
        };
        let number = u128::from(position) * 100 + u128::from(state.offers[place(position)]);
        let job_id = JobId::new(at(0), number + 1);
        if let Some(stale) = stale {
            state.fleet_update = *stale;
            state.records[place(position)].state = FleetUpdateHostState::Pending;
        }
        let real = (state.fleet_update.state, state.fleet_update.failures, state.fleet_update.wave);
        match self.broken {
            Some(Broken::OffersAfterAHalt) if real.0 == FleetUpdateState::Halted => {
                state.fleet_update.state = FleetUpdateState::Running;
                state.fleet_update.failures = 0;
            }
            Some(Broken::WavesWithoutAGate) => state.fleet_update.wave = 1,
            Some(Broken::AttemptsAreForgotten) => state.records[place(position)].attempts = 0,
            _ => {}
        }
        // Refused: somebody was faster. The look is spent all the same.
        let before = state.offers.clone();
        let event = Event::Admit { position, candidate: Box::new(candidate), job_id };
        let _ = self.happens(state, event);
        if state.offers != before {
            if real.0 != FleetUpdateState::Running {
                state.violated = Some("OfferWhileRunning");
            } else if real.1 >= self.max_failures {
                state.violated = Some("NoOfferAfterHalt");
            } else if real.2 == 0 && !state.is_canary(place(position)) {
                state.violated = Some("WaveGate");
            }
        }
        Some(())
    }

    fn reports(&self, state: &mut State, place: usize) -> Option<()> {
        let host = &mut state.hosts[place];
        (host.news, host.told) = (News::None, (host.process, host.runs));
        let believed = self.broken == Some(Broken::TheVersionIsAProof);
        let committed = host.runs != Runs::Trial || believed;
        let agent = report(host.process, host.runs, committed, host.record);
        let at = at(state.now);
        self.happens_to(state, place, HostEvent::Reported { report: Box::new(Report::Agent(agent)), at })
    }

    fn acts(&self, state: &mut State, event: Event) -> Option<()> {
        state.acts += 1;
        self.happens(state, event)
    }

    fn ends(&self, state: &mut State, place: usize, job_id: JobId, ended: JobState) -> Option<()> {
        let gave_up = ended == JobState::Failed && state.hosts[place].record == Some((job_id, false));
        let error = gave_up.then(|| JobError { code: "inconclusive".into(), message: String::new() });
        self.happens_to(state, place, HostEvent::JobEnded { job_id, state: ended, error })
    }

    fn happens(&self, state: &mut State, event: Event) -> Option<()> {
        self.commits(state, Change::FleetUpdate(state.fleet_update.id, event)).ok()
    }

    fn happens_to(&self, state: &mut State, place: usize, event: HostEvent) -> Option<()> {
        let change = state.records[place].place.change(event);
        self.commits(state, change).ok()
    }

    /// What the server does with a change: it and all that belongs to it, or nothing; then what follows.
    fn commits(&self, state: &mut State, change: Change) -> Result<(), Refused> {
        let (now, mut next, mut later) = (at(state.now), state.clone(), Vec::new());
        let mut changes = VecDeque::from([change]);
        while let Some(change) = changes.pop_front() {
            let effects = match change {
                Change::FleetUpdate(_, event) => takes(&mut next.fleet_update, &event, now)?,
                Change::FleetUpdateHost(_, position, event) => takes(&mut next.records[place(position)], &event, now)?,
                Change::Mailbox(host, mailboxes::Event::Enqueue(job)) => {
                    let place = (0..self.hosts).find(|position| host_id(*position) == host).map_or(0, place);
                    next.hosts[place].mailbox = Some(job.id);
                    next.hosts[place].start_by = job.asked.start_by.as_second();
                    next.offers[place] += 1;
                    continue;
                }
                _ => continue,
            };
            for effect in effects {
                match effect {
                    Effect::Also(change) => changes.push_back(change),
                    Effect::Later(Change::Job(job, jobs::Event::Recall)) => later.push(job),
                    _ => {}
                }
            }
        }
        self.breaks(&mut next);
        *state = next;
        for job in later {
            let recalled = state.hosts.iter().position(|host| host.mailbox == Some(job));
            if let Some(place) = recalled {
                state.hosts[place].mailbox = None;
                let _ = self.ends(state, place, job, JobState::Cancelled);
            }
        }
        Ok(())
    }

    fn breaks(&self, state: &mut State) {
        let fleet_update = &mut state.fleet_update;
        match self.broken {
            Some(Broken::LostHostsFreeTheirSlot) => {
                for lost in std::mem::take(&mut fleet_update.lost) {
                    fleet_update.slots.remove(&lost);
                }
            }
            Some(Broken::ExhaustedSlotsGoOn) => {
                let exhausted = |reason: &String| reason.starts_with("slots_exhausted");
                if fleet_update.halted_reason.as_ref().is_some_and(exhausted) {
                    fleet_update.state = FleetUpdateState::Running;
                    fleet_update.halted_reason = None;
                }
            }
            _ => {}
        }
    }

    /// All that a tick looks at.
    fn ticks(&self, state: &mut State) {
        for place in 0..state.hosts.len() {
            if state.records[place].due_at().is_some_and(|due_at| at(state.now) >= due_at) {
                match state.hosts[place].mailbox.take() {
                    Some(job) => _ = self.ends(state, place, job, JobState::Expired),
                    None => _ = self.happens_to(state, place, HostEvent::Tick),
                }
            }
        }
        let _ = self.happens(state, Event::Tick);
    }

    /// If nobody is heard from any more and no operator comes, it is over or halted in the end.
    fn terminates(&self, state: &State) -> bool {
        let mut state = state.clone();
        for host in &mut state.hosts {
            host.is_away = true;
        }
        for _ in 0..20 {
            if !matches!(state.fleet_update.state, FleetUpdateState::Running) {
                return true;
            }
            self.ticks(&mut state);
            for _ in 0..state.hosts.len() {
                state.looked[0] = None;
                let _ = self.looks(&mut state, 0).and_then(|()| self.admits(&mut state, 0));
            }
            state.now += i64::from(TIME_LIMIT_SECONDS);
        }
        false
    }
}

impl State {
    fn waits(&mut self) -> Option<()> {
        let deadlines = self.records.iter().filter_map(Machine::due_at);
        let due = deadlines.chain(self.fleet_update.due_at()).filter(|due_at| *due_at > at(self.now)).min()?;
        self.now = due.as_second();
        self.waits += 1;
        Some(())
    }

    /// Whether the canary is done with, and was watched for long enough after its success.
    /// The first wave is the canary: it is over when it has ended, one of it has proven the release, and was watched.
    fn gate_is_open(&self) -> bool {
        let canaries = self.records.iter().take(self.fleet_update.plan.waves[0] as usize);
        let watched = |ended_at: Timestamp| at(self.now).duration_since(ended_at).as_secs() >= SOAK_SECONDS.into();
        let mut proven = canaries.clone().filter(|host| host.state == FleetUpdateHostState::Succeeded).peekable();
        canaries.clone().all(|host| host.state.is_final())
            && proven.peek().is_some()
            && proven.all(|host| host.ended_at.is_some_and(watched))
    }

    /// Whether a host is a canary: the first one, or one that was taken in because those before it came to nothing. Those may be
    /// tried again beside it.
    fn is_canary(&self, place: usize) -> bool {
        let was_tried = |host: &FleetUpdateHost| host.attempts > 0 || host.state.is_final();
        place < self.fleet_update.plan.waves[0] as usize && self.records[..place].iter().all(was_tried)
    }
}

impl Host {
    fn is_in_an_unproven_update(&self, now: i64) -> bool {
        let may_begin = self.job.is_some() && self.runs == Runs::Old && now < self.start_by;
        self.ended.is_none() && (self.runs == Runs::Trial || may_begin)
    }

    /// Nothing starts after its latest start.
    fn begins(&mut self, now: i64) -> Option<()> {
        if now < self.start_by {
            self.starts(Runs::Trial);
        } else {
            self.ended = Some((self.job?, JobState::Rejected));
        }
        Some(())
    }

    fn starts(&mut self, runs: Runs) {
        self.process += 1;
        (self.runs, self.news) = (runs, News::Process);
    }

    fn commits(&mut self) -> Option<()> {
        self.runs = Runs::New;
        if self.news == News::None {
            self.news = News::Commit;
        }
        self.ended = Some((self.job?, JobState::Succeeded));
        Some(())
    }

    fn goes_back(&mut self, rolled_back: bool) -> Option<()> {
        let job = self.job?;
        self.ended = Some((job, JobState::Failed));
        self.record = Some((job, rolled_back));
        self.starts(Runs::Old);
        Some(())
    }
}

fn takes<M: Machine>(record: &mut M, event: &M::Event, now: Timestamp) -> Result<Vec<Effect>, Refused> {
    let step = record.transition(event, now)?;
    *record = step.next;
    Ok(step.effects)
}

fn report(process: u32, runs: Runs, committed: bool, record: Option<(JobId, bool)>) -> AgentReport {
    let version = if runs == Runs::Old { OLD } else { NEW };
    let last_update = record.map(|(transaction, rolled_back)| LastUpdate {
        transaction,
        to: NEW.into(),
        outcome: if rolled_back { UpdateOutcome::RolledBack } else { UpdateOutcome::Inconclusive },
        reason: String::new(),
        tries: 1,
    });
    AgentReport {
        version: version.into(),
        executable_sha256: version.into(),
        process_id: ProcessId::new(at(0), process.into()),
        boot_id: String::new(),
        committed,
        last_update,
    }
}

fn host_id(position: u32) -> HostId {
    HostId::new(at(0), position.into())
}

fn place(position: u32) -> usize {
    position as usize
}
