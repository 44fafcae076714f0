//! The programs that documents name, and what they say to `--help`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use muster_tests::processes::{
    binaries::{AGENT_1, CLI, SERVER, binary},
    process::command,
};

use super::pages::root;

/// Commands of `cargo xtask` that hand what follows to another program.
const HANDED_ON: [&str; 3] = ["test", "simulate", "faults"];

/// Programs of the system, which are not ours to check.
const FOREIGN: [&str; 31] = [
    "[",
    "apt-get",
    "aws",
    "cd",
    "chmod",
    "cp",
    "curl",
    "echo",
    "exit",
    "export",
    "git",
    "install",
    "kill",
    "mkdir",
    "mv",
    "openssl",
    "printf",
    "python3",
    "rsync",
    "sam",
    "scp",
    "sed",
    "sh",
    "sqlite3",
    "sudo",
    "systemctl",
    "tar",
    "tee",
    "test",
    "wait",
    "output",
];

/// One of ours, by the name that people type.
pub fn program(name: &str) -> Option<PathBuf> {
    match name {
        "muster" => Some(binary(CLI)),
        "muster-server" => Some(binary(SERVER)),
        "muster-agent" => Some(binary(AGENT_1)),
        _ => None,
    }
}

/// What a program says to these arguments and `--help`.
pub fn help(name: &str, arguments: &[&str]) -> String {
    told(Command::new(program(name).unwrap()).args(arguments).arg("--help")).unwrap()
}

/// Whether a command could be typed so: its program, subcommand, flags and the form of its values.
pub fn check(words: &[String]) -> Result<(), String> {
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    // What stands behind is for another program, or for nobody.
    let own = words.split(|word| *word == "--").next().unwrap();
    match own {
        ["sudo", rest @ ..] => check(&rest.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ["cargo", "xtask", name, rest @ ..] if HANDED_ON.contains(name) => {
            told(Command::new(xtask()?).args([name, "--help"]))?;
            if *name == "test" { cargo(&[&["test"], rest].concat()) } else { Ok(()) }
        }
        ["cargo", "xtask", rest @ ..] => told(Command::new(xtask()?).args(rest).arg("--help")).map(drop),
        ["cargo", rest @ ..] => cargo(rest),
        ["npm", "run", script, ..] => has("console/package.json", &format!("\"{script}\": ")),
        ["npm", "ci" | "test", ..] | [] => Ok(()),
        [path, rest @ ..] if path.contains('/') && root().join(path).is_file() => {
            rest.iter().filter(|word| word.starts_with("--")).try_for_each(|flag| has(path, flag))
        }
        ["muster" | "muster-server" | "muster-agent", "help", rest @ ..] => {
            told(&mut command(&program(own[0]).unwrap(), &[&["help"], rest].concat(), Path::new("/"))).map(drop)
        }
        [name, rest @ ..] => match program(name) {
            Some(program) => told(command(&program, rest, Path::new("/")).arg("--help")).map(drop),
            None if FOREIGN.contains(name) || name.starts_with("target/") || name.starts_with("./") => Ok(()),
            None => Err(format!("{name} is no program that is known here")),
        },
    }
}

/// Where it was built when the tests were started by it.
fn xtask() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = target.join("debug/xtask");
    if path.exists() { Ok(path) } else { Err(format!("{} is missing: run `cargo xtask test`", path.display())) }
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    // Not `--help`, which opens a manual.
    told(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments).arg("-h")).map(drop)
}

fn has(path: &str, text: &str) -> Result<(), String> {
    let held = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    if held.contains(text) { Ok(()) } else { Err(format!("{path} knows no {text}")) }
}

fn told(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
