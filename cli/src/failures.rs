//! What can go wrong, as people read it: what was tried, why it failed, and what to do next.

use std::{error::Error, fmt::Write, io, path::PathBuf};

use jiff::Timestamp;
use muster_schemas::{
    envelopes::EnvelopeError,
    problems::{Problem, ProblemCode},
};

use crate::exits::Exit;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is well formed and makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no server to talk to.
    #[error("no server is configured")]
    NoServer,
    /// There is no credential for this server.
    #[error("not logged in to {server}")]
    NotLoggedIn {
        /// Where.
        server: String,
    },
    /// The stored session is over.
    #[error("the session at {server} ended at {at}")]
    SessionEnded {
        /// Where.
        server: String,
        /// When.
        at: Timestamp,
    },
    /// The server said no, and why.
    #[error("{problem}")]
    Refused {
        /// What it said.
        problem: Box<Problem>,
        /// Who said so.
        server: String,
    },
    /// The server said something that is not Muster's.
    #[error("{server} answered with status {status} and without a problem: {text}")]
    Unexpected {
        /// Who.
        server: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        text: String,
    },
    /// The server did not answer.
    #[error("cannot reach {server}")]
    Unreachable {
        /// Who.
        server: String,
        /// Why.
        source: reqwest::Error,
    },
    /// No HTTP client could be made.
    #[error("cannot set up TLS")]
    Tls {
        /// Why.
        source: reqwest::Error,
    },
    /// A file did not do what it should.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something that is there and cannot be understood.
    #[error("{what} cannot be understood: {why}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// Signatures or bytes that are not what they should be.
    #[error("{what} is not to be trusted: {why}")]
    Untrusted {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// It took longer than it was given.
    #[error("{0}")]
    TimedOut(String),
    /// The terminal or the pipe did not take the output.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
}

impl Failure {
    /// An envelope that is not believed.
    pub fn untrusted(what: impl Into<String>, why: &EnvelopeError) -> Self {
        Self::Untrusted { what: what.into(), why: why.to_string() }
    }

    /// What the program ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::TimedOut(_) => Exit::TimedOut,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Succeeded,
            _ => Exit::Failed,
        }
    }

    /// The whole of it, as it goes to stderr. Empty when there is nobody left to read it.
    pub fn report(&self) -> String {
        if self.exit() == Exit::Succeeded {
            return String::new();
        }
        let mut text = format!("error: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            write!(text, ": {cause}").expect("writing to a String cannot fail");
            source = cause.source();
        }
        if let Self::Refused { problem, .. } = self {
            text.push_str(&particulars(problem));
        }
        if let Some(next) = self.advice() {
            write!(text, "\n  next: {next}").expect("writing to a String cannot fail");
        }
        text.push('\n');
        text
    }

    fn advice(&self) -> Option<String> {
        match self {
            Self::NoServer => Some("muster login --server https://muster.example.org".into()),
            Self::NotLoggedIn { server } | Self::SessionEnded { server, .. } => {
                Some(format!("muster login --server {server}"))
            }
            Self::Unreachable { server, .. } => Some(format!("see whether {server}/api/v1/health answers from here")),
            Self::Tls { .. } => {
                Some("install the system's CA certificates, or name a PEM file in MUSTER_CA_FILE".into())
            }
            Self::Refused { problem, server } => advice(problem, server),
            _ => None,
        }
    }
}

fn particulars(problem: &Problem) -> String {
    let field = problem.field.iter().map(|field| ("field", field.clone()));
    let member = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    let members = problem.members.iter().map(|(name, value)| (name.as_str(), member(value)));
    let instance =
        problem.instance.iter().map(|id| ("instance", format!("{id} (quote it to whoever runs the server)")));
    field.chain(members).chain(instance).fold(String::new(), |mut text, (name, value)| {
        write!(text, "\n  {name}: {value}").expect("writing to a String cannot fail");
        text
    })
}

fn advice(problem: &Problem, server: &str) -> Option<String> {
    let member = |name: &str| problem.members.get(name).and_then(|value| value.as_str());
    match problem.code {
        ProblemCode::Unauthorized => Some(format!("muster login --server {server}")),
        ProblemCode::Forbidden => Some("muster whoami shows the role; an admin can change it".into()),
        ProblemCode::HostOffline => {
            Some("muster jobs run --if-offline queue keeps a job until the host is back".into())
        }
        ProblemCode::HostInUse => Some("muster host retire ID --force --reason TEXT gives the open work up".into()),
        ProblemCode::HostQuarantined => Some("muster host readmit ID --reason TEXT, once it is clear why".into()),
        ProblemCode::FleetUpdateActive => member("fleet_update_id").map(|id| format!("muster fleet-update watch {id}")),
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
          instance: req_01ARZ3NDEKTSV4RRFFQ69G5FAV (quote it to whoever runs the server)
        ");
    }

    #[test]
    fn a_missing_credential_says_how_to_get_one() {
        insta::assert_snapshot!(refused(Problem::new(ProblemCode::Unauthorized)).report(), @r"
        error: No valid credential
          next: muster login --server https://muster.example.org
        ");
    }

    #[test]
    fn a_busy_fleet_names_the_fleet_update_to_watch() {
        let problem = Problem::new(ProblemCode::FleetUpdateActive).with("fleet_update_id", "fup_1");
        insta::assert_snapshot!(refused(problem).report(), @r"
        error: A fleet update is active
          fleet_update_id: fup_1
          next: muster fleet-update watch fup_1
        ");
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let failure = Failure::Output(io::ErrorKind::BrokenPipe.into());
        assert_eq!((failure.exit(), failure.report()), (Exit::Succeeded, String::new()));
    }
}
