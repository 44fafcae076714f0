//! What is wrong with a start is said in one line that names it, at once, and without a secret.
//!
//! The real program, with nothing in its environment but what a case gives it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use muster_tests::world::Service;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::timeout,
};

/// Far more than a start that fails takes, and less than one takes that asks a metadata service which is not there.
const AT_ONCE: Duration = Duration::from_secs(10);
const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ACCESS_KEY_SECRET: &str = "the-secret-half-of-an-access-key";

/// A start, in the making.
struct Start {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    directory: TempDir,
}

/// What came of it.
struct Ended {
    code: i32,
    text: String,
}

fn program() -> PathBuf {
    let root = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(root, PathBuf::from);
    let path = target.join("fleet/muster-server");
    assert!(path.exists(), "{} is missing: run `cargo xtask test`", path.display());
    path.canonicalize().unwrap()
}

impl Start {
    /// With these arguments, separated by spaces.
    fn with(arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Self { arguments, environment: Vec::new(), directory: TempDir::new().unwrap() }
            .set("NO_COLOR", "1")
            // Nobody on the network is asked for credentials.
            .set("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// `serve` on a free port of loopback.
    fn serve() -> Self {
        Self::with("serve --listen 127.0.0.1:0")
    }

    /// A function: no arguments.
    fn function(role: &str) -> Self {
        Self::with("").set("MUSTER_ROLE", role).set("MUSTER_PUBLIC_URL", "https://muster.test")
    }

    fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    fn but(mut self, name: &'static str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self
    }

    /// Reaches services, as far as it is told which.
    fn reaching(self, url: &str) -> Self {
        self.set("AWS_ENDPOINT_URL", url)
            .set("AWS_REGION", "eu-central-1")
            .set("AWS_ACCESS_KEY_ID", "test")
            .set("AWS_SECRET_ACCESS_KEY", ACCESS_KEY_SECRET)
    }

    /// On services that were never asked anything.
    fn on_services(self) -> Self {
        self.reaching("http://127.0.0.1:9").set("MUSTER_TABLE", "a-table").set("MUSTER_BUCKET", "a-bucket")
    }

    fn spawn(&self) -> Child {
        Command::new(program())
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    async fn ends(&self) -> Ended {
        let done = timeout(AT_ONCE, self.spawn().wait_with_output()).await.expect("it does not end").unwrap();
        let text = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        for secret in [SECRET, ACCESS_KEY_SECRET] {
            assert!(!text.contains(secret), "a secret is told: {text}");
        }
        Ended { code: done.status.code().unwrap(), text }
    }

    /// Fails with one line that holds all of these words.
    async fn fails(self, words: &[&str]) {
        let Ended { code, text } = self.ends().await;
        assert_eq!(code, 1, "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("ERROR"), "{text}");
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text}");
        }
    }

    /// Is refused as a command line: what is wrong comes first, usage follows.
    async fn breaks_usage(self, words: &[&str]) {
        let Ended { code, text } = self.ends().await;
        assert_eq!(code, 2, "{text}");
        assert!(text.starts_with("error: "), "{text}");
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text}");
        }
    }

    /// Starts, and is told to stop.
    async fn succeeds(self) {
        drop(self.runs().await);
    }

    /// Starts, and runs as long as it is kept.
    async fn runs(&self) -> Child {
        self.runs_and_says().await.0
    }

    /// The same, with what it says until it serves.
    async fn runs_and_says(&self) -> (Child, String) {
        let mut child = self.spawn();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let serving = async {
            let mut said = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                said += &line;
                if line.contains("Serving ") {
                    return said;
                }
            }
            panic!("it has ended: {said}");
        };
        let said = timeout(AT_ONCE, serving).await.expect("it does not start");
        (child, said)
    }
}

