//! A dozen verbs, so that a test is five to ten lines: arrange, one act, what came of it.

mod caller;
mod clock;
mod faults;
mod host;
mod invariants;
mod lagging;
mod logs;
mod mortal;
mod planted;
mod polled;
mod releases;
mod server;
mod services;
mod stores;

pub use self::{
    caller::{Answer, Caller, answered, json_request, request},
    clock::ManualClock,
    faults::{BadNetwork, FaultCounts, FaultRates},
    host::{Host, accepted, assertion, finished, output, result, started},
    lagging::Lagging,
    logs::Logs,
    mortal::Mortal,
    polled::polled,
    releases::{Release, signed},
    server::{PUBLIC_URL, World, run_job},
    services::Service,
    stores::Stores,
};
