//! `run`: a program with its arguments, without a shell. How it is bounded and ended is `programs`'.

use std::fmt;

use std::time::Duration;

use futures_util::future::BoxFuture;
use muster_schemas::jobs::{JobResult, Outcome, RunSpec};
use serde::Deserialize;

use super::{
    Runner, Section, Task, WHOLE_OUTPUT,
    results::{ended, ended_with},
};
use crate::{
    agent::Agent,
    programs::{End, Program, Ran},
};

impl Runner for RunSpec {
    fn run<'a>(&'a self, agent: &'a Agent, task: &'a Task) -> BoxFuture<'a, Option<JobResult>> {
        Box::pin(async move {
            let program = program(self, task);
            let ran = agent.machine.run(&program, &task.stop, &|text: &str| (task.output)(text)).await;
            Some(result(ran, &program))
        })
    }
}

/// What `policy.toml` says of programs: its keys, of which the first lets programs run at all.
#[derive(Debug)]
pub struct Allowed<'a> {
    /// `run`.
    pub programs: &'a Programs,
    /// `environment`.
    pub environment: &'a Environment,
    /// `working_directories`: where a listed program may run, beside `/`.
    pub working_directories: &'a [String],
    /// `run_as`: under which accounts a program may run; under the first one if the job names none.
    pub run_as: &'a [String],
}

/// Which programs may run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Programs {
    /// `"*"`: every one.
    Every(Star),
    /// These.
    Listed(Vec<String>),
}

/// `"*"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum Star {
    /// The only one there is.
    #[serde(rename = "*")]
    Star,
}

/// What a job may set for a listed program. A name that ends with `*` stands for all with the same beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Environment(Vec<String>);

impl Default for Programs {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self(["LANG", "LC_*", "TZ"].map(Into::into).into())
    }
}

impl Section for Allowed<'_> {
    type Spec = RunSpec;

    fn allows(&self, spec: &RunSpec) -> Result<(), String> {
        let program = spec.argv.first().map_or("", String::as_str);
        if let Some(account) = spec.run_as.as_ref().filter(|account| !self.run_as.contains(account)) {
            return Err(format!("this host's policy does not allow to run anything as {account:?}"));
        }
        match self.programs {
            Programs::Every(Star::Star) => Ok(()),
            Programs::Listed(listed) if !listed.iter().any(|allowed| allowed == program) => {
                Err(format!("this host's policy does not allow to run {program:?}"))
            }
            Programs::Listed(_) => self.check_surroundings(spec),
        }
    }

    fn lets_something(&self) -> bool {
        !matches!(self.programs, Programs::Listed(listed) if listed.is_empty())
    }
}

impl fmt::Display for Allowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.programs {
            Programs::Every(Star::Star) => f.write_str("every program"),
            Programs::Listed(listed) if listed.is_empty() => f.write_str("no program"),
            Programs::Listed(listed) => f.write_str(&listed.join(", ")),
        }
    }
}

impl Allowed<'_> {
    /// The account that a program runs under if its job names none; `None`: the agent's.
    pub fn account(&self) -> Option<String> {
        self.run_as.first().cloned()
    }

    /// An allowed program that its surroundings make load foreign code is another program, and the ways to do that are
    /// beyond counting: what is not named is not allowed.
    fn check_surroundings(&self, spec: &RunSpec) -> Result<(), String> {
        let Environment(patterns) = self.environment;
        let is_named = |name: &String| patterns.iter().any(|pattern| matches(pattern, name));
        let mut names = spec.environment.keys().chain(spec.secret_environment.keys());
        if let Some(name) = names.find(|name| !is_named(name)) {
            return Err(format!("this host's policy does not allow to set {name:?}"));
        }
        match spec.working_directory.as_deref() {
            None | Some("/") => Ok(()),
            Some(directory) if self.working_directories.iter().any(|allowed| allowed == directory) => Ok(()),
            Some(directory) => Err(format!("this host's policy does not allow to run anything in {directory:?}")),
        }
    }
}

/// Whether a name is what the pattern says: the same, or with the same beginning when the pattern ends with `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
}

