//! The rules of Muster, as pure functions: values in, values out.
//!
//! One file per noun that has a life cycle. Each is a [`machine::Machine`]: `(state, event, now) → (state, effects)`, or refused by
//! the rules. Nothing here waits, reads a clock, draws a random number or does any I/O; `.clippy.toml` says so to
//! the compiler. What an effect does is written in the server's `effects`.

pub mod access;
pub mod budgets;
pub mod changes;
pub mod clocks;
pub mod enrollment_tokens;
pub mod fleet_updates;
pub mod hosts;
pub mod installations;
pub mod jobs;
pub mod load;
pub mod machine;
pub mod mailboxes;
pub mod overview;
pub mod pacing;
pub mod refused;
pub mod releases;
pub mod retention;
pub mod sign_ins;
pub mod times;
pub mod windows;
pub mod words;