/// A table and a bucket of one name, made by `admin setup`.
async fn set_up(emulator: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("starts-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let setup = Start::with("admin setup").reaching(emulator).set("MUSTER_TABLE", &name).set("MUSTER_BUCKET", &name);
    for _ in 0..2 {
        let Ended { code, text } = setup.ends().await;
        assert_eq!((code, text.as_str()), (0, "The storage is there.\n"));
    }
    name
}

/// `serve` on a storage that is there, and everything right about it; nothing where there is no emulator.
async fn right() -> Option<(Start, String, String)> {
    Service::emulator()?;
    let emulator = std::env::var("MUSTER_TEST_AWS").unwrap();
    let name = set_up(&emulator).await;
    let start = Start::serve().reaching(&emulator).set("MUSTER_TABLE", &name).set("MUSTER_BUCKET", &name);
    Some((start.set("MUSTER_TOKEN_SECRET", SECRET), name, emulator))
}

#[tokio::test]
async fn a_table_without_a_bucket_and_a_bucket_without_a_table_are_no_storage() {
    Start::serve().set("MUSTER_TABLE", "a-table").breaks_usage(&["--bucket"]).await;
    Start::serve().set("MUSTER_BUCKET", "a-bucket").breaks_usage(&["--table"]).await;
    Start::with("admin export --to x --table a-table").breaks_usage(&["--bucket"]).await;
    Start::function("api").set("MUSTER_TABLE", "a-table").fails(&["MUSTER_BUCKET"]).await;
    Start::function("tick").set("MUSTER_BUCKET", "a-bucket").fails(&["MUSTER_TABLE"]).await;
}

#[tokio::test]
async fn empty_names_are_refused_by_their_names() {
    let empty = |start: Start, name| start.on_services().set("MUSTER_TOKEN_SECRET", SECRET).set(name, "");
    empty(Start::serve(), "MUSTER_TABLE").breaks_usage(&["--table", "must not be empty"]).await;
    empty(Start::serve(), "MUSTER_BUCKET").breaks_usage(&["--bucket", "must not be empty"]).await;
    empty(Start::function("api"), "MUSTER_TABLE").fails(&["MUSTER_TABLE", "must not be empty"]).await;
    empty(Start::function("api"), "MUSTER_BUCKET").fails(&["MUSTER_BUCKET", "must not be empty"]).await;
    empty(Start::function("api"), "MUSTER_PUBLIC_URL").fails(&["MUSTER_PUBLIC_URL"]).await;
}

#[tokio::test]
async fn a_storage_at_amazons_needs_a_region() {
    for start in [Start::serve(), Start::function("api"), Start::function("tick"), Start::with("admin setup")] {
        let start = start.on_services().set("MUSTER_TOKEN_SECRET", SECRET);
        start.but("AWS_REGION").fails(&["no AWS region is set: set AWS_REGION"]).await;
    }
    let empty = Start::serve().on_services().set("MUSTER_TOKEN_SECRET", SECRET).set("AWS_REGION", "");
    empty.fails(&["no AWS region is set: set AWS_REGION"]).await;
}

#[tokio::test]
async fn a_secret_that_is_missing_short_repeated_or_a_word_is_refused() {
    for make in [Start::serve as fn() -> Start, || Start::function("api")] {
        make().on_services().fails(&["MUSTER_TOKEN_SECRET is missing", "openssl rand -hex 32"]).await;
        make().on_services().set("MUSTER_TOKEN_SECRET", "").fails(&["MUSTER_TOKEN_SECRET is missing"]).await;
        let repeated = "0123456789abcdef".repeat(4);
        for text in ["changeme", &SECRET[1..], "                ", &repeated, &"0".repeat(64)] {
            let start = make().on_services().set("MUSTER_TOKEN_SECRET", text);
            let Ended { code, text: said } = start.ends().await;
            assert_eq!((code, said.lines().count()), (1, 1), "{said}");
            assert!(said.contains("MUSTER_TOKEN_SECRET ") && said.contains("openssl rand -hex 32"), "{said}");
            assert!(
                text.trim().is_empty() || !said.contains(text),
                "what was given may be a secret of another: {said}"
            );
        }
    }
}

#[tokio::test]
async fn the_tick_has_no_secret_and_needs_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lambda = listener.local_addr().unwrap().to_string();
    let start = Start::function("tick").on_services().set("AWS_LAMBDA_RUNTIME_API", lambda);
    let start = start.set("AWS_LAMBDA_FUNCTION_NAME", "tick").set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
    let _function = start.set("AWS_LAMBDA_FUNCTION_VERSION", "1").spawn();
    let (mut asks, _) = timeout(AT_ONCE, listener.accept()).await.expect("it asks for no invocation").unwrap();
    let mut asked = vec![0; 64];
    asks.read_exact(&mut asked).await.unwrap();
    assert!(String::from_utf8_lossy(&asked).contains("/runtime/invocation/next"));
}