fn program(spec: &RunSpec, task: &Task) -> Program {
    let RunSpec { argv, environment, secret_environment, working_directory, .. } = spec;
    let secrets = secret_environment.iter().map(|(name, value)| (name.as_str(), value.reveal()));
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(secrets);
    let (path, arguments) = argv.split_first().map_or(("", &[][..]), |(path, rest)| (path, rest));
    Program {
        job: task.id,
        path: path.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        environment: variables.map(|(name, value)| (name.into(), value.into())).collect(),
        directory: Some(working_directory.as_deref().unwrap_or("/").into()),
        account: spec.run_as.clone().or_else(|| task.account.clone()),
        time_limit: task.time_limit,
        stop_grace: Duration::from_secs(spec.stop_grace_seconds().into()),
        output_limit_bytes: WHOLE_OUTPUT,
    }
}

fn result(ran: Ran, program: &Program) -> JobResult {
    let Ran { end, exit_code, signal, output_bytes: _, output_truncated: _ } = ran;
    let failed = |code, message| ended_with(Outcome::Failed, code, message);
    let result = match (end, exit_code) {
        (End::NotStarted(why), _) => failed("spawn", why),
        (End::Stopped, _) => ended(Outcome::Cancelled),
        (End::TimeLimit, _) => {
            failed("time_limit", format!("stopped after its time limit of {} s", program.time_limit.as_secs()))
        }
        (End::Itself, Some(0)) => ended(Outcome::Succeeded),
        (End::Itself, Some(code)) => failed("exit_code", format!("ended with exit code {code}")),
        (End::Itself, None) => failed("signal", format!("ended by signal {}", signal.unwrap_or(0))),
    };
    JobResult { exit_code, ..result }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use muster_schemas::{ids::JobId, secrets::Secret};
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn asked() -> (RunSpec, Task) {
        let argv = ["/bin/date", "+%s"].map(Into::into).into();
        let spec = RunSpec {
            argv,
            environment: [("LANG".into(), "C".into())].into(),
            secret_environment: [("TOKEN".into(), Secret::new("hunter2"))].into(),
            working_directory: None,
            output_limit_bytes: None,
            stop_grace_seconds: None,
            run_as: None,
        };
        let id = JobId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let task = Task {
            id,
            account: None,
            time_limit: Duration::from_secs(7),
            stop: CancellationToken::new(),
            output: Arc::new(|_| {}),
        };
        (spec, task)
    }

    #[test]
    fn a_job_runs_its_program_at_the_root_within_its_limits_unless_it_says_otherwise() {
        let (spec, task) = asked();
        let program = program(&spec, &task);
        assert_eq!((program.path.to_str(), program.arguments.len()), (Some("/bin/date"), 1));
        assert_eq!(program.directory, Some("/".into()));
        assert_eq!((program.time_limit.as_secs(), program.output_limit_bytes), (7, WHOLE_OUTPUT));
        assert_eq!(program.stop_grace.as_secs(), 10);
    }

    #[test]
    fn a_secret_is_a_variable_of_the_program_and_of_the_policy_like_any_other() {
        let (spec, task) = asked();
        let variables = program(&spec, &task).environment;
        assert_eq!(variables, [("LANG".into(), "C".into()), ("TOKEN".into(), "hunter2".into())].into());
        let (programs, environment) = (Programs::Listed(vec!["/bin/date".into()]), Environment::default());
        let allowed = Allowed { programs: &programs, environment: &environment, working_directories: &[], run_as: &[] };
        assert!(allowed.allows(&spec).is_err_and(|why| why.contains("TOKEN") && !why.contains("hunter2")));
    }

    #[test]
    fn how_a_program_ended_becomes_the_result() {
        let (spec, task) = asked();
        let told = |end, exit_code, signal| {
            let ran = Ran { end, exit_code, signal, output_bytes: 1, output_truncated: false };
            let result = result(ran, &program(&spec, &task));
            let code = result.error.map(|error| error.code).unwrap_or_default();
            (result.outcome, code, result.exit_code)
        };
        let failed = |code: &str, exit_code| (Outcome::Failed, code.to_owned(), exit_code);
        assert_eq!(told(End::Itself, Some(0), None), (Outcome::Succeeded, String::new(), Some(0)));
        assert_eq!(told(End::Itself, Some(3), None), failed("exit_code", Some(3)));
        assert_eq!(told(End::Itself, None, Some(9)), failed("signal", None));
        assert_eq!(told(End::TimeLimit, Some(0), None), failed("time_limit", Some(0)));
        assert_eq!(told(End::NotStarted("cannot".into()), None, None), failed("spawn", None));
        assert_eq!(told(End::Stopped, None, Some(15)), (Outcome::Cancelled, String::new(), None));
    }
}
