//! The rules of fleet updates under any order of events: random walks over the pure machine, with the invariants of the
//! design by their names. What the server's effects would do (jobs, mailboxes) is played by a small fleet.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use muster_domain::{
    fleet_update_hosts::Event as HostEvent,
    fleet_updates::{Candidate, Event, FleetUpdate, MAX_ATTEMPTS, Phase, Plan, waves},
    jobs,
    machine::{Change, Effect, Machine, Refused},
};
use muster_schemas::{
    check_ins::{AgentReport, LastUpdate, UpdateOutcome},
    fleet_updates::{FleetUpdateHostState, FleetUpdateState, OfflinePolicy, Share},
    hosts::HostState,
    ids::{FleetUpdateId, HostId, JobId, ProcessId},
    jobs::JobState,
    releases::Target,
};
use proptest::prelude::*;

const OLD: &str = "1.0.0";
const NEW: &str = "2.0.0";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn host(number: u32) -> HostId {
    HostId::new(at(0), number.into())
}

fn plan(hosts: u32, max_in_flight: u32, max_failures: u32, offline_policy: OfflinePolicy) -> Plan {
    Plan {
        version: NEW.into(),
        manifest_sha256: "manifest".into(),
        targets: vec![Target { os: "linux".into(), arch: "x86_64".into(), size: 1, sha256: "new".into() }],
        waves: waves(hosts, &[Share::Count(1)]),
        max_in_flight,
        max_failures,
        soak_seconds: 10,
        host_time_limit_seconds: 100,
        offline_policy,
        maintenance_window: None,
        deadline_at: at(1_000_000),
        note: String::new(),
        created_by: "user:test".into(),
        created_at: at(0),
    }
}

/// A fleet update and the fleet it is about.
struct Fleet {
    state: FleetUpdate,
    now: i64,
    drawn: u128,
    /// Jobs that a host may still accept, and those that it has.
    offered: BTreeMap<HostId, JobId>,
    accepted: BTreeMap<HostId, JobId>,
    attempts: BTreeMap<u32, u32>,
    online: BTreeSet<u32>,
    succeeded: BTreeSet<u32>,
}

impl Fleet {
    fn new(plan: Plan) -> Self {
        let id = FleetUpdateId::new(at(0), 1);
        let online = (0..plan.waves.iter().sum()).collect();
        let state = FleetUpdate::begin(&Event::Start(Box::new(plan), id), at(0)).unwrap().next;
        let (offered, accepted, attempts, succeeded) = Default::default();
        Self { state, now: 0, drawn: 100, offered, accepted, attempts, online, succeeded }
    }

    fn draws(&mut self) -> u128 {
        self.drawn += 1;
        self.drawn
    }

    fn happens(&mut self, event: &Event) -> Result<(), Refused> {
        let before = self.state.clone();
        let step = self.state.transition(event, at(self.now))?;
        self.state = step.next;
        self.plays(&before, &step.effects);
        self.holds(&before);
        Ok(())
    }

    fn plays(&mut self, before: &FleetUpdate, effects: &[Effect]) {
        let mut recalled = Vec::new();
        for effect in effects {
            match effect {
                Effect::Also(Change::Mailbox(host_id, muster_domain::mailboxes::Event::Enqueue(job))) => {
                    assert_eq!(before.state, FleetUpdateState::Running, "OfferWhileRunning");
                    assert!(before.failures < before.plan.max_failures, "NoOfferAfterHalt");
                    self.offered.insert(*host_id, job.id);
                }
                Effect::Also(Change::FleetUpdateHost(_, position, HostEvent::Offer(_))) => {
                    let end = self.state.plan.waves.iter().take(self.state.wave as usize + 1).sum::<u32>();
                    assert!(*position < end, "WaveGate");
                    *self.attempts.entry(*position).or_default() += 1;
                    assert!(self.attempts[position] <= MAX_ATTEMPTS, "ExactTarget");
                }
                Effect::Also(Change::FleetUpdateHost(_, position, HostEvent::Conclude { state, .. }))
                    if *state == FleetUpdateHostState::Succeeded =>
                {
                    assert!(self.succeeded.insert(*position), "a host succeeds once");
                }
                Effect::Later(Change::Job(job, jobs::Event::Recall)) => recalled.push(*job),
                _ => {}
            }
        }
        for job in recalled {
            if let Some((host_id, _)) = self.offered.clone().into_iter().find(|(_, offered)| *offered == job) {
                self.offered.remove(&host_id);
                self.ends(host_id, job, JobState::Cancelled);
            }
        }
    }

