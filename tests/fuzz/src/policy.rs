//! `policy.toml` and what is asked of it. A line `---` parts them.

use std::fs;

use muster_agent::policy::Policy;
use muster_schemas::jobs::{JobSpec, KINDS, RunSpec};
use toml::{Table, Value};

use crate::given::directory;

/// What is allowed is what the file names, and of a file that is no policy nothing is.
pub fn policy(bytes: &[u8]) {
    let (file, asked) = parts(bytes);
    let state = directory();
    fs::write(state.path().join("policy.toml"), file).expect("there is room");
    let asked = serde_json::from_slice::<JobSpec>(asked).ok();
    match Policy::load(state.path()) {
        Ok(policy) => {
            let table = std::str::from_utf8(file).ok().and_then(|text| text.parse::<Table>().ok());
            let table = table.expect("a policy is TOML");
            for spec in asked.iter().chain(&usual()) {
                assert_eq!(policy.check(spec).is_ok(), is_named(&table, spec), "{spec:?}");
            }
            let runs = policy.capabilities().iter().any(|kind| kind == "run");
            assert_eq!(runs, names_programs(&table), "the server hears what is so");
            assert!(!policy.summary().is_empty());
        }
        Err(_) => allows_nothing(asked.as_ref()),
    }
}

/// What holds while the file cannot be read.
fn allows_nothing(asked: Option<&JobSpec>) {
    let nothing = Policy::nothing();
    assert!(nothing.capabilities().is_empty());
    for spec in asked.into_iter().chain(&usual()) {
        let harmless = matches!(spec, JobSpec::ResetBreakers(_));
        assert_eq!(nothing.check(spec).is_ok(), harmless, "{spec:?}");
    }
}

fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let rule = b"\n---\n";
    let place = bytes.windows(rule.len()).position(|window| window == rule);
    place.map_or((bytes, b""), |place| (&bytes[..=place], &bytes[place + rule.len()..]))
}

/// A job of each kind, and a program that is made to load foreign code.
fn usual() -> Vec<JobSpec> {
    let preloaded = JobSpec::Run(RunSpec {
        argv: vec!["/usr/bin/uptime".into()],
        environment: [("LD_PRELOAD".to_owned(), "/tmp/x.so".to_owned())].into(),
        secret_environment: [].into(),
        working_directory: None,
        output_limit_bytes: None,
        stop_grace_seconds: None,
        run_as: None,
    });
    let samples = KINDS.iter().map(|kind| serde_json::from_str(kind.sample).expect("a sample is a job"));
    samples.chain([preloaded]).collect()
}

/// The same decision from the file as TOML has it.
fn is_named(table: &Table, spec: &JobSpec) -> bool {
    let allow = |key: &str| table.get("allow").and_then(|allow| allow.get(key));
    let accounts = texts(allow("run_as")).unwrap_or_default();
    match spec {
        JobSpec::Run(RunSpec { run_as: Some(account), .. }) if !accounts.contains(&account.as_str()) => false,
        JobSpec::Run(_) if allow("run").and_then(Value::as_str) == Some("*") => true,
        JobSpec::Run(run) => {
            let program = run.argv.first().map_or("", String::as_str);
            let directory = run.working_directory.as_deref().unwrap_or("/");
            let environment = texts(allow("environment")).unwrap_or_else(|| vec!["LANG", "LC_*", "TZ"]);
            let fits = |name: &str, pattern: &str| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == pattern,
            };
            texts(allow("run")).is_some_and(|listed| listed.contains(&program))
                && run.environment.keys().all(|name| environment.iter().any(|pattern| fits(name, pattern)))
                && (directory == "/"
                    || texts(allow("working_directories")).is_some_and(|listed| listed.contains(&directory)))
        }
        // Of any other kind everything is allowed, or nothing.
        other => {
            let usual = || Policy::default().check(other).is_ok();
            allow(other.kind()).map_or_else(usual, |value| value.as_bool() == Some(true))
        }
    }
}

fn names_programs(table: &Table) -> bool {
    let run = table.get("allow").and_then(|allow| allow.get("run"));
    run.and_then(Value::as_str) == Some("*") || texts(run).is_some_and(|listed| !listed.is_empty())
}

fn texts(value: Option<&Value>) -> Option<Vec<&str>> {
    value?.as_array().map(|values| values.iter().filter_map(Value::as_str).collect())
}
