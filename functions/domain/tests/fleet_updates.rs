//! The rules of fleet updates under any order of events: random walks over the pure machine, with the invariants of the
//! design by their names. What the server's effects would do (jobs, mailboxes) is played by a small fleet.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect, Work},
    fleet_updates::hosts::{Event as HostEvent, FleetUpdateHost, MAX_ATTEMPTS, Place},
    fleet_updates::{
        Brings, Candidate, Event, FleetUpdate, Outcome, Plan, Planning, Selection, brings::releases::Release,
    },
    jobs,
    machine::{Machine, Step},
    refused::Refused,
};
use muster_schemas::{
    access::Role,
    fleet_updates::ActionOnFleetUpdate,
    fleet_updates::{FleetUpdateHostState, FleetUpdateState, OfflinePolicy, Share},
    hosts::{HostState, Selector},
    ids::{FleetUpdateId, HostId, JobId, ProcessId},
    jobs::JobState,
    reports::{AgentReport, LastUpdate, Report, UpdateOutcome},
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

fn plan(max_failures: u32, offline_policy: OfflinePolicy) -> Plan {
    Plan {
        brings: Brings::Release(Release { version: NEW.into(), manifest_sha256: "manifest".into() }),
        waves: Vec::new(),
        max_in_flight: 0,
        max_failures,
        soak_seconds: 10,
        host_time_limit_seconds: 100,
        offline_policy,
        maintenance_window: None,
        deadline_at: at(1_000_000),
        note: String::new(),
        created_by: "user:test".into(),
        created_by_name: "ada".into(),
        created_at: at(0),
    }
}

fn start(max_in_flight: u32, first_wave: u32, plan: Plan) -> Event {
    let planning = Planning {
        selection: Selection::Matching(Selector::default()),
        waves: vec![Share::Count(first_wave)],
        max_in_flight: Share::Count(max_in_flight),
        from: None,
    };
    Event::Start { id: FleetUpdateId::new(at(0), 1), plan: Box::new(plan), planning: Box::new(planning) }
}

/// A fleet update and the fleet it is about.
struct Fleet {
    state: FleetUpdate,
    hosts: BTreeMap<u32, FleetUpdateHost>,
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
    fn new(hosts: u32, max_in_flight: u32, max_failures: u32, policy: OfflinePolicy) -> Self {
        Self::in_waves(hosts, 1, max_in_flight, max_failures, policy)
    }

    fn in_waves(hosts: u32, first_wave: u32, max_in_flight: u32, max_failures: u32, policy: OfflinePolicy) -> Self {
        let event = start(max_in_flight, first_wave, plan(max_failures, policy));
        let state = FleetUpdate::begin(&event, at(0)).unwrap().next;
        let place = |position| Place { fleet_update_id: state.id, position };
        let planned = |position| (position, FleetUpdateHost::planned(place(position), host(position)));
        let records = (0..hosts).map(planned).collect();
        let planned = Event::Planned { from: None, ready: hosts, others: 0, to: None };
        let state = state.transition(&planned, at(0)).unwrap().next;
        let (offered, accepted, attempts, succeeded) = Default::default();
        let online = (0..hosts).collect();
        Self { state, hosts: records, now: 0, drawn: 100, offered, accepted, attempts, online, succeeded }
    }

    fn draws(&mut self) -> u128 {
        self.drawn += 1;
        self.drawn
    }

    fn happens(&mut self, event: &Event) -> Result<(), Refused> {
        self.commits(Change::FleetUpdate(self.state.id, event.clone()))
    }

    fn happens_to(&mut self, position: u32, event: HostEvent) -> Result<(), Refused> {
        self.commits(Change::FleetUpdateHost(self.state.id, position, event))
    }

    /// What the server does with a change: it and all that belongs to it, or nothing.
    fn commits(&mut self, change: Change) -> Result<(), Refused> {
        let (before, now) = (self.state.clone(), at(self.now));
        let (mut state, mut hosts, mut asked) = (self.state.clone(), self.hosts.clone(), Vec::new());
        let (mut changes, mut offers) = (VecDeque::from([change]), Vec::new());
        while let Some(change) = changes.pop_front() {
            let effects = match change {
                Change::FleetUpdate(_, event) => takes(&mut state, &event, now)?,
                Change::FleetUpdateHost(_, position, event) => takes(hosts.get_mut(&position).unwrap(), &event, now)?,
                other => {
                    asked.push(other);
                    continue;
                }
            };
            for effect in effects {
                match effect {
                    Effect::Also(change @ Change::FleetUpdateHost(_, position, HostEvent::Offer(_))) => {
                        offers.push(position);
                        changes.push_back(change);
                    }
                    Effect::Also(change) => changes.push_back(change),
                    Effect::Later(change) => asked.push(change),
                    _ => {}
                }
            }
        }
        for position in offers {
            self.is_a_right_offer(&before, &state, position);
        }
        for (position, host) in &hosts {
            let newly = host.state == FleetUpdateHostState::Succeeded && self.hosts[position].state != host.state;
            assert!(!newly || self.succeeded.insert(*position), "a host succeeds once");
        }
        (self.state, self.hosts) = (state, hosts);
        self.holds(&before);
        self.plays(asked);
        Ok(())
    }

    fn is_a_right_offer(&mut self, before: &FleetUpdate, after: &FleetUpdate, position: u32) {
        assert_eq!(before.state, FleetUpdateState::Running, "OfferWhileRunning");
        assert!(before.failures < before.plan.max_failures, "NoOfferAfterHalt");
        let end = after.plan.waves.iter().take(after.wave as usize + 1).sum::<u32>();
        assert!(position < end, "WaveGate");
        *self.attempts.entry(position).or_default() += 1;
        assert!(self.attempts[&position] <= MAX_ATTEMPTS, "ExactTarget");
    }

    fn plays(&mut self, asked: Vec<Change>) {
        for change in asked {
            match change {
                Change::Mailbox(host_id, muster_domain::mailboxes::Event::Enqueue(job)) => {
                    self.offered.insert(host_id, job.id);
                }
                Change::Job(job, jobs::Event::Recall) => {
                    let offered = self.offered.iter().find(|(_, offered)| **offered == job);
                    if let Some(host_id) = offered.map(|(host_id, _)| *host_id) {
                        self.offered.remove(&host_id);
                        self.ends(host_id, job, JobState::Cancelled);
                    }
                }
                _ => {}
            }
        }
    }

    /// The invariants that must hold in every state, and from one to the next.
    fn holds(&self, before: &FleetUpdate) {
        let state = &self.state;
        assert!(state.slots.len() <= state.plan.max_in_flight as usize, "BoundedInFlight");
        let unproven = self.hosts.values().filter(|host| host.slot.is_some()).map(|host| host.place.position);
        assert_eq!(unproven.collect::<BTreeSet<_>>(), state.slots, "a host in an unproven update has a slot");
        assert!(state.lost.is_subset(&state.slots) && state.to_recall.is_subset(&state.slots), "{state:?}");
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
        let position = self.hosts.values().find(|host| host.host_id == host_id).unwrap().place.position;
        self.happens_to(position, HostEvent::JobEnded { job_id, state, error: None }).unwrap();
    }

    fn ticks(&mut self) {
        let overdue = |host: &FleetUpdateHost| host.due_at().is_some_and(|due_at| at(self.now) >= due_at);
        for position in
            self.hosts.values().filter(|host| overdue(host)).map(|host| host.place.position).collect::<Vec<_>>()
        {
            self.happens_to(position, HostEvent::Tick).unwrap();
        }
        self.happens(&Event::Tick).unwrap();
        self.offers();
    }

    /// What the server does when a fleet update goes on.
    fn offers(&mut self) {
        for _ in 0..200 {
            let now = at(self.now);
            if self.state.is_behind(now) {
                self.happens(&Event::Tick).unwrap();
                continue;
            }
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
            capabilities: vec!["self_update".into()],
            update_open: false,
            has_room: true,
            yanked: None,
            agent: Some(report(OLD, "old", position.into(), true)),
            os: "linux".into(),
            architecture: "x86_64".into(),
            executable_sha256: Some("new".into()),
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
            self.happens_to(position, HostEvent::Reported { report: Box::new(Report::Agent(agent)), at }).unwrap();
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
            self.happens_to(position, HostEvent::Reported { report: Box::new(Report::Agent(agent)), at }).unwrap();
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

fn takes<M: Machine + Clone>(record: &mut M, event: &M::Event, now: Timestamp) -> Result<Vec<Effect>, Refused> {
    let Step { next, effects } = record.transition(event, now)?;
    *record = next;
    Ok(effects)
}

#[test]
fn hosts_get_their_places_at_once_and_then_the_release_and_neither_waits_for_the_next_tick() {
    let id = FleetUpdateId::new(at(0), 1);
    let begun = FleetUpdate::begin(&start(1, 1, plan(1, OfflinePolicy::Skip)), at(0)).unwrap();
    assert!(begun.effects.contains(&Effect::GoOn(Work::FleetUpdate(id))));
    let more = Event::Planned { from: None, ready: 1, others: 0, to: Some("2".into()) };
    let more = begun.next.transition(&more, at(0)).unwrap();
    assert_eq!(
        (more.next.state, more.effects),
        (FleetUpdateState::Planning, vec![Effect::GoOn(Work::FleetUpdate(id))])
    );
    let last = Event::Planned { from: Some("2".into()), ready: 0, others: 1, to: None };
    let last = more.next.transition(&last, at(0)).unwrap();
    assert_eq!((last.next.state, last.next.plan.waves), (FleetUpdateState::Running, vec![1, 1]));
    assert!(last.effects.contains(&Effect::GoOn(Work::FleetUpdate(id))));
}

#[test]
fn no_host_gets_two_places_when_two_plan_at_once() {
    let begun = FleetUpdate::begin(&start(1, 1, plan(1, OfflinePolicy::Skip)), at(0)).unwrap().next;
    let more = Event::Planned { from: None, ready: 1, others: 2, to: Some("4".into()) };
    let more_planned = begun.transition(&more, at(0)).unwrap().next;
    assert!(more_planned.transition(&more, at(0)).is_err(), "the slower one looks again");
}

#[test]
fn the_turns_of_hosts_that_can_be_updated_come_before_the_others_whenever_they_were_found() {
    let planned = |state: &FleetUpdate, from: Option<&str>, ready, others, to: Option<&str>| {
        let event = Event::Planned { from: from.map(Into::into), ready, others, to: to.map(Into::into) };
        state.transition(&event, at(0)).unwrap().next
    };
    let begun = FleetUpdate::begin(&start(1, 1, plan(1, OfflinePolicy::Skip)), at(0)).unwrap().next;
    let (first_ready, first_other) = begun.next_positions();
    let state = planned(&begun, None, 1, 1, Some("2"));
    let (second_ready, second_other) = state.next_positions();
    let state = planned(&state, Some("2"), 1, 1, None);
    let positions = (0..4).map(|turn| state.position_of(turn)).collect::<Vec<_>>();
    assert_eq!(positions, [first_ready, second_ready, first_other, second_other]);
    assert_eq!(positions.iter().map(|position| state.turn_of(*position)).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!([0, 1, 2, 3].map(|turn| state.wave_of(turn)), [0, 1, 1, 1]);
}

#[test]
fn a_fleet_update_that_is_cancelled_while_it_is_planned_plans_and_offers_nothing_more() {
    let begun = FleetUpdate::begin(&start(1, 1, plan(1, OfflinePolicy::Skip)), at(0)).unwrap().next;
    let cancelled = begun.transition(&Event::Cancel(String::new()), at(0)).unwrap();
    assert!(!cancelled.effects.iter().any(|effect| matches!(effect, Effect::GoOn(_))));
    let planned = Event::Planned { from: None, ready: 1, others: 0, to: None };
    assert!(cancelled.next.transition(&planned, at(0)).is_err());
    assert_eq!(cancelled.next.due_at(), None);
}

#[test]
fn a_fleet_update_that_is_planned_can_only_be_cancelled_and_only_by_who_may() {
    let begun = FleetUpdate::begin(&start(1, 1, plan(1, OfflinePolicy::Skip)), at(0)).unwrap().next;
    tells_what_it_does(&begun, at(0));
    let allowed = |role| muster_domain::access::actions(|action| begun.allows(action, role)).allowed;
    assert_eq!(allowed(Role::Admin), [ActionOnFleetUpdate::Cancel]);
    assert_eq!(allowed(Role::Operator), []);
}

#[test]
fn the_canary_goes_first_and_alone_and_the_rest_waits_for_the_soak() {
    let mut fleet = Fleet::new(5, 3, 1, OfflinePolicy::Skip);
    fleet.offers();
    assert_eq!(fleet.state.slots, BTreeSet::from([0]));
    fleet.proves(0, true);
    fleet.offers();
    assert!(fleet.state.slots.is_empty());
    assert_eq!(fleet.state.waiting_on(at(0)).unwrap(), "the soak of wave 1 to end, 10 s left");
    fleet.now = 10;
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 3);
}

#[test]
fn a_canary_that_is_left_out_is_replaced_and_the_wave_behind_it_waits_for_the_one_that_is_proven() {
    let mut fleet = Fleet::new(5, 3, 1, OfflinePolicy::Skip);
    let busy = Box::new(Candidate { update_open: true, ..fleet.candidate(0) });
    fleet.happens(&Event::Admit { position: 0, candidate: busy, job_id: JobId::new(at(0), 5) }).unwrap();
    fleet.offers();
    assert_eq!((fleet.state.wave, &fleet.state.slots), (0, &BTreeSet::from([1])), "the next host is the canary");
    assert_eq!(fleet.state.plan.waves, [2, 3]);
    fleet.proves(1, true);
    fleet.offers();
    assert!(fleet.state.slots.is_empty(), "it is watched");
    fleet.now = 10;
    fleet.ticks();
    assert_eq!((fleet.state.wave, fleet.state.slots.len()), (1, 3));
}

#[test]
fn a_canary_wave_is_as_many_hosts_as_were_asked_for_while_there_are_more() {
    let mut fleet = Fleet::in_waves(6, 2, 3, 1, OfflinePolicy::Skip);
    fleet.online.remove(&1);
    fleet.offers();
    assert_eq!((&fleet.state.slots, &fleet.state.plan.waves), (&BTreeSet::from([0, 2]), &vec![3, 3]));
}

#[test]
fn no_wave_passes_without_a_host_that_is_proven_whatever_became_of_its_hosts() {
    // Below the failure limit, inconclusive until it failed, and skipped until it returns.
    let mut failed = Fleet::new(4, 3, 3, OfflinePolicy::Skip);
    failed.offers();
    failed.fails(0, UpdateOutcome::RolledBack);
    failed.offers();
    assert_eq!((failed.state.wave, &failed.state.slots), (0, &BTreeSet::from([1])));

    let mut away = Fleet::new(4, 3, 1, OfflinePolicy::CatchUp);
    away.online.remove(&0);
    away.offers();
    assert_eq!((away.state.wave, &away.state.slots), (0, &BTreeSet::from([1])));

    // A later wave.
    let mut fleet = Fleet::new(6, 3, 3, OfflinePolicy::Skip);
    fleet.state.plan.waves = vec![1, 1, 4];
    fleet.offers();
    fleet.proves(0, true);
    fleet.online.remove(&1);
    fleet.now = 10;
    fleet.ticks();
    assert_eq!((fleet.state.wave, &fleet.state.slots), (1, &BTreeSet::from([2])), "{:?}", fleet.state.plan.waves);
}

#[test]
fn where_no_host_is_left_to_be_the_canary_it_comes_to_its_end() {
    let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
    fleet.online.clear();
    fleet.ticks();
    assert_eq!((fleet.state.state, fleet.state.counts().skipped), (FleetUpdateState::Completed, 3));
}

#[test]
fn one_of_before_whose_canary_is_proven_opens_its_next_wave() {
    let mut fleet = Fleet::new(5, 3, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.proves(0, true);
    let mut stored = serde_json::to_value(&fleet.state).unwrap();
    stored.as_object_mut().unwrap().retain(|name, _| name != "proven_in_wave" && name != "unlocked");
    fleet.state = serde_json::from_value(stored).unwrap();
    fleet.now = 10;
    fleet.ticks();
    assert_eq!((fleet.state.wave, fleet.state.slots.len()), (1, 3));
}

fn locks(effects: &[Effect]) -> (usize, usize) {
    let count = |is: fn(&Effect) -> bool| effects.iter().filter(|effect| is(effect)).count();
    (count(|effect| matches!(effect, Effect::Lock(_))), count(|effect| matches!(effect, Effect::Unlock(_))))
}

#[test]
fn what_halts_gives_its_lock_back_and_takes_it_again_when_it_is_resumed() {
    let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    let position = 0;
    let outcome = Outcome::Failed { why: "it crashed".into(), again: true };
    let halted = fleet.state.transition(&Event::Host { position, outcome }, at(1)).unwrap();
    assert_eq!((halted.next.state, locks(&halted.effects)), (FleetUpdateState::Halted, (0, 1)));
    for resume in [Event::Resume("on".into()), Event::RetryFailed("on".into())] {
        let resumed = halted.next.transition(&resume, at(2)).unwrap();
        assert_eq!((resumed.next.state, locks(&resumed.effects)), (FleetUpdateState::Running, (1, 0)));
        let cancelled = resumed.next.transition(&Event::Cancel(String::new()), at(3)).unwrap();
        assert_eq!(locks(&cancelled.effects), (0, 1));
    }
    let cancelled = halted.next.transition(&Event::Cancel(String::new()), at(2)).unwrap();
    assert_eq!(locks(&cancelled.effects), (0, 0), "the lock may be another's by now");
    // One of before holds its lock, although it has halted.
    let of_before = FleetUpdate { unlocked: false, ..halted.next };
    let cancelled = of_before.transition(&Event::Cancel(String::new()), at(2)).unwrap();
    assert_eq!(locks(&cancelled.effects), (0, 1));
    assert_eq!(locks(&of_before.transition(&Event::Resume("on".into()), at(2)).unwrap().effects), (0, 0));
}

#[test]
fn what_ends_with_the_step_that_resumes_it_leaves_the_lock_alone() {
    let mut fleet = Fleet::new(1, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    let resumed = fleet.state.transition(&Event::Resume("it is gone".into()), at(1)).unwrap();
    assert_eq!((resumed.next.state, locks(&resumed.effects)), (FleetUpdateState::Completed, (0, 0)));
}

#[test]
fn it_halts_in_the_same_step_in_which_the_first_host_fails() {
    let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert_eq!(fleet.state.state, FleetUpdateState::Halted);
    assert!(fleet.state.halted_reason.as_ref().unwrap().contains("it crashed"));
    fleet.offers();
    assert!(fleet.state.slots.is_empty());
}

#[test]
fn after_a_halt_it_goes_on_only_with_a_note() {
    let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert_eq!(fleet.happens(&Event::Resume(" ".into())).unwrap_err().0.field.as_deref(), Some("note"));
    fleet.happens(&Event::Resume("looked at it".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn what_was_offered_and_not_accepted_is_recalled_by_a_halt_and_offered_again_after_it() {
    let mut fleet = Fleet::new(4, 3, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.proves(0, true);
    fleet.now = 10;
    fleet.ticks();
    fleet.accepts(2);
    fleet.fails(1, UpdateOutcome::RolledBack);
    assert_eq!(fleet.state.slots, BTreeSet::from([2]), "only the one that has accepted goes on");
    fleet.happens(&Event::Resume("a loose cable".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots, BTreeSet::from([2, 3]));
}

#[test]
fn a_lost_host_keeps_its_slot_and_no_slot_left_is_a_halt() {
    let mut fleet = Fleet::new(3, 1, 5, OfflinePolicy::Skip);
    fleet.offers();
    fleet.accepts(0);
    fleet.now = 100;
    fleet.ticks();
    assert_eq!(fleet.hosts[&0].state, FleetUpdateHostState::Lost);
    assert!(fleet.state.halted_reason.as_ref().unwrap().starts_with("slots_exhausted"));
    assert!(fleet.happens(&Event::Resume("go".into())).is_err(), "its slot is still held");
    fleet.happens_to(0, HostEvent::WriteOff).unwrap();
    fleet.happens(&Event::Resume("it is gone".into())).unwrap();
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn a_retired_host_gives_its_slot_back_at_once_and_is_no_failure() {
    let offered = |_: &mut Fleet| {};
    let accepted = |fleet: &mut Fleet| fleet.accepts(0);
    let proving = |fleet: &mut Fleet| {
        fleet.accepts(0);
        fleet.proves(0, false);
    };
    for (before, state) in [
        (offered as fn(&mut Fleet), FleetUpdateHostState::Offered),
        (accepted, FleetUpdateHostState::Offered),
        (proving, FleetUpdateHostState::Verifying),
    ] {
        let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
        fleet.offers();
        before(&mut fleet);
        assert_eq!(fleet.hosts[&0].state, state);
        fleet.happens_to(0, HostEvent::HostRetired).unwrap();
        let gone = &fleet.hosts[&0];
        assert_eq!((gone.state, gone.reason.as_deref()), (FleetUpdateHostState::Skipped, Some("retired")));
        assert_eq!(
            (fleet.state.state, fleet.state.failures, fleet.state.slots.len()),
            (FleetUpdateState::Running, 0, 0)
        );
        fleet.now = 5_000;
        fleet.ticks();
        assert_eq!(fleet.state.halted_reason, None, "nobody waits for its word");
        assert_eq!(fleet.hosts[&1].state, FleetUpdateHostState::Offered, "the next host has its turn");
    }
}

#[test]
fn a_lost_host_that_is_retired_frees_its_slot_and_one_without_a_slot_changes_nothing() {
    let mut fleet = Fleet::new(3, 1, 5, OfflinePolicy::Skip);
    fleet.happens_to(2, HostEvent::HostRetired).unwrap();
    assert_eq!(fleet.hosts[&2].state, FleetUpdateHostState::Pending, "its turn will tell");
    fleet.offers();
    fleet.accepts(0);
    fleet.now = 100;
    fleet.ticks();
    assert_eq!(fleet.hosts[&0].state, FleetUpdateHostState::Lost);
    fleet.happens_to(0, HostEvent::HostRetired).unwrap();
    assert!(fleet.state.slots.is_empty() && fleet.state.lost.is_empty());
    fleet.happens(&Event::Resume("it is gone".into())).unwrap();
}

#[test]
fn a_lost_host_that_is_heard_from_is_judged_after_all() {
    let mut fleet = Fleet::new(2, 1, 5, OfflinePolicy::Skip);
    fleet.offers();
    fleet.accepts(0);
    fleet.now = 100;
    fleet.ticks();
    fleet.proves(0, true);
    assert_eq!(fleet.state.succeeded, 1);
}

#[test]
fn an_inconclusive_host_is_not_a_failure_and_gets_another_turn_until_its_attempts_are_used_up() {
    let mut fleet = Fleet::new(1, 1, 1, OfflinePolicy::Skip);
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
        let mut fleet = Fleet::new(2, 1, 1, policy);
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
    let mut fleet = Fleet::new(1, 1, 1, OfflinePolicy::Wait);
    fleet.online.clear();
    fleet.ticks();
    assert!(fleet.state.waiting_on(at(0)).unwrap().starts_with("1 host to come online"));
    fleet.online.insert(0);
    fleet.ticks();
    assert_eq!(fleet.state.slots.len(), 1);
}

#[test]
fn a_host_that_runs_the_release_unproven_at_its_deadline_is_lost_and_not_failed() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.proves(0, false);
    fleet.now = 100;
    fleet.ticks();
    assert_eq!((fleet.hosts[&0].state, fleet.state.failures), (FleetUpdateHostState::Lost, 0));
    fleet.proves(0, true);
    assert_eq!(fleet.state.succeeded, 1, "a late proof is still a proof");
}

#[test]
fn a_report_from_before_the_offer_says_nothing_about_it() {
    let mut fleet = Fleet::new(1, 1, 1, OfflinePolicy::Skip);
    fleet.now = 50;
    fleet.offers();
    let agent = report(NEW, "new", 999, true);
    fleet.happens_to(0, HostEvent::Reported { report: Box::new(Report::Agent(agent)), at: at(49) }).unwrap();
    assert_eq!(fleet.state.succeeded, 0);
}

#[test]
fn a_yanked_release_halts_at_the_next_turn() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    let candidate = Box::new(Candidate { yanked: Some("eats disks".into()), ..fleet.candidate(0) });
    fleet.happens(&Event::Admit { position: 0, candidate, job_id: JobId::new(at(0), 5) }).unwrap();
    assert_eq!(fleet.state.state, FleetUpdateState::Halted);
    assert_eq!(fleet.state.halted_reason.as_deref(), Some("the release was yanked: eats disks"));
}

#[test]
fn a_step_over_many_hosts_stays_small_enough_for_one_commit_and_the_rest_follows() {
    let mut fleet = Fleet::in_waves(150, 150, 150, 1, OfflinePolicy::Skip);
    fleet.offers();
    assert_eq!(fleet.state.slots.len(), 150);
    let pause = fleet.state.transition(&Event::Pause(String::new()), at(1)).unwrap();
    assert!(pause.effects.len() < 90, "{}", pause.effects.len());
    assert!(
        pause.effects.contains(&Effect::GoOn(Work::FleetUpdate(fleet.state.id))),
        "the rest need not wait for a tick"
    );
    fleet.happens(&Event::Pause(String::new())).unwrap();
    fleet.offers();
    assert!(fleet.state.slots.is_empty(), "every offer is recalled in the end");

    let mut fleet = Fleet::in_waves(150, 150, 150, 1, OfflinePolicy::Wait);
    fleet.online.clear();
    fleet.offers();
    let in_vain = fleet.state.transition(&Event::Tick, at(1_000_000)).unwrap();
    assert!(in_vain.effects.len() < 90, "{}", in_vain.effects.len());
    fleet.now = 1_000_000;
    fleet.ticks();
    assert_eq!(fleet.state.counts().skipped, 150, "nobody is waited for any more");
}

#[test]
fn failed_hosts_are_tried_again_after_a_halt_only_with_a_note() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.fails(0, UpdateOutcome::RolledBack);
    assert!(fleet.happens(&Event::RetryFailed(String::new())).is_err());
    fleet.happens(&Event::RetryFailed("a loose cable".into())).unwrap();
    assert_eq!(fleet.state.state, FleetUpdateState::Running);
}

#[test]
fn a_lost_host_that_comes_back_as_it_was_has_not_tried_the_release() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.accepts(0);
    let as_it_was = |process| HostEvent::Reported {
        report: Box::new(Report::Agent(report(OLD, "old", process, true))),
        at: at(100),
    };
    fleet.happens_to(0, as_it_was(900)).unwrap();
    assert_eq!(fleet.hosts[&0].state, FleetUpdateHostState::Offered, "it may still come to it");
    fleet.now = 100;
    fleet.ticks();
    fleet.happens_to(0, as_it_was(901)).unwrap();
    assert_eq!(fleet.hosts[&0].state, FleetUpdateHostState::Failed);
    assert!(fleet.hosts[&0].reason.as_ref().unwrap().starts_with("no_attempt"));
}

#[test]
fn a_host_is_offered_the_release_and_written_off_only_when_it_waits_for_that() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    assert!(fleet.happens_to(0, HostEvent::WriteOff).is_err(), "it is not lost");
    fleet.offers();
    assert!(fleet.happens_to(0, HostEvent::WriteOff).is_err(), "it is not lost");
    let slot = Box::new(fleet.hosts[&0].slot.clone().unwrap());
    assert!(fleet.happens_to(0, HostEvent::Offer(slot)).is_err(), "it has a slot");
}

#[test]
fn somebody_who_looked_before_the_last_attempts_offers_no_further_one() {
    let mut fleet = Fleet::new(1, 1, 1, OfflinePolicy::Skip);
    let looked_at_the_start = fleet.candidate(0);
    for _ in 0..MAX_ATTEMPTS {
        fleet.offers();
        fleet.happens(&Event::Pause(String::new())).unwrap();
        fleet.happens(&Event::Resume(String::new())).unwrap();
    }
    assert_eq!(fleet.hosts[&0].attempts, MAX_ATTEMPTS);
    let candidate = Box::new(looked_at_the_start);
    assert!(fleet.happens(&Event::Admit { position: 0, candidate, job_id: JobId::new(at(0), 77) }).is_err());
    fleet.offers();
    assert_eq!(fleet.hosts[&0].state, FleetUpdateHostState::Skipped, "whoever looks again leaves it out");
}

#[test]
fn what_is_heard_of_a_host_without_a_slot_changes_nothing() {
    let mut fleet = Fleet::new(3, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    let heard = |outcome| Event::Host { position: 2, outcome };
    for outcome in [
        Outcome::Succeeded,
        Outcome::Failed { why: "it crashed".into(), again: true },
        Outcome::Inconclusive,
        Outcome::TakenBack,
        Outcome::Offline(host(2)),
        Outcome::Lost(host(2)),
        Outcome::WrittenOff { host_id: host(2), again: true },
        Outcome::Retired,
    ] {
        assert_eq!(fleet.state.transition(&heard(outcome), at(1)).unwrap().next, fleet.state);
    }
}

#[test]
fn a_host_whose_offer_was_taken_back_by_a_cancel_is_cancelled_and_by_a_pause_it_is_not() {
    for (event, state) in [
        (Event::Cancel(String::new()), FleetUpdateHostState::Cancelled),
        (Event::Pause(String::new()), FleetUpdateHostState::Pending),
    ] {
        let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
        fleet.offers();
        fleet.happens(&event).unwrap();
        assert_eq!(fleet.hosts[&0].state, state, "{event:?}");
        assert_eq!(fleet.state.counts().cancelled, if state == FleetUpdateHostState::Cancelled { 2 } else { 0 });
    }
}

#[test]
fn what_is_resumed_takes_nothing_back_any_more() {
    let mut fleet = Fleet::in_waves(100, 100, 100, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.happens(&Event::Pause(String::new())).unwrap();
    let left = fleet.state.slots.len();
    assert!((1..100).contains(&left), "the first were taken back at once: {left}");
    fleet.happens(&Event::Resume(String::new())).unwrap();
    assert!(fleet.state.to_recall.is_empty() && !fleet.state.is_behind(at(0)));
    fleet.offers();
    assert_eq!(fleet.state.slots.len(), 100);
}

#[test]
fn a_host_that_runs_the_release_already_is_not_recalled() {
    let mut fleet = Fleet::new(2, 1, 1, OfflinePolicy::Skip);
    fleet.offers();
    fleet.proves(0, false);
    assert_eq!(fleet.hosts[&0].transition(&HostEvent::Recall, at(1)).unwrap().effects, []);
}

#[test]
fn a_tick_after_a_tick_changes_nothing() {
    let mut fleet = Fleet::new(4, 2, 1, OfflinePolicy::Skip);
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
    Retire(u32),
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
        1 => (0..hosts).prop_map(Act::Retire),
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
        let mut fleet = Fleet::new(7, max_in_flight, max_failures, policy);
        fleet.offers();
        for act in acts {
            does(&mut fleet, &act);
            tells_what_it_does(&fleet.state, at(fleet.now));
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

/// What is told to be allowed is done, and what is not is refused for the reason that is told, or changes nothing.
fn tells_what_it_does(fleet_update: &FleetUpdate, now: Timestamp) {
    for (action, event) in [
        (ActionOnFleetUpdate::Pause, Event::Pause("lunch".into())),
        (ActionOnFleetUpdate::Resume, Event::Resume("on".into())),
        (ActionOnFleetUpdate::Cancel, Event::Cancel("off".into())),
        (ActionOnFleetUpdate::RetryFailed, Event::RetryFailed("again".into())),
    ] {
        match (fleet_update.allows(action, Role::Admin), fleet_update.transition(&event, now)) {
            (Ok(()), done) => assert_ne!(done.unwrap().next, *fleet_update, "{action:?}"),
            (told, Err(refused)) => assert_eq!(told, Err(refused)),
            // Said twice is said once; what follows by itself follows all the same.
            (Err(told), Ok(done)) => {
                assert!(told.sentence().contains(" is already "), "{action:?}");
                assert_eq!(Ok(done), fleet_update.transition(&Event::Tick, now), "{action:?}");
            }
        }
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
        Act::Pause => drop(fleet.happens(&Event::Pause(String::new()))),
        Act::Resume => drop(fleet.happens(&Event::Resume("on".into()))),
        Act::Cancel => drop(fleet.happens(&Event::Cancel("off".into()))),
        Act::RetryFailed => drop(fleet.happens(&Event::RetryFailed("again".into()))),
        Act::WriteOff(position) => drop(fleet.happens_to(*position, HostEvent::WriteOff)),
        Act::Retire(position) => drop(fleet.happens_to(*position, HostEvent::HostRetired)),
    }
}
