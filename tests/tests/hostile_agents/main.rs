//! Hosts that hold every credential a host can have and wish the server and the other hosts ill: nothing of the others is
//! read or changed, nothing fills up or stands still, and whoever is honest is served as if nobody else were there.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod addresses;
mod enrollment;
mod fleet_updates;
mod floods;
mod identity;
mod jobs;
mod output;
mod paths;
mod reports;
mod scene;
mod sessions;
mod sockets;
mod storage;
