//! The floors of the server: store, commit, advance, routes, roles; and what its decisions may never touch.

use std::collections::BTreeSet;

use super::sources::{assert_reached_in, dependencies, imports, names, sources};

/// The server's floors, the lowest first. A module may use those below it, and those beside it.
const FLOORS: [&[&str]; 8] = [
    &["aws", "store", "blobs", "budgets", "clock", "errors", "polls", "version"],
    &["app", "records"],
    &["commit"],
    &["workers"],
    &["effects"],
    &["advance"],
    &["api", "tick"],
    &["roles"],
];

/// Modules of the lowest floor, each with what it may use beside itself.
const BESIDE: [(&str, &[&str]); 8] = [
    ("aws", &[]),
    ("store", &["aws"]),
    ("blobs", &["aws"]),
    ("budgets", &[]),
    ("clock", &[]),
    ("errors", &[]),
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

/// The part of the server that a file belongs to.
fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

fn floor(module: &str) -> usize {
    let place = FLOORS.iter().position(|floor| floor.contains(&module));
    place.unwrap_or_else(|| panic!("{module} stands on no floor: give it one"))
}

#[test]
fn imports_of_the_server_point_down() {
    let mut beside_used = BTreeSet::new();
    for (path, named) in imports(&sources("functions/src")) {
        for other in &named {
            let (own, other) = (module(&path), module(other));
            if own == other || own == "main" {
                continue;
            }
            assert!(floor(other) <= floor(own), "{path} climbs to {other}");
            let beside = BESIDE.iter().find(|(lowest, _)| *lowest == own).map(|(_, beside)| *beside);
            assert!(beside.is_none_or(|beside| beside.contains(&other)), "{path} uses {other} beside it");
            beside_used.insert((own.to_owned(), other.to_owned()));
        }
    }
    for (own, beside) in BESIDE {
        for other in beside {
            let used = beside_used.contains(&(own.to_owned(), (*other).to_owned()));
            assert!(used, "{own} does not use {other} any more: take it out of the table");
        }
    }
}

#[test]
fn each_outside_thing_is_reached_in_one_place() {
    assert_reached_in("functions/src", &REACHED_IN);
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
                assert!(!names(&code, word), "{folder}/{path} has {word}");
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
    let allowed = ["jiff", "muster-schemas", "serde", "serde_json"];
    assert_eq!(dependencies("functions/domain/Cargo.toml"), allowed.map(str::to_owned).into());
    let code = sources("functions/domain/src");
    for crate_name in allowed.map(|name| name.replace('-', "_")) {
        assert!(code.values().any(|code| names(code, &format!("{crate_name}::"))), "the domain needs no {crate_name}");
    }
    for waits in ["tokio", "axum", "reqwest", "rusqlite", "rand"] {
        assert!(!dependencies("schemas/Cargo.toml").contains(waits), "the words need no {waits}");
    }
}

#[test]
fn state_changes_only_through_commit() {
    // What is imported is written as it was.
    let may = ["store/", "commit.rs", "roles/moving.rs"];
    assert_reached_in("functions/src", &[("table.commit(", &may)]);
}
