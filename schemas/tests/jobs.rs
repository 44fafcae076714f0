//! Kinds of job: each one agrees with itself on the wire, in the list of kinds, and in its rules.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use muster_schemas::{
    jobs::{JobKind as _, JobResult, JobSpec, KINDS, Outcome, RunSpec, SelfUpdateSpec},
    secrets::Secret,
};
use serde_json::{Value, json};

fn run(argv: &[&str]) -> RunSpec {
    RunSpec {
        argv: argv.iter().map(ToString::to_string).collect(),
        environment: [].into(),
        secret_environment: [].into(),
        working_directory: None,
        output_limit_bytes: None,
        stop_grace_seconds: None,
        run_as: None,
    }
}

/// A job of each kind that keeps its rules: the golden samples.
fn one_of_each() -> Vec<JobSpec> {
    KINDS.iter().map(|kind| serde_json::from_str(kind.sample).unwrap()).collect()
}

fn breaks(spec: &JobSpec) -> String {
    spec.rules().check().unwrap_err().field.unwrap()
}

#[test]
fn every_kind_is_listed_once_and_named_as_on_the_wire() {
    let named = one_of_each().iter().map(JobSpec::kind).collect::<BTreeSet<_>>();
    assert_eq!(named, KINDS.iter().map(|kind| kind.name).collect());
    assert_eq!(named.len(), KINDS.len());
    for spec in one_of_each() {
        let wire = serde_json::to_value(&spec).unwrap();
        assert_eq!(wire["kind"], spec.kind());
        assert_eq!(JobSpec::from_parts(spec.kind(), &wire["spec"]).unwrap(), spec);
        assert_eq!(spec.rules().check(), Ok(()), "{wire}");
        assert!(!spec.rules().title().is_empty());
    }
}

#[test]
fn an_unknown_kind_is_refused_with_the_kinds_that_there_are() {
    let problem = JobSpec::from_parts("dance", &json!({})).unwrap_err();
    assert_eq!(problem.field.as_deref(), Some("kind"));
    assert!(KINDS.iter().all(|kind| problem.detail.as_ref().unwrap().contains(kind.name)), "{problem}");
    for (spec, field) in [(Value::Null, "spec"), (json!([]), "spec"), (json!({ "shell": true }), "spec.shell")] {
        let problem = JobSpec::from_parts("run", &spec).unwrap_err();
        assert_eq!(problem.field.as_deref(), Some(field), "{spec}");
    }
}

#[test]
fn a_program_is_named_by_its_plain_path() {
    for program in ["", "true", "./true", "/bin/../bin/true", "/bin/./true", "/..", "/bin/true\0"] {
        assert_eq!(breaks(&JobSpec::Run(run(&[program]))), "spec.argv", "{program:?}");
    }
    assert_eq!(breaks(&JobSpec::Run(run(&[]))), "spec.argv");
    assert_eq!(JobSpec::Run(run(&["/bin/...", "..", "."])).rules().check(), Ok(()));
}

#[test]
fn a_program_gets_no_path_of_its_own_and_no_variable_without_a_name() {
    for name in ["PATH", "", "A=B", "A\0"] {
        let spec = RunSpec { environment: [(name.into(), "/tmp".into())].into(), ..run(&["/bin/true"]) };
        assert_eq!(breaks(&JobSpec::Run(spec)), "spec.environment", "{name:?}");
    }
    let spec = RunSpec { environment: [("A".into(), "\0".into())].into(), ..run(&["/bin/true"]) };
    assert_eq!(breaks(&JobSpec::Run(spec)), "spec.environment");
}

#[test]
fn a_program_runs_in_a_plain_directory() {
    for directory in ["", "tmp", "/srv/../etc", "/.", "/srv\0"] {
        let spec = RunSpec { working_directory: Some(directory.into()), ..run(&["/bin/true"]) };
        assert_eq!(breaks(&JobSpec::Run(spec)), "spec.working_directory", "{directory:?}");
    }
}

