//! Source files: all that the repository knows, by the crate that they belong to, measured.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use super::{Function, rust, typescript};
use crate::{
    Result,
    commands::{output, root},
};

/// Written by a program.
const GENERATED: [&str; 2] = ["console/src/api/schema.d.ts", "console/src/api/words.ts"];
/// What makes a folder a crate, or the console.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "package.json"];

/// A file without its text of tests.
#[derive(Debug)]
pub struct Measured {
    /// Its path from the top.
    pub path: String,
    /// How many lines it has.
    pub lines: usize,
    /// Its functions.
    pub functions: Vec<Function>,
    /// Whether it is nothing but text of tests: shown, and as long as it likes.
    pub is_test: bool,
}

/// Every source file, by its crate's folder.
pub fn measure() -> Result<BTreeMap<String, Vec<Measured>>> {
    let known = output(
        Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()),
    )?;
    let mut all = BTreeMap::<String, Vec<Measured>>::new();
    for path in known.lines().filter(|path| !GENERATED.contains(path) && root().join(path).exists()) {
        let functions: fn(&str) -> (usize, Vec<Function>) =
            match Path::new(path).extension().and_then(|end| end.to_str()) {
                Some("rs") => rust::measure,
                Some("ts" | "tsx" | "js") => typescript::measure,
                _ => continue,
            };
        let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
        let owner = owner(path).ok_or_else(|| format!("{path} belongs to no crate"))?;
        let is_test = is_test(path.strip_prefix(&owner).unwrap_or(path));
        let (lines, functions) = functions(&text);
        all.entry(owner).or_default().push(Measured { path: path.into(), lines, functions, is_test });
    }
    Ok(all)
}

/// The folder of the crate that a file is in.
fn owner(path: &str) -> Option<String> {
    let is_crate = |folder: &&Path| MANIFESTS.iter().any(|manifest| root().join(folder).join(manifest).is_file());
    let folder = Path::new(path).ancestors().skip(1).find(is_crate)?;
    folder.to_str().map(Into::into)
}

/// Whether a file of a crate is text of tests, by where it is.
fn is_test(path: &str) -> bool {
    let path = Path::new(path);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path.components().any(|part| part.as_os_str() == "tests")
        || name == "tests.rs"
        || [".test.ts", ".test.tsx", ".spec.ts"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_innermost_crate() {
        let owners =
            ["functions/src/lib.rs", "functions/domain/src/lib.rs", "tests/models/src/lib.rs", "console/src/main.tsx"]
                .map(|path| owner(path).unwrap_or_default());
        assert_eq!(owners, ["functions", "functions/domain", "tests/models", "console"]);
    }

    #[test]
    fn the_text_of_tests_is_told_from_what_tests_are_made_of() {
        let tests = ["/tests/agent/main.rs", "/src/life/tests.rs", "/src/logic/times.test.ts", "/tests/mock/pages.ts"];
        assert!(tests.iter().all(|path| is_test(path)));
        assert!(!["/src/world/host.rs", "/mock/api.ts"].iter().any(|path| is_test(path)));
    }
}
