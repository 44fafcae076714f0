//! A stand-in for AWS Lambda on one machine: it runs the real artifact under the real Runtime API, without any container.
//!
//! A [`Function`] is a program and its processes, a [`Front`] is the API Gateway before it, a [`Schedule`] invokes it
//! again and again. What only Amazon can tell is deliberately absent: rights, quotas of the account, extensions, response
//! streaming, `SnapStart`.

mod answers;
mod events;
mod failure;
mod front;
mod function;
mod measure;
mod process;
mod program;
mod runtime_api;
mod schedule;

pub use answers::response;
pub use events::{Caller, event};
pub use failure::Failure;
pub use front::{ENDPOINT_TIMEOUT, Front};
pub use function::{Function, Limits};
pub use measure::{cold_starts, summary};
pub use program::Program;
pub use runtime_api::PAYLOAD_LIMIT;
pub use schedule::{Counts, Faults, Schedule, losses};
