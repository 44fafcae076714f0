//! `fuzz`: looks for inputs that break something, with libFuzzer on nightly.
//!
//! What it finds on its way stays in `target/fuzz/corpus`, and is where the next run goes on. What breaks a target is in
//! `target/fuzz/failed`; it belongs into `tests/fuzz/corpus/TARGET/` as `failed-…`, where an ordinary test runs it from then on.

use std::{
    fs::{self, create_dir_all},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    commands::{cargo, output, root, run, target},
};

const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "=0.13.2");
/// One input may take so long, in seconds, before it counts as a hang.
const PATIENCE_SECONDS: u32 = 10;
const MAX_INPUT_BYTES: u32 = 16 * 1024;

/// Runs each target, or those that are named, for so many seconds.
pub fn fuzz(seconds: u32, wanted: &[String]) -> Result {
    let targets = chosen(wanted)?;
    nightly()?;
    let program = program()?;
    // The versions that the workspace is built of; what only the fuzzer needs comes on top.
    let lock = folder().join("Cargo.lock");
    fs::copy(root().join("Cargo.lock"), &lock).map_err(|error| format!("cannot write {}: {error}", lock.display()))?;
    targets.iter().try_for_each(|target| search(&program, target, seconds))
}

fn search(program: &Path, name: &str, seconds: u32) -> Result {
    let place = |kind: &str| {
        let path = target().join("fuzz").join(kind).join(name);
        create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok::<_, String>(path)
    };
    let (found, failed) = (place("corpus")?, place("failed")?);
    let mut command = nightly_command(program);
    // No crate of ours has unsafe code, so an address sanitizer would find nothing, twice as slowly.
    command.args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"]).arg(folder());
    command.arg("--target-dir").arg(target().join("fuzz/build")).arg(name);
    command.arg(found).arg(folder().with_file_name("corpus").join(name)).arg("--");
    command.arg(format!("-artifact_prefix={}/", failed.display()));
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={PATIENCE_SECONDS}"));
    command.arg(format!("-max_len={MAX_INPUT_BYTES}")).args(["-verbosity=0", "-print_final_stats=1"]);
    run(&mut command).map_err(|reason| format!("{name}: {reason}; see {}", failed.display()))
}

/// Every target, or those that are named.
fn chosen(wanted: &[String]) -> Result<Vec<String>> {
    let programs = folder().join("fuzz_targets");
    let entries = fs::read_dir(&programs).map_err(|error| format!("cannot read {}: {error}", programs.display()))?;
    let name = |path: PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let mut all: Vec<_> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    all.sort();
    match wanted.iter().find(|name| !all.contains(name)) {
        Some(name) => Err(format!("there is no target {name}; there are {}", all.join(", "))),
        None if wanted.is_empty() => Ok(all),
        None => Ok(wanted.to_vec()),
    }
}

fn nightly() -> Result {
    let missing = |_| "nightly Rust is missing: rustup toolchain install nightly --profile minimal".to_owned();
    output(nightly_command(Path::new("rustc")).arg("--version")).map(drop).map_err(missing)
}

/// A program on nightly, which must not be told of the toolchain that this one runs on.
fn nightly_command(program: &Path) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).arg(program).current_dir(root());
    command.env_remove("CARGO");
    command
}

/// The fuzzer's front end; built once.
fn program() -> Result<PathBuf> {
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-fuzz");
    if !program.exists() {
        let (name, version) = CARGO_FUZZ;
        let mut install = cargo(["install", "--quiet", "--locked", name, "--version", version, "--root"]);
        run(install.arg(&tools).arg("--target-dir").arg(tools.join("build")))
            .map_err(|reason| format!("cargo-fuzz is missing (cargo install cargo-fuzz --locked): {reason}"))?;
    }
    Ok(program)
}

fn folder() -> PathBuf {
    root().join("tests/fuzz/fuzz")
}
