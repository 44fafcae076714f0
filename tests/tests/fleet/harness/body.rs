//! The body under test, by `MUSTER_TEST_BODY`: what a server is made of, and how its process is started.
//!
//! ```text
//! serve             one process, the embedded store       what `muster-server serve` is by default
//! serve-services    one process, DynamoDB and S3          held polls look again each second
//! functions         the same program in a function host   nothing is held, the tick comes by a schedule
//! ```

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use muster_schemas::envelopes::hex;
use muster_tests::processes::skip::{skip, skip_for_want_of};

use super::{
    binaries::{FUNCTION_HOST, binary},
    process::{Process, command},
};

/// The admin's password.
pub const PASSWORD: &str = "only for this test";

/// What a server is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A process on the embedded store.
    Serve,
    /// A process on `DynamoDB` and S3.
    ServeServices,
    /// Functions on `DynamoDB` and S3.
    Functions,
}

impl Body {
    /// The one that is asked for.
    pub fn under_test() -> Self {
        match env::var("MUSTER_TEST_BODY").as_deref() {
            Err(_) | Ok("serve") => Self::Serve,
            Ok("serve-services") => Self::ServeServices,
            Ok("functions") => Self::Functions,
            Ok(other) => panic!("MUSTER_TEST_BODY is {other:?}, and not serve, serve-services or functions"),
        }
    }

    /// Whether the test is over before it began, because it makes no sense on this body. Says so aloud.
    pub fn is_skipped(self, why: &str) -> bool {
        let skipped = self == Self::under_test();
        if skipped {
            skip(why);
        }
        skipped
    }
}

/// How a server is started, again and again: always with the data it had.
pub struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Launch {
    /// That of this server with fresh data. None, said aloud, where the services are missing that it needs.
    pub fn new(server: &Path, folder: &Path, address: &str, more: &[&str]) -> Option<Self> {
        let body = Body::under_test();
        let environment = match body {
            Body::Serve => vec![
                ("MUSTER_DATA", folder.join("data").display().to_string()),
                ("MUSTER_ADMIN_PASSWORD", PASSWORD.into()),
            ],
            Body::ServeServices | Body::Functions => services()?,
        };
        if body != Body::Serve {
            for action in ["setup", "create-account"] {
                administer(server, action, folder, &environment);
            }
        }
        Some(match body {
            Body::Serve | Body::ServeServices => Self::serve(server, address, more, environment),
            Body::Functions => Self::functions(server, folder, address, environment),
        })
    }

    /// Starts it.
    pub fn start(&self, folder: &Path) -> Process {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let environment: Vec<_> = self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Process::start(&self.program, &arguments, folder, &folder.join("server.log"), &environment)
    }

    /// The same data, served by another program from the next start on.
    pub fn upgrade(&mut self, server: &Path) {
        match Body::under_test() {
            Body::Serve | Body::ServeServices => server.clone_into(&mut self.program),
            Body::Functions => {
                let binary = self.arguments.iter().position(|argument| argument == "--binary").unwrap() + 1;
                self.arguments[binary] = server.display().to_string();
            }
        }
    }

    fn serve(server: &Path, address: &str, more: &[&str], environment: Vec<(&'static str, String)>) -> Self {
        let arguments = ["serve", "--listen", address].iter().chain(more).map(ToString::to_string).collect();
        Self { program: server.to_owned(), arguments, environment }
    }

    /// What functions know they know by their environment, which the host makes from its arguments.
    fn functions(server: &Path, folder: &Path, address: &str, mut told: Vec<(&'static str, String)>) -> Self {
        told.push(("MUSTER_PUBLIC_URL", format!("http://{address}")));
        // Nobody is called: a host finds out with its next check-in that there is work.
        told.push(("MUSTER_IDLE_INTERVAL_SECONDS", "1".into()));
        let (server, log) = (server.display().to_string(), folder.join("server.log").display().to_string());
        let arguments = ["--listen", address, "--binary", &server, "--log", &log, "--tick-every", "1"];
        let told = told.into_iter().flat_map(|(name, value)| ["--env".into(), format!("{name}={value}")]);
        let arguments = arguments.into_iter().map(String::from).chain(told).collect();
        Self { program: binary(FUNCTION_HOST), arguments, environment: Vec::new() }
    }
}

/// A table and a bucket of a server's own, by their names, and how they are reached.
fn services() -> Option<Vec<(&'static str, String)>> {
    let name = format!("muster-{}", hex(&rand::random::<[u8; 8]>()));
    Some(vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", service("MUSTER_TEST_DYNAMODB")?),
        ("AWS_ENDPOINT_URL", service("MUSTER_TEST_AWS")?),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        ("AWS_REGION", "eu-central-1".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("MUSTER_TOKEN_SECRET", hex(&rand::random::<[u8; 32]>())),
        ("MUSTER_TABLE", name.clone()),
        ("MUSTER_BUCKET", name),
    ])
}

/// Where a service or a tool is. None, said aloud, where it was not started; in CI that is a failure.
pub fn service(variable: &str) -> Option<String> {
    if let Ok(url) = env::var(variable) {
        return Some(url);
    }
    let missing = format!("{variable} is not set: `cargo xtask test` starts what this test needs");
    skip_for_want_of(&missing);
    None
}

fn administer(server: &Path, action: &str, folder: &Path, environment: &[(&str, String)]) {
    let mut command = command(server, &["admin", action], folder);
    command.envs(environment.iter().map(|(name, value)| (name, value))).env("MUSTER_ADMIN_PASSWORD", PASSWORD);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "admin {action}: {}", String::from_utf8_lossy(&output.stderr));
}
