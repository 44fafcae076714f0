//! Generators of API clients that tests make from the `OpenAPI` document: installed once below `target/tools`, at the versions
//! that `tests/clients` locks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    commands::{root, run},
    console, services,
};

/// The folder of the programs that make a Python client and check its types.
pub fn python() -> Result<PathBuf> {
    let program =
        services::python_of(&services::tools().join("client-python"), &["tests/clients/python/requirements.txt"])?;
    Ok(program.with_file_name(""))
}

/// The folder of the packages that make a TypeScript client and compile it.
pub fn typescript() -> Result<PathBuf> {
    console::node()?;
    let (from, to) = (root().join("tests/clients/typescript"), services::tools().join("client-typescript"));
    let installed = to.join("node_modules/.installed");
    let lock = read(&from.join("package-lock.json"))?;
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(to.join("node_modules"));
    }
    fs::create_dir_all(&to).map_err(|error| format!("cannot make {}: {error}", to.display()))?;
    for name in ["package.json", "package-lock.json"] {
        write(&to.join(name), &read(&from.join(name))?)?;
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&to))?;
    write(&installed, &lock)?;
    Ok(to.join("node_modules"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
