//! A release, by its version.

use muster_domain::{releases::Release, retention::Retention};

use super::Record;
use crate::{
    polls,
    store::{IndexEntry, Key, keys::list},
};

/// Where a release lives.
pub fn key(version: &str) -> Key {
    Key::new(format!("release#{version}"), "release")
}

impl Record for Release {
    const NOUN: &'static str = "release";
    type Id = str;

    fn key(version: &str) -> Key {
        key(version)
    }

    fn found_by(&self, _: &Retention) -> Vec<IndexEntry> {
        vec![list("releases", format_args!("{:020}", self.manifest.manifest_version))]
    }

    fn topic(_version: &str) -> Option<String> {
        Some(polls::RELEASES.into())
    }
}
