//! What each kind of job does.

pub mod inspect;
pub mod results;
pub mod run;
pub mod self_update;
mod task;

pub use self::task::{Task, run};
