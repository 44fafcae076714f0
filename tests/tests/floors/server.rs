//! The floors of the server: store, commit, advance, routes, roles; and what its decisions may never touch.

use std::collections::BTreeSet;

use super::sources::{assert_reached_in, dependencies, imports, names, sources};

/// The server's floors, the lowest first. A module may use those below it and what is in its own folder, and nothing beside it.
const FLOORS: [&[&str]; 12] = [
    &[
        "aws", "budgets", "clock", "errors", "held", "memory", "places", "polls", "presence", "recent", "turns",
        "verified", "version",
    ],
    &["blobs", "store"],
    &["app", "records"],
    &["commit"],
    &["workers"],
    &["effects"],
    &["advance"],
    &["logs"],
    &["tick"],
    &["api"],
    &["roles"],
    &["main"],
];

/// Where each outside thing is reached, and nowhere else in the server.
const REACHED_IN: [(&str, &[&str]); 10] = [
    ("rusqlite", &["store/sqlite"]),
    ("aws_config", &["aws", "store/dynamodb", "blobs/s3", "roles/"]),
    ("aws_sdk_dynamodb", &["aws", "store/dynamodb"]),
    ("aws_sdk_s3", &["blobs/s3"]),
    ("lambda_http", &["roles/"]),
    ("argon2", &["api/identity/passwords.rs"]),
    ("jsonwebtoken", &["api/identity/access_tokens.rs", "api/identity/devices.rs"]),
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
    for (path, named) in imports(&sources("functions/src")) {
        for other in &named {
            let (own, other) = (module(&path), module(other));
            assert!(own == other || floor(other) <= floor(own), "{path} climbs to {other}");
            assert!(own == other || floor(other) < floor(own), "{path} uses {other} beside it");
        }
    }
}

#[test]
fn each_floor_of_the_server_is_still_there() {
    let files = sources("functions/src");
    for module in FLOORS.iter().copied().flatten() {
        assert!(files.contains_key(&format!("{module}.rs")), "there is no {module}: take it out of the floors");
    }
}

/// A file whose routes the API lists. What two of them need stands in a file below both.
fn is_of_routes(code: &str) -> bool {
    code.contains("pub fn routes() -> Vec<Route>")
}

#[test]
fn no_file_below_the_api_imports_a_file_of_routes() {
    let sources = sources("functions/src");
    let routes = sources.iter().filter(|(path, code)| path.starts_with("api/") && is_of_routes(code));
    let routes = routes.map(|(path, _)| path.as_str()).collect::<BTreeSet<_>>();
    assert!(routes.contains("api/jobs.rs"), "{routes:?}");
    for (path, named) in imports(&sources).iter().filter(|(path, _)| path.starts_with("api/")) {
        let noun = path.split('/').nth(1).unwrap().trim_end_matches(".rs");
        for other in named.iter().filter(|other| routes.contains(other.as_str())) {
            assert_eq!(*other, format!("api/{noun}.rs"), "{path} imports the routes of another noun");
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
fn the_table_is_written_in_one_place() {
    // What is imported is written as it was.
    assert_reached_in("functions/src", &[("table.commit(", &["store/", "commit.rs", "roles/moving.rs"])]);
}

#[test]
fn every_dependency_of_the_server_is_used() {
    let code = sources("functions/src");
    for dependency in dependencies("functions/Cargo.toml") {
        let name = dependency.replace('-', "_");
        let is_used = |code: &String| names(code, &format!("{name}::")) || code.contains(&format!("use {name}"));
        assert!(code.values().any(is_used), "the server needs no {dependency}");
    }
}
