//! Generated API clients: what well-known generators make of the `OpenAPI` document compiles, and runs jobs on a real host to
//! their end. The programs that use the clients stand in `tests/clients`; nothing that is generated is kept.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use muster_tests::processes::skip::skip;

use crate::harness::{
    body::{Body, PASSWORD, service},
    fleet::Fleet,
    process::command,
};

/// What the programs of both languages say of a fleet of one host.
const SAID: &str = "\
host: linux, may run
run: failed, exit code 3, /bin/sh
log: from a client
inspect: succeeded, asked for twice: one job
jobs: inspect, run
missing: not_found
";

#[test]
fn a_generated_python_client_runs_jobs_to_their_end() {
    let Some(tools) = tools("MUSTER_TEST_CLIENT_PYTHON") else { return };
    let Some(fleet) = Fleet::start() else { return };
    let folder = project(&fleet, "python");
    let make = ["generate", "--path", "openapi.json", "--meta", "none", "--config", "config.yml"];
    let made =
        runs(&tools.join("openapi-python-client"), &[&make[..], &["--output-path", "muster_client"]].concat(), &folder);
    // It says so of what it does not understand, and leaves it out.
    assert_eq!(made.trim(), "Generating muster_client");
    runs(&tools.join("mypy"), &["--strict", "runs_a_job.py", "reads_samples.py"], &folder);
    let samples = runs(&tools.join("python"), &["reads_samples.py", "openapi.json"], &folder);
    assert!(samples.starts_with("samples: "), "{samples}");
    assert_eq!(operates(&fleet, &tools.join("python"), "runs_a_job.py", &folder), SAID);
}

#[test]
fn a_generated_typescript_client_runs_jobs_to_their_end() {
    let Some(packages) = tools("MUSTER_TEST_CLIENT_TYPESCRIPT") else { return };
    let Some(fleet) = Fleet::start() else { return };
    let folder = project(&fleet, "typescript");
    symlink(packages, folder.join("node_modules")).unwrap();
    let made = runs("node".as_ref(), &["node_modules/@hey-api/openapi-ts/bin/run.js", "--no-log-file"], &folder);
    assert!(made.contains("Done") && !made.to_lowercase().contains("warn"), "{made}");
    runs("node".as_ref(), &["node_modules/typescript/bin/tsc", "--project", "."], &folder);
    assert_eq!(operates(&fleet, "node".as_ref(), "made/runs_a_job.js", &folder), SAID);
}

/// Where the tools of a language are. None, said aloud, where they are missing, and on all bodies but the first.
fn tools(variable: &str) -> Option<PathBuf> {
    if Body::under_test() != Body::Serve {
        skip("every body serves the same document");
        return None;
    }
    service(variable).map(PathBuf::from)
}

/// A folder with the program and the document that its client is made from.
fn project(fleet: &Fleet, language: &str) -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = fleet.folder().join(language);
    fs::create_dir(&folder).unwrap();
    for file in fs::read_dir(repository.join("tests/clients").join(language)).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    fs::copy(repository.join("schemas/openapi.json"), folder.join("openapi.json")).unwrap();
    folder
}

/// What the program of an operator says, on a fleet of one host.
fn operates(fleet: &Fleet, interpreter: &Path, program: &str, folder: &Path) -> String {
    let host = fleet.host("one");
    runs(interpreter, &[program, &fleet.server.url(), &host.id.to_string()], folder)
}

/// What a program says that ends well.
fn runs(program: &Path, arguments: &[&str], folder: &Path) -> String {
    let mut command = command(program, arguments, folder);
    command.env("MUSTER_PASSWORD", PASSWORD).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().unwrap();
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{}:\n{said}{complained}", program.display());
    said.into_owned()
}
