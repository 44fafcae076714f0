//! References in documents: links, paths of the repository, and names of tests lead somewhere.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use super::pages::{page, pages, root};

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut found = 0;
    for from in pages() {
        for link in from.links().iter().filter(|link| !link.contains("://")) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&from.path).parent().unwrap();
            let path = if target.is_empty() { from.path.clone() } else { flat(&folder.join(target)) };
            assert!(root().join(&path).exists(), "{}: {link} leads nowhere", from.path);
            if !anchor.is_empty() {
                let there = page(&path).anchors().iter().any(|heading| heading == anchor);
                assert!(there, "{}: {path} has no heading for {link}", from.path);
            }
            found += 1;
        }
    }
    assert!(found > 40, "only {found} links were found");
}

#[test]
fn every_path_in_backticks_is_in_the_repository() {
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let top = top.filter(|name| !name.starts_with('.') && name != "target").collect::<BTreeSet<_>>();
    let (mut found, mut missing) = (0, Vec::new());
    for page in pages() {
        let own = Path::new(&page.path).parent().unwrap().to_owned();
        for span in page.spans() {
            let first = span.split('/').next().unwrap();
            let plain = span.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
            if !plain || !span.contains('/') || !top.contains(first) || is_made(&span) {
                continue;
            }
            // A README of a part may speak of its own files.
            let there = [PathBuf::new(), own.clone()].iter().any(|folder| root().join(folder).join(&span).exists());
            if !there {
                missing.push(format!("{}: {span}", page.path));
            }
            found += 1;
        }
    }
    assert!(missing.is_empty(), "there is no\n{}", missing.join("\n"));
    assert!(found > 80, "only {found} paths were found");
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut sources = String::new();
    for folder in ["functions", "schemas", "agent", "cli", "tests", "xtask"] {
        read(&root().join(folder), &mut sources);
    }
    let mut found = 0;
    for page in pages() {
        for span in page.spans().iter().filter(|span| is_test(span)) {
            assert!(sources.contains(&format!("fn {span}()")), "{}: there is no test {span}", page.path);
            found += 1;
        }
    }
    assert!(found > 20, "only {found} tests are named");
}

/// What is built, and therefore not there before.
fn is_made(path: &str) -> bool {
    path.starts_with("console/dist") || path.starts_with("console/node_modules")
}

/// A sentence of small letters: nothing else has so many words.
fn is_test(span: &str) -> bool {
    let small = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    span.chars().all(small) && span.matches('_').count() >= 4
}

fn read(folder: &Path, sources: &mut String) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// A path without `..`.
fn flat(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_str().unwrap()),
            _ => {}
        }
    }
    parts.join("/")
}
