//! `jobs`: one piece of work on one host or on many, its log, and how it ended.

mod commands;
mod log;
mod run;
mod show;
mod wait;

pub use commands::{JobCommand, run};
pub use show::state;
pub use wait::wait;
