//! Real processes: the programs under test, started, watched and ended.

pub mod authority;
pub mod before;
pub mod binaries;
pub mod patience;
pub mod process;
pub mod skip;
