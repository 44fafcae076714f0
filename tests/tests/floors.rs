//! Who may know whom. Imports point down; nobody climbs. Cargo holds the borders of crates, this holds the rest.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The server's floors, the lowest first. A module may use those below it, and those beside it.
const FLOORS: [&[&str]; 5] = [
    &["aws", "store", "blobs", "budgets", "clock", "polls", "version"],
    &["app"],
    &["advance", "effects", "fleet_updates"],
    &["api", "tick"],
    &["roles"],
];

/// Modules of the lowest floor, each with what it may use beside itself.
const BESIDE: [(&str, &[&str]); 7] = [
    ("aws", &[]),
    ("store", &["aws"]),
    ("blobs", &["aws"]),
    ("budgets", &[]),
    ("clock", &[]),
    ("polls", &[]),
    ("version", &[]),
];

/// Where each outside thing is reached, and nowhere else in the server.
const REACHED_IN: [(&str, &[&str]); 10] = [
    ("rusqlite", &["store/sqlite"]),
    ("aws_config", &["aws", "store/dynamodb", "blobs/s3", "roles/"]),
    ("aws_sdk_dynamodb", &["aws", "store/dynamodb"]),
    ("aws_sdk_s3", &["blobs/s3"]),
    ("lambda_http", &["roles/"]),
    ("argon2", &["api/session.rs"]),
    ("jsonwebtoken", &["api/tokens.rs"]),
    ("tokio::net", &["roles/"]),
    ("Timestamp::now", &["clock.rs"]),
    ("tokio::time", &["clock.rs", "roles/", "store/dynamodb"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// Every source file below a folder of the repository, with its path from there and its code without comments and tests.
fn sources(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let mut folders = vec![base.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let path = entry.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
                files.push((path, code(&fs::read_to_string(&entry).unwrap())));
            }
        }
    }
    assert!(!files.is_empty(), "{folder} holds no source");
    files
}

fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that code names as `crate::…`, in imports of any shape and in paths.
fn used(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let group = rest.strip_prefix('{').map(top_level);
        for name in group.unwrap_or_else(|| vec![rest.to_owned()]) {
            let word = name.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_');
            found.insert(word.collect());
        }
    }
    found.remove("");
    found
}

/// The parts of `a::{b, c}, d}` up to its closing brace, without what stands in inner braces.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ if depth == 0 => parts.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    parts
}

fn floor(module: &str) -> usize {
    let place = FLOORS.iter().position(|floor| floor.contains(&module));
    place.unwrap_or_else(|| panic!("{module} stands on no floor: give it one"))
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let section = text.split("\n[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn imports_of_the_server_point_down() {
    for (path, code) in sources("functions/src") {
        let module = path.split(['/', '.']).next().unwrap();
        if module == "lib" || module == "main" {
            continue;
        }
        for other in used(&code) {
            assert!(floor(&other) <= floor(module), "{path} climbs to {other}");
            let beside = BESIDE.iter().find(|(lowest, _)| *lowest == module).map(|(_, beside)| *beside);
            let allowed = beside.is_none_or(|beside| other == module || beside.contains(&other.as_str()));
            assert!(allowed, "{path} uses {other} beside it");
        }
    }
}

#[test]
fn each_outside_thing_is_reached_in_one_place() {
    for (path, code) in sources("functions/src") {
        for (thing, places) in REACHED_IN {
            let may = places.iter().any(|place| path.starts_with(place));
            assert!(may || !code.contains(thing), "{path} reaches {thing}");
        }
    }
}

#[test]
fn a_decision_cannot_wait_read_a_clock_draw_or_reach_anything() {
    let banned = [
        "async ",
        ".await",
        "tokio",
        "std::time",
        "std::thread",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::io",
        "rand::",
        "Timestamp::now",
        "Zoned::now",
        "HashMap",
        "HashSet",
        "Mutex",
        "RefCell",
        "\nstatic ",
        "println!",
        "tracing",
    ];
    for folder in ["functions/domain/src", "schemas/src"] {
        for (path, code) in sources(folder) {
            for word in banned {
                assert!(!code.contains(word), "{folder}/{path} has {word}");
            }
        }
    }
}

#[test]
fn crates_know_only_those_below_them() {
    let ours = |manifest: &str| {
        let all = dependencies(manifest);
        all.into_iter().filter(|name| name.starts_with("muster-")).collect::<Vec<_>>()
    };
    assert_eq!(ours("schemas/Cargo.toml"), [""; 0]);
    assert_eq!(ours("functions/domain/Cargo.toml"), ["muster-schemas"]);
    assert_eq!(ours("functions/Cargo.toml"), ["muster-domain", "muster-schemas"]);
    assert_eq!(ours("agent/Cargo.toml"), ["muster-schemas"]);
    assert_eq!(ours("cli/Cargo.toml"), ["muster-schemas"]);
}

#[test]
fn the_domain_and_the_words_are_made_of_little() {
    let allowed = ["jiff", "muster-schemas", "serde", "serde_json", "sha2", "thiserror"];
    assert_eq!(dependencies("functions/domain/Cargo.toml"), allowed.map(str::to_owned).into());
    for waits in ["tokio", "axum", "reqwest", "rusqlite", "rand"] {
        assert!(!dependencies("schemas/Cargo.toml").contains(waits), "the words need no {waits}");
    }
}

#[test]
fn state_changes_only_through_advance() {
    // Writes of records with a life: only `advance` makes them. Accounts, keys, sessions and plans are put with a version.
    let may = [
        "advance.rs",
        "effects.rs",
        "api/users.rs",
        "api/api_keys.rs",
        "api/session.rs",
        "api/fleet_updates.rs",
        "api/commands.rs",
        "api/overview.rs",
        // What is imported is written as it was.
        "roles/moving.rs",
    ];
    for (path, code) in sources("functions/src") {
        let commits = code.contains("table.commit(") && !path.starts_with("store/");
        assert!(!commits || may.contains(&path.as_str()), "{path} writes past advance");
    }
}

#[test]
fn a_use_is_found_in_every_shape() {
    let shapes = "use crate::{advance::{advance}, commit::{Extras}, app::App}; crate::tick::run(); use crate::store;";
    assert_eq!(used(shapes), ["advance", "app", "store", "tick"].map(str::to_owned).into());
}
