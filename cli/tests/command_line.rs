//! End-to-end tests of the command-line client: arguments, messages and exit codes. They need no real server.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

const HOST: &str = "host_01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Runs `muster` in a temporary folder, without the environment of this machine.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null()).env_clear();
        command.env("MUSTER_CONFIG", self.path().join("private/config.toml"));
        command
    }

    fn muster(&self, line: &str) -> Output {
        self.command(line).output().expect("muster can be started")
    }

    fn code(&self, line: &str) -> Option<i32> {
        self.muster(line).status.code()
    }
}

#[test]
fn without_a_home_directory_the_environment_is_enough() {
    let (url, served) = server(&["HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]);
    let workspace = Workspace::new();
    let muster = |line: &str| {
        let mut command = workspace.command(line);
        command.env_remove("MUSTER_CONFIG").env("MUSTER_API_KEY", "msk_key");
        command
    };
    let refused = muster("hosts").env("MUSTER_SERVER", &url).output().expect("muster can be started");
    assert!(!errors(&refused).contains("home directory"), "{}", errors(&refused));
    assert!(served.join().expect("served")[0].contains("msk_key"));
    let version = muster("version").output().expect("muster can be started");
    assert_eq!(version.status.code(), Some(0), "{}", errors(&version));
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into()
}

/// A server that gives these answers in their order, and the requests that it got.
fn server(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let served = thread::spawn(move || {
        let serve = |answer: &&str| {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = vec![0; 16 * 1024];
            let length = stream.read(&mut request).expect("a request");
            stream.write_all(answer.as_bytes()).expect("the client listens");
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        answers.iter().map(serve).collect()
    });
    (url, served)
}

const SESSION: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 91\r\nconnection: close\r\n\r\n",
    r#"{"username":"ada","role":"admin","expires_at":"2999-01-01T00:00:00Z","token":"s3cr3t-text"}"#
);
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const NOTHING: &str = concat!(
    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 12\r\nconnection: close\r\n\r\n",
    r#"{"items":[]}"#
);

#[test]
fn a_wrong_command_line_ends_with_exit_code_2() {
    let workspace = Workspace::new();
    let lines = [
        "",
        "nonsense",
        "host nonsense",
        "host job_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "hosts --online --offline",
        "jobs run -- /bin/true",
        "jobs run --all-hosts",
        "jobs run --all-hosts /bin/true",
        "jobs run --all-hosts --label a=b -- /bin/true",
        "jobs run --all-hosts --if-offline maybe -- /bin/true",
        "jobs run --all-hosts --time-limit 60 -- /bin/true",
        "token create --label site",
        "fleet-update start --version 1.0.0 --waves 0",
        "release sign --version 1.0.0",
        "keys create ci --role owner",
    ];
    for line in lines {
        assert_eq!(workspace.code(line), Some(2), "{line}");
    }
}

#[test]
fn a_correct_command_line_fails_only_because_no_server_is_configured() {
    let workspace = Workspace::new();
    let lines = [
        "hosts --label a=b --os linux --version 1.0.0 --online --behind --all".into(),
        format!("host {HOST}"),
        format!("host label {HOST} a=b c-"),
        format!("jobs run --host {HOST} --host {HOST} -f --wait --env A=B --dir /tmp -- /bin/echo -n x"),
        "jobs run --label a=b --if-offline queue --start-by 2h --time-limit 1m30s -- /bin/true".into(),
        "jobs inspect --all-hosts --wait --timeout 1m".into(),
        "fleet-update start --version 1.0.0 --waves 1,10%,50% --max-in-flight 5% --soak 1m --offline catch-up --watch"
            .into(),
    ];
    for line in lines {
        let output = workspace.muster(&line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(
            errors(&output),
            "error: no server is configured\n  hint: run `muster login --server https://muster.example.org`\n",
            "{line}"
        );
    }
}

#[test]
fn a_login_stores_its_token_in_a_private_file_and_never_prints_it() {
    let workspace = Workspace::new();
    let (url, served) = server(&[SESSION]);
    let login = format!("login --server {url} --username ada");
    let output =
        workspace.command(&login).env("MUSTER_PASSWORD", "correct horse").output().expect("muster can be started");
    let printed = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&printed));
    assert!(!String::from_utf8_lossy(&printed).contains("s3cr3t-text"));
    let mode =
        |name: &str| fs::metadata(workspace.path().join(name)).expect("it was written").permissions().mode() & 0o777;
    assert_eq!((mode("private"), mode("private/config.toml")), (0o700, 0o600));
    let requests = served.join().expect("the server served");
    assert!(requests[0].starts_with("POST /api/v1/session HTTP/1.1\r\n"), "{}", requests[0]);
}

#[test]
fn a_creation_is_retried_with_the_same_idempotency_key() {
    let workspace = Workspace::new();
    let (url, served) = server(&[BUSY, BUSY, NOTHING]);
    let mut command = workspace.command(&format!("jobs run --server {url} --all-hosts --json -- /bin/true"));
    let output = command.env("MUSTER_API_KEY", "mst_x").output().expect("muster can be started");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"{\"items\":[]}\n".as_slice()));
    let key = |request: &String| request.lines().find(|line| line.starts_with("idempotency-key: ")).map(String::from);
    let keys: Vec<_> = served.join().expect("the server served").iter().map(key).collect();
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

