//! `dist`: what is shipped.

use std::fs;

use crate::{
    Result,
    commands::{cargo, run, say, short, target},
    console, zig,
};

/// What agents are built for. Without a C library of its own in it, one runs on every distribution, and its process has a
/// third less memory.
const AGENTS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Builds server and command line for this machine, and the agent for every host; small, and shows how small.
pub fn dist() -> Result {
    let console = console::put_into_servers()?;
    let mut programs = Vec::new();
    for name in ["muster-server", "muster"] {
        run(cargo(["build", "--profile", "dist", "--package", name]).env("MUSTER_CONSOLE", &console))?;
        programs.push(target().join("dist").join(name));
    }
    // The agent is built alone, with nothing but its own features in it.
    for triple in AGENTS {
        let mut build = zig::build(triple, &["--profile", "dist", "--package", "muster-agent"])?;
        // Zig, which compiles what is C in it, would link it to a fixed address; so does rustc where it knows no static-pie
        // (aarch64).
        let linker = format!("CARGO_TARGET_{}_LINKER", triple.replace('-', "_").to_uppercase());
        run(build.env(linker, "rust-lld"))?;
        programs.push(target().join(triple).join("dist/muster-agent"));
    }
    for path in programs {
        let size = fs::metadata(&path).map_err(|error| format!("{}: {error}", short(&path)))?.len();
        // Tenths of a MiB in whole numbers.
        let tenths = size * 10 / (1 << 20);
        say(&format!("{:>4}.{} MiB  {}", tenths / 10, tenths % 10, short(&path)));
    }
    Ok(())
}
