//! The floors of the agent: what it is made of, the supervisor, the way to the server, runners, jobs.

use super::sources::{assert_reached_in, imports, sources};

/// The lowest first. A module may use those below it and what is in its own folder, and nothing beside it.
const FLOORS: [&[&str]; 16] = [
    &["errors", "exits", "log", "sys", "version"],
    &["breaker", "clock", "facts", "followed", "identity", "journal", "link", "lookup", "programs", "suspend"],
    &["config", "upstream", "versions/pointer"],
    &["versions/trust"],
    // Below every way into the network: what rolls back does not need one.
    &["supervisor"],
    &["transport"],
    &["failure"],
    &["client"],
    &["agent"],
    &["versions/download"],
    // Kinds of job, each with its section of the policy.
    &["runners"],
    &["policy"],
    &["enroll", "jobs", "relocation", "status"],
    &["reload", "reports"],
    &["session"],
    &["run"],
];

/// What the machine has, and who touches it. `sys` is the place for it; each other one says why.
const REACHED_IN: [(&str, &[&str]); 14] = [
    ("rustix", &["sys/"]),
    ("tokio::signal", &["sys/signals"]),
    ("DirBuilder", &["sys/files"]),
    ("set_permissions", &["sys/files"]),
    // What the kernel says of the machine is told as facts.
    ("/proc/", &["sys/", "facts"]),
    // A download goes on where it broke off, and the journal syncs each frame: both keep a file open.
    ("OpenOptions", &["sys/files", "versions/download"]),
    ("std::fs::File", &["sys/files", "sys/lock", "sys/reaper", "jobs/spool", "journal.rs"]),
    // To read what people wrote, and to remove what is of no use, nothing has to be durable.
    (
        "std::fs",
        &[
            "sys/",
            "jobs/spool",
            "journal.rs",
            "programs/environment",
            "runners/self_update",
            "transport",
            "versions/download",
            "versions/trust",
        ],
    ),
    // Children: those that end with their job, and the worker that ends with its supervisor.
    ("tokio::process", &["programs", "supervisor/worker", "sys/processes"]),
    ("std::process::exit", &["run.rs", "programs/shim.rs"]),
    // Settings; the surroundings of children; for what this binary was built.
    (
        "std::env",
        &[
            "config",
            "programs",
            "runners/self_update",
            "supervisor/watch",
            "sys/machine",
            // Where the libraries below read the authorities.
            "transport",
            "version.rs",
        ],
    ),
    // The worker and its supervisor talk over the worker's own streams, on a thread that blocks.
    ("io::std", &["programs/shim.rs", "supervisor/control", "supervisor/worker", "main.rs"]),
    ("std::thread", &["facts", "programs/shim.rs", "supervisor/control", "sys/"]),
    // A name server is asked; a program prints to a pipe, and its shim has a socket.
    ("tokio::net", &["lookup", "programs/pipes", "programs/shimmed"]),
];

/// The floor of a file or module: the longest name that it begins with.
fn floor(path: &str) -> (usize, &'static str) {
    let name = path.trim_end_matches(".rs");
    let is_in = |module: &str| name == module || name.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'));
    let named = FLOORS.iter().enumerate().flat_map(|(floor, names)| names.iter().map(move |name| (floor, *name)));
    let best = named.filter(|(_, module)| is_in(module)).max_by_key(|(_, module)| module.len());
    best.unwrap_or_else(|| panic!("{path} stands on no floor: give it one"))
}

#[test]
fn imports_of_the_agent_point_down() {
    for (path, named) in imports(&sources("agent/src")) {
        for other in named {
            let ((own_floor, own), (other_floor, module)) = (floor(&path), floor(&other));
            assert!(module == own || other_floor <= own_floor, "{path} climbs to {other}");
            assert!(module == own || other_floor < own_floor, "{path} uses {other} beside it");
        }
    }
}

#[test]
fn each_floor_of_the_agent_is_still_there() {
    let files = sources("agent/src");
    for module in FLOORS.iter().copied().flatten() {
        assert!(files.contains_key(&format!("{module}.rs")), "there is no {module}: take it out of the floors");
    }
}

#[test]
fn sys_alone_touches_the_machine_but_for_what_is_named() {
    assert_reached_in("agent/src", &REACHED_IN);
}