#[tokio::test]
async fn an_export_of_a_directory_without_an_installation_makes_none() {
    let start = Start::with("admin export --data typo --to there");
    let directory = start.directory.path().join("typo");
    let Ended { code, text } = start.ends().await;
    assert_eq!((code, text.lines().count()), (1, 1), "{text}");
    assert!(text.contains("there is no installation in it"), "{text}");
    assert!(!directory.exists());
}

#[tokio::test]
async fn two_secrets_are_one_too_many() {
    for start in [Start::serve(), Start::function("api")] {
        let both = start.on_services().set("MUSTER_TOKEN_SECRET", SECRET);
        let both = both.set("MUSTER_TOKEN_SECRET_PARAMETER", "/muster/secret");
        both.fails(&["MUSTER_TOKEN_SECRET and MUSTER_TOKEN_SECRET_PARAMETER are both set"]).await;
    }
}

#[tokio::test]
async fn a_secret_parameter_that_is_not_there_is_named() {
    let Some((start, name, _)) = right().await else { return };
    let parameter = format!("/{name}/nobody-made-this");
    let start = start.but("MUSTER_TOKEN_SECRET").set("MUSTER_TOKEN_SECRET_PARAMETER", &parameter);
    start.fails(&[&format!("the parameter {parameter} in eu-central-1 does not exist")]).await;
}

#[tokio::test]
async fn everything_right_is_a_start() {
    let Some((start, name, emulator)) = right().await else { return };
    start.succeeds().await;
    // What it has made is what an export finds, and an import takes.
    let services = |start: Start| start.reaching(&emulator).set("MUSTER_TABLE", &name).set("MUSTER_BUCKET", &name);
    let export = services(Start::with("admin export --to export"));
    let Ended { code, text } = export.ends().await;
    assert_eq!((code, text.as_str()), (0, "1 records and 0 files were written to export.\n"));
    let exported = export.directory.path().join("export");
    for _ in 0..2 {
        let import =
            format!("admin import --data {} --from {}", exported.with_file_name("data").display(), exported.display());
        let Ended { code, text } = Start::with(&import).ends().await;
        assert_eq!((code, text), (0, format!("1 records and 0 files were read from {}.\n", exported.display())));
    }
    let other = exported.with_file_name("other").display().to_string();
    assert_eq!(Start::with(&format!("admin create-account --data {other}")).ends().await.code, 0);
    let import = Start::with(&format!("admin import --data {other} --from {}", exported.display()));
    import.fails(&["the storage is not empty: it holds "]).await;
}

#[tokio::test]
async fn a_table_or_a_bucket_that_is_not_there_is_named() {
    let Some((start, name, _)) = right().await else { return };
    let missing = format!("{name}-nobody-made-this");
    let start = start.set("MUSTER_TABLE", &missing);
    start.fails(&[&format!("the table {missing} in eu-central-1 does not exist")]).await;
    let Some((start, ..)) = right().await else { return };
    let start = start.set("MUSTER_BUCKET", &missing);
    start.fails(&[&format!("the bucket {missing} in eu-central-1 does not exist")]).await;
}

