//! Operating system access, only here: durable files, locks, processes, and kernel information.

pub mod accounts;
pub mod dice;
pub mod files;
pub mod lock;
pub mod machine;
pub mod processes;
pub mod signals;
pub mod texts;