    /// The invariants that must hold in every state, and from one to the next.
    fn holds(&self, before: &FleetUpdate) {
        let state = &self.state;
        assert!(state.slots.len() <= state.plan.max_in_flight as usize, "BoundedInFlight");
        let counts = state.counts();
        let sum =
            counts.pending + counts.in_flight + counts.succeeded + counts.failed + counts.skipped + counts.cancelled;
        assert_eq!(sum, counts.total, "every host is somewhere: {counts:?}");
        if before.state == FleetUpdateState::Cancelled {
            assert_eq!(state.state, FleetUpdateState::Cancelled, "CancelAbsorbs");
        }
        let over = matches!(state.state, FleetUpdateState::Completed | FleetUpdateState::Cancelled);
        assert_eq!(state.waiting_on(at(self.now)).is_none(), over, "every unfinished state says what it waits for");
        assert!(state.wave >= before.wave, "waves only move forward");
    }

    fn ends(&mut self, host_id: HostId, job_id: JobId, state: JobState) {
        self.happens(&Event::JobEnded { host_id, job_id, state, error: None }).unwrap();
    }

    fn ticks(&mut self) {
        self.happens(&Event::Tick).unwrap();
        self.offers();
    }

    /// What the server's `offer` effect does.
    fn offers(&mut self) {
        for _ in 0..200 {
            let now = at(self.now);
            let deferred = self.state.deferred(now).into_iter().find(|position| self.online.contains(position));
            let Some(position) = self.state.turns(now).first().copied().or(deferred) else { return };
            if self.admits(position).is_err() {
                return;
            }
        }
    }

    /// Somebody, perhaps with an old view of things, wants to give this position its turn.
    fn admits(&mut self, position: u32) -> Result<(), Refused> {
        let job_id = JobId::new(at(self.now), self.draws());
        let candidate = Box::new(self.candidate(position));
        self.happens(&Event::Admit { position, candidate, job_id })
    }

    fn candidate(&self, position: u32) -> Candidate {
        Candidate {
            host_id: host(position),
            state: Some(HostState::Active),
            online: self.online.contains(&position),
            update_open: false,
            has_room: true,
            yanked: None,
            agent: Some(report(OLD, "old", position.into(), true)),
            os: "linux".into(),
            architecture: "x86_64".into(),
            attempts: self.attempts.get(&position).copied().unwrap_or_default(),
        }
    }

    fn accepts(&mut self, position: u32) {
        if let Some(job) = self.offered.remove(&host(position)) {
            self.accepted.insert(host(position), job);
        }
    }

    fn proves(&mut self, position: u32, committed: bool) {
        self.accepts(position);
        if self.accepted.contains_key(&host(position)) {
            let process = self.draws();
            let agent = report(NEW, "new", process, committed);
            let at = at(self.now);
            self.happens(&Event::Seen { host_id: host(position), agent, at }).unwrap();
            if committed {
                self.accepted.remove(&host(position));
            }
        }
    }

    fn fails(&mut self, position: u32, outcome: UpdateOutcome) {
        self.accepts(position);
        if let Some(job) = self.accepted.remove(&host(position)) {
            let process = self.draws();
            let last_update =
                Some(LastUpdate { transaction: job, to: NEW.into(), outcome, reason: "it crashed".into(), tries: 3 });
            let agent = AgentReport { last_update, ..report(OLD, "old", process, true) };
            let at = at(self.now);
            self.happens(&Event::Seen { host_id: host(position), agent, at }).unwrap();
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state.state, FleetUpdateState::Completed | FleetUpdateState::Cancelled)
    }
}

fn report(version: &str, sha256: &str, process: u128, committed: bool) -> AgentReport {
    AgentReport {
        version: version.into(),
        executable_sha256: sha256.into(),
        process_id: ProcessId::new(at(0), process),
        boot_id: String::new(),
        committed,
        last_update: None,
    }
}

