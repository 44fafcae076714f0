//! The life of a job and of the mailbox that holds it, by the names of the design's invariants.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect},
    fleet_updates::hosts::Place,
    jobs::{
        Event, Job, JobOrder, MAX_LOG_PIECES, NewJob, Origin,
        logs::{LogPiece, LogTime},
    },
    machine::{Machine, Step},
    mailboxes::{self, HostNews, Mailbox},
};
use muster_schemas::{
    access::Role,
    commands::{Event as JobEvent, EventKind},
    hosts::HostState,
    ids::{FleetUpdateId, HostId, JobId, ProcessId},
    jobs::{AGENT, InspectSpec, JobResult, JobSpec, JobState, Outcome, RunSpec},
    problems::ProblemCode,
    reports::{AgentReport, Facts, Report},
};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn host() -> HostId {
    HostId::new(at(0), 1)
}

fn process(number: u128) -> ProcessId {
    ProcessId::new(at(0), number)
}

fn new_job(number: u128, spec: JobSpec, resource: Option<&str>) -> NewJob {
    let asked = JobOrder {
        spec,
        resource: resource.map(str::to_owned),
        origin: Origin::Caller("user:test".into()),
        caller_name: "ada".into(),
        start_by: at(100),
        time_limit_seconds: 50,
    };
    NewJob { id: JobId::new(at(0), number), asked }
}

fn run(output_limit_bytes: u64) -> JobSpec {
    JobSpec::Run(RunSpec {
        argv: vec!["/bin/true".into()],
        environment: std::collections::BTreeMap::new(),
        secret_environment: [].into(),
        working_directory: None,
        output_limit_bytes: Some(output_limit_bytes),
        stop_grace_seconds: None,
        run_as: None,
    })
}

fn queued() -> Job {
    let job = new_job(1, run(10), None);
    Job::begin(&Event::Create { host_id: host(), sequence: 1, job: Box::new(job) }, at(0)).unwrap().next
}

fn next(job: &Job, event: &Event, second: i64) -> Job {
    job.transition(event, at(second)).unwrap().next
}

fn told(process_number: u128, events: &[(u64, EventKind)]) -> Event {
    let events = events.iter().map(|(sequence, kind)| JobEvent { sequence: *sequence, at: at(0), kind: kind.clone() });
    Event::Told { host_id: host(), process_id: process(process_number), events: events.collect() }
}

fn finished(outcome: Outcome, exit_code: i32) -> EventKind {
    let result = JobResult {
        outcome,
        exit_code: Some(exit_code),
        error: None,
        detail: None,
        started_at: Some(at(1)),
        finished_at: at(2),
        output_bytes: 0,
        output_truncated: false,
    };
    EventKind::Finished { result }
}

fn output(text: &str) -> EventKind {
    EventKind::Output { text: text.into() }
}

fn offered() -> Job {
    next(&queued(), &Event::Offer { session: 1 }, 1)
}

#[test]
fn a_final_state_never_changes_and_only_the_same_result_is_taken_again() {
    let ended = next(&offered(), &told(1, &[(1, finished(Outcome::Succeeded, 0))]), 2);
    let again = ended.transition(&told(2, &[(1, finished(Outcome::Succeeded, 0))]), at(3)).unwrap();
    assert_eq!((again.next.state, again.next.ended_at), (JobState::Succeeded, Some(at(2))));
    let other = ended.transition(&told(2, &[(1, finished(Outcome::Failed, 1))]), at(3)).unwrap_err();
    assert_eq!(other.0.code, ProblemCode::ResultConflict);
}

#[test]
fn an_event_that_is_stored_already_is_passed_over() {
    let events = told(1, &[(1, EventKind::Accepted), (2, EventKind::Started), (3, output("hello"))]);
    let once = next(&offered(), &events, 2);
    let twice = once.transition(&events, at(3)).unwrap();
    assert_eq!(twice, Step { next: once, effects: Vec::new() });
}

#[test]
fn log_is_kept_up_to_its_limit_at_a_whole_character() {
    let job = next(&offered(), &told(1, &[(1, output("12345678ü")), (2, output("more"))]), 2);
    assert_eq!(job.log_bytes, 10);
    let job = next(&offered(), &told(1, &[(1, output("123456789ü")), (2, output("x"))]), 2);
    assert_eq!(job.log_bytes, 10, "the ü did not fit, the x did");
}

