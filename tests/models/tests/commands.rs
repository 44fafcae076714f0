//! The rules of commands in every order of events: nothing breaks an invariant, and each broken rule does.
//!
//! `MUSTER_MODEL_STATES` says how many states are looked at; without it few enough for every run of the tests.
#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use muster_models::{
    commands::{Broken, Commands},
    states,
};
use stateright::{Checker as _, HasDiscoveries, Model as _};

const CALM: Commands = Commands { losses: 0, crashes: 0, cancels: 0, waits: 0, restores: 0, broken: None };

#[test]
fn no_order_of_events_breaks_an_invariant() {
    for model in [
        Commands { losses: 1, crashes: 1, ..CALM },
        Commands { crashes: 1, cancels: 1, waits: 1, ..CALM },
        Commands { losses: 1, cancels: 1, waits: 2, ..CALM },
        Commands { losses: 1, crashes: 1, restores: 1, ..CALM },
    ] {
        let checker = model.checker().threads(2).target_state_count(states(60_000)).spawn_bfs().join();
        println!("{model:?}: {} states, {} of them different", checker.state_count(), checker.unique_state_count());
        checker.assert_properties();
    }
}

#[test]
fn every_rule_that_is_broken_on_purpose_is_found_out() {
    let crash = Commands { losses: 1, crashes: 1, ..CALM };
    let late = Commands { losses: 1, waits: 2, ..CALM };
    let cancel = Commands { losses: 1, cancels: 1, ..CALM };
    for (broken, model, invariant) in [
        (Broken::RunsBeforeTheJournal, CALM, "JournalFirst"),
        (Broken::OnceIsRunAgain, crash, "AtMostOnce"),
        (Broken::NoTombstone, cancel, "Recoverable"),
        (Broken::ATimerIsAnEnd, late, "Truthful"),
        (Broken::ACancelIsAnEnd, cancel, "Truthful"),
        (Broken::TheLastResultWins, crash, "FinalStable"),
        (Broken::NoGenerations, CALM, "Monotone"),
        (Broken::NoFloor, Commands { losses: 0, restores: 1, ..crash }, "NoneRefusedUnseen"),
        (Broken::FinishedBeforeTheWork, crash, "Truthful"),
        (Broken::StartsTooLate, late, "NoLateStart"),
        (Broken::ResultsAreToldOnce, crash, "Recoverable"),
    ] {
        let model = Commands { broken: Some(broken), ..model };
        let found = HasDiscoveries::AnyOf([invariant].into());
        let checker = model.checker().threads(2).finish_when(found).target_state_count(500_000).spawn_bfs().join();
        let path = checker.discovery(invariant);
        println!("{broken:?}: {} states", checker.state_count());
        assert!(path.is_some(), "{broken:?} breaks no {invariant}: {:?}", checker.discoveries().keys());
    }
}
