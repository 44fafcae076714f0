//! Operating system access, only here: durable files, locks, processes, and kernel information.

pub mod accounts;
pub mod cgroups;
pub mod dice;
pub mod disks;
pub mod files;
pub mod groups;
pub mod lock;
pub mod machine;
pub mod processes;
pub mod reaper;
pub mod signals;
pub mod state_mark;
pub mod texts;
