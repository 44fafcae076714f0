//! What hosts tell about a job, and what else happens to it, at any times.

use jiff::Timestamp;
use muster_domain::{
    changes::Effect,
    jobs::{Event, Job, NewJob},
    machine::{Machine, Step},
};
use muster_schemas::{
    access::Role,
    commands::{Event as Told, EventsRequest},
    ids::JobId,
    jobs::{JobRequest, JobState},
};
use muster_server::{
    api::{commands::check, extract::json, jobs::asked},
    commit::Cause,
};
use serde::Deserialize;
use serde_json::Value;

use crate::given::{Happens, host, noon};

const MAX_EFFECTS: usize = 90;
/// What one item holds at most.
const MAX_ITEM_BYTES: usize = 400 * 1024;

#[derive(Deserialize)]
struct Input {
    /// As an operator asks for it.
    job: Value,
    happens: Vec<Happens<What>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Offer(u64),
    Events(Value),
    Cancel(()),
    Recall(()),
    Supersede(JobId),
    HostRetired(()),
    Tick(()),
}

/// A job ends once, by its host's word or before it was offered, and is told about without end: nothing told twice counts twice.
pub fn events(bytes: &[u8]) {
    let Ok(Input { job, happens }) = serde_json::from_slice(bytes) else { return };
    let Ok(request) = json::<JobRequest>(job.to_string().as_bytes()) else { return };
    let Ok(asked) = asked(noon(), &request, Cause::tick()) else { return };
    let job = NewJob { id: JobId::new(noon(), 1), asked };
    let created = Event::Create { host_id: host(), sequence: 1, job: Box::new(job) };
    let mut job = Job::begin(&created, noon()).expect("a job begins with being asked for").next;
    for Happens { at, what } in happens.into_iter().take(200) {
        let Some(event) = event(what) else { continue };
        let Ok(step) = job.transition(&event, at) else { continue };
        assert!(step.effects.len() <= MAX_EFFECTS, "{} effects", step.effects.len());
        logs_what_fits(&job, &step);
        stays_final(&job, &step.next);
        is_whole(&step.next, at);
        counts_once(&job, &event, &step, at);
        job = step.next;
    }
}

fn event(what: What) -> Option<Event> {
    Some(match what {
        What::Offer(session) => Event::Offer { session },
        What::Events(body) => {
            let EventsRequest { session: _, process_id, events } = json(body.to_string().as_bytes()).ok()?;
            check(&events).ok()?;
            Event::Told { host_id: host(), process_id, events }
        }
        What::Cancel(()) => Event::Cancel,
        What::Recall(()) => Event::Recall,
        What::Supersede(by) => Event::Supersede { by },
        What::HostRetired(()) => Event::HostRetired,
        What::Tick(()) => Event::Tick,
    })
}

/// What is told twice counts once: in another request, and in the same.
fn counts_once(before: &Job, event: &Event, step: &Step<Job>, now: Timestamp) {
    let Event::Told { host_id, process_id, events } = event else { return };
    let again = step.next.transition(event, now).expect("what was taken is taken again");
    assert_eq!(again, Step::to(step.next.clone()));
    let (mut through, mut new) = (before.told_through(*process_id), Vec::<Told>::new());
    for event in events {
        if event.sequence > through {
            through = event.sequence;
            new.push(event.clone());
        }
    }
    let once = Event::Told { host_id: *host_id, process_id: *process_id, events: new };
    assert_eq!(before.transition(&once, now).as_ref(), Ok(step));
}

/// The pieces of a log stand one behind the other, and no longer than the job may write.
fn logs_what_fits(before: &Job, step: &Step<Job>) {
    let mut end = before.log_bytes;
    for effect in &step.effects {
        if let Effect::Log { job, offset, piece } = effect {
            assert_eq!((*job, *offset), (before.id, end));
            end += piece.text.len() as u64;
            assert!(
                piece.times.is_sorted_by_key(|time| time.from)
                    && piece.times.iter().all(|time| (time.from as usize) < piece.text.len())
            );
        }
    }
    assert_eq!(step.next.log_bytes, end);
    let (limit, notes) = (before.asked.spec.rules().log_limit_bytes(), step.next.log_note_bytes);
    assert!(notes <= 1024 && end - notes <= limit, "{end} bytes of at most {limit}, {notes} of notes");
}

fn stays_final(before: &Job, after: &Job) {
    if before.state.is_final() {
        let end = |job: &Job| (job.state, job.ended_at, job.result.clone(), job.log_bytes);
        assert_eq!(end(after), end(before), "FinalStable");
    }
    let never_offered = matches!(after.state, JobState::Expired | JobState::Superseded);
    assert!(!never_offered || after.offered_at.is_none(), "only what was never offered ends without its host");
    assert!(before.started_at.is_none() || after.started_at == before.started_at);
}

fn is_whole(job: &Job, now: Timestamp) {
    assert_eq!(job.state.is_final(), job.ended_at.is_some());
    assert_eq!(job.waiting_on(now).is_none(), job.state.is_final(), "what is open waits for something");
    let watched = !job.state.is_final() && job.state != JobState::PresumedLost;
    assert_eq!(job.due_at().is_some(), watched, "Bounded");
    assert!(!job.state.is_final() || (!job.is_for(&[], u64::MAX, now) && job.shall_stop(now)));
    assert!(!job.is_for(&[job.id], u64::MAX, now), "what a host has is not offered again");
    let body = serde_json::to_vec(job).expect("a job is plain data");
    assert!(body.len() <= MAX_ITEM_BYTES, "{} bytes", body.len());
    assert_eq!(serde_json::from_slice::<Job>(&body).ok().as_ref(), Some(job), "it is read as it was written");
    assert_eq!(job.command().id, job.view(Role::Viewer, now, 1, false).id);
}
