//! A fleet in virtual time: the real agents and the real server, on a network that does its worst.
//!
//! One thread, a paused clock and one seed: what goes wrong and when follows from the seed, and a failing seed fails again.
//! Only four things are not the real ones: the network between host and server, the programs that jobs run, time, and that
//! the store's thread is waited for at once. Everything that decides is what is shipped.

pub mod herd;
pub mod history;
pub mod host;
pub mod network;
pub mod outage;
pub mod partitions;
pub mod scenario;
pub mod server;
pub mod store;
pub mod time;

pub use self::herd::{Herd, herd};
pub use self::outage::{Hour, outage};
pub use self::partitions::{Healing, partitions};
pub use self::scenario::{Options, Report, simulate};
