//! Real programs.
#![cfg(unix)]

use std::{
    fs::File,
    sync::{Arc, Mutex},
};

use muster_schemas::ids::JobId;
use proptest::prelude::*;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A job that a test watches.
struct Watched {
    task: Task,
    text: Arc<Mutex<String>>,
    said: Arc<Notify>,
}

fn watched(time_limit: Duration) -> Watched {
    let (text, said) = (Arc::new(Mutex::new(String::new())), Arc::new(Notify::new()));
    let (into, tell) = (text.clone(), said.clone());
    let output = Arc::new(move |more: &str| {
        into.lock().unwrap().push_str(more);
        tell.notify_one();
    });
    let id = JobId::new(jiff::Timestamp::UNIX_EPOCH, 1);
    Watched { task: Task { id, time_limit, stop: CancellationToken::new(), output }, text, said }
}

fn shell(script: &str) -> RunSpec {
    RunSpec {
        argv: ["/bin/sh", "-c", script].map(Into::into).into(),
        environment: [].into(),
        working_directory: None,
        output_limit_bytes: None,
    }
}

async fn play(spec: &RunSpec) -> (JobResult, String) {
    let watched = watched(LONG);
    let result = timeout(LONG, run(&Groups::default(), spec, &watched.task)).await.unwrap();
    let text = watched.text.lock().unwrap().clone();
    (result, text)
}

fn code(result: &JobResult) -> &str {
    result.error.as_ref().map_or("", |error| &error.code)
}

/// Waits until nobody holds the lock any more that the script took: the kernel lets go of it when the last holder is dead.
async fn lock_is_free(path: &std::path::Path) {
    let file = File::open(path).unwrap();
    let (send, locked) = tokio::sync::oneshot::channel();
    // A thread of its own: the runtime would wait for one of its own even after the timeout.
    std::thread::spawn(move || send.send(file.lock()));
    timeout(LONG, locked).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_program_gets_its_arguments_as_they_are_and_no_environment_but_its_own() {
    let mut spec = shell("printf '%s|' \"$@\" \"$HOME\" \"$GREETING\" \"$(pwd)\"; test -n \"$PATH\"");
    spec.argv.extend(["name", "; rm -rf /", "$(id)", "-x"].map(Into::into));
    spec.environment.insert("GREETING".into(), "hello".into());
    spec.working_directory = Some("/usr".into());
    let (result, text) = play(&spec).await;
    assert_eq!((result.outcome, text.as_str()), (Outcome::Succeeded, "; rm -rf /|$(id)|-x||hello|/usr|"));
}

#[tokio::test]
async fn how_a_program_ended_is_told() {
    let (result, _) = play(&shell("exit 3")).await;
    assert_eq!((result.outcome, result.exit_code, code(&result)), (Outcome::Failed, Some(3), "exit_code"));
    let (result, _) = play(&shell("kill -9 $$")).await;
    assert_eq!((result.outcome, result.exit_code, code(&result)), (Outcome::Failed, None, "signal"));
    let missing = RunSpec { argv: vec!["/no/such/program".into()], ..shell("") };
    assert_eq!(code(&play(&missing).await.0), "spawn");
}

#[tokio::test]
async fn a_time_limit_ends_the_program_and_everything_it_started() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let script = format!("exec 3<{}; flock 3; (trap '' TERM; sleep 1000) & sleep 1000", lock.path().display());
    let watched = watched(Duration::from_millis(300));
    let result = timeout(LONG, run(&Groups::default(), &shell(&script), &watched.task)).await.unwrap();
    assert_eq!((result.outcome, code(&result)), (Outcome::Failed, "time_limit"));
    lock_is_free(lock.path()).await;
}

#[tokio::test]
async fn a_cancelled_program_may_clean_up_and_is_killed_if_it_does_not_end() {
    for (script, cleans_up) in [
        ("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.05; done", true),
        ("trap '' TERM; echo up; while :; do sleep 0.05; done", false),
    ] {
        let watched = watched(LONG);
        let (spec, groups) = (shell(script), Groups::default());
        let running = run(&groups, &spec, &watched.task);
        let cancel = async {
            watched.said.notified().await;
            watched.task.stop.cancel();
        };
        let (result, ()) = timeout(LONG, async { tokio::join!(running, cancel) }).await.unwrap();
        let text = watched.text.lock().unwrap();
        // A shell may also say, before or after, that what it waited for was terminated.
        assert_eq!((result.outcome, text.contains("bye\n")), (Outcome::Cancelled, cleans_up), "{text}");
    }
}

