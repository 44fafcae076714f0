//! Circles: files that import one another cannot be understood one by one.
//!
//! A file that names its parts, in the folder of its name, and is named by them is one module with them: that is no circle.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Imports, imports, sources};

/// An import that closes a circle: who imports whom, and why it still may.
type Exemption = (&'static str, &'static str, &'static str);

const WORDS: [Exemption; 0] = [];
const AGENT: [Exemption; 1] = [(
    "programs/shimmed.rs",
    "programs.rs",
    "one of two ways to start a program, which `programs/process.rs` chooses from",
)];

/// Panics if files of a folder import one another in a circle, or if an exemption is not needed.
fn assert_no_circles(folder: &str, exemptions: &[Exemption]) {
    let mut imports = as_modules(&imports(&sources(folder)));
    let unused =
        |from: &str, to: &str| format!("{folder}: {from} -> {to} closes no circle any more: take it out of the table");
    for (from, to, _) in exemptions {
        assert!(imports.get_mut(*from).is_some_and(|named| named.remove(*to)), "{}", unused(from, to));
    }
    let circles = circles(&imports);
    assert!(circles.is_empty(), "{folder} has circles of files: {circles:#?}");
    for (from, to, _) in exemptions {
        let mut with_it = imports.clone();
        with_it.get_mut(*from).unwrap().insert((*to).into());
        assert!(!self::circles(&with_it).is_empty(), "{}", unused(from, to));
    }
}

/// The same with each file and its parts as one, where they name one another.
fn as_modules(imports: &Imports) -> Imports {
    let mut modules = Imports::new();
    for (file, named) in imports {
        let whole = whole(imports, file);
        let others = named.iter().map(|other| self::whole(imports, other)).filter(|other| *other != whole);
        let others = others.map(str::to_owned).collect::<Vec<_>>();
        modules.entry(whole.into()).or_default().extend(others);
    }
    modules
}

fn whole<'a>(imports: &'a Imports, file: &'a str) -> &'a str {
    let Some((folder, _)) = file.rsplit_once('/') else { return file };
    let heads = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    let head = heads.iter().find_map(|head| imports.get_key_value(head));
    match head {
        Some((head, parts)) if head != file && parts.contains(file) && imports[file].contains(head) => {
            whole(imports, head)
        }
        _ => file,
    }
}

/// Every circle, by the files in it.
fn circles(imports: &Imports) -> BTreeSet<Vec<&str>> {
    let reached = imports.keys().map(|file| (file.as_str(), reached(imports, file))).collect::<BTreeMap<_, _>>();
    let in_circles = reached.iter().filter(|(file, others)| others.contains(*file));
    let circle = in_circles.map(|(file, others)| {
        let back = |other: &&str| reached[other].contains(file);
        others.iter().copied().filter(back).collect()
    });
    circle.collect()
}

/// What a file names, and what is named there, and so on.
fn reached<'a>(imports: &'a Imports, file: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = imports.get(file).into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    while let Some(file) = next.pop() {
        if found.insert(file) {
            next.extend(imports.get(file).into_iter().flatten().map(String::as_str));
        }
    }
    found
}

#[test]
fn no_files_of_the_agent_import_one_another_in_a_circle() {
    assert_no_circles("agent/src", &AGENT);
}

#[test]
fn no_files_of_the_server_import_one_another_in_a_circle() {
    assert_no_circles("functions/src", &[]);
}

#[test]
fn no_files_of_the_words_import_one_another_in_a_circle() {
    assert_no_circles("schemas/src", &WORDS);
}

#[test]
fn a_circle_is_found_through_any_number_of_files_and_a_file_is_one_with_its_parts() {
    let imports = |edges: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (from, to) in edges {
            imports.entry((*from).into()).or_default().insert((*to).into());
            imports.entry((*to).into()).or_default();
        }
        as_modules(&imports)
    };
    let found = |edges: &[(&str, &str)]| circles(&imports(edges)).len();
    assert_eq!(found(&[("a.rs", "b.rs"), ("b.rs", "c.rs"), ("a.rs", "c.rs")]), 0);
    assert_eq!(found(&[("a.rs", "b.rs"), ("b.rs", "c.rs"), ("c.rs", "a.rs"), ("d.rs", "a.rs")]), 1);
    assert_eq!(found(&[("a.rs", "a/b.rs"), ("a/b.rs", "a.rs")]), 0);
    assert_eq!(found(&[("a.rs", "a/b.rs"), ("a/b.rs", "a.rs"), ("a/b.rs", "c.rs"), ("c.rs", "a.rs")]), 1);
    assert_eq!(found(&[("a.rs", "b.rs"), ("b.rs", "a/c.rs"), ("a/c.rs", "a.rs")]), 1);
}
