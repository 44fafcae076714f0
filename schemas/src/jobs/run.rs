//! Run a program: arguments, environment and limits, without a shell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DEFAULT_LOG_BYTES, JobKind, JobSpec, Kind, Recovery, first_broken, in_few_words, typed};
use crate::{problems::Problem, secrets::Secret};

/// How many arguments, and how many variables, a program gets at most.
const MAX_TEXTS: usize = 256;
/// How large all arguments, or all variables, may be together, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// How long a path may be, in bytes: what Linux takes.
const MAX_PATH_BYTES: usize = 4096;
/// How much output a job may ask to be kept, in bytes.
const MAX_OUTPUT_BYTES: u64 = 16 * 1024 * 1024;
/// How large a spec may be as JSON, in bytes: with its result it is one record.
const MAX_SPEC_BYTES: usize = 160 * 1024;
/// How long a program has to end when it is asked to, if the job does not say.
const STOP_GRACE_SECONDS: u32 = 10;
/// How long a job may say that it has, in seconds: less than what is allowed beyond its time limit before it is presumed lost.
const MAX_STOP_GRACE_SECONDS: u32 = 240;

/// How many characters of a command, and of what is around it, an entry of the audit trail has.
const MAX_SUMMARY: usize = 1_000;
/// What a host says in its facts that lets a job bring secrets.
pub const SECRET_ENVIRONMENT: &str = "run.secret_environment";
/// What is shown and kept in place of a secret.
pub const HIDDEN: &str = "***";

pub(super) const KIND: Kind = Kind {
    name: "run",
    instead: None,
    command: None,
    sample: include_str!("../../samples/job_spec.run.json"),
    spec: RunSpec::name,
    parse: |spec| typed(spec).map(JobSpec::Run),
};

/// A program to run, without a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The program's absolute path and its arguments: 1 to 256 texts without NUL, at most 64 KiB. The path has no `.` or `..`.
    pub argv: Vec<String>,
    /// Variables that it gets over `HOME`, `USER`, `LOGNAME` and `SHELL` of its account and `LANG=C.UTF-8`: at most 256 variables
    /// and 64 KiB, with the secret ones. `PATH` is the agent's, and `MUSTER_JOB_ID` is the job's id. To callers who may only look,
    /// the values are `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// More variables, whose values are secret. No answer, log or audit entry tells them (`***` stands there instead), and they
    /// are erased when the job has ended. For hosts with the capability `run.secret_environment`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_environment: BTreeMap<String, Secret>,
    /// Where it runs: an absolute path without `.` or `..`. Absent: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// How much of its output is kept, in bytes: its beginning and its end; at most 16 MiB. Absent: 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit_bytes: Option<u64>,
    /// How long it has to end when it is asked to (SIGTERM), with everything that it has started, before all of it is killed, in
    /// seconds: at most 240. Absent: 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace_seconds: Option<u32>,
    /// The account of the host that it runs under, with that account's groups and nothing of the agent's rights: a name that the
    /// host's policy allows. Absent: the first that the policy names, else the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
}