#[test]
fn output_that_the_host_could_not_keep_is_a_line_in_the_log_and_counted() {
    let job =
        Job::begin(&Event::Create { host_id: host(), sequence: 1, job: Box::new(new_job(1, run(1_000), None)) }, at(0));
    let lost = EventKind::lost;
    let step =
        job.unwrap().next.transition(&told(1, &[(1, lost(70)), (2, output("on")), (3, lost(5))]), at(1)).unwrap();
    let log = step.effects.iter().filter_map(|effect| match effect {
        Effect::Log { piece, .. } => Some(piece.text.as_str()),
        _ => None,
    });
    let line = |bytes| format!("\n[{bytes} bytes of output were lost here: the host could not keep them]\n");
    assert_eq!(log.collect::<String>(), format!("{}on{}", line(70), line(5)));
    assert_eq!(step.next.output_lost_bytes, 75);
    let most = next(&step.next, &told(1, &[(4, lost(u64::MAX))]), 2);
    assert_eq!(most.output_lost_bytes, 1 << 53, "whatever a host says");
}

/// What is in the log after these events, and the job.
fn logged(limit: u64, events: &[EventKind]) -> (String, Job) {
    let begun =
        Job::begin(&Event::Create { host_id: host(), sequence: 1, job: Box::new(new_job(1, run(limit), None)) }, at(0));
    let events = (1..).zip(events.iter().cloned()).collect::<Vec<_>>();
    let Step { next, effects } = begun.unwrap().next.transition(&told(1, &events), at(1)).unwrap();
    let text = effects.iter().filter_map(|effect| match effect {
        Effect::Log { piece, .. } => Some(piece.text.as_str()),
        _ => None,
    });
    (text.collect(), next)
}

fn ended_with(output_bytes: u64, output_truncated: bool) -> EventKind {
    let EventKind::Finished { result } = finished(Outcome::Succeeded, 0) else { unreachable!() };
    EventKind::Finished { result: JobResult { output_bytes, output_truncated, ..result } }
}

#[test]
fn a_log_has_the_beginning_and_the_end_of_a_long_output_and_one_line_between_them() {
    let events = [output("12"), EventKind::cut(90), output("34567890"), ended_with(100, true)];
    let (log, job) = logged(10, &events);
    let line =
        "\n[90 bytes of output are missing here: it is longer than 10 bytes, and its beginning and its end are kept]\n";
    assert_eq!(log, format!("12{line}34567890"));
    assert_eq!((job.output_cut_bytes, job.log_bytes - job.log_note_bytes), (90, 10), "the line counts as no output");
    assert_eq!(job.view(Role::Viewer, at(2), 1, false).output_cut_bytes, 90);
}

#[test]
fn a_log_that_a_killed_agent_has_not_ended_says_so() {
    let (log, job) = logged(10, &[output("12"), EventKind::cut(0)]);
    assert!(log.starts_with("12\n[Output is missing from here on: "), "{log}");
    assert_eq!(job.output_cut_bytes, 0);
}

#[test]
fn a_log_of_which_the_end_was_not_kept_says_so_when_the_job_ends() {
    let line = |missing: u64| {
        format!("1234567890\n[{missing} bytes of output are missing from here on: no more than 10 bytes are kept]\n")
    };
    // An agent of before keeps the beginning.
    let (log, job) = logged(10, &[output("1234567890"), ended_with(3_000, true)]);
    assert_eq!((log, job.output_cut_bytes), (line(2_990), 2_990));
    // It counted bytes that were no text, and the server their replacement.
    let (log, job) = logged(10, &[output("1234567890ab"), output("c"), ended_with(10, false)]);
    assert_eq!((log, job.output_cut_bytes, job.output_dropped_bytes), (line(3), 3, 0));
    let (log, _) = logged(10, &[output("1234567890"), ended_with(u64::MAX, true)]);
    assert_eq!(log, line(1 << 53), "whatever a host says");
}

