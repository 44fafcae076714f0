//! `sizes`: whether files and functions stay small (style 4).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result,
    commands::{root, say, short},
    lexer,
};

/// The crates, as folders.
const CRATES: [&str; 9] =
    ["schemas", "functions/domain", "functions", "agent", "cli", "tests", "tests/broken-agent", "tests/fuzz", "xtask"];
const LARGEST: usize = 10;

/// A length and what has it.
type Size = (usize, String);

/// Prints lengths per crate, and the largest files and functions of all.
pub fn print() -> Result {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    say("                     files  lines   file p50  p90  max   function p50  p90  max");
    for name in CRATES {
        let (own_files, own_functions) = measure(name)?;
        say(&line(name, &own_files, &own_functions));
        files.extend(own_files);
        functions.extend(own_functions);
    }
    say(&line("all", &files, &functions));
    for (noun, mut sizes) in [("files", files), ("functions", functions)] {
        sizes.sort_by(|one, other| other.cmp(one));
        say(&format!("\nThe largest {noun}:"));
        for (length, name) in sizes.into_iter().take(LARGEST) {
            say(&format!("{length:6}  {name}"));
        }
    }
    Ok(())
}

fn measure(name: &str) -> Result<(Vec<Size>, Vec<Size>)> {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for path in sources(&root().join(name))? {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", short(&path)))?;
        files.push((text.lines().count(), short(&path)));
        let found = lexer::functions(&text).into_iter();
        functions.extend(found.map(|f| (f.length, format!("{} ({}:{})", f.name, short(&path), f.line))));
    }
    Ok((files, functions))
}

/// The Rust files of a crate, without those of crates inside it.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| format!("{}: {error}", short(folder));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn line(name: &str, files: &[Size], functions: &[Size]) -> String {
    let lines: usize = files.iter().map(|(length, _)| length).sum();
    let [file_50, file_90, file_max] = [50, 90, 100].map(|percent| percentile(files, percent));
    let [function_50, function_90, function_max] = [50, 90, 100].map(|percent| percentile(functions, percent));
    format!(
        "{name:20} {:5} {lines:6}   {file_50:8} {file_90:4} {file_max:4}   {function_50:12} {function_90:4} {function_max:4}",
        files.len()
    )
}

/// The length that so many of a hundred do not exceed.
fn percentile(sizes: &[Size], percent: usize) -> usize {
    let mut lengths: Vec<_> = sizes.iter().map(|(length, _)| *length).collect();
    lengths.sort_unstable();
    let position = (lengths.len() * percent).div_ceil(100).saturating_sub(1);
    lengths.get(position).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let sizes: Vec<Size> = (1..=10).map(|length| (length, String::new())).collect();
        assert_eq!([50, 90, 100].map(|percent| percentile(&sizes, percent)), [5, 9, 10]);
        assert_eq!(percentile(&[], 50), 0);
    }
}
