//! The only place that touches the machine: durable files, locks, processes, and what the kernel knows.

pub mod dice;
pub mod files;
pub mod lock;
pub mod machine;
pub mod processes;
pub mod signals;