#[test]
fn a_piece_of_a_log_knows_when_its_parts_were_printed_and_one_of_before_is_still_read() {
    let events = [(1, output("ab"), 5), (2, output("c"), 5), (3, output("d"), 7)];
    let events = events.map(|(sequence, kind, second)| JobEvent { sequence, at: at(second), kind });
    let told = Event::Told { host_id: host(), process_id: process(1), events: events.into() };
    let step = offered().transition(&told, at(8)).unwrap();
    let [Effect::Log { piece, .. }] = &step.effects[..] else { panic!("{:?}", step.effects) };
    let times = [LogTime { from: 0, at: at(5) }, LogTime { from: 3, at: at(7) }];
    assert_eq!(*piece, LogPiece { text: "abcd".into(), times: times.into() });
    let stored = serde_json::to_string(piece).unwrap();
    assert_eq!(serde_json::from_str::<LogPiece>(&stored).unwrap(), *piece);
    let before = serde_json::from_str::<LogPiece>("\"abcd\"").unwrap();
    assert_eq!(before, LogPiece { text: "abcd".into(), times: Vec::new() });
}

#[test]
fn lines_about_a_log_are_bounded_too() {
    let events = (0..1_000).flat_map(|_| [EventKind::cut(7), output("x")]).collect::<Vec<_>>();
    let (log, job) = logged(10, &events);
    assert!(job.log_note_bytes <= 1024 && job.log_bytes <= 10 + 1024, "{}", job.log_bytes);
    assert_eq!((log.len() as u64, log.matches('x').count()), (job.log_bytes, 10));
    assert_eq!((job.output_cut_bytes, job.output_dropped_bytes), (7_000, 990));
}

#[test]
fn a_job_that_was_never_offered_is_cancelled_at_once_and_one_that_was_only_asked_to_stop() {
    assert_eq!(next(&queued(), &Event::Cancel, 1).state, JobState::Cancelled);
    let asked = offered().transition(&Event::Cancel, at(2)).unwrap();
    assert_eq!((asked.next.state, asked.next.cancel_requested), (JobState::Offered, true));
    assert!(asked.effects.contains(&Effect::Also(Change::Mailbox(host(), mailboxes::Event::Cancel(asked.next.id)))));
}

#[test]
fn nothing_is_offered_past_its_latest_start() {
    let expired = next(&queued(), &Event::Tick, 100);
    assert_eq!(expired.state, JobState::Expired);
    assert!(!expired.is_for(&[], 0, at(100)));
    assert!(!queued().is_for(&[], 0, at(100)), "nor before the tick has ended it");
    assert!(queued().is_for(&[], 0, at(99)));
    assert_eq!(next(&queued(), &Event::Tick, 99).state, JobState::Queued);
}

#[test]
fn an_acceptance_past_the_latest_start_is_answered_with_a_stop() {
    let accepted = |second| next(&offered(), &told(1, &[(1, EventKind::Accepted)]), second);
    assert!(!accepted(99).shall_stop(at(99)));
    assert!(accepted(100).shall_stop(at(100)));
    let running = next(&accepted(99), &told(1, &[(2, EventKind::Started)]), 99);
    assert!(!running.shall_stop(at(120)), "what has started in time goes on");
}

#[test]
fn an_event_that_comes_twice_in_one_request_or_behind_a_later_one_counts_once() {
    let events = [(1, output("ab")), (1, output("ab")), (3, output("c")), (2, output("x"))];
    let job = next(&offered(), &told(1, &events), 2);
    assert_eq!((job.log_bytes, job.told_through(process(1))), (3, 3));
}

#[test]
fn a_job_that_must_not_run_twice_is_granted_to_one_process_only() {
    let granted = next(&offered(), &told(1, &[(1, EventKind::Accepted), (2, EventKind::Starting)]), 2);
    assert!(!granted.shall_stop(at(2)));
    assert!(!granted.is_for(&[], 0, at(2)), "no other process is offered it");
    let again = next(&granted, &told(1, &[(3, EventKind::Starting)]), 3);
    assert!(!again.shall_stop(at(3)), "the same process may ask again");
    let other = next(&granted, &told(2, &[(1, EventKind::Starting)]), 3);
    assert_eq!(other.state, JobState::Interrupted);
    assert!(other.shall_stop(at(3)));
    let EventKind::Finished { result } = finished(Outcome::Cancelled, 0) else { unreachable!() };
    let turned_away = JobResult { started_at: None, ..result };
    let told_so = told(2, &[(2, EventKind::Finished { result: turned_away })]);
    assert_eq!(next(&other, &told_so, 4).state, JobState::Interrupted, "that it did not start it is no contradiction");
    assert!(other.transition(&told(1, &[(3, finished(Outcome::Succeeded, 0))]), at(5)).is_err(), "two lives are");
}