#[tokio::test]
async fn what_a_program_leaves_behind_with_its_output_open_does_not_hold_the_job() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let script = format!("exec 3<{}; flock 3; sleep 1000 & echo done", lock.path().display());
    let (result, text) = play(&shell(&script)).await;
    assert_eq!((result.outcome, text.as_str()), (Outcome::Succeeded, "done\n"));
    lock_is_free(lock.path()).await;
}

#[tokio::test]
async fn output_over_the_limit_is_counted_and_dropped() {
    let spec = RunSpec { output_limit_bytes: Some(1000), ..shell("head -c 50000000 /dev/zero | tr '\\0' x") };
    let (result, text) = play(&spec).await;
    assert_eq!((result.output_bytes, result.output_truncated, text.len()), (50_000_000, true, 1000));
    let spec = RunSpec { output_limit_bytes: Some(3), ..shell("printf abc") };
    let (result, text) = play(&spec).await;
    assert_eq!((result.output_bytes, result.output_truncated, text.as_str()), (3, false, "abc"));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_and_both_streams_are_told() {
    let (result, text) = play(&shell("printf 'a\\377b'; printf err >&2")).await;
    assert_eq!(result.outcome, Outcome::Succeeded);
    assert!(text.contains("a\u{fffd}b") && text.contains("err"), "{text}");
}

#[test]
fn a_spec_that_breaks_a_rule_is_refused() {
    let with_argv = |argv: &[&str]| RunSpec { argv: argv.iter().map(|text| (*text).into()).collect(), ..shell("") };
    let with_name = |name: &str| RunSpec { environment: [(name.into(), "x".into())].into(), ..shell("") };
    assert!(check(&shell("true")).is_ok());
    for spec in [
        with_argv(&[]),
        with_argv(&["sh"]),
        with_argv(&["/bin/../bin/sh"]),
        with_argv(&["/bin/sh\0"]),
        with_argv(&["/bin/sh", "a\0b"]),
        with_argv(&["/bin/sh"; 257]),
        with_name("PATH"),
        with_name(""),
        with_name("A=B"),
        RunSpec { working_directory: Some("tmp".into()), ..shell("") },
        RunSpec { output_limit_bytes: Some(MAX_OUTPUT_BYTES + 1), ..shell("") },
    ] {
        assert!(check(&spec).is_err(), "{spec:?}");
    }
}

proptest! {
    #[test]
    fn text_cut_anywhere_is_put_together_again(text in "\\PC{0,40}", cuts in prop::collection::vec(0..160_usize, 0..6)) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let mut decoder = Decoder::default();
        let mut decoded: String = cuts.windows(2).map(|part| decoder.decode(&bytes[part[0]..part[1]])).collect();
        decoded += &decoder.end();
        prop_assert_eq!(decoded, text);
    }
}

#[tokio::test]
async fn what_a_program_leaves_in_the_background_ends_with_the_job() {
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("alive");
    std::fs::write(&lock, "").unwrap();
    let script = format!("(exec 3<{0} >/dev/null 2>&1; flock 3; touch {0}.up; exec sleep 1000) & ", lock.display())
        + &format!("while [ ! -e {}.up ]; do :; done", lock.display());
    let (result, _) = play(&shell(&script)).await;
    assert_eq!(result.outcome, Outcome::Succeeded);
    lock_is_free(&lock).await;
}

#[tokio::test]
async fn a_program_that_shall_stop_before_its_start_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let watched = watched(LONG);
    watched.task.stop.cancel();
    let result = run(&Groups::default(), &shell(&format!("touch {}; sleep 1", mark.display())), &watched.task).await;
    assert_eq!((result.outcome, mark.exists()), (Outcome::Cancelled, false));
}
