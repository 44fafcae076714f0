//! Error messages: what failed, why, and a hint about what to do next.

use std::{error::Error, fmt::Write, io, path::PathBuf};

use jiff::Timestamp;
use muster_schemas::{
    envelopes::EnvelopeError,
    problems::{Problem, ProblemCode},
};

use crate::{exits::Exit, tables::printable};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is well formed, but wrong.
    #[error("{0}")]
    Usage(String),
    /// Neither the command line, nor the environment, nor a session names a server.
    #[error("no server is configured")]
    NoServer,
    /// There is no credential for this server.
    #[error("not logged in to {server}")]
    NotLoggedIn {
        /// URL of the server.
        server: String,
    },
    /// The stored session has expired.
    #[error("the session at {server} expired at {at}")]
    SessionEnded {
        /// URL of the server.
        server: String,
        /// When it expired.
        at: Timestamp,
    },
    /// The server answered with an error.
    #[error("{problem}")]
    Refused {
        /// The error.
        problem: Box<Problem>,
        /// URL of the server.
        server: String,
    },
    /// The answer does not come from a Muster server.
    #[error("{server} answered with status {status} and a body that is not a Muster error: {text}")]
    Unexpected {
        /// URL of the server.
        server: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        text: String,
    },
    /// The server did not answer.
    #[error("cannot reach {server}")]
    Unreachable {
        /// URL of the server.
        server: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// The HTTP client cannot be built.
    #[error("cannot set up TLS")]
    Tls {
        /// The cause.
        source: reqwest::Error,
    },
    /// An operation on a file failed.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// The operation, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file or an answer has the wrong format.
    #[error("cannot read {what}: {why}")]
    Unreadable {
        /// The file or the answer.
        what: String,
        /// The cause.
        why: String,
    },
    /// A signature or a digest does not match.
    #[error("cannot trust {what}: {why}")]
    Untrusted {
        /// The file.
        what: String,
        /// The cause.
        why: String,
    },
    /// A time limit passed.
    #[error("{0}")]
    TimedOut(String),
    /// The terminal or the pipe did not take the output.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
}

impl Failure {
    /// The failure for an envelope whose signatures do not hold.
    pub fn untrusted(what: impl Into<String>, why: &EnvelopeError) -> Self {
        Self::Untrusted { what: what.into(), why: why.to_string() }
    }

    /// The exit code of the program.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::TimedOut(_) => Exit::TimedOut,
            // The server found what is wrong with it.
            Self::Refused { problem, .. } if matches!(problem.code, ProblemCode::Invalid | ProblemCode::Malformed) => {
                Exit::Usage
            }
            _ => Exit::Failed,
        }
    }

    /// The full message for stderr: the error, its causes, its details and a hint. What others have put into it makes no line
    /// of its own.
    pub fn report(&self) -> String {
        let mut text = format!("error: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            write!(text, ": {cause}").expect("writing to a String cannot fail");
            source = cause.source();
        }
        text = printable(&text);
        if let Self::Refused { problem, .. } = self {
            text.push_str(&members(problem));
        }
        if let Some(hint) = self.hint() {
            write!(text, "\n  hint: {}", printable(&hint)).expect("writing to a String cannot fail");
        }
        text.push('\n');
        text
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoServer => Some("run `muster login --server https://muster.example.org`".into()),
            Self::NotLoggedIn { server } | Self::SessionEnded { server, .. } => Some(log_in(server)),
            Self::Unreachable { server, .. } => {
                Some(format!("check whether {server}/api/v1/health answers from this machine"))
            }
            Self::Tls { .. } => {
                Some("install the system's CA certificates, or set MUSTER_CA_FILE to a PEM file".into())
            }
            Self::Refused { problem, server } => hint(problem, server),
            _ => None,
        }
    }
}

/// The field, the members and the instance of a problem, one per line.
fn members(problem: &Problem) -> String {
    let field = problem.field.iter().map(|field| ("field", field.clone()));
    let member = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    let members = problem.members.iter().map(|(name, value)| (name.as_str(), member(value)));
    let instance =
        problem.instance.iter().map(|id| ("instance", format!("{id} (quote this id when you report the error)")));
    field.chain(members).chain(instance).fold(String::new(), |mut text, (name, value)| {
        write!(text, "\n  {}: {}", printable(name), printable(&value)).expect("writing to a String cannot fail");
        text
    })
}

fn log_in(server: &str) -> String {
    format!("run `muster login --server {server}`")
}