#[test]
fn each_size_has_a_limit() {
    let many = vec!["x"; 256];
    let large = "x".repeat(64 * 1024);
    let with = |name: String, value: String| RunSpec { environment: [(name, value)].into(), ..run(&["/bin/true"]) };
    let crowded = (0..257).map(|number| (format!("V{number}"), String::new())).collect();
    // 120 KiB as text, and six times that as JSON.
    let control = "\u{1}".repeat(60 * 1024);
    let cases = [
        (run(&[&["/bin/true"], many.as_slice()].concat()), "spec.argv"),
        (run(&["/bin/true", &large]), "spec.argv"),
        (with("A".into(), large.clone()), "spec.environment"),
        (RunSpec { environment: crowded, ..run(&["/bin/true"]) }, "spec.environment"),
        (RunSpec { working_directory: Some(format!("/{large}")), ..run(&["/bin/true"]) }, "spec.working_directory"),
        (RunSpec { output_limit_bytes: Some(16 * 1024 * 1024 + 1), ..run(&["/bin/true"]) }, "spec.output_limit_bytes"),
        (RunSpec { stop_grace_seconds: Some(241), ..run(&["/bin/true"]) }, "spec.stop_grace_seconds"),
        (RunSpec { run_as: Some("-root".into()), ..run(&["/bin/true"]) }, "spec.run_as"),
        (RunSpec { run_as: Some("a b".into()), ..run(&["/bin/true"]) }, "spec.run_as"),
        (RunSpec { argv: vec!["/bin/true".into(), control.clone()], ..with("A".into(), control) }, "spec"),
    ];
    for (spec, field) in cases {
        assert_eq!(breaks(&JobSpec::Run(spec)), field);
    }
}

#[test]
fn an_update_of_the_agent_names_a_version_and_a_digest_that_are_safe_in_a_path() {
    for version in ["", "../1", "v1", "1/2", &"1".repeat(65)] {
        let spec = SelfUpdateSpec { version: version.into(), manifest_sha256: "0".repeat(64) };
        assert_eq!(breaks(&JobSpec::SelfUpdate(spec)), "spec.version", "{version:?}");
    }
    for digest in ["", "../../etc/passwd", &"A".repeat(64), &"0".repeat(63)] {
        let spec = SelfUpdateSpec { version: "1.0.0".into(), manifest_sha256: digest.into() };
        assert_eq!(breaks(&JobSpec::SelfUpdate(spec)), "spec.manifest_sha256", "{digest:?}");
    }
}

#[test]
fn a_title_is_one_short_line() {
    let title = |argv: &[&str]| JobSpec::Run(run(argv)).rules().title();
    assert_eq!(title(&["/bin/echo", "one\ntwo"]), "/bin/echo one two");
    let long = title(&["/bin/echo", &"x".repeat(500)]);
    assert!(long.chars().count() <= 161 && long.ends_with('…'), "{long}");
}

#[test]
fn secrets_keep_the_rules_of_variables_and_cannot_be_read_back_from_a_view() {
    let with = |name: &str, value: &str| RunSpec {
        environment: [("LANG".into(), "C".into())].into(),
        secret_environment: [(name.to_owned(), Secret::new(value))].into(),
        ..run(&["/bin/true"])
    };
    assert!(with("TOKEN", "hunter2").check().is_ok());
    for (name, value) in [("", "x"), ("A=B", "x"), ("PATH", "x"), ("LANG", "x"), ("A", "\0"), ("A", "***")] {
        let problem = with(name, value).check().unwrap_err();
        assert_eq!(problem.field.as_deref(), Some("spec.secret_environment"), "{name:?}");
    }
    assert_eq!(with("A", &"x".repeat(64 * 1024)).check().unwrap_err().field.as_deref(), Some("spec.environment"));
    for wrong in [json!({ "TOKEN": 4711 }), json!("hunter2"), json!(["hunter2"])] {
        let problem =
            JobSpec::from_parts("run", &json!({ "argv": ["/bin/true"], "secret_environment": wrong })).unwrap_err();
        let text = serde_json::to_string(&problem).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
        assert!(problem.field.is_some_and(|field| field.starts_with("spec.secret_environment")));
    }
}

#[test]
fn what_a_job_does_is_told_in_full_within_bounds_and_without_its_values() {
    let spec = RunSpec {
        environment: [("LANG".into(), "in the clear".into())].into(),
        secret_environment: [("TOKEN".into(), Secret::new("hunter2"))].into(),
        working_directory: Some("/srv".into()),
        ..run(&["/bin/echo", "two words", "", "plain"])
    };
    assert_eq!(spec.summary(), r#"/bin/echo "two words" "" plain, environment LANG, secrets TOKEN=***, in /srv"#);
    let long = RunSpec { argv: vec!["/bin/echo".into(), "x".repeat(60_000)], ..spec };
    assert!(long.summary().len() < 2_200 && long.summary().contains('…'));
}

/// A result that is told again is compared with the one that was stored, and another one raises an alert.
#[test]
fn a_result_is_the_same_after_it_was_written_and_read_whatever_numbers_are_in_it() {
    for number in 1..10_000_u32 {
        let detail = json!({ "load": f64::from(number) / 7.0, "rest": f64::from(number).exp2().recip() });
        let result =
            JobResult { detail: Some(detail), ..JobResult::new(Outcome::Succeeded, jiff::Timestamp::UNIX_EPOCH) };
        let text = serde_json::to_string(&result).unwrap();
        let read: JobResult = serde_json::from_str(&text).unwrap();
        assert_eq!(read, result, "{text}");
    }
}
