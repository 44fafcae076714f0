//! `schemas`: the `OpenAPI` document, made from the code and kept beside it.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    Result,
    commands::{cargo, output, root, run, say, short, target},
};

/// Writes the document.
pub fn write() -> Result {
    let (path, made) = (path(), make()?);
    fs::write(&path, made).map_err(|error| format!("cannot write {}: {error}", short(&path)))?;
    say(&format!("Wrote {}.", short(&path)));
    Ok(())
}

/// Fails when the document is not as the code is, and says from which line on.
pub fn check() -> Result {
    let (path, made) = (path(), make()?);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == made {
        say(&format!("{} is as the code is.", short(&path)));
        return Ok(());
    }
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    Err(format!("{} is stale from line {} on; cargo xtask schemas writes it anew", short(&path), same + 1))
}

fn make() -> Result<String> {
    // Of the whole workspace, as the tests are built: of the server alone the dependencies would be built once more.
    run(&mut cargo(["build", "--quiet", "--workspace", "--bin", "muster-server"]))?;
    let made = output(Command::new(target().join("debug/muster-server")).arg("openapi"))?;
    Ok(format!("{}\n", made.trim_end()))
}

fn path() -> PathBuf {
    root().join("schemas/openapi.json")
}
