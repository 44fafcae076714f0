//! `demo`: a server, four hosts, and what Muster is for, on this machine and with nothing installed.

mod place;
mod processes;
mod story;

pub use story::{Ending, run};
