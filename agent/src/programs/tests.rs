//! Real programs.
#![cfg(unix)]

use std::{fs::File, sync::Arc};

use proptest::prelude::*;
use tokio::sync::Notify;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// What a program has said so far, for a test that waits for it.
#[derive(Clone, Default)]
struct Heard {
    text: Arc<Mutex<String>>,
    more: Arc<Notify>,
}

impl Heard {
    fn hear(&self, text: &str) {
        self.text.lock().unwrap().push_str(text);
        self.more.notify_one();
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

fn shell(script: &str) -> Program {
    Program {
        job: JobId::new(jiff::Timestamp::UNIX_EPOCH, 1),
        path: "/bin/sh".into(),
        arguments: ["-c", script].map(Into::into).into(),
        environment: [].into(),
        directory: Some("/".into()),
        account: None,
        time_limit: LONG,
        stop_grace: Duration::from_secs(1),
        output_limit_bytes: 1024 * 1024,
    }
}

async fn play(program: &Program) -> (Ran, String) {
    let heard = Heard::default();
    let (groups, stop) = (Groups::default(), CancellationToken::new());
    let output = |text: &str| heard.hear(text);
    let ran = timeout(LONG, groups.run(program, &stop, &output)).await.unwrap();
    (ran, heard.text())
}

fn succeeded(ran: &Ran) -> bool {
    matches!(ran.end, End::Itself) && ran.exit_code == Some(0)
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
async fn a_program_gets_its_arguments_as_they_are_and_no_variable_of_the_agent_but_path() {
    let mut program = shell("printf '%s|' \"$@\" \"$CARGO_PKG_NAME\" \"$GREETING\" \"$(pwd)\"; test -n \"$PATH\"");
    program.arguments.extend(["name", "; rm -rf /", "$(id)", "-x"].map(Into::into));
    program.environment.insert("GREETING".into(), "hello".into());
    program.directory = Some("/usr".into());
    let (ran, text) = play(&program).await;
    assert_eq!((succeeded(&ran), text.as_str()), (true, "; rm -rf /|$(id)|-x||hello|/usr|"));
}

#[tokio::test]
async fn how_a_program_ended_is_told() {
    let (ran, _) = play(&shell("exit 3")).await;
    assert!(matches!((&ran.end, ran.exit_code, ran.signal), (End::Itself, Some(3), None)), "{ran:?}");
    let (ran, _) = play(&shell("kill -9 $$")).await;
    assert!(matches!((&ran.end, ran.exit_code, ran.signal), (End::Itself, None, Some(9))), "{ran:?}");
    let (ran, _) = play(&Program { path: "/no/such/program".into(), ..shell("") }).await;
    assert!(matches!((&ran.end, ran.exit_code), (End::NotStarted(_), None)), "{ran:?}");
}

#[tokio::test]
async fn a_time_limit_ends_the_program_and_everything_it_started() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let script = format!("exec 3<{}; flock 3; (trap '' TERM; sleep 1000) & sleep 1000", lock.path().display());
    let (ran, _) = play(&Program { time_limit: Duration::from_millis(300), ..shell(&script) }).await;
    assert!(matches!(ran.end, End::TimeLimit), "{ran:?}");
    lock_is_free(lock.path()).await;
}

#[tokio::test]
async fn a_stopped_program_may_clean_up_and_is_killed_if_it_does_not_end() {
    for (script, cleans_up) in [
        ("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.05; done", true),
        ("trap '' TERM; echo up; while :; do sleep 0.05; done", false),
    ] {
        let (heard, stop) = (Heard::default(), CancellationToken::new());
        let (program, groups) = (shell(script), Groups::default());
        let output = |text: &str| heard.hear(text);
        let running = groups.run(&program, &stop, &output);
        let cancel = async {
            heard.more.notified().await;
            stop.cancel();
        };
        let (ran, ()) = timeout(LONG, async { tokio::join!(running, cancel) }).await.unwrap();
        let text = heard.text();
        // A shell may also say, before or after, that what it waited for was terminated.
        assert_eq!((matches!(ran.end, End::Stopped), text.contains("bye\n")), (true, cleans_up), "{text}");
    }
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_any_more_ends_with_everything_it_started() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let script = format!("exec 3<{}; flock 3; (trap '' TERM; sleep 1000) & echo up; sleep 1000", lock.path().display());
    let (heard, stop) = (Heard::default(), CancellationToken::new());
    let (program, groups) = (shell(&script), Groups::default());
    let output = |text: &str| heard.hear(text);
    tokio::select! {
        ran = groups.run(&program, &stop, &output) => panic!("{ran:?}"),
        () = heard.more.notified() => {}
    }
    lock_is_free(lock.path()).await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_with_its_output_open_does_not_hold_the_job() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let script = format!("exec 3<{}; flock 3; sleep 1000 & echo done", lock.path().display());
    let (ran, text) = play(&shell(&script)).await;
    assert_eq!((succeeded(&ran), text.as_str()), (true, "done\n"));
    lock_is_free(lock.path()).await;
}

#[tokio::test]
async fn output_over_the_limit_is_counted_and_dropped() {
    let program = Program { output_limit_bytes: 1000, ..shell("head -c 50000000 /dev/zero | tr '\\0' x") };
    let (ran, text) = play(&program).await;
    assert_eq!((ran.output_bytes, ran.output_truncated, text.len()), (50_000_000, true, 1000));
    let (ran, text) = play(&Program { output_limit_bytes: 3, ..shell("printf abc") }).await;
    assert_eq!((ran.output_bytes, ran.output_truncated, text.as_str()), (3, false, "abc"));
}

#[tokio::test]
async fn what_a_program_has_for_its_account_can_be_used_and_set() {
    let script =
        "printf '%s|' \"$LANG\" \"$USER\"; test -d \"$HOME\" && test -n \"$SHELL\" && test \"$LOGNAME\" = root";
    let mut program = shell(script);
    program
        .environment
        .extend([("USER", "deploy"), ("LOGNAME", "root")].map(|(name, value)| (name.into(), value.into())));
    let (ran, text) = play(&program).await;
    assert_eq!((succeeded(&ran), text.as_str()), (true, "C.UTF-8|deploy|"));
}

#[tokio::test]
async fn what_is_printed_to_stdout_and_stderr_is_read_in_the_order_in_which_it_was_printed() {
    let script = "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let (ran, text) = play(&shell(script)).await;
    let expected =
        (0..300).flat_map(|number| [format!("out {number}\n"), format!("err {number}\n")]).collect::<String>();
    assert_eq!((succeeded(&ran), text), (true, expected));
}

#[tokio::test]
async fn what_is_missing_at_a_start_is_named_and_nothing_else() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(script.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let script = script.into_temp_path();
    let at =
        |directory: &str, path: &str| Program { path: path.into(), directory: Some(directory.into()), ..shell("") };
    for (program, told) in [
        (at("/no/where", "/bin/true"), "cannot enter the working directory /no/where: ".to_owned()),
        (at("/etc/passwd", "/bin/true"), "cannot enter the working directory /etc/passwd: ".to_owned()),
        (at("/", "/no/such/program"), "cannot start /no/such/program: ".to_owned()),
        (
            at("/", script.to_str().unwrap()),
            format!("cannot start {}: it is there, and the interpreter", script.display()),
        ),
    ] {
        let (ran, _) = play(&program).await;
        let End::NotStarted(why) = ran.end else { panic!("{ran:?}") };
        assert!(why.starts_with(&told), "{why}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_and_both_streams_are_told() {
    let (ran, text) = play(&shell("printf 'a\\377b'; printf err >&2")).await;
    assert!(succeeded(&ran));
    assert!(text.contains("a\u{fffd}b") && text.contains("err"), "{text}");
}

#[tokio::test]
async fn what_a_program_prints_can_be_read_as_a_whole() {
    let stop = CancellationToken::new();
    let (ran, printed) = read(&Groups::default(), &shell("printf out; printf err >&2; exit 2"), &stop).await;
    assert_eq!((ran.exit_code, printed.as_str()), (Some(2), "outerr"));
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
async fn what_a_program_leaves_in_the_background_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("alive");
    std::fs::write(&lock, "").unwrap();
    let script = format!("(exec 3<{0} >/dev/null 2>&1; flock 3; touch {0}.up; exec sleep 1000) & ", lock.display())
        + &format!("while [ ! -e {}.up ]; do :; done", lock.display());
    let (ran, _) = play(&shell(&script)).await;
    assert!(succeeded(&ran));
    lock_is_free(&lock).await;
}

#[tokio::test]
async fn a_program_that_is_stopped_before_its_start_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let (groups, stop) = (Groups::default(), CancellationToken::new());
    stop.cancel();
    let ran = groups.run(&shell(&format!("touch {}; sleep 1", mark.display())), &stop, &|_| {}).await;
    assert_eq!((matches!(ran.end, End::Stopped), mark.exists()), (true, false));
}
