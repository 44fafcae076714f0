//! The disk fails: at every change that the agent makes of it, in each way that a disk can.
//!
//! `MUSTER_FAULTS=all` goes through every point (`cargo xtask faults`); else each test takes some, evenly spread.

mod cut;
mod disks;
mod errors;
mod kills;
mod points;
mod power_cuts;
mod trial;
mod work;
