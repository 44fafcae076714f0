//! Packages of the system that tests need: installed where that is allowed, and said where it is not.

use std::{env, fs, path::Path, process::Command};

use crate::{
    Result,
    commands::{output, say, typed},
};

/// Programs, and the Debian packages that they are in: what networks of a test's own are made with.
const WANTED: [(&str, &str); 4] =
    [("ip", "iproute2"), ("nft", "nftables"), ("conntrack", "conntrack"), ("unshare", "util-linux")];
/// Where the lists of packages are.
const LISTS: &str = "/var/lib/apt/lists";

/// What pages are tested in.
const BROWSER: [(&str, &str); 1] = [("chromium", "chromium")];

/// Sees that a browser is there.
pub fn provide_browser() -> Result {
    let missing = missing(&BROWSER);
    let install = || install(&missing).map_err(|reason| format!("apt-get install {}: {reason}", missing.join(" ")));
    if missing.is_empty() { Ok(()) } else { install() }
}

/// Sees that they are there. Tests that go without say so themselves.
pub fn provide() {
    let missing = missing(&WANTED);
    if missing.is_empty() {
        return;
    }
    if let Err(reason) = install(&missing) {
        say(&format!("SKIP: tests on networks: apt-get install {}: {reason}", missing.join(" ")));
    }
}

fn missing(wanted: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    wanted.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect()
}

fn install(packages: &[&str]) -> Result {
    if output(Command::new("id").arg("--user"))?.trim() != "0" {
        return Err("only root may".into());
    }
    // What is not listed cannot be found, and what is listed may be outdated.
    if has_lists() && apt("install", packages).is_ok() {
        return Ok(());
    }
    apt("update", &[])?;
    apt("install", packages)
}

fn has_lists() -> bool {
    let lists = fs::read_dir(Path::new(LISTS)).into_iter().flatten().flatten();
    lists.into_iter().any(|list| list.file_name().to_string_lossy().contains("Packages"))
}

fn apt(action: &str, packages: &[&str]) -> Result {
    let mut apt = Command::new("apt-get");
    apt.args([action, "--quiet=2", "-o", "DPkg::Lock::Timeout=600", "--yes", "--no-install-recommends"]);
    apt.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    say(&format!("$ {}", typed(&apt)));
    output(&mut apt).map(drop)
}