#[test]
fn who_never_had_a_job_cannot_undo_what_another_process_was_told_to_start() {
    let granted = next(&offered(), &told(1, &[(1, EventKind::Starting), (2, EventKind::Started)]), 2);
    for outcome in [Outcome::Cancelled, Outcome::Rejected] {
        let never_had = EventKind::Finished { result: JobResult::new(outcome, at(3)) };
        let ended = next(&granted, &told(2, &[(1, never_had.clone())]), 4);
        assert_eq!(ended.state, JobState::Interrupted, "a copy of the host may have run it");
        let again = next(&ended, &told(2, &[(1, never_had)]), 5);
        assert_eq!(again.state, JobState::Interrupted, "it says so again, and is heard");
    }
    let own_word = EventKind::Finished { result: JobResult::new(Outcome::Cancelled, at(3)) };
    assert_eq!(
        next(&granted, &told(1, &[(3, own_word)]), 4).state,
        JobState::Cancelled,
        "who was told to start it knows"
    );
}

fn running(second: i64) -> Job {
    next(&offered(), &told(1, &[(1, EventKind::Accepted), (2, EventKind::Started)]), second)
}

fn give_up(host_is_online: bool) -> Event {
    Event::GiveUp { by: "user:ada".into(), by_name: "ada".into(), host_is_online }
}

#[test]
fn a_deadline_counts_from_the_start_that_the_server_has_heard_of_and_before_from_the_latest_start() {
    // A latest start of 100 s, a limit of 50 s, and 300 s of grace.
    for (heard_at, deadline) in [(5, 355), (60, 410), (99, 449)] {
        let job = running(heard_at);
        assert_eq!(job.due_at(), Some(at(deadline)), "heard of its start at {heard_at} s");
        assert_eq!(next(&job, &Event::Tick, deadline - 1).state, JobState::Running);
        assert_eq!(next(&job, &Event::Tick, deadline).state, JobState::PresumedLost);
    }
    let silent = next(&offered(), &told(1, &[(1, EventKind::Accepted)]), 5);
    assert_eq!(silent.due_at(), Some(at(450)), "it may have started at the last moment");
    assert_eq!(next(&silent, &Event::Tick, 449).state, JobState::Accepted);
}

#[test]
fn a_job_of_a_lost_host_is_given_up_by_hand_and_a_late_word_still_corrects_it() {
    for open in [offered(), next(&offered(), &told(1, &[(1, EventKind::Accepted)]), 2), running(2)] {
        let refused = open.transition(&give_up(true), at(3)).unwrap_err();
        assert_eq!(refused.0.code, ProblemCode::WrongState);
        assert!(refused.sentence().contains("the host is online"), "it may still tell");
        let step = open.transition(&give_up(false), at(3)).unwrap();
        assert_eq!(step.next.state, JobState::PresumedLost);
        assert_eq!(step.next.waiting_on(at(4)).unwrap(), format!("a late report from {}, given up by ada", host()));
        let stops = Effect::Also(Change::Mailbox(host(), mailboxes::Event::Cancel(open.id)));
        assert!(step.effects.contains(&stops), "a host that comes back is told to stop it");
        assert!(!step.next.is_for(&[], 9, at(4)), "and does not get it again");
        let view = step.next.view(Role::Operator, at(4), 1, false);
        assert_eq!((view.given_up_by.as_deref(), view.given_up_at), (Some("ada"), Some(at(3))));
        assert!(step.next.transition(&give_up(false), at(4)).is_err(), "once");
        let late = next(&step.next, &told(1, &[(9, finished(Outcome::Succeeded, 0))]), 90);
        assert_eq!(late.state, JobState::Succeeded);
        assert_eq!(late.view(Role::Operator, at(91), 1, false).given_up_by, None);
    }
    assert!(queued().transition(&give_up(false), at(1)).is_err(), "it can be cancelled");
    let ended = next(&running(2), &told(1, &[(3, finished(Outcome::Failed, 1))]), 3);
    assert!(ended.transition(&give_up(false), at(4)).is_err());
}

#[test]
fn a_job_that_a_retired_host_had_is_not_said_to_be_overdue_before_it_is() {
    let lost = next(&running(2), &Event::HostRetired, 3);
    assert_eq!(lost.waiting_on(at(4)).unwrap(), format!("a late report from {}", host()));
    assert!(lost.waiting_on(at(1_000)).unwrap().contains("overdue since"));
}

