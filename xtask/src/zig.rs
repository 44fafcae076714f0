//! Building for other architectures and C libraries, with zig as the linker: it knows every version of every one of them.

use std::{env, process::Command};

use crate::{
    Result,
    commands::{cargo, output},
    services,
};

/// A build for a target; where it names a version of its C library, behind a dot, for that one.
pub fn build(target: &str, arguments: &[&str]) -> Result<Command> {
    let triple = target.split('.').next().unwrap_or(target);
    let added = output(Command::new("rustup").args(["target", "add", triple]));
    added.map_err(|reason| format!("the standard library for {triple} is missing: {reason}"))?;
    let bin = services::python_with(&["ziglang", "cargo-zigbuild"])?;
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(bin).chain(env::split_paths(&path)));
    let mut build = cargo(["zigbuild", "--target", target].iter().chain(arguments));
    build.env("PATH", path.map_err(|error| error.to_string())?);
    Ok(build)
}
