//! What each kind of job does.

pub mod download;
pub mod inspect;
pub mod run;
mod task;
pub mod update;

pub use self::task::{Programs, Task, check, run};