#[test]
fn what_is_presumed_lost_is_asked_about_where_the_journal_has_seen_it() {
    let running = next(&offered(), &told(1, &[(1, EventKind::Accepted), (2, EventKind::Started)]), 2);
    let lost = next(&running, &Event::Tick, 10_000);
    assert_eq!(lost.state, JobState::PresumedLost);
    assert!(lost.is_for(&[], lost.sequence, at(10_000)), "a server restored from a backup has forgotten the result");
    assert!(!lost.is_for(&[], lost.sequence - 1, at(10_000)), "a host that never had it would say that it never ran");
    assert!(!lost.is_for(&[lost.id], lost.sequence, at(10_000)), "who has it will tell");
    assert!(!running.is_for(&[], running.sequence, at(10_000)), "nor before its time is over");
}

#[test]
fn a_job_that_may_run_again_is_granted_to_every_process() {
    let inspect = Job { asked: new_job(1, JobSpec::Inspect(InspectSpec {}), None).asked, ..offered() };
    let granted = next(&inspect, &told(1, &[(1, EventKind::Starting)]), 2);
    assert!(granted.is_for(&[], 0, at(2)));
    assert!(!next(&granted, &told(2, &[(1, EventKind::Starting)]), 3).shall_stop(at(3)));
}

#[test]
fn silence_is_only_a_presumption_and_a_late_report_corrects_it_once() {
    let lost = next(&offered(), &Event::Tick, 100 + 50 + 300);
    assert_eq!(lost.state, JobState::PresumedLost);
    let ended = next(&lost, &told(1, &[(1, finished(Outcome::Failed, 1))]), 1_000);
    assert_eq!(ended.state, JobState::Failed);
    assert!(ended.transition(&told(2, &[(1, finished(Outcome::Succeeded, 0))]), at(1_001)).is_err());
}

#[test]
fn output_told_at_once_is_one_piece_of_log_and_there_is_an_end_to_pieces() {
    let crumbs = (1..=80).map(|sequence| (sequence, output("x"))).collect::<Vec<_>>();
    let wordy = Job { asked: JobOrder { spec: JobSpec::Inspect(InspectSpec {}), ..offered().asked }, ..offered() };
    let step = wordy.transition(&told(1, &crumbs), at(2)).unwrap();
    let pieces = step.effects.iter().filter(|effect| matches!(effect, Effect::Log { .. })).count();
    assert_eq!((pieces, step.next.log_pieces, step.next.log_bytes), (1, 1, 80));
    let large = output(&"y".repeat(40_000));
    let step =
        step.next.transition(&told(2, &[(1, large.clone()), (2, large.clone()), (3, output("z"))]), at(3)).unwrap();
    assert_eq!((step.next.log_pieces, step.next.log_bytes), (3, 80_081), "no piece is larger than one event may be");
    let full = Job { log_pieces: MAX_LOG_PIECES, ..step.next };
    assert_eq!(next(&full, &told(3, &[(1, output("x"))]), 4).log_bytes, full.log_bytes);
}

#[test]
fn another_result_is_told_to_operators_once() {
    let ended = next(&offered(), &told(1, &[(1, finished(Outcome::Failed, 1))]), 2);
    let notes = |step: &[Effect]| step.iter().filter(|effect| matches!(effect, Effect::Audit(_))).count();
    let disputed = ended.transition(&Event::Disputed, at(3)).unwrap();
    let again = disputed.next.transition(&Event::Disputed, at(4)).unwrap();
    assert_eq!((notes(&disputed.effects), notes(&again.effects)), (1, 0));
    assert_eq!((again.next.state, &again.next.result), (JobState::Failed, &ended.result));
}

#[test]
fn another_hosts_job_is_none_at_all() {
    let Event::Told { process_id, events, .. } = told(1, &[(1, EventKind::Accepted)]) else { unreachable!() };
    let event = Event::Told { host_id: HostId::new(at(0), 2), process_id, events };
    assert_eq!(offered().transition(&event, at(2)).unwrap_err().0.code, ProblemCode::NotFound);
}