fn hint(problem: &Problem, server: &str) -> Option<String> {
    let member = |name: &str| problem.members.get(name).and_then(|value| value.as_str());
    match problem.code {
        ProblemCode::Unauthorized => Some(log_in(server)),
        ProblemCode::Forbidden => Some("`muster whoami` shows your role; an admin can change it".into()),
        ProblemCode::HostOffline => {
            Some("`muster jobs run --if-offline queue` keeps a job queued until the host is online".into())
        }
        ProblemCode::HostInUse => {
            Some("`muster host retire ID --force --reason TEXT` retires the host and gives up its open jobs".into())
        }
        ProblemCode::HostQuarantined => {
            Some("run `muster host readmit ID --reason TEXT` once you know why it was quarantined".into())
        }
        ProblemCode::FleetUpdateActive => member("fleet_update_id").map(|id| match member("state") {
            Some("paused" | "halted") => {
                format!("`muster fleet-update resume {id}` lets it go on, `muster fleet-update cancel {id}` ends it")
            }
            _ => format!(
                "`muster fleet-update watch {id}` follows it to its end, `muster fleet-update cancel {id}` ends it"
            ),
        }),
        ProblemCode::Locked => Some("what holds the lock has to end first; nothing was changed".into()),
        ProblemCode::Contended | ProblemCode::TooManyRequests | ProblemCode::Unavailable => {
            Some("nothing was changed; try again in a moment".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(problem: Problem) -> Failure {
        Failure::Refused { problem: Box::new(problem), server: "https://muster.example.org".into() }
    }

    #[test]
    fn a_problem_shows_title_detail_field_and_the_instance_to_quote() {
        let mut problem = Problem::invalid("spec.argv[0]", "must be an absolute path");
        problem.instance = Some("req_01ARZ3NDEKTSV4RRFFQ69G5FAV".into());
        insta::assert_snapshot!(refused(problem).report(), @r"
        error: The request breaks a rule: spec.argv[0]: must be an absolute path
          field: spec.argv[0]
          instance: req_01ARZ3NDEKTSV4RRFFQ69G5FAV (quote this id when you report the error)
        ");
    }

    #[test]
    fn a_missing_credential_comes_with_a_hint_to_log_in() {
        insta::assert_snapshot!(refused(Problem::new(ProblemCode::Unauthorized)).report(), @r"
        error: No valid credential
          hint: run `muster login --server https://muster.example.org`
        ");
    }

    #[test]
    fn an_active_fleet_update_is_named_in_the_hint() {
        let problem = Problem::new(ProblemCode::FleetUpdateActive).with("fleet_update_id", "fup_1");
        insta::assert_snapshot!(refused(problem.clone()).report(), @r"
        error: A fleet update is active
          fleet_update_id: fup_1
          hint: `muster fleet-update watch fup_1` follows it to its end, `muster fleet-update cancel fup_1` ends it
        ");
        insta::assert_snapshot!(refused(problem.with("state", "paused")).report(), @r"
        error: A fleet update is active
          fleet_update_id: fup_1
          state: paused
          hint: `muster fleet-update resume fup_1` lets it go on, `muster fleet-update cancel fup_1` ends it
        ");
    }

    #[test]
    fn what_a_host_has_said_is_text_on_the_line_that_tells_it() {
        let said = "\u{1b}]0;evil\u{7}\r\nerror: nothing is wrong\u{202e}";
        let problem = Problem::new(ProblemCode::HostQuarantined).detail(said).with("reason", said);
        let failures = [
            refused(problem),
            Failure::Unexpected { server: "https://muster.example.org".into(), status: 500, text: said.into() },
        ];
        for report in failures.map(|failure| failure.report()) {
            assert!(!report.replace('\n', "").chars().any(crate::terminal::is_deceptive), "{report:?}");
            let is_told = |line: &str| line.starts_with("error: nothing");
            assert!(!report.lines().any(is_told) && report.contains(" ]0;evil"), "{report}");
        }
    }

    #[test]
    fn a_command_that_the_server_finds_wrong_is_a_usage_error() {
        let exit = |code| refused(Problem::new(code)).exit();
        assert_eq!([exit(ProblemCode::Invalid), exit(ProblemCode::Malformed)], [Exit::Usage; 2]);
        assert_eq!([exit(ProblemCode::Forbidden), exit(ProblemCode::HostOffline)], [Exit::Failed; 2]);
    }
}