#[tokio::test]
async fn a_table_in_another_region_is_not_there() {
    let Some((start, name, _)) = right().await else { return };
    start.set("AWS_REGION", "us-west-2").fails(&[&format!("the table {name} in us-west-2 does not exist")]).await;
}

#[tokio::test]
async fn missing_credentials_are_told_as_such_and_waited_for_by_nobody() {
    let start = Start::serve().on_services().set("MUSTER_TOKEN_SECRET", SECRET);
    start.but("AWS_ACCESS_KEY_ID").but("AWS_SECRET_ACCESS_KEY").fails(&["there are no AWS credentials"]).await;
    let parameter = Start::serve().on_services().set("MUSTER_TOKEN_SECRET_PARAMETER", "/muster/secret");
    let parameter = parameter.but("AWS_ACCESS_KEY_ID").but("AWS_SECRET_ACCESS_KEY");
    parameter.fails(&["there are no AWS credentials"]).await;
}

#[tokio::test]
async fn services_that_do_not_answer_are_named() {
    let start = Start::serve().on_services().set("MUSTER_TOKEN_SECRET", SECRET);
    start.fails(&["the table a-table in eu-central-1 does not answer"]).await;
}

#[tokio::test]
async fn a_data_directory_is_used_by_one_process_at_a_time() {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    let first = Start::serve().set("MUSTER_DATA", path);
    let running = first.runs().await;
    Start::serve().set("MUSTER_DATA", path).fails(&["another process is using it", path]).await;
    Start::with("admin export --to export")
        .set("MUSTER_DATA", path)
        .fails(&["another process is using it", path])
        .await;
    drop(running);
}

/// A server was started on it, and has stopped.
async fn installation() -> TempDir {
    let data = TempDir::new().unwrap();
    let mut running = Start::serve().set("MUSTER_DATA", data.path().to_str().unwrap()).runs().await;
    stops(&mut running).await;
    data
}

