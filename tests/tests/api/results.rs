//! What hosts tell about jobs: said twice is said once, and nobody speaks for another.

use muster_schemas::{
    commands::{EventKind, EventsResponse},
    jobs::{JobResult, JobState, Outcome},
    problems::ProblemCode,
};
use muster_tests::world::{World, accepted, finished, output, result, run_job, started};
use serde_json::json;

#[tokio::test]
async fn a_result_from_another_hosts_credential_finds_no_job() {
    let world = World::new().await;
    let (host, mut other) = (world.host("one").await, world.host("other").await);
    let job = world.job(host.id(), &run_job()).await;
    let done = result(Outcome::Succeeded, world.now());
    other.tells(job.id, vec![finished(done)]).await.refused(ProblemCode::NotFound);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Queued);
    world.is_consistent().await;
}

#[tokio::test]
async fn an_outcome_that_is_no_word_of_the_contract_is_refused() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    let event = json!({ "sequence": 1, "at": world.now(), "type": "finished",
        "result": { "outcome": "banana", "finished_at": world.now() } });
    let body = json!({ "session": host.session, "process_id": host.agent.process_id, "events": [event] });
    let path = format!("/api/v1/agent/jobs/{}/events", job.id);
    let problem = host.caller().await.post(&path, &body).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("events[0]"));
    assert_eq!(world.sees_job(job.id).await.state, JobState::Offered);
}

#[tokio::test]
async fn the_same_result_twice_is_stored_once_and_another_is_refused_with_an_alert() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.runs(job.id).await.is(200);
    let stored = world.sees_job(job.id).await;
    let known = stored.result.clone().unwrap();
    // A new process knows nothing of the numbers of the old one, and tells again what its journal says.
    host.restarts().await.is(200);
    host.tells(job.id, vec![finished(known.clone())]).await.is(200);
    assert_eq!(world.sees_job(job.id).await.revision, stored.revision + 1, "only the numbering of events may move on");
    assert!(world.alerts().await.is_empty());
    let other = JobResult { outcome: Outcome::Failed, ..known.clone() };
    host.tells(job.id, vec![finished(other)]).await.refused(ProblemCode::ResultConflict);
    assert_eq!(world.alerts().await[0].action, "job.result_conflict");
    assert_eq!(world.sees_job(job.id).await.result, Some(known));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_job_offered_into_a_lost_answer_is_offered_again_to_the_same_and_to_the_next_session() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    for _ in 0..3 {
        // The answer is lost: the journal stays empty.
        assert_eq!(host.check_in().await.jobs[0].id, job.id);
    }
    host.restarts().await.is(200);
    assert_eq!(host.check_in().await.jobs[0].id, job.id);
    let sequences = host.received.iter().map(|command| command.sequence).collect::<Vec<_>>();
    assert_eq!(sequences, [1, 1, 1, 1]);
    host.accepts(job.id).await.is(200);
    assert_eq!(host.check_in().await.jobs, []);
    world.is_consistent().await;
}

#[tokio::test]
async fn an_accepted_job_that_the_next_process_does_not_know_is_offered_again() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    host.journal.clear();
    host.restarts().await.is(200);
    assert_eq!(host.check_in().await.jobs[0].id, job.id);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Accepted);
}

#[tokio::test]
async fn events_that_come_twice_change_nothing_and_output_is_stored_once() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    let told = vec![accepted(), started(), output("hello "), output("world\n")];
    let first: EventsResponse = host.tells(job.id, told.clone()).await.json();
    let seen = world.sees_job(job.id).await;
    let again: EventsResponse = host.tells_from(job.id, 1, told.clone()).await.json();
    assert_eq!((first.accepted_through, again.accepted_through), (4, 4));
    assert_eq!(world.sees_job(job.id).await.revision, seen.revision);
    // Half of it is new.
    host.tells_from(job.id, 3, vec![output("hello "), output("world\n"), output("!")]).await.is(200);
    let log = world.viewer().await.get(&format!("/api/v1/jobs/{}/log", job.id)).await.is(200);
    assert_eq!(log.text(), "hello world\n!");
    assert_eq!(log.header("muster-log-next"), "13");
    world.is_consistent().await;
}

