//! `localstack`: the artifact of the functions on services shaped like Amazon's, until Ctrl-C.

use std::process::Command;

use crate::{
    Result,
    commands::{root, run},
    lambda::{self, Architecture},
    services,
};

/// Builds the artifact for this machine, starts an emulator, and runs the functions on it.
pub fn up() -> Result {
    let artifact = lambda::build(Architecture::own())?;
    let python = services::python()?;
    run(Command::new(python).arg(root().join("localstack/up")).arg("--zip").arg(artifact))
}
