//! State machine of a self-update (commit or rollback), as plain data.
//!
//! ```text
//! armed ──Start──▶ on trial ──Commit──▶ committed ──CrashLoop──▶ rolled back
//!                   │  ▲ └─Start (the supervisor or the host was restarted; three tries in all)
//!   ├──Refused──▶ refused
//!                   ├─Failed────────────────────────────────────▶ rolled back
//!                   ├─OutOfTime, the server had answered ───────▶ rolled back
//!                   └─OutOfTime, it had not ──▶ unproven ──Contact in time──▶ rolled back
//!                                                  └──Contact late, or none in time──▶ inconclusive
//! ```
//!
//! A new version that crashes gets no second try, because it would crash again, and the old one works. Tries are for ends that
//! are not its fault. They are counted down on disk before each start, so that a version that crashes the whole host is given up
//! after three.

use crate::versions::pointer::{Phase, Update};

/// An event of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The new version is about to be started.
    Start,
    /// It asks for the commit.
    Commit,
    /// It ended, or said a wrong version.
    Failed {
        /// The reason.
        reason: String,
        /// Its last words.
        log_tail: String,
    },
    /// It does not pass verification any more.
    Refused {
        /// A stable word.
        code: String,
        /// The reason, for people.
        reason: String,
    },
    /// It was not committed in time.
    OutOfTime {
        /// Whether the server had answered it.
        contact: bool,
        /// Its last words.
        log_tail: String,
    },
    /// The old version was answered by the server, or was not in its time.
    OldVersion {
        /// Whether it was answered in time.
        contact: bool,
    },
    /// Committed, it has ended too often.
    CrashLoop {
        /// Its last words.
        log_tail: String,
    },
}

/// The version to start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The committed version, as `current.json` says.
    Committed,
    /// The new version.
    Try,
    /// No version: the tries are used up, which must be decided first.
    GiveUp,
}

/// The version to start, by the record of the last update.
pub fn plan(update: Option<&Update>) -> Plan {
    match update {
        Some(Update { phase: Phase::Armed | Phase::OnTrial, tries_left: 0, .. }) => Plan::GiveUp,
        Some(Update { phase: Phase::Armed | Phase::OnTrial, .. }) => Plan::Try,
        _ => Plan::Committed,
    }
}

/// The record after an event. An event that the phase does not know changes nothing.
pub fn after(update: Update, event: Event) -> Update {
    match (update.phase, event) {
        (Phase::Armed | Phase::OnTrial, Event::Start) => {
            let (tries, tries_left) = (update.tries.saturating_add(1), update.tries_left.saturating_sub(1));
            Update { phase: Phase::OnTrial, tries, tries_left, ..update }
        }
        (Phase::OnTrial, Event::Commit) => Update { phase: Phase::Committed, ..update },
        (Phase::Armed | Phase::OnTrial, Event::Failed { reason, log_tail }) => rolled_back(update, reason, log_tail),
        (Phase::Armed | Phase::OnTrial, Event::Refused { code, reason }) => {
            Update { phase: Phase::Refused, code, reason, ..update }
        }
        (Phase::OnTrial, Event::OutOfTime { contact: true, log_tail }) => rolled_back(
            update,
            "it was answered by the server and still did not pass its health gate in time".into(),
            log_tail,
        ),
        (Phase::OnTrial, Event::OutOfTime { contact: false, log_tail }) => {
            let reason = "it was not answered by the server in time".into();
            Update { phase: Phase::Unproven, reason, log_tail, ..update }
        }
        (Phase::Unproven, Event::OldVersion { contact: true }) => {
            let (reason, log_tail) =
                (format!("{}; the old version was answered", update.reason), update.log_tail.clone());
            rolled_back(update, reason, log_tail)
        }
        (Phase::Unproven, Event::OldVersion { contact: false }) => {
            let reason = format!("{}; nor was the old version", update.reason);
            Update { phase: Phase::Inconclusive, code: "inconclusive".into(), reason, ..update }
        }
        (Phase::Committed, Event::CrashLoop { log_tail }) => {
            rolled_back(update, "it ended five times in ten minutes after its commit".into(), log_tail)
        }
        (
            _,
            Event::Start
            | Event::Commit
            | Event::Failed { .. }
            | Event::Refused { .. }
            | Event::OutOfTime { .. }
            | Event::OldVersion { .. }
            | Event::CrashLoop { .. },
        ) => update,
    }
}