#[tokio::test]
async fn acceptance_and_start_that_come_late_do_not_move_a_job_backward() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.runs(job.id).await.is(200);
    host.tells(job.id, vec![accepted(), started(), output("late")]).await.is(200);
    let seen = world.sees_job(job.id).await;
    assert_eq!((seen.state, seen.log_bytes), (JobState::Succeeded, 0));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_result_of_a_process_that_has_ended_is_told_by_the_next_one() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.tells(job.id, vec![accepted(), started(), output("before")]).await.is(200);
    host.journal.insert(job.id);
    host.restarts().await.is(200);
    let done = result(Outcome::Succeeded, world.now());
    host.tells(job.id, vec![output(" after"), finished(done)]).await.is(200);
    let seen = world.sees_job(job.id).await;
    assert_eq!((seen.state, seen.log_bytes), (JobState::Succeeded, 12));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_late_result_corrects_a_presumed_loss_once() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    world.moves(3_600 + 600 + 300);
    world.tick().await;
    let lost = world.sees_job(job.id).await;
    assert_eq!(lost.state, JobState::PresumedLost);
    assert!(lost.waiting_on.is_some());
    assert_eq!(world.alerts().await[0].action, "job.presumed_lost");
    let done = result(Outcome::Succeeded, world.now());
    host.finishes(job.id, done.clone()).await.is(200);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Succeeded);
    let other = JobResult { exit_code: Some(1), ..done };
    host.tells(job.id, vec![finished(other)]).await.refused(ProblemCode::ResultConflict);
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::Succeeded);
    world.is_consistent().await;
}

#[tokio::test]
async fn events_of_an_older_session_are_refused() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.restarts().await.is(200);
    host.session -= 1;
    host.tells(job.id, vec![accepted()]).await.refused(ProblemCode::SessionSuperseded);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Offered);
}

#[tokio::test]
async fn output_over_the_limit_of_the_job_is_dropped() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/yes"], "output_limit_bytes": 10 } });
    let job = world.job(host.id(), &spec).await;
    host.check_in().await;
    host.tells(job.id, vec![accepted(), started(), output("ÄÄÄÄÄÄÄÄ"), output("more")]).await.is(200);
    assert_eq!(world.sees_job(job.id).await.log_bytes, 10);
    host.tells(job.id, vec![output(&"x".repeat(64 * 1024 + 1))]).await.refused(ProblemCode::Invalid);
    world.is_consistent().await;
}

#[tokio::test]
async fn each_line_of_a_log_can_come_with_the_time_at_which_it_was_printed() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await.id;
    host.check_in().await;
    let second = || jiff::Timestamp::from_second(world.now().as_second()).unwrap();
    let first = second();
    host.tells(job, vec![accepted(), started(), output("one\ntw")]).await.is(200);
    world.moves(65);
    let later = second();
    host.tells(job, vec![output("o\n\nthr"), output("ee")]).await.is(200);
    let viewer = world.viewer().await;
    let lines = [format!("{first} one\n"), format!("{first} two\n"), format!("{later} \n"), format!("{later} three")];
    for (after, wanted) in [
        (0, lines.concat()),
        (4, lines[1..].concat()),
        (5, format!("wo\n{}", lines[2..].concat())),
        (8, lines[2..].concat()),
        (10, "hree".into()),
        (14, String::new()),
    ] {
        let answer = viewer.get(&format!("/api/v1/jobs/{job}/log?timestamps=true&after={after}")).await.is(200);
        assert_eq!((answer.text(), answer.header("muster-log-next")), (wanted, "14"), "after {after}");
    }
    assert_eq!(viewer.get(&format!("/api/v1/jobs/{job}/log")).await.is(200).text(), "one\ntwo\n\nthree");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_log_of_empty_lines_with_times_comes_in_answers_of_a_bounded_size() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await.id;
    host.check_in().await;
    let mut events = vec![accepted(), started()];
    events.extend(vec![output(&"\n".repeat(60_000)); 4]);
    host.tells(job, events).await.is(200);
    let viewer = world.viewer().await;
    let (mut lines, mut next) = (0, 0);
    while next < 240_000 {
        let answer = viewer.get(&format!("/api/v1/jobs/{job}/log?timestamps=true&after={next}")).await.is(200);
        assert!(answer.text().len() <= 512 * 1024, "{}", answer.text().len());
        lines += answer.text().lines().count();
        next = answer.header("muster-log-next").parse().unwrap();
    }
    assert_eq!((lines, next), (240_000, 240_000));
}

#[tokio::test]
async fn a_log_has_the_beginning_and_the_end_of_a_long_output_and_says_what_is_missing() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/yes"], "output_limit_bytes": 10 } });
    let job = world.job(host.id(), &spec).await.id;
    host.check_in().await;
    let done = JobResult { output_bytes: 100, output_truncated: true, ..result(Outcome::Succeeded, world.now()) };
    host.tells(job, vec![accepted(), started(), output("ab")]).await.is(200);
    host.tells(job, vec![EventKind::cut(90), output("cdefghij"), output("more"), finished(done)]).await.is(200);
    let log = world.viewer().await.get(&format!("/api/v1/jobs/{job}/log")).await.is(200);
    let text = log.text();
    let lines = text.lines().collect::<Vec<_>>();
    assert!(
        matches!(lines[..], ["ab", cut, "cdefghij", over] if cut.starts_with("[90 bytes") && over.starts_with("[4 bytes")),
        "{text}"
    );
    assert_eq!((world.sees_job(job).await.output_cut_bytes, log.header("muster-log-complete")), (94, "true"));
    world.is_consistent().await;
}
