//! Code size: how long files and functions are, and a limit to both (style 4).
//!
//! Every crate counts, the tests' own and this one too, and the console. Three things do not: the text of tests (`#[cfg(test)]`,
//! `tests/` folders, `*.test.ts`), generated files, and what stands in [`exceptions`] with its reason, as long as it is needed.

mod exceptions;
mod limits;
mod rust;
mod sources;
mod text;
mod typescript;

use crate::{Result, commands::say};
use sources::Measured;

const LARGEST: usize = 10;

/// A function and how many lines it has, from its name to its last brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Its length in lines.
    pub length: usize,
}

/// A length and what has it.
type Size = (usize, String);

/// Prints lengths per crate, and the largest files and functions of all; fails where something is too long.
pub fn check() -> Result {
    let all = sources::measure()?;
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    say("                     files  lines   file p50  p90  max   function p50  p90  max");
    for (name, measured) in &all {
        let (own_files, own_functions) = sizes(measured);
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
    limits::hold(all.values().flatten(), &exceptions::EXCEPTIONS)
}

fn sizes(measured: &[Measured]) -> (Vec<Size>, Vec<Size>) {
    let files = measured.iter().map(|file| (file.lines, file.path.clone())).collect();
    let of_file = |file: &Measured| {
        let named = |found: &Function| (found.length, format!("{} ({}:{})", found.name, file.path, found.line));
        file.functions.iter().map(named).collect::<Vec<_>>()
    };
    (files, measured.iter().flat_map(of_file).collect())
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
