//! Fleet updates as operators ask for them, and what they do to them, at any times.

use jiff::Timestamp;
use muster_domain::{
    fleet_updates::{
        Brings, Event, FleetUpdate, MAX_IN_FLIGHT, Outcome, Planning, Selection, best_case_seconds,
        brings::releases::Release,
    },
    machine::{Machine, Step},
    windows,
};
use muster_schemas::{
    fleet_updates::{FleetUpdateRequest, FleetUpdateState},
    ids::{FleetUpdateId, JobId},
};
use muster_server::{
    api::{
        extract::json,
        fleet_updates::plans::{check, max_in_flight, plan, waves},
    },
    commit::Cause,
};
use serde::Deserialize;
use serde_json::Value;

use crate::given::{Happens, host, noon};

const MAX_EFFECTS: usize = 90;

#[derive(Deserialize)]
struct Input {
    request: Value,
    /// How many hosts can be updated, and how many cannot.
    hosts: (u16, u16),
    happens: Vec<Happens<What>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// The next whose turn it is, as it was found.
    Admit(Box<muster_domain::fleet_updates::Candidate>),
    /// What became of the n-th host in flight.
    Outcome(usize, Outcome),
    Pause(()),
    Resume(String),
    Cancel(String),
    RetryFailed(String),
    Tick(()),
}

/// A request that keeps the rules makes a plan that adds up, and whatever happens to it, no more hosts are in an unproven update
/// than may be, and an end is an end.
pub fn fleet_update(bytes: &[u8]) {
    let Ok(Input { request, hosts: (ready, others), happens }) = serde_json::from_slice(bytes) else { return };
    let body = request;
    let Ok(request) = json::<FleetUpdateRequest>(body.to_string().as_bytes()) else { return };
    if check(&request).is_err() {
        return;
    }
    is_as_written(&request, &body);
    let mut state = planned(&request, ready.into(), others.into());
    for (number, Happens { at, what }) in happens.into_iter().take(200).enumerate() {
        opens_in_time(&request, at);
        let Some(event) = event(&state, what, at, number) else { continue };
        let Ok(Step { next, effects }) = state.transition(&event, at) else { continue };
        assert!(effects.len() <= MAX_EFFECTS, "{} effects", effects.len());
        holds(&state, &next, at);
        state = next;
    }
}

/// Nothing is taken that the document does not describe: what was understood is what was written.
fn is_as_written(request: &FleetUpdateRequest, body: &Value) {
    let understood = serde_json::to_value(request).expect("a request is plain data");
    for name in ["waves", "max_in_flight"] {
        if let Some(written) = body.get(name).filter(|written| !written.is_null()) {
            assert_eq!(&understood[name], written, "{name}");
        }
    }
    for time in request.maintenance_window.iter().flat_map(|window| [&window.start, &window.end]) {
        let digit = |(place, letter): (usize, char)| if place == 2 { letter == ':' } else { letter.is_ascii_digit() };
        assert!(time.len() == 5 && time.chars().enumerate().all(digit), "{time:?} is not HH:MM");
    }
}

fn planned(request: &FleetUpdateRequest, ready: u32, others: u32) -> FleetUpdate {
    let planning = Planning {
        selection: Selection::Matching(request.selector.clone().unwrap_or_default()),
        waves: waves(request),
        max_in_flight: max_in_flight(request),
        from: None,
    };
    let release = Release { version: request.version.clone().unwrap_or_default(), manifest_sha256: "digest".into() };
    let plan = plan(noon(), request, Brings::Release(release), Cause::tick());
    let start = Event::Start { id: FleetUpdateId::new(noon(), 1), plan: Box::new(plan), planning: Box::new(planning) };
    let started = FleetUpdate::begin(&start, noon()).expect("it begins with being started").next;
    let found = Event::Planned { from: None, ready, others, to: None };
    let state = started.transition(&found, noon()).expect("the plan is not done").next;

    let (total, plan) = (ready + others, &state.plan);
    assert_eq!(plan.waves.iter().sum::<u32>(), total, "every host has its wave");
    assert!(plan.waves.iter().all(|size| *size > 0));
    assert!((1..=MAX_IN_FLIGHT.min(total.max(1))).contains(&plan.max_in_flight));
    assert!(plan.deadline_at > noon());
    let longest = best_case_seconds(&plan.waves, plan.max_in_flight, 60, plan.soak_seconds);
    assert!(longest >= u64::from(total > 0) * 60);
    state
}

fn opens_in_time(request: &FleetUpdateRequest, now: Timestamp) {
    let Some(window) = &request.maintenance_window else { return };
    if let Some(opens_at) = windows::opens_at(window, now) {
        assert!(opens_at > now && opens_at.duration_since(now).as_hours() < 24, "{opens_at} after {now}");
        assert_eq!(windows::opens_at(window, opens_at), None, "a window is open when it opens");
    }
}

fn event(state: &FleetUpdate, what: What, now: Timestamp, number: usize) -> Option<Event> {
    Some(match what {
        What::Admit(candidate) => {
            let job_id = JobId::new(noon(), number as u128);
            Event::Admit { position: *state.turns(now).first()?, candidate, job_id }
        }
        What::Outcome(place, outcome) => {
            let position = *state.slots.iter().nth(place % state.slots.len().max(1))?;
            Event::Host { position, outcome: of_this_host(outcome) }
        }
        What::Pause(()) => Event::Pause(String::new()),
        What::Resume(note) => Event::Resume(note),
        What::Cancel(note) => Event::Cancel(note),
        What::RetryFailed(note) => Event::RetryFailed(note),
        What::Tick(()) => Event::Tick,
    })
}

/// Which host it is does not matter to the whole.
fn of_this_host(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Offline(_) => Outcome::Offline(host()),
        Outcome::Lost(_) => Outcome::Lost(host()),
        other => other,
    }
}

fn holds(before: &FleetUpdate, after: &FleetUpdate, now: Timestamp) {
    use FleetUpdateState::{Cancelled, Completed};
    assert!(after.slots.len() <= after.plan.max_in_flight as usize, "MaxInFlight");
    assert!(after.lost.is_subset(&after.slots) && after.to_recall.is_subset(&after.slots));
    let over = |state| matches!(state, Completed | Cancelled);
    assert!(!over(before.state) || after.state == before.state, "an end is an end");
    assert_eq!(over(after.state), after.ended_at.is_some());
    assert_eq!(after.waiting_on(now).is_none(), over(after.state), "a planner says why it does nothing");
    assert!(after.wave >= before.wave && after.next_turn >= before.next_turn && after.next_turn <= after.total());
    let counts = after.counts();
    let sum = counts.pending + counts.in_flight + counts.succeeded + counts.failed + counts.skipped + counts.cancelled;
    assert_eq!(sum, counts.total, "every host is counted once");
    let body = serde_json::to_vec(after).expect("a fleet update is plain data");
    assert_eq!(serde_json::from_slice::<FleetUpdate>(&body).ok().as_ref(), Some(after), "it is read as it was written");
}