async fn stops(running: &mut Child) {
    let pid = Pid::from_raw(running.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = timeout(AT_ONCE, running.wait()).await.expect("it does not stop").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_second_server_is_refused_also_when_the_lock_file_was_removed() {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    let running = Start::serve().set("MUSTER_DATA", path).runs().await;
    std::fs::remove_file(data.path().join("lock")).unwrap();
    Start::serve().set("MUSTER_DATA", path).fails(&["another process is using it", "muster.sqlite"]).await;
    drop(running);
}

#[tokio::test]
async fn after_a_stop_the_database_file_alone_is_the_whole_installation() {
    let data = installation().await;
    let copy = TempDir::new().unwrap();
    std::fs::copy(data.path().join("muster.sqlite"), copy.path().join("muster.sqlite")).unwrap();
    let log = std::fs::metadata(data.path().join("muster.sqlite-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
    // The account of the first start is there: an account of its name is refused.
    let create = Start::with("admin create-account").set("MUSTER_DATA", copy.path().to_str().unwrap());
    create.fails(&["admin"]).await;
}

#[tokio::test]
async fn a_directory_that_has_lost_its_database_is_refused_and_not_begun_anew() {
    let data = installation().await;
    let (path, database) = (data.path().to_str().unwrap(), data.path().join("muster.sqlite"));
    let refused = ["muster.sqlite", "token.key beside it shows that there was an installation", "restore a backup"];
    for _ in 0..2 {
        std::fs::write(&database, "").unwrap();
        Start::serve().set("MUSTER_DATA", path).fails(&refused).await;
        std::fs::remove_file(&database).unwrap();
        Start::serve().set("MUSTER_DATA", path).fails(&refused).await;
        assert!(!database.exists());
    }
    // Files of releases tell as much.
    std::fs::remove_file(data.path().join("token.key")).unwrap();
    let blob = data.path().join("blobs/9f");
    std::fs::create_dir(&blob).unwrap();
    std::fs::write(blob.join("86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"), "test").unwrap();
    Start::serve().set("MUSTER_DATA", path).fails(&["blobs beside it shows"]).await;
}

#[tokio::test]
async fn a_backup_is_made_beside_the_running_server_and_restored() {
    let data = TempDir::new().unwrap();
    let running = Start::serve().set("MUSTER_DATA", data.path().to_str().unwrap()).runs().await;
    let backup = Start::with("admin backup --to backup").set("MUSTER_DATA", data.path().to_str().unwrap());
    for _ in 0..2 {
        let Ended { code, text } = backup.ends().await;
        assert!(code == 0 && text.starts_with("The backup in backup holds a database of "), "{text}");
    }
    drop(running);
    let from = backup.directory.path().join("backup");
    let restore = Start::with(&format!("admin restore --data restored --from {}", from.display()));
    let Ended { code, text } = restore.ends().await;
    assert!(code == 0 && text.starts_with("restored holds a database of "), "{text}");
    let restored = restore.directory.path().join("restored");
    Start::serve().set("MUSTER_DATA", restored.to_str().unwrap()).succeeds().await;
    restore.fails(&["restored is not empty"]).await;
}

#[tokio::test]
async fn the_first_password_is_in_a_file_for_its_owner_and_not_in_the_log_of_a_service() {
    let data = TempDir::new().unwrap();
    let start = Start::serve().set("MUSTER_DATA", data.path().to_str().unwrap());
    let (running, said) = start.runs_and_says().await;
    let file = data.path().join("first-password");
    let password = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(password.trim().len(), 24, "{password}");
    assert!(said.contains(file.to_str().unwrap()) && !said.contains(password.trim()), "{said}");
    drop(running);
    let given = TempDir::new().unwrap();
    let start = Start::serve().set("MUSTER_DATA", given.path().to_str().unwrap());
    drop(start.set("MUSTER_ADMIN_PASSWORD", "a password that is given").runs().await);
    assert!(!given.path().join("first-password").exists());
    let weak = Start::serve().set("MUSTER_ADMIN_PASSWORD", "password1234");
    weak.fails(&["cannot create the account admin", "common password"]).await;
}

#[tokio::test]
async fn a_server_whose_log_nobody_reads_any_more_goes_on_until_it_is_stopped() {
    let data = TempDir::new().unwrap();
    // Its stderr is closed as soon as it serves, and it logs that it stops.
    let mut running = Start::serve().set("MUSTER_DATA", data.path().to_str().unwrap()).runs().await;
    let pid = Pid::from_raw(running.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = timeout(AT_ONCE, running.wait()).await.expect("it does not stop").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_public_url_that_has_changed_is_said_aloud() {
    let data = TempDir::new().unwrap();
    for (url, changed) in [("https://one.test", false), ("https://one.test", false), ("https://two.test", true)] {
        let start = Start::serve().set("MUSTER_DATA", data.path().to_str().unwrap()).set("MUSTER_PUBLIC_URL", url);
        let (mut running, said) = start.runs_and_says().await;
        let warns = said.contains("The public URL has changed from https://one.test to https://two.test");
        assert_eq!(warns, changed, "{said}");
        running.kill().await.unwrap();
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_named() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    Start::serve().set("MUSTER_DATA", file.to_str().unwrap()).fails(&[file.to_str().unwrap()]).await;
    let data = place.path().join("data");
    let create = Start::with("admin create-account").set("MUSTER_DATA", data.to_str().unwrap());
    assert_eq!(create.ends().await.code, 0);
    std::fs::write(data.join("token.key"), "changeme").unwrap();
    let start = Start::serve().set("MUSTER_DATA", data.to_str().unwrap());
    start.fails(&["token.key", "remove the file, and the next start makes a new one"]).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named() {
    for url in ["muster.test", "ftp://muster.test", "https://", "https:///path", "https://user@muster.test"] {
        Start::serve().set("MUSTER_PUBLIC_URL", url).breaks_usage(&["--public-url", "must be http(s)://host"]).await;
        Start::function("api").set("MUSTER_PUBLIC_URL", url).fails(&["MUSTER_PUBLIC_URL", "must be http(s)://"]).await;
        Start::serve().set("MUSTER_ALSO_KNOWN_AS", url).breaks_usage(&["--also-known-as", "must be http(s)://"]).await;
        let function = Start::function("api").set("MUSTER_ALSO_KNOWN_AS", format!("https://a.test,{url}"));
        function.fails(&["MUSTER_ALSO_KNOWN_AS", "must be http(s)://"]).await;
    }
    for seconds in ["0", "4"] {
        Start::serve().set("MUSTER_OFFLINE_AFTER_SECONDS", seconds).breaks_usage(&["--offline-after-seconds"]).await;
    }
    for seconds in ["5", "581"] {
        Start::serve().set("MUSTER_OFFLINE_AFTER_SECONDS", seconds).succeeds().await;
    }
    let start = Start::function("api").on_services().set("MUSTER_TOKEN_SECRET", SECRET);
    start.set("MUSTER_OFFLINE_AFTER_SECONDS", "600").fails(&["MUSTER_OFFLINE_AFTER_SECONDS", "must be above"]).await;
    Start::serve().set("MUSTER_IDLE_INTERVAL_SECONDS", "0").breaks_usage(&["--idle-interval-seconds"]).await;
    Start::function("api").set("MUSTER_IDLE_INTERVAL_SECONDS", "soon").fails(&["MUSTER_IDLE_INTERVAL_SECONDS"]).await;
    Start::with("serve --listen nowhere").breaks_usage(&["--listen"]).await;
}

#[tokio::test]
async fn a_function_is_told_which_role_it_may_have_and_what_it_needs() {
    for role in ["", "serve", "API", "api tick"] {
        Start::function(role).fails(&["MUSTER_ROLE is ", role, "api or tick"]).await;
    }
    let bare = || Start::function("api").set("AWS_REGION", "eu-central-1").set("MUSTER_TOKEN_SECRET", SECRET);
    bare().fails(&["MUSTER_TABLE and MUSTER_BUCKET are missing"]).await;
    let start = bare().but("MUSTER_PUBLIC_URL").set("MUSTER_TABLE", "a-table").set("MUSTER_BUCKET", "a-bucket");
    start.fails(&["MUSTER_PUBLIC_URL"]).await;
}

#[tokio::test]
async fn a_log_that_no_terminal_shows_has_no_colors_and_may_be_an_object_a_line() {
    for (format, is_json) in [("text", false), ("json", true)] {
        let start = Start::with(&format!("serve --listen 127.0.0.1:0 --access-log --log-format {format}"));
        let start = start.but("NO_COLOR").set("MUSTER_ADMIN_PASSWORD", "a password that nobody logs");
        let mut child = start.spawn();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains("Serving ")) {
            let line = timeout(AT_ONCE, lines.next_line()).await.expect("it does not start").unwrap();
            said.push(line.expect("it goes on"));
        }
        for line in said {
            assert!(!line.contains('\u{1b}') && !line.contains("nobody logs"), "{line}");
            let object = serde_json::from_str::<serde_json::Value>(&line);
            assert_eq!(object.is_ok_and(|object| object["level"].is_string()), is_json, "{line}");
        }
    }
    Start::serve().set("MUSTER_LOG_FORMAT", "xml").breaks_usage(&["--log-format", "xml"]).await;
    Start::serve().set("MUSTER_BODY_MEMORY_MIB", "1").breaks_usage(&["--body-memory-mib", "1"]).await;
}
