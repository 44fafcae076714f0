//! Stands between a program and the C library, by `LD_PRELOAD`, wherever the program changes files below one directory.
//!
//! All processes of a host count their changes together, in a small file that they share with the test; the change whose
//! number the test has put there is the last one, or fails. What was done is logged with its data, so that a test can say what
//! a power cut would have left of it.
//!
//! | variable | what it is |
//! | --- | --- |
//! | `MUSTER_FAULTS_BELOW` | the directory |
//! | `MUSTER_FAULTS_CONTROL` | the shared file, of eight numbers: see `control` |
//! | `MUSTER_FAULTS_LOG` | the log, if one is wanted |
//!
//! Everything real is asked of the kernel directly, so that nothing in here comes back to itself. Programs that call the kernel
//! past the C library are not seen.
#![cfg(target_os = "linux")]

mod calls;
mod control;
mod kernel;
mod log;
mod paths;
