//! Commands in hints, help texts and the console: each `muster …` that a text names must exist.

use std::{
    fs, iter,
    path::{Path, PathBuf},
    slice,
};

use clap::{CommandFactory, error::ErrorKind};

use super::Muster;

/// Folders of the repository whose texts may name commands, for operators or for developers.
const FOLDERS: [&str; 6] =
    ["agent/src", "cli/src", "console/src", "functions/src", "functions/domain/src", "schemas/src"];
const EXTENSIONS: [&str; 4] = ["rs", "ts", "tsx", "sh"];
/// Quotes that may surround a command.
const QUOTES: [char; 3] = ['`', '"', '“'];
/// Values to try for a placeholder such as `{id}`, `ID` or `${job.id}`. One of them fits each argument.
const SAMPLES: [&str; 7] = [
    "host_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "job_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "fup_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "tok_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "key_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "site=home",
    "1h",
];

/// A command that a text names, and where.
struct Mention {
    place: String,
    words: Vec<String>,
}

/// Every source file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    let is_source = |path: &PathBuf| path.extension().is_some_and(|known| EXTENSIONS.iter().any(|one| known == *one));
    paths.filter(is_source).collect()
}

/// The commands that a line names. A command starts with `muster ` and a lower-case word; it ends with its quote.
fn commands(line: &str) -> Result<Vec<Vec<String>>, String> {
    let mut found = Vec::new();
    for (start, _) in line.match_indices("muster ") {
        let (before, rest) =
            (line[..start].trim_end_matches('\\').chars().next_back(), &line[start + "muster ".len()..]);
        let names_a_command = rest.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !names_a_command || before.is_some_and(|letter| letter.is_alphanumeric() || "-_./".contains(letter)) {
            continue;
        }
        let quote = before
            .filter(|letter| QUOTES.contains(letter))
            .ok_or_else(|| format!("the command is not in backticks: {}", &line[start..]))?;
        let end = rest.find(if quote == '“' { '”' } else { quote }).unwrap_or(rest.len());
        found.push(rest[..end].trim_end_matches('\\').split_whitespace().map(String::from).collect());
    }
    Ok(found)
}

/// Whether a word stands for a value: `ID`, `{id}`, `${job.id}`, or `fup_1` in a test.
fn is_placeholder(word: &str) -> bool {
    let is_capital = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    word.contains('{') || word.chars().all(is_capital) || word == "fup_1"
}

/// The command lines to try: every combination of samples for the placeholders.
fn candidates(words: &[String]) -> Vec<Vec<String>> {
    words.iter().fold(vec![vec!["muster".to_owned()]], |lines, word| {
        let values = if is_placeholder(word) { SAMPLES.map(String::from).to_vec() } else { vec![word.clone()] };
        lines.iter().flat_map(|line| values.iter().map(|value| [&line[..], slice::from_ref(value)].concat())).collect()
    })
}

/// Whether a command parses. A text may leave out arguments, but each command and flag that it names must exist.
fn parses(words: &[String]) -> Result<(), String> {
    let mut problem = String::new();
    for line in candidates(words) {
        match Muster::command().try_get_matches_from(&line) {
            Ok(_) => return Ok(()),
            Err(error) => match error.kind() {
                ErrorKind::MissingRequiredArgument
                | ErrorKind::MissingSubcommand
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::DisplayHelp => return Ok(()),
                _ => problem = error.to_string(),
            },
        }
    }
    Err(problem)
}

fn mentions(folder: &str) -> Vec<Mention> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the repository");
    let mut mentions = Vec::new();
    for file in files(&root.join(folder)) {
        if file.ends_with("commands/mentions.rs") {
            continue;
        }
        for (line, number) in fs::read_to_string(&file).unwrap().lines().zip(1..) {
            let place = format!("{}:{number}", file.strip_prefix(root).unwrap().display());
            let commands = commands(line).unwrap_or_else(|problem| panic!("{place}: {problem}"));
            mentions
                .extend(commands.into_iter().zip(iter::repeat(place)).map(|(words, place)| Mention { place, words }));
        }
    }
    mentions
}

#[test]
fn every_command_that_a_text_names_exists() {
    let mentions: Vec<Mention> = FOLDERS.into_iter().flat_map(mentions).collect();
    assert!(mentions.len() > 30, "only {} mentions were found", mentions.len());
    let wrong = mentions.iter().filter_map(|Mention { place, words }| {
        parses(words).err().map(|problem| format!("{place}: muster {}\n{problem}", words.join(" ")))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_or_a_flag_that_does_not_exist_is_found() {
    let parses = |line: &str| parses(&line.split(' ').map(String::from).collect::<Vec<_>>()).is_ok();
    for line in ["hosts show", "host show ID", "fleet-update watch {id} --now", "jobs log ID --forever", "nonsense"] {
        assert!(!parses(line), "{line}");
    }
    for line in ["host ID", "jobs log -f {}", "host retire ID --force --reason TEXT", "jobs run --if-offline queue"] {
        assert!(parses(line), "{line}");
    }
}

#[test]
fn a_command_outside_of_backticks_is_found() {
    assert!(commands("run muster hosts now").is_err());
    assert_eq!(commands("run `muster host {id}` or `muster hosts`").unwrap(), [vec!["host", "{id}"], vec!["hosts"]]);
    assert!(commands("/var/lib/muster is a path, `muster` a name").unwrap().is_empty());
}
