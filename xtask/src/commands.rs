//! Starting programs, and showing them as people would type them.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// The top of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo, in the workspace. Every build knows its commit, so that no two commands build the same thing twice.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root()).env("MUSTER_COMMIT", commit());
    cargo
}

/// Shows a command and runs it; an exit code other than 0 is a failure.
pub fn run(command: &mut Command) -> Result {
    say(&format!("$ {}", typed(command)));
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", typed(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", typed(command))) }
}

/// What a step needs. Where it is missing the step is skipped, and says so; in CI nothing may be missing.
pub fn unless_missing<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(reason) if env::var_os("CI").is_some() => Err(reason),
        Err(reason) => {
            say(&format!("SKIP: {reason}"));
            Ok(None)
        }
    }
}

/// What a command prints; an exit code other than 0 is a failure, told with what it wrote to stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("cannot start {}: {error}", typed(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} ended with {}\n{}", typed(command), output.status, reason.trim_end()))
}

/// A command as it would be typed: the program by its name, arguments quoted where a shell needs it.
pub fn typed(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// A path as people read it: from the top of the workspace where it is in there.
pub fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Prints a line, also where nobody reads it.
pub fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_=+:,./@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn commit() -> String {
    let head = output(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()));
    head.map_or_else(|_| "unknown".into(), |commit| commit.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/somewhere/muster");
        command.args(["jobs", "run", "--", "/bin/sh", "-c", "echo 'it works'", ""]);
        assert_eq!(typed(&command), r"muster jobs run -- /bin/sh -c 'echo '\''it works'\''' ''");
    }
}
