//! Jobs: the `jobs` commands.

mod commands;
mod log;
mod plain;
mod run;
mod show;
mod wait;
mod waiting;

pub use commands::{JobCommand, run};
pub use show::state;
pub use wait::wait;