impl JobKind for RunSpec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn recovery(&self) -> Recovery {
        Recovery::Once
    }

    fn title(&self) -> String {
        in_few_words(&self.argv.join(" "))
    }

    fn check(&self) -> Result<(), Box<Problem>> {
        let Self { argv, environment, secret_environment, working_directory, output_limit_bytes, .. } = self;
        let Self { stop_grace_seconds, run_as, .. } = self;
        self.check_secrets()?;
        let program = argv.first().map_or("", String::as_str);
        let has_nul = |text: &String| text.contains('\0');
        let is_name = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
        let argument_bytes = argv.iter().map(String::len).sum::<usize>();
        let secrets = secret_environment.iter().map(|(name, value)| name.len() + value.reveal().len());
        let variables = environment.iter().map(|(name, value)| name.len() + value.len());
        let variable_bytes = variables.chain(secrets).sum::<usize>();
        // JSON writes a control character in six bytes.
        let json_bytes = || serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        let rules: [(&str, bool, &str); 15] = [
            ("spec.argv", (1..=MAX_TEXTS).contains(&argv.len()), "must have 1 to 256 texts"),
            ("spec.argv", is_plain_path(program), "must begin with the absolute path of a program, without . and .."),
            ("spec.argv", argument_bytes <= MAX_TEXT_BYTES, "must be at most 64 KiB"),
            ("spec.argv", !argv.iter().any(has_nul), "must not contain NUL"),
            (
                "spec.environment",
                environment.len() + secret_environment.len() <= MAX_TEXTS,
                "must have at most 256 variables, with the secret ones",
            ),
            ("spec.environment", variable_bytes <= MAX_TEXT_BYTES, "must be at most 64 KiB"),
            (
                "spec.environment",
                environment.keys().all(is_name),
                "must have names that are not empty and have no = or NUL",
            ),
            ("spec.environment", !environment.contains_key("PATH"), "must not set PATH: it is the agent's own"),
            ("spec.environment", !environment.values().any(has_nul), "must not contain NUL"),
            (
                "spec.working_directory",
                working_directory.as_deref().is_none_or(is_plain_path),
                "must be an absolute path without . and ..",
            ),
            (
                "spec.working_directory",
                working_directory.as_ref().is_none_or(|path| path.len() <= MAX_PATH_BYTES),
                "must be at most 4096 bytes",
            ),
            (
                "spec.output_limit_bytes",
                output_limit_bytes.unwrap_or(0) <= MAX_OUTPUT_BYTES,
                "must be at most 16777216 (16 MiB)",
            ),
            (
                "spec.stop_grace_seconds",
                stop_grace_seconds.unwrap_or(0) <= MAX_STOP_GRACE_SECONDS,
                "must be at most 240 (4 minutes)",
            ),
            (
                "spec.run_as",
                run_as.as_deref().is_none_or(is_account),
                "must be the name of an account: 1 to 64 letters, digits, '.', '_' or '-', first no '-'",
            ),
            ("spec", json_bytes() <= MAX_SPEC_BYTES, "must be at most 163840 bytes as JSON"),
        ];
        first_broken(&rules)
    }

    fn log_limit_bytes(&self) -> u64 {
        self.output_limit_bytes.unwrap_or(DEFAULT_LOG_BYTES)
    }

    fn needs(&self) -> Option<&'static str> {
        (!self.secret_environment.is_empty()).then_some(SECRET_ENVIRONMENT)
    }

    fn summary(&self) -> String {
        let plain = |text: &&String| {
            !text.is_empty() && !text.contains(|letter: char| " '\"\\".contains(letter) || letter.is_control())
        };
        let quoted = |text: &String| Some(text).filter(plain).map_or_else(|| format!("{text:?}"), Clone::clone);
        let command = self.argv.iter().map(quoted).collect::<Vec<_>>().join(" ");
        let names = self.environment.keys().cloned().collect::<Vec<_>>().join(" ");
        let secrets =
            self.secret_environment.keys().map(|name| format!("{name}={HIDDEN}")).collect::<Vec<_>>().join(" ");
        let told = [
            ("environment", names),
            ("secrets", secrets),
            ("in", self.working_directory.clone().unwrap_or_default()),
            ("as", self.run_as.clone().unwrap_or_default()),
        ];
        let told = told.into_iter().filter(|(_, text)| !text.is_empty()).map(|(what, text)| format!(", {what} {text}"));
        let whole = command.chars().take(MAX_SUMMARY).collect::<String>();
        let cut = if whole.len() < command.len() { "…" } else { "" };
        whole + cut + &told.collect::<String>().chars().take(MAX_SUMMARY).collect::<String>()
    }
}

impl RunSpec {
    /// How long it has to end when it is asked to, in seconds.
    pub fn stop_grace_seconds(&self) -> u32 {
        self.stop_grace_seconds.unwrap_or(STOP_GRACE_SECONDS)
    }

    /// The same for people who may only look: they see no value of a variable.
    pub(super) fn without_values(&mut self) {
        self.environment.values_mut().for_each(|value| HIDDEN.clone_into(value));
        self.without_secrets();
    }

    /// The same without the secrets, but with their names.
    pub(super) fn without_secrets(&mut self) {
        self.secret_environment.values_mut().for_each(|value| *value = Secret::new(HIDDEN));
    }

    fn check_secrets(&self) -> Result<(), Box<Problem>> {
        let Self { environment, secret_environment: secrets, .. } = self;
        let field = "spec.secret_environment";
        let is_name = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
        first_broken(&[
            (field, secrets.keys().all(is_name), "must have names that are not empty and have no = or NUL"),
            (field, !secrets.contains_key("PATH"), "must not set PATH: it is the agent's own"),
            (field, !secrets.keys().any(|name| environment.contains_key(name)), "must not set what environment sets"),
            (field, !secrets.values().any(|value| value.reveal().contains('\0')), "must not contain NUL"),
            // What was read from a view, or from a job that has ended.
            (
                field,
                !secrets.values().any(|value| value.reveal() == HIDDEN),
                "must be given anew: nobody is told its values",
            ),
        ])
    }
}

fn is_account(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_fine) && !name.starts_with('-')
}

fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "." || part == "..")
}
