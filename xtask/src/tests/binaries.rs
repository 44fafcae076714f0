//! Test binaries: built by cargo, listed by cargo.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    Result,
    commands::{cargo, output},
};

/// A program that runs tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The package.
    pub package: String,
    /// Where that is: tests are run there.
    pub folder: PathBuf,
    /// The target, which is the package's own name for the tests inside it.
    pub target: String,
    /// The program.
    pub program: PathBuf,
}

/// Of the whole workspace: of one package alone the features of dependencies would differ, and all would be compiled again.
const TESTS: [&str; 4] = ["test", "--quiet", "--workspace", "--no-run"];

/// Compiles them.
pub fn build() -> Command {
    cargo(TESTS)
}

/// Those that were compiled, in cargo's order.
pub fn list() -> Result<Vec<Binary>> {
    let said = output(&mut cargo(TESTS.into_iter().chain(["--message-format=json"])))?;
    let mut found = said.lines().filter_map(|line| read(&serde_json::from_str(line).ok()?)).collect::<Vec<_>>();
    found.sort_by(|one, other| (&one.package, &one.target).cmp(&(&other.package, &other.target)));
    if found.is_empty() { Err("cargo has built no tests".into()) } else { Ok(found) }
}

fn read(message: &Value) -> Option<Binary> {
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let program = message["executable"].as_str().filter(|_| is_test)?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    // `path+file:///…/tests#muster-tests@0.1.0`, and without the name where that is the folder's.
    let (place, id) = message["package_id"].as_str()?.rsplit_once('#')?;
    let package = id.split_once('@').map_or_else(|| place.rsplit('/').next(), |(name, _)| Some(name))?;
    let target = message["target"]["name"].as_str()?;
    Some(Binary { package: package.into(), folder: folder.into(), target: target.into(), program: program.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(test: bool, id: &str) -> Value {
        json!({
            "reason": "compiler-artifact", "package_id": id, "manifest_path": "/m/tests/Cargo.toml",
            "target": { "name": "api" }, "profile": { "test": test }, "executable": "/m/target/debug/deps/api-1",
        })
    }

    #[test]
    fn a_test_binary_is_known_by_its_package_and_its_target() {
        let known = |id| read(&message(true, id)).map(|found| (found.package, found.target, found.folder));
        let expected = |name: &str| Some((name.into(), "api".into(), "/m/tests".into()));
        assert_eq!(known("path+file:///m/tests#muster-tests@0.1.0"), expected("muster-tests"));
        assert_eq!(known("path+file:///m/xtask#0.1.0"), expected("xtask"));
    }

    #[test]
    fn a_program_that_is_no_test_is_none() {
        assert_eq!(read(&message(false, "path+file:///m/tests#muster-tests@0.1.0")), None);
    }
}
