//! Settings in documents: the tables of `docs/operating.md` hold each setting of the programs with its default, and nothing else.

use std::{collections::BTreeSet, fs, path::Path};

use muster_agent::{config::Config, policy::Policy};
use muster_domain::pacing::Pacing;
use tempfile::TempDir;

use super::{
    pages::{Page, page, root},
    programs,
};

const PAGE: &str = "docs/operating.md";
/// Variables that only the programs themselves, or their builds, set.
const INTERNAL: [&str; 5] =
    ["MUSTER_COMMIT", "MUSTER_CONSOLE", "MUSTER_MANIFEST_VERSION", "MUSTER_VERSION", "MUSTER_WORKER_OF"];

/// An option of a program: its flag, its variable of the environment, its default.
type Setting = [String; 3];

#[test]
fn the_page_holds_each_setting_of_the_server_and_nothing_else() {
    let mut real = options("muster-server", &["serve"]);
    for setting in &mut real {
        if let Some(default) = paced(&setting[0]) {
            setting[2] = default;
        }
    }
    same(&real, &page(PAGE), "### `muster-server serve`");
}

#[test]
fn the_page_holds_each_setting_of_the_other_commands_and_nothing_else() {
    for (program, commands, heading) in [
        (
            "muster-server",
            &[
                "admin setup",
                "admin create-account",
                "admin export",
                "admin import",
                "admin backup",
                "admin restore",
                "admin sizes",
            ][..],
            "### `muster-server admin`",
        ),
        ("muster-agent", &["enroll", "run", "trust-root", "point-to", "status", "self-check"], "### `muster-agent`"),
    ] {
        let options = |command: &&str| options(program, &command.split(' ').collect::<Vec<_>>());
        let real = commands.iter().flat_map(options).collect::<BTreeSet<_>>();
        same(&real.into_iter().collect::<Vec<_>>(), &page(PAGE), heading);
    }
}

#[test]
fn the_page_names_each_variable_of_the_environment_that_a_program_reads() {
    let text = page(PAGE).text;
    let mut read = BTreeSet::new();
    for folder in ["functions/src", "agent/src", "cli/src"] {
        read_in(&root().join(folder), &mut read);
    }
    for internal in INTERNAL {
        assert!(read.remove(internal), "{internal} is excepted for nothing");
    }
    assert_eq!(variables(&text), read);
}

#[test]
fn the_agents_configuration_on_the_page_is_the_default_one_and_holds_every_key() {
    let block = page(PAGE).block_below("### `agent.toml`", "toml");
    let state = state_with("agent.toml", &block);
    let told = Config::load_with(state.path(), |_| None).unwrap();
    assert_eq!(told, Config::default());
    assert_eq!(keys(&block), fields(&format!("{:#?}", Config::default())));
}

#[test]
fn the_agents_policy_on_the_page_is_the_default_one_and_holds_every_key() {
    let block = page(PAGE).block_below("### `policy.toml`", "toml");
    let state = state_with("policy.toml", &block);
    let nothing = TempDir::new().unwrap();
    assert_eq!(Policy::load(state.path()).unwrap(), Policy::load(nothing.path()).unwrap());
    assert_eq!(keys(&block), fields(&format!("{:#?}", Policy::default())));
}

fn state_with(name: &str, text: &str) -> TempDir {
    let state = TempDir::new().unwrap();
    fs::write(state.path().join(name), text).unwrap();
    state
}

/// The options of a command, as its help tells them.
fn options(program: &str, command: &[&str]) -> Vec<Setting> {
    let help = programs::help(program, command);
    // An option begins a line; what is said of it may be broken anywhere.
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help.lines().map(str::trim) {
        let flag = line.split([' ', ',']).find(|word| word.starts_with("--")).filter(|_| line.starts_with('-'));
        match (flag, found.last_mut()) {
            (Some(flag), _) => found.push((flag.into(), line.into())),
            (None, Some((_, said))) => said.extend([" ", line]),
            (None, None) => {}
        }
    }
    let of = |said: &str, what: &str| {
        let rest = said.split_once(&format!("[{what}: ")).map_or("", |(_, rest)| rest);
        rest.split(']').next().unwrap().trim_end_matches('=').to_owned()
    };
    let settings = found.into_iter().map(|(flag, said)| [flag, of(&said, "env"), of(&said, "default")]);
    let mut found = settings.collect::<Vec<_>>();
    found.retain(|[flag, ..]| !matches!(flag.as_str(), "--help" | "--version"));
    found
}

/// The default of an option that the pacing has: of a process, and of functions where it is another one.
fn paced(flag: &str) -> Option<String> {
    let [process, functions] = [Pacing::default(), Pacing::of_functions()].map(|pacing| match flag {
        "--max-hold-seconds" => Some(pacing.max_hold_seconds),
        "--offline-after-seconds" => Some(pacing.offline_after_seconds),
        "--idle-interval-seconds" => Some(pacing.idle_interval_seconds),
        "--presence-write-seconds" => Some(pacing.presence_write_seconds),
        "--capacity" => Some(pacing.capacity),
        _ => None,
    });
    let (process, functions) = (process?, functions?);
    // Functions hold nothing, and have no such setting.
    let same = process == functions || functions == 0;
    Some(if same { process.to_string() } else { format!("{process}; functions: {functions}") })
}

fn same(real: &[Setting], page: &Page, heading: &str) {
    let told = page.table(heading).into_iter().map(|row| <[String; 3]>::try_from(row[..3].to_vec()).unwrap());
    let told = told.collect::<BTreeSet<_>>();
    assert_eq!(told, real.iter().cloned().collect(), "the table below {heading}");
}

/// The variables that a text names.
fn variables(text: &str) -> BTreeSet<String> {
    let names = text.split(|letter: char| !(letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'));
    let whole = |name: &&str| name.starts_with("MUSTER_") && !name.ends_with('_');
    names.filter(whole).map(str::to_owned).collect()
}

/// The variables that sources below a folder name between quotes, tests aside.
fn read_in(folder: &Path, read: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_in(&path, read);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let quoted =
                code.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).filter(|text| !text.contains(' '));
            read.extend(quoted.flat_map(variables));
        }
    }
}

/// The keys of a TOML text; one that has no default stands in a comment.
fn keys(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let keys = lines.map(|(key, _)| key.trim().to_owned());
    keys.filter(|key| key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')).collect()
}

/// The fields of a value that hold no others, as its debug text shows them.
fn fields(text: &str) -> BTreeSet<String> {
    let fields =
        text.lines().filter_map(|line| line.trim().split_once(": ")).filter(|(_, value)| !value.ends_with('{'));
    let fields = fields.map(|(name, _)| name.to_owned());
    fields.filter(|name| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')).collect()
}