#[test]
fn a_newer_job_for_a_resource_supersedes_one_that_was_not_offered_yet() {
    let job = new_job(1, JobSpec::Inspect(InspectSpec {}), Some("application:web"));
    let (id, event) = (job.id, mailboxes::Event::Enqueue(Box::new(job)));
    let mailbox = Mailbox::new(host(), "its key").transition(&event, at(0)).unwrap().next;
    let newer = new_job(2, JobSpec::Inspect(InspectSpec {}), Some("application:web"));
    let by = newer.id;
    let step = mailbox.transition(&mailboxes::Event::Enqueue(Box::new(newer)), at(1)).unwrap();
    assert!(step.effects.contains(&Effect::Later(Change::Job(id, Event::Supersede { by }))));
    assert_eq!(next(&queued(), &Event::Supersede { by }, 1).state, JobState::Superseded);
    assert_eq!(next(&offered(), &Event::Supersede { by }, 1).state, JobState::Offered);
}

fn started(mailbox: &Mailbox, number: u128, highest_sequence: u64) -> Mailbox {
    starts(mailbox, number, highest_sequence).next
}

fn starts(mailbox: &Mailbox, number: u128, highest_sequence: u64) -> Step<Mailbox> {
    let agent = AgentReport {
        version: "1.0.0".into(),
        executable_sha256: String::new(),
        process_id: process(number),
        boot_id: String::new(),
        committed: true,
        last_update: None,
    };
    let reports = vec![Report::Agent(agent.clone()), Report::Facts(Facts::default())];
    let news = HostNews { reports, highest_sequence, ..HostNews::default() };
    let event = mailboxes::Event::Started { agent, news };
    mailbox.transition(&event, at(1)).unwrap()
}

#[test]
fn only_the_newest_session_is_served() {
    let one = started(&Mailbox::new(host(), "its key"), 1, 0);
    let two = started(&one, 2, 0);
    assert_eq!(two.serves(1).unwrap_err().0.code, ProblemCode::SessionSuperseded);
    assert!(two.serves(2).is_ok());
}

#[test]
fn a_process_that_comes_back_after_another_took_over_proves_two_live_copies() {
    let two = started(&started(&Mailbox::new(host(), "its key"), 1, 0), 2, 0);
    let three = started(&two, 1, 0);
    assert_eq!((three.state, three.session), (HostState::Quarantined, 2));
    assert_eq!(three.serves(2).unwrap_err().0.code, ProblemCode::HostQuarantined);
    assert_eq!(started(&two, 2, 0).state, HostState::Active, "the same process may ask twice");
}

#[test]
fn a_server_restored_from_an_old_backup_gives_out_no_sequence_twice() {
    let mailbox = started(&Mailbox::new(host(), "its key"), 1, 41);
    let event = mailboxes::Event::Enqueue(Box::new(new_job(1, run(10), None)));
    assert_eq!(mailbox.transition(&event, at(2)).unwrap().next.sequence, 42);
}

#[test]
fn after_a_restore_every_open_job_counts_as_offered() {
    let job = new_job(1, run(10), None);
    let offered = Effect::Later(Change::Job(job.id, Event::Offer { session: 0 }));
    let event = mailboxes::Event::Enqueue(Box::new(job));
    let mailbox = Mailbox::new(host(), "its key").transition(&event, at(0)).unwrap().next;
    assert!(!starts(&mailbox, 1, 1).effects.contains(&offered));
    assert!(starts(&mailbox, 1, 2).effects.contains(&offered));
}

#[test]
fn a_retired_host_is_told_so_for_good() {
    let retire = mailboxes::Event::Retire { reason: "sold".into(), force: false };
    let retired = Mailbox::new(host(), "its key").transition(&retire, at(1)).unwrap().next;
    assert_eq!(retired.serves(0).unwrap_err().0.code, ProblemCode::HostRetired);
    assert!(retired.transition(&mailboxes::Event::Readmit("no".into()), at(2)).is_err());
}

#[test]
fn a_host_that_left_is_gone_until_it_is_heard_from_and_a_later_word_or_session_is_newer() {
    let there = starts(&Mailbox::new(host(), "its key"), 1, 0).next;
    let left = |session, second| mailboxes::Event::Left { session, seen_at: at(second), said_goodbye: false };
    let heard_at = there.last_seen_at.unwrap().as_second();
    let gone = there.transition(&left(there.session, heard_at + 5), at(heard_at + 9)).unwrap().next;
    assert_eq!((gone.last_seen_at, gone.left_at), (Some(at(heard_at + 5)), Some(at(heard_at + 9))));
    for newer in [left(there.session + 1, heard_at + 5), left(there.session, heard_at - 1)] {
        assert_eq!(there.transition(&newer, at(heard_at + 9)).unwrap().next, there);
    }
    let seen = mailboxes::Event::Seen { session: gone.session, news: HostNews::default() };
    assert_eq!(gone.transition(&seen, at(heard_at + 20)).unwrap().next.left_at, None);
    assert_eq!(starts(&gone, 2, 0).next.left_at, None);
}