#[test]
fn the_first_hosts_are_offered_the_release_at_the_start_and_not_at_the_next_tick() {
    let id = FleetUpdateId::new(at(0), 1);
    let event = Event::Start(Box::new(plan(2, 1, 1, OfflinePolicy::Skip)), id);
    assert!(FleetUpdate::begin(&event, at(0)).unwrap().effects.contains(&Effect::Offer(id)));
}

#[test]
fn the_canary_goes_first_and_alone_and_the_rest_waits_for_the_soak() {
    let mut fleet = Fleet::new(plan(5, 3, 1, OfflinePolicy::Skip));
    fleet.offers();
    assert_eq!(fleet.state.slots.keys().copied().collect::<Vec<_>>(), [host(0)]);
    fleet.proves(0, true);
    fleet.offers();
    assert!(fleet.state.slots.is_empty());
    assert_eq!(fleet.state.waiting_on(at(0)).unwrap(), "wave 2 opens after soak, 10 s left");
    fleet.now = 10;
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 3);
}

#[test]
fn it_halts_in_the_same_step_in_which_the_first_host_fails() {
    let mut fleet = Fleet::new(plan(3, 1, 1, OfflinePolicy::Skip));
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert_eq!(fleet.state.state, FleetUpdateState::Halted);
    assert!(fleet.state.halted_reason.as_ref().unwrap().contains("it crashed"));
    fleet.offers();
    assert!(fleet.state.slots.is_empty());
}