const ENTRIES: [&str; 2] = [
    concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 59\r\nconnection: close\r\n\r\n",
        r#"{"items":[{"id":"aud_2"},{"id":"aud_1"}],"next_cursor":"c"}"#
    ),
    concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 26\r\nconnection: close\r\n\r\n",
        r#"{"items":[{"id":"aud_0"}]}"#
    ),
];

#[test]
fn an_export_of_the_audit_log_is_a_line_for_each_entry_of_every_page() {
    let workspace = Workspace::new();
    let (url, served) = server(&ENTRIES);
    let line = format!("audit export --server {url} --actor ada --action job --since 2026-03-01T12:00:00Z");
    let output = workspace.command(&line).env("MUSTER_API_KEY", "mst_x").output().expect("muster can be started");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed, "{\"id\":\"aud_2\"}\n{\"id\":\"aud_1\"}\n{\"id\":\"aud_0\"}\n", "{}", errors(&output));
    let requests = served.join().expect("the server served");
    assert!(requests[0].contains("actor=ada&action=job&since=2026-03-01T12%3A00%3A00Z&limit=200 "), "{}", requests[0]);
    assert!(requests[1].contains("&cursor=c "), "{}", requests[1]);
}

#[test]
fn a_secret_is_sent_apart_from_the_other_variables_and_is_not_repeated_in_an_error() {
    let workspace = Workspace::new();
    let (url, served) = server(&[NOTHING]);
    let line =
        format!("jobs run --server {url} --all-hosts --env LANG=C --secret TOKEN=hunter2 --secret KEY -- /bin/true");
    let mut command = workspace.command(&line);
    let output = command.env("MUSTER_API_KEY", "mst_x").env("KEY", "hunter3").output().expect("muster can be started");
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let request = served.join().expect("the server served").remove(0);
    let sent = r#""environment":{"LANG":"C"},"secret_environment":{"KEY":"hunter3","TOKEN":"hunter2"}"#;
    assert!(request.contains(sent), "{request}");
    let wrong = workspace.muster("jobs run --all-hosts --secret =hunter2 -- /bin/true");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(!errors(&wrong).contains("hunter2"), "{}", errors(&wrong));
}

#[test]
fn a_login_without_a_terminal_does_not_wait_for_a_password() {
    let workspace = Workspace::new();
    let output = workspace.muster("login --server https://muster.example.org --username ada");
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("MUSTER_PASSWORD"), "{}", errors(&output));
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let workspace = Workspace::new();
    let output = workspace.command("hosts --server http://10.0.0.1").env("MUSTER_API_KEY", "x").output();
    assert_eq!(output.expect("muster can be started").status.code(), Some(2));
}

#[test]
fn a_release_is_signed_and_verified_offline_and_a_changed_file_is_detected() {
    let workspace = Workspace::new();
    fs::write(workspace.path().join("agent"), "the agent").expect("a file");
    assert_eq!(workspace.code("release keygen --out keys"), Some(0));
    let sign = "release sign --key keys/release.key --version 1.1.0 --manifest-version 2 --target linux-x86_64=agent --out m.json";
    assert_eq!(workspace.code(sign), Some(0));
    let verify = "release verify --root keys/root.json m.json --target linux-x86_64=agent";
    assert_eq!(workspace.code(verify), Some(0));
    fs::write(workspace.path().join("agent"), "the Agent").expect("a file");
    assert_eq!(workspace.code(verify), Some(1));
    assert_eq!(workspace.code("release keygen --out keys"), Some(2), "keys are never overwritten");
}

