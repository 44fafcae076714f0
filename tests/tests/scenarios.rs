//! Stories as texts: `tests/scenarios/*.txt`. A line that begins with `>` is a command, what follows it is what came of
//! it. `MUSTER_BLESS=1 cargo test -p muster-tests --test scenarios` writes down what comes; review it like code.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod script;

use std::{fs, path::Path};

use script::Script;

/// Plays every story and compares it with what was written down.
#[test]
fn every_story_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    assert!(files.len() >= 9, "the stories are gone");
    let bless = std::env::var_os("MUSTER_BLESS").is_some();
    let mut changed = Vec::new();
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let played = played(&written);
        if bless {
            fs::write(&file, played).unwrap();
        } else if played != written {
            changed.push(format!("{}:\n{}", file.display(), difference(&written, &played)));
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// The story with what comes of its commands now; comments and empty lines stay.
fn played(story: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut script = Script::new().await;
        let mut transcript = String::new();
        for line in story.lines() {
            if let Some(command) = line.strip_prefix("> ") {
                let news = script.does(command).await;
                transcript.extend([line, "\n", &news]);
            } else if line.is_empty() || line.starts_with('#') {
                transcript.extend([line, "\n"]);
            }
        }
        transcript
    })
}

fn difference(written: &str, played: &str) -> String {
    let mut lines = Vec::new();
    let (mut old, mut new) = (written.lines(), played.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return lines.join("\n"),
            (one, other) if one == other => {}
            (one, other) => lines.extend([format!("- {}", one.unwrap_or("")), format!("+ {}", other.unwrap_or(""))]),
        }
    }
}
