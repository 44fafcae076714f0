//! Roles: what a process of this binary does.

mod accounts;
pub mod admin;
#[cfg(feature = "embedded")]
pub mod backup;
pub mod connections;
#[cfg(feature = "console")]
mod console;
#[cfg(feature = "services")]
pub mod functions;
pub mod installations;
pub mod moving;
mod pacing;
mod proxies;
pub mod readings;
mod retention;
pub mod serve;
pub mod storage;
pub mod tls;
mod urls;

/// The largest file of a release, in bytes.
const MAX_TARGET_BYTES: u64 = 512 * 1024 * 1024;