#[test]
fn what_is_signed_is_what_the_file_says_and_gets_the_next_number() {
    let workspace = Workspace::new();
    let agent = |version: &str| {
        let bytes = format!("\u{7f}ELF\0\nmuster-agent-version={version};\n\0");
        fs::write(workspace.path().join("agent"), bytes).expect("a file");
    };
    assert_eq!(workspace.code("release keygen --out keys"), Some(0));
    let sign = |more: &str, key: &str| {
        let line = format!("release sign --key keys/{key} --target linux-x86_64=agent --out m.json {more}");
        let output = workspace.muster(&line);
        (output.status.code(), errors(&output))
    };
    agent("1.3.0");
    let (code, said) = sign("", "release.key");
    assert!(code == Some(2) && said.contains("--manifest-version"), "the first number is the signer's to say: {said}");
    for (wrong, why) in [
        ("--manifest-version 1 --version 1.4.0", "agent is version 1.3.0, not 1.4.0"),
        ("--manifest-version 1 --version v1.5", "must be a version"),
        ("--manifest-version 1 --revoke 1.3.0", "is this release itself"),
        ("--manifest-version 0", "must be 1 to"),
    ] {
        let (code, said) = sign(wrong, "release.key");
        assert!(code == Some(2) && said.contains(why), "{wrong}: {said}");
    }
    let (code, said) = sign("--manifest-version 4", "root.key");
    assert!(code == Some(1) && said.contains("signs no releases by keys/root.json"), "{said}");
    let (code, said) = sign("--manifest-version 4", "release.key");
    assert!(code == Some(0) && said.contains("manifest 4 of 1.3.0"), "{said}");
    agent("1.4.0");
    let (code, said) = sign("", "release.key");
    assert!(code == Some(0) && said.contains("manifest 5 of 1.4.0"), "{said}");
    let (code, said) = sign("--manifest-version 3", "release.key");
    assert!(code == Some(2) && said.contains("lower than 5"), "{said}");
    let verified = workspace.muster("release verify --root keys/root.json m.json --target linux-x86_64=agent");
    assert!(verified.status.success() && errors(&verified).contains("Good"), "{}", errors(&verified));
}

#[test]
fn a_manifest_that_the_trust_root_does_not_bear_out_is_not_sent() {
    let workspace = Workspace::new();
    fs::write(workspace.path().join("agent"), "the agent").expect("a file");
    assert_eq!(workspace.code("release keygen --out keys"), Some(0));
    assert_eq!(workspace.code("release keygen --out others"), Some(0));
    let sign = "release sign --key others/release.key --version 1.1.0 --manifest-version 2 --target linux-x86_64=agent --out m.json";
    assert_eq!(workspace.code(sign), Some(0));
    // There is no server: whatever is said comes before anything is sent.
    let publish =
        "release publish m.json --root keys/root.json --target linux-x86_64=agent --server http://127.0.0.1:9";
    let output = workspace.command(publish).env("MUSTER_API_KEY", "mst_x").output().expect("muster can be started");
    assert!(errors(&output).starts_with("error: cannot trust m.json"), "{}", errors(&output));
}

#[test]
fn the_only_fleet_update_that_is_not_over_need_not_be_named() {
    let workspace = Workspace::new();
    let (url, served) = server(&[NOTHING]);
    let output =
        workspace.command(&format!("fleet-update cancel --server {url}")).env("MUSTER_API_KEY", "mst_x").output();
    let output = output.expect("muster can be started");
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("every fleet update is over"), "{}", errors(&output));
    assert!(served.join().expect("the server served")[0].starts_with("GET /api/v1/fleet-updates?limit=50 "));
}

#[test]
fn completions_name_the_commands() {
    let script = Workspace::new().muster("completions bash").stdout;
    assert!(String::from_utf8_lossy(&script).contains("fleet-update"));
}
