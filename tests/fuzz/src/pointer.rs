//! `current.json` and `update.json` as a disk may give them back, and what a worker says to its supervisor.

use std::{
    fs,
    path::{Component, Path},
};

use muster_agent::{
    supervisor::{
        control::WorkerMessage,
        trial::{Event, Plan, after, plan},
    },
    versions::pointer::{Installed, Pointer, Update},
};

use crate::given::directory;

const MAX_REASON_BYTES: usize = 4096;

/// Something can always be started, nothing outside `versions/` is, and an end of an update stays one.
pub fn pointer(bytes: &[u8]) {
    let state = directory();
    fs::write(state.path().join("current.json"), bytes).expect("there is room");
    fs::write(state.path().join("update.json"), bytes).expect("there is room");
    let found = Pointer::load_or_factory(state.path());
    match Pointer::load(state.path()) {
        Ok(pointer) => {
            assert_eq!(pointer, found);
            pointer.save(state.path()).expect("there is room");
            assert_eq!(Pointer::load(state.path()).ok(), Some(pointer));
        }
        Err(_) => assert_eq!(found, Pointer::default(), "something must run"),
    }
    for choice in [Some(&found.committed), found.previous.as_ref()].into_iter().flatten() {
        choice.installed().into_iter().for_each(|installed| stays_inside(installed, state.path()));
    }
    if let Ok(Some(update)) = Update::load(state.path()) {
        stays_inside(&update.to, state.path());
        update.save(state.path()).expect("there is room");
        assert_eq!(Update::load(state.path()).ok().flatten().as_ref(), Some(&update));
        plays(&update);
    }
    speaks(bytes);
}

fn stays_inside(installed: &Installed, state: &Path) {
    let Some(directory) = installed.directory(state) else {
        assert_eq!(installed.binary(state), None);
        return;
    };
    let versions = state.join("versions");
    assert_eq!(directory.parent(), Some(versions.as_path()), "{installed:?}");
    let inner: Vec<_> = directory.strip_prefix(&versions).into_iter().flat_map(Path::components).collect();
    assert!(matches!(inner[..], [Component::Normal(_)]), "{installed:?}");
}

/// Every event after every other, from where the file says it was.
fn plays(found: &Update) {
    for first in events() {
        for second in events() {
            let next = step(found, first.clone());
            step(&next, second);
        }
    }
}

fn step(update: &Update, event: Event) -> Update {
    let starts = event == Event::Start;
    let next = after(update.clone(), event);
    assert!(next.tries_left <= update.tries_left, "tries only run out");
    if starts && plan(Some(update)) == Plan::Try {
        assert!(next.tries_left < update.tries_left && next.tries > 0);
    }
    let is_over = update.phase.is_decided();
    assert!(!is_over || plan(Some(&next)) == Plan::Committed, "what is decided is not tried again");
    assert!(next.full_reason().len() <= MAX_REASON_BYTES, "{} bytes", next.full_reason().len());
    assert_eq!(next.last_update().is_some(), next.phase.is_decided());
    assert_eq!(next.to, update.to);
    next
}

fn events() -> [Event; 8] {
    let words = || "ä".repeat(3000);
    [
        Event::Start,
        Event::Commit,
        Event::Failed { reason: words(), log_tail: words() },
        Event::Refused { code: "digest".into(), reason: String::new() },
        Event::OutOfTime { contact: true, log_tail: words() },
        Event::OutOfTime { contact: false, log_tail: String::new() },
        Event::OldVersion { contact: false },
        Event::CrashLoop { log_tail: words() },
    ]
}

fn speaks(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(said) = WorkerMessage::parse(line) {
            assert_eq!(WorkerMessage::parse(&said.line()), Some(said), "a word survives its line");
        }
    }
}