fn rolled_back(update: Update, reason: String, log_tail: String) -> Update {
    Update { phase: Phase::RolledBack, code: "rolled_back".into(), reason, log_tail, ..update }
}

#[cfg(test)]
mod tests {
    use muster_schemas::ids::JobId;
    use proptest::prelude::*;

    use super::*;
    use crate::versions::pointer::{Installed, TRIES};

    fn armed() -> Update {
        Update {
            transaction: JobId::new(jiff::Timestamp::UNIX_EPOCH, 1),
            from: "1".into(),
            to: Installed { version: "2".into(), sha256: "a".repeat(64) },
            phase: Phase::Armed,
            tries_left: TRIES,
            tries: 0,
            code: String::new(),
            reason: String::new(),
            log_tail: String::new(),
        }
    }

    fn played(events: &[Event]) -> Update {
        events.iter().cloned().fold(armed(), after)
    }

    fn failed() -> Event {
        Event::Failed { reason: "it ended with exit code 1".into(), log_tail: "panicked".into() }
    }

    fn out_of_time(contact: bool) -> Event {
        Event::OutOfTime { contact, log_tail: String::new() }
    }

    #[test]
    fn a_version_that_asks_in_time_is_committed_and_stays_it() {
        let update = played(&[Event::Start, Event::Commit, failed(), out_of_time(true), Event::Start]);
        assert_eq!((update.phase, update.tries, plan(Some(&update))), (Phase::Committed, 1, Plan::Committed));
    }

    #[test]
    fn a_version_that_ends_is_undone_at_once_with_the_reason() {
        let update = played(&[Event::Start, failed(), Event::Commit]);
        assert_eq!((update.phase, plan(Some(&update))), (Phase::RolledBack, Plan::Committed));
        assert_eq!(update.full_reason(), "it ended with exit code 1; its last words: panicked");
    }

    #[test]
    fn three_starts_without_an_end_use_the_tries_up() {
        let events = vec![Event::Start; TRIES as usize];
        assert_eq!(plan(Some(&played(&events[1..]))), Plan::Try);
        assert_eq!(plan(Some(&played(&events))), Plan::GiveUp);
    }

    #[test]
    fn without_an_answer_to_either_version_nothing_is_concluded() {
        let silent = [Event::Start, out_of_time(false)];
        let update = played(&silent);
        assert_eq!((update.phase, plan(Some(&update)), update.last_update()), (Phase::Unproven, Plan::Committed, None));
        let later = |contact| after(update.clone(), Event::OldVersion { contact }).phase;
        assert_eq!((later(true), later(false)), (Phase::RolledBack, Phase::Inconclusive));
    }

    #[test]
    fn a_version_that_was_answered_and_hangs_is_undone() {
        assert_eq!(played(&[Event::Start, out_of_time(true)]).phase, Phase::RolledBack);
    }

    #[test]
    fn nothing_is_committed_that_was_not_started() {
        assert_eq!(played(&[Event::Commit]), armed());
    }

    #[test]
    fn a_damaged_record_of_more_tries_than_can_be_counted_is_no_fault() {
        let update = after(Update { tries: u32::MAX, ..armed() }, Event::Start);
        assert_eq!((update.phase, update.tries, update.tries_left), (Phase::OnTrial, u32::MAX, TRIES - 1));
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Start),
            Just(Event::Commit),
            Just(failed()),
            Just(Event::Refused { code: "digest".into(), reason: String::new() }),
            any::<bool>().prop_map(out_of_time),
            any::<bool>().prop_map(|contact| Event::OldVersion { contact }),
            Just(Event::CrashLoop { log_tail: String::new() }),
        ]
    }

    proptest! {
        #[test]
        fn a_version_is_started_three_times_at_most_and_an_end_is_an_end(events in prop::collection::vec(events(), 0..30)) {
            let mut update = armed();
            for event in events {
                let (before, is_start) = (update.clone(), event == Event::Start);
                if is_start && plan(Some(&update)) != Plan::Try {
                    continue;
                }
                update = after(update, event);
                prop_assert!(update.tries + update.tries_left == TRIES);
                if matches!(before.phase, Phase::RolledBack | Phase::Inconclusive | Phase::Refused) {
                    prop_assert_eq!(&before, &update);
                }
                prop_assert!(update.phase != Phase::Committed || update.tries > 0);
            }
        }
    }
}
