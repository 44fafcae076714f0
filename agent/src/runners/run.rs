//! `run`: a program with its arguments, without a shell. How it is bounded and ended is `programs`'.

use muster_schemas::jobs::{JobKind, JobResult, Outcome, RunSpec};

use super::{
    Task,
    results::{ended, ended_with},
};
use crate::programs::{End, Program, Programs, Ran};

/// Runs the program to its end.
pub async fn run(programs: &dyn Programs, spec: &RunSpec, task: &Task) -> JobResult {
    let program = program(spec, task);
    let ran = programs.run(&program, &task.stop, &|_, text: &str| (task.output)(text)).await;
    result(ran, &program)
}

fn program(spec: &RunSpec, task: &Task) -> Program {
    let RunSpec { argv, environment, working_directory, output_limit_bytes: _ } = spec;
    let (path, arguments) = argv.split_first().map_or(("", &[][..]), |(path, rest)| (path, rest));
    Program {
        job: task.id,
        path: path.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        directory: Some(working_directory.as_deref().unwrap_or("/").into()),
        time_limit: task.time_limit,
        output_limit_bytes: spec.log_limit_bytes(),
    }
}

fn result(ran: Ran, program: &Program) -> JobResult {
    let Ran { end, exit_code, signal, output_bytes, output_truncated } = ran;
    let failed = |code, message| ended_with(Outcome::Failed, code, message);
    let result = match (end, exit_code) {
        (End::NotStarted(source), _) => failed("spawn", format!("cannot start {:?}: {source}", program.path)),
        (End::Stopped, _) => ended(Outcome::Cancelled),
        (End::TimeLimit, _) => {
            failed("time_limit", format!("stopped after its time limit of {} s", program.time_limit.as_secs()))
        }
        (End::Itself, Some(0)) => ended(Outcome::Succeeded),
        (End::Itself, Some(code)) => failed("exit_code", format!("ended with exit code {code}")),
        (End::Itself, None) => failed("signal", format!("ended by signal {}", signal.unwrap_or(0))),
    };
    JobResult { exit_code, output_bytes, output_truncated, ..result }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc, time::Duration};

    use muster_schemas::ids::JobId;
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn asked() -> (RunSpec, Task) {
        let argv = ["/bin/date", "+%s"].map(Into::into).into();
        let spec = RunSpec { argv, environment: [].into(), working_directory: None, output_limit_bytes: None };
        let id = JobId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let task =
            Task { id, time_limit: Duration::from_secs(7), stop: CancellationToken::new(), output: Arc::new(|_| {}) };
        (spec, task)
    }

    #[test]
    fn a_job_runs_its_program_at_the_root_within_its_limits_unless_it_says_otherwise() {
        let (spec, task) = asked();
        let program = program(&spec, &task);
        assert_eq!((program.path.to_str(), program.arguments.len()), (Some("/bin/date"), 1));
        assert_eq!(program.directory, Some("/".into()));
        assert_eq!((program.time_limit.as_secs(), program.output_limit_bytes), (7, 1024 * 1024));
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
        assert_eq!(told(End::NotStarted(io::ErrorKind::NotFound.into()), None, None), failed("spawn", None));
        assert_eq!(told(End::Stopped, None, Some(15)), (Outcome::Cancelled, String::new(), None));
    }
}