#[test]
fn after_a_halt_it_goes_on_only_with_a_note() {
    let mut fleet = Fleet::new(plan(3, 1, 1, OfflinePolicy::Skip));
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert_eq!(fleet.happens(&Event::Resume(" ".into())).unwrap_err().0.field.as_deref(), Some("note"));
    fleet.happens(&Event::Resume("looked at it".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn what_was_offered_and_not_accepted_is_recalled_by_a_halt_and_offered_again_after_it() {
    let mut fleet = Fleet::new(plan(4, 3, 1, OfflinePolicy::Skip));
    fleet.offers();
    fleet.proves(0, true);
    fleet.now = 10;
    fleet.ticks();
    fleet.accepts(2);
    fleet.fails(1, UpdateOutcome::RolledBack);
    assert_eq!(
        fleet.state.slots.keys().copied().collect::<Vec<_>>(),
        [host(2)],
        "only the one that has accepted goes on"
    );
    fleet.happens(&Event::Resume("a loose cable".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots.keys().copied().collect::<Vec<_>>(), [host(2), host(3)]);
}

#[test]
fn a_lost_host_keeps_its_slot_and_no_slot_left_is_a_halt() {
    let mut fleet = Fleet::new(plan(3, 1, 5, OfflinePolicy::Skip));
    fleet.offers();
    fleet.accepts(0);
    fleet.now = 100;
    fleet.ticks();
    assert_eq!(fleet.state.slots[&host(0)].phase, Phase::Lost);
    assert!(fleet.state.halted_reason.as_ref().unwrap().starts_with("slots_exhausted"));
    assert!(fleet.happens(&Event::Resume("go".into())).is_err(), "its slot is still held");
    fleet.happens(&Event::WriteOff(host(0))).unwrap();
    fleet.happens(&Event::Resume("it is gone".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn a_lost_host_that_is_heard_from_is_judged_after_all() {
    let mut fleet = Fleet::new(plan(2, 1, 5, OfflinePolicy::Skip));
    fleet.offers();
    fleet.accepts(0);
    fleet.now = 100;
    fleet.ticks();
    fleet.proves(0, true);
    assert_eq!(fleet.state.succeeded, 1);
}

#[test]
fn an_inconclusive_host_is_not_a_failure_and_gets_another_turn_until_its_attempts_are_used_up() {
    let mut fleet = Fleet::new(plan(1, 1, 1, OfflinePolicy::Skip));
    for _ in 0..MAX_ATTEMPTS {
        fleet.offers();
        assert_eq!(fleet.state.failures, 0);
        fleet.fails(0, UpdateOutcome::Inconclusive);
    }
    assert_eq!(fleet.state.state, FleetUpdateState::Halted);
}

#[test]
fn an_offline_host_is_dealt_with_as_the_policy_says() {
    let settled = |policy| {
        let mut fleet = Fleet::new(plan(2, 1, 1, policy));
        fleet.online.remove(&0);
        fleet.ticks();
        (fleet.state.state, fleet.state.counts().skipped, fleet.state.deferred.len(), fleet.state.slots.len())
    };
    assert_eq!(settled(OfflinePolicy::Skip), (FleetUpdateState::Running, 1, 0, 1));
    assert_eq!(settled(OfflinePolicy::Wait), (FleetUpdateState::Running, 0, 1, 0));
    assert_eq!(settled(OfflinePolicy::Fail), (FleetUpdateState::Halted, 0, 0, 0));
    assert_eq!(settled(OfflinePolicy::CatchUp), (FleetUpdateState::Running, 0, 1, 1));
}

#[test]
fn a_host_that_is_waited_for_is_offered_the_release_when_it_returns() {
    let mut fleet = Fleet::new(plan(1, 1, 1, OfflinePolicy::Wait));
    fleet.online.clear();
    fleet.ticks();
    assert!(fleet.state.waiting_on(at(0)).unwrap().starts_with("1 offline hosts"));
    fleet.online.insert(0);
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn a_host_that_runs_the_release_unproven_at_its_deadline_is_lost_and_not_failed() {
    let mut fleet = Fleet::new(plan(2, 1, 1, OfflinePolicy::Skip));
    fleet.offers();
    fleet.proves(0, false);
    fleet.now = 100;
    fleet.ticks();
    assert_eq!((fleet.state.slots[&host(0)].phase, fleet.state.failures), (Phase::Lost, 0));
    fleet.proves(0, true);
    assert_eq!(fleet.state.succeeded, 1, "a late proof is still a proof");
}

#[test]
fn a_report_from_before_the_offer_says_nothing_about_it() {
    let mut fleet = Fleet::new(plan(1, 1, 1, OfflinePolicy::Skip));
    fleet.now = 50;
    fleet.offers();
    let agent = report(NEW, "new", 999, true);
    fleet.happens(&Event::Seen { host_id: host(0), agent, at: at(49) }).unwrap();
    assert_eq!(fleet.state.succeeded, 0);
}

#[test]
fn a_yanked_release_halts_at_the_next_turn() {
    let mut fleet = Fleet::new(plan(2, 1, 1, OfflinePolicy::Skip));
    let candidate = Box::new(Candidate { yanked: Some("eats disks".into()), ..fleet.candidate(0) });
    fleet.happens(&Event::Admit { position: 0, candidate, job_id: JobId::new(at(0), 5) }).unwrap();
    assert_eq!(fleet.state.state, FleetUpdateState::Halted);
    assert_eq!(fleet.state.halted_reason.as_deref(), Some("the release was yanked: eats disks"));
}

#[test]
fn a_step_over_many_hosts_stays_small_enough_for_one_commit_and_the_rest_follows() {
    let mut fleet = Fleet::new(Plan { waves: vec![150], ..plan(150, 150, 1, OfflinePolicy::Skip) });
    fleet.offers();
    assert_eq!(fleet.state.slots.len(), 150);
    let pause = fleet.state.transition(&Event::Pause, at(1)).unwrap();
    assert!(pause.effects.len() < 90, "{}", pause.effects.len());
    let overdue = fleet.state.transition(&Event::Tick, at(100)).unwrap();
    assert!(overdue.effects.len() < 90, "{}", overdue.effects.len());
    fleet.happens(&Event::Pause).unwrap();
    for _ in 0..4 {
        fleet.ticks();
    }
    assert!(fleet.state.slots.is_empty(), "every offer is recalled in the end");
}

#[test]
fn failed_hosts_are_tried_again_after_a_halt_only_with_a_note() {
    let mut fleet = Fleet::new(plan(2, 1, 1, OfflinePolicy::Skip));
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert!(fleet.happens(&Event::RetryFailed(String::new())).is_err());
    fleet.happens(&Event::RetryFailed("a loose cable".into())).unwrap();
    assert_eq!(fleet.state.state, FleetUpdateState::Running);
}

#[test]
fn a_tick_after_a_tick_changes_nothing() {
    let mut fleet = Fleet::new(plan(4, 2, 1, OfflinePolicy::Skip));
    fleet.ticks();
    let once = fleet.state.clone();
    fleet.ticks();
    assert_eq!(fleet.state, once);
}

#[derive(Debug, Clone)]
enum Act {
    Tick,
    Admit(u32),
    Wait(i64),
    Accept(u32),
    Verify(u32),
    Prove(u32),
    RollBack(u32),
    Inconclusive(u32),
    Vanish(u32),
    Return(u32),
    Pause,
    Resume,
    Cancel,
    RetryFailed,
    WriteOff(u32),
}

fn act(hosts: u32) -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Tick),
        1 => (0..hosts).prop_map(Act::Admit),
        2 => (1_i64..60).prop_map(Act::Wait),
        3 => (0..hosts).prop_map(Act::Accept),
        2 => (0..hosts).prop_map(Act::Verify),
        5 => (0..hosts).prop_map(Act::Prove),
        2 => (0..hosts).prop_map(Act::RollBack),
        1 => (0..hosts).prop_map(Act::Inconclusive),
        1 => (0..hosts).prop_map(Act::Vanish),
        1 => (0..hosts).prop_map(Act::Return),
        1 => Just(Act::Pause),
        2 => Just(Act::Resume),
        1 => Just(Act::RetryFailed),
        1 => (0..hosts).prop_map(Act::WriteOff),
        // Rarely, or little else would be seen.
        1 => proptest::bool::weighted(0.1).prop_map(|cancel| if cancel { Act::Cancel } else { Act::Tick }),
    ]
}

fn policy() -> impl Strategy<Value = OfflinePolicy> {
    prop_oneof![
        Just(OfflinePolicy::Skip),
        Just(OfflinePolicy::Wait),
        Just(OfflinePolicy::Fail),
        Just(OfflinePolicy::CatchUp)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_breaks_an_invariant_and_an_operator_can_always_bring_it_to_an_end(
        max_in_flight in 1_u32..4,
        max_failures in 1_u32..3,
        policy in policy(),
        acts in proptest::collection::vec(act(7), 1..80),
    ) {
        let mut fleet = Fleet::new(plan(7, max_in_flight, max_failures, policy));
        fleet.offers();
        for act in acts {
            does(&mut fleet, &act);
        }
        // Terminates: silent hosts stay silent, and it is over or halted without an operator.
        if fleet.state.state == FleetUpdateState::Running {
            fleet.online.clear();
            for _ in 0..40 {
                fleet.now += 200;
                fleet.ticks();
            }
            fleet.now = 2_000_000;
            fleet.ticks();
            fleet.ticks();
            prop_assert!(fleet.state.state != FleetUpdateState::Running, "{:?}", fleet.state);
        }
        if !fleet.is_over() {
            fleet.happens(&Event::Cancel("enough".into())).unwrap();
        }
        prop_assert!(fleet.is_over());
    }
}

fn does(fleet: &mut Fleet, act: &Act) {
    match act {
        Act::Tick => fleet.ticks(),
        Act::Admit(position) => drop(fleet.admits(*position)),
        Act::Wait(seconds) => fleet.now += seconds,
        Act::Accept(position) => fleet.accepts(*position),
        Act::Verify(position) => fleet.proves(*position, false),
        Act::Prove(position) => fleet.proves(*position, true),
        Act::RollBack(position) => fleet.fails(*position, UpdateOutcome::RolledBack),
        Act::Inconclusive(position) => fleet.fails(*position, UpdateOutcome::Inconclusive),
        Act::Vanish(position) => _ = fleet.online.remove(position),
        Act::Return(position) => _ = fleet.online.insert(*position),
        Act::Pause => drop(fleet.happens(&Event::Pause)),
        Act::Resume => drop(fleet.happens(&Event::Resume("on".into()))),
        Act::Cancel => drop(fleet.happens(&Event::Cancel("off".into()))),
        Act::RetryFailed => drop(fleet.happens(&Event::RetryFailed("again".into()))),
        Act::WriteOff(position) => drop(fleet.happens(&Event::WriteOff(host(*position)))),
    }
}
