//! Run a program: arguments, environment and limits, without a shell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DEFAULT_LOG_BYTES, JobKind, JobSpec, Kind, Recovery, first_broken, in_few_words, typed};
use crate::problems::Problem;

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
    /// Its whole environment but for `PATH`, which is the agent's: at most 256 variables and 64 KiB.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Where it runs: an absolute path without `.` or `..`. Absent: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// How much of its output is kept, in bytes: its beginning and its end; at most 16 MiB. Absent: 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit_bytes: Option<u64>,
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
        let Self { argv, environment, working_directory, output_limit_bytes } = self;
        let program = argv.first().map_or("", String::as_str);
        let has_nul = |text: &String| text.contains('\0');
        let is_name = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
        let argument_bytes = argv.iter().map(String::len).sum::<usize>();
        let variable_bytes = environment.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        // JSON writes a control character in six bytes.
        let json_bytes = || serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        let rules: [(&str, bool, &str); 13] = [
            ("spec.argv", (1..=MAX_TEXTS).contains(&argv.len()), "must have 1 to 256 texts"),
            ("spec.argv", is_plain_path(program), "must begin with the absolute path of a program, without . and .."),
            ("spec.argv", argument_bytes <= MAX_TEXT_BYTES, "must be at most 64 KiB"),
            ("spec.argv", !argv.iter().any(has_nul), "must not contain NUL"),
            ("spec.environment", environment.len() <= MAX_TEXTS, "must have at most 256 variables"),
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
            ("spec", json_bytes() <= MAX_SPEC_BYTES, "must be at most 163840 bytes as JSON"),
        ];
        first_broken(&rules)
    }

    fn log_limit_bytes(&self) -> u64 {
        self.output_limit_bytes.unwrap_or(DEFAULT_LOG_BYTES)
    }
}

fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "." || part == "..")
}
