//! Upgrade tests: the server, the agent and the command line of the release before, built from the repository's own history.
//!
//! Which commit that is stands in `tests/fixtures/before/commit`, and there alone. It is built with today's lock file, today's
//! profiles and in today's target directory, so that the dependencies that both have in common are compiled once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    commands::{cargo, output, root, run, say, target},
    fleet::put,
};

/// Its full id.
const COMMIT: &str = include_str!("../../tests/fixtures/before/commit");
/// What its packages are called, and what its agents and servers say that they are: older than every version that tests make.
/// Cargo tells packages of one target directory apart by it: under today's version it would take one build for the other.
const VERSION: &str = "0.9.0";
const BINARIES: [&str; 3] = ["muster-server", "muster-agent", "muster"];
/// Where profiles begin in a workspace's manifest; they are the last of it.
const PROFILES: &str = "\n[profile.";

/// Builds it once. Where the history is missing, one line says so, and so does each test that needs it.
pub fn build() -> Result {
    let commit = COMMIT.trim();
    let folder = target().join("before").join(commit);
    if BINARIES.iter().all(|name| folder.join(name).exists()) {
        return Ok(());
    }
    let known =
        Command::new("git").args(["cat-file", "-e", &format!("{commit}^{{commit}}")]).current_dir(root()).output();
    if !known.is_ok_and(|known| known.status.success()) {
        say(&format!("SKIP: upgrade tests: the history of this clone ends after {commit}; git fetch --unshallow"));
        return Ok(());
    }
    let source = folder.join("source");
    unpack(commit, &source)?;
    let binaries = BINARIES.iter().flat_map(|name| ["--bin", name]);
    let mut build = cargo(["build", "--quiet", "--workspace"].into_iter().chain(binaries));
    build.current_dir(&source).env("CARGO_TARGET_DIR", target());
    run(build.env("MUSTER_COMMIT", commit))?;
    BINARIES.iter().try_for_each(|name| put(&target().join("debug").join(name), &folder.join(name)))?;
    remove(&source)
}

/// The sources as they were, with what decides how dependencies are built as it is today.
fn unpack(commit: &str, source: &Path) -> Result {
    remove(source)?;
    fs::create_dir_all(source).map_err(|error| format!("cannot make {}: {error}", source.display()))?;
    let archive = source.with_extension("tar");
    let mut git = Command::new("git");
    git.arg("archive").arg("--output").arg(&archive).arg(commit);
    run(git.current_dir(root()))?;
    // Touched, because files as old as the commit would look as if they had been compiled already.
    output(Command::new("tar").arg("--touch").arg("-xf").arg(&archive).arg("-C").arg(source))?;
    let [now, then] = [root(), source].map(|folder| folder.join("Cargo.toml"));
    let manifest = manifest(&read(&then)?, &read(&now)?);
    fs::write(&then, manifest).map_err(|error| format!("cannot write {}: {error}", then.display()))?;
    put(&root().join("Cargo.lock"), &source.join("Cargo.lock"))?;
    fs::remove_file(&archive).map_err(|error| format!("cannot remove {}: {error}", archive.display()))
}

/// The manifest of then with the profiles of now, and a version of its own.
fn manifest(then: &str, now: &str) -> String {
    let body = then.split(PROFILES).next().unwrap_or_default();
    let own =
        |line: &str| if line.starts_with("version = ") { format!("version = \"{VERSION}\"\n") } else { line.into() };
    let profiles = now.find(PROFILES).map_or("", |start| &now[start..]);
    format!("{}{profiles}", body.split_inclusive('\n').map(own).collect::<String>())
}

fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn remove(folder: &Path) -> Result {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_is_built_with_the_profiles_of_today() {
        let then = "[workspace]\n\n[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[profile.dev]\ndebug = true\n";
        let now = "[workspace]\nmembers = [\"more\"]\n\n[profile.dev]\ndebug = false\n\n[profile.release]\n";
        let expected = then.replace("0.1.0", VERSION).replace("true", "false") + "\n[profile.release]\n";
        assert_eq!(manifest(then, now), expected);
    }
}