#[test]
fn a_host_that_is_retired_in_an_update_says_so_to_its_fleet_update() {
    let place = Place { fleet_update_id: FleetUpdateId::new(at(0), 7), position: 7 };
    let updating = Mailbox { fleet_update: Some(place), ..Mailbox::new(host(), "its key") };
    let retire = mailboxes::Event::Retire { reason: "sold".into(), force: true };
    let step = updating.transition(&retire, at(1)).unwrap();
    let told = Effect::Later(place.change(muster_domain::fleet_updates::hosts::Event::HostRetired));
    assert!(step.effects.contains(&told));
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(EventKind::Accepted),
        Just(EventKind::Starting),
        Just(EventKind::Started),
        Just(output("text")),
        Just(finished(Outcome::Succeeded, 0)),
        Just(finished(Outcome::Failed, 1)),
        Just(finished(Outcome::Interrupted, 2)),
        Just(finished(Outcome::Rejected, 3)),
        Just(finished(Outcome::Cancelled, 4)),
    ];
    prop_oneof![
        (1_u64..4).prop_map(|session| Event::Offer { session }),
        (1_u128..3, 1_u64..6, kind).prop_map(|(process, sequence, kind)| told(process, &[(sequence, kind)])),
        Just(Event::Disputed),
        Just(Event::Cancel),
        any::<bool>().prop_map(give_up),
        Just(Event::Recall),
        Just(Event::Supersede { by: JobId::new(at(0), 9) }),
        Just(Event::HostRetired),
        Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_changes_a_final_state_or_leaves_an_open_one_without_words(
        events in proptest::collection::vec((event(), 1_i64..120), 1..40),
    ) {
        let (mut job, mut now, mut forgotten) = (queued(), 0, 0);
        for (event, passes) in events {
            now += passes;
            let Ok(step) = job.transition(&event, at(now)) else { continue };
            if job.state.is_final() {
                prop_assert_eq!(step.next.state, job.state, "FinalStable");
                prop_assert_eq!(&step.next.result, &job.result, "NoDivergence");
            }
            let never_told = step.next.offered_at.is_none() && step.next.result.is_none();
            if matches!(step.next.state, JobState::Superseded | JobState::Expired) {
                prop_assert!(never_told, "Truthful: what was offered is not said to have had no effect");
            }
            let forgets = |effect: &Effect| matches!(effect, Effect::Also(Change::Mailbox(_, mailboxes::Event::Remove(_))));
            forgotten += step.effects.iter().filter(|effect| forgets(effect)).count();
            job = step.next;
            prop_assert_eq!(job.waiting_on(at(now)).is_none(), job.state.is_final());
            prop_assert_eq!(forgotten, usize::from(job.state.is_final()), "the mailbox forgets it exactly once");
            prop_assert!(job.state.is_final() || job.state == JobState::PresumedLost || job.due_at().is_some(), "Bounded");
        }
    }
}

#[test]
fn the_proof_of_an_update_reaches_its_fleet_update_although_the_job_has_ended_before() {
    let fleet_update = FleetUpdateId::new(at(0), 7);
    let mut job = new_job(1, JobSpec::Inspect(InspectSpec {}), Some(AGENT));
    job.asked.origin = Origin::FleetUpdate(Place { fleet_update_id: fleet_update, position: 7 });
    let id = job.id;
    let offered = started(&Mailbox::new(host(), "its key"), 1, 0)
        .transition(&mailboxes::Event::Enqueue(Box::new(job)), at(0))
        .unwrap()
        .next;
    let ended = offered.transition(&mailboxes::Event::Remove(id), at(1)).unwrap().next;
    let is_told = |step: &Step<Mailbox>| {
        step.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Also(Change::FleetUpdateHost(id, 7, _)) if *id == fleet_update))
    };
    let proof = starts(&ended, 2, 0);
    assert!(is_told(&proof));
    assert!(!is_told(&starts(&proof.next, 3, 0)), "once it has settled nobody is told any more");
}
