//! The rules of fleet updates in every order of events: nothing breaks an invariant, and each broken rule does.
//!
//! `MUSTER_MODEL_STATES` says how many states are looked at; without it few enough for every run of the tests.
#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use muster_models::{
    fleet_updates::{Broken, FleetUpdates},
    states,
};
use stateright::{Checker as _, HasDiscoveries, Model as _};

const RIGHT: FleetUpdates =
    FleetUpdates { hosts: 3, max_in_flight: 1, max_failures: 1, waits: 3, acts: 1, flips: 0, broken: None };

#[test]
fn no_order_of_events_breaks_an_invariant() {
    let wide = FleetUpdates { max_in_flight: 2, max_failures: 2, ..RIGHT };
    let restless = FleetUpdates { hosts: 2, acts: 2, flips: 1, ..RIGHT };
    for model in [RIGHT, wide, restless] {
        let checker = model.checker().threads(2).target_state_count(states(40_000)).spawn_bfs().join();
        println!("{model:?}: {} states, {} of them different", checker.state_count(), checker.unique_state_count());
        checker.assert_properties();
    }
}

#[test]
fn every_rule_that_is_broken_on_purpose_is_found_out() {
    let wide = FleetUpdates { max_in_flight: 2, ..RIGHT };
    let again = FleetUpdates { hosts: 1, max_failures: 5, acts: 0, ..RIGHT };
    for (broken, model, invariant) in [
        (Broken::LostHostsFreeTheirSlot, RIGHT, "BoundedInFlight"),
        (Broken::ExhaustedSlotsGoOn, RIGHT, "Terminates"),
        (Broken::LastWriterWins, wide, "SlotsAreRecords"),
        (Broken::OffersAfterAHalt, wide, "OfferWhileRunning"),
        (Broken::WavesWithoutAGate, wide, "WaveGate"),
        (Broken::TheVersionIsAProof, RIGHT, "ProvenSuccess"),
        (Broken::CancelledCanBeResumed, FleetUpdates { acts: 2, ..RIGHT }, "CancelAbsorbs"),
        (Broken::AttemptsAreForgotten, again, "ExactTarget"),
    ] {
        let model = FleetUpdates { broken: Some(broken), ..model };
        let found = HasDiscoveries::AnyOf([invariant].into());
        let checker = model.checker().threads(2).finish_when(found).target_state_count(2_000_000).spawn_bfs().join();
        let path = checker.discovery(invariant);
        println!("{broken:?}: {} states", checker.state_count());
        assert!(path.is_some(), "{broken:?} breaks no {invariant}: {:?}", checker.discoveries().keys());
    }
}
