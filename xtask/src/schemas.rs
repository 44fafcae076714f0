//! `schemas`: the `OpenAPI` document, made from the code and kept beside it.

use std::{fs, path::PathBuf};

use crate::{
    Result,
    commands::{cargo, output, root, say, short},
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
    let made = output(&mut cargo(["run", "--quiet", "--package", "muster-server", "--", "openapi"]))?;
    Ok(format!("{}\n", made.trim_end()))
}

fn path() -> PathBuf {
    root().join("schemas/openapi.json")
}
