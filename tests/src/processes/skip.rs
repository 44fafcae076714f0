//! Tests that are over before they began say so aloud.

use std::{
    env,
    io::{self, Write},
    thread,
};

/// Aloud: what a test prints is kept from everybody unless it fails.
pub fn skip(why: &str) {
    let test = thread::current();
    drop(writeln!(io::stderr(), "SKIP: {}: {why}", test.name().unwrap_or_default()));
}

/// The same for want of something, which in CI is a failure.
pub fn skip_for_want_of(missing: &str) {
    assert!(env::var_os("CI").is_none(), "{missing}");
    skip(missing);
}
