//! Source files of a crate, and which of them each one imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// By its path from the folder: the code of each file, without comments and tests.
pub type Sources = BTreeMap<String, String>;
/// By its path: the files that each file names.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// Every source file below a folder of the repository.
pub fn sources(folder: &str) -> Sources {
    let base = root().join(folder);
    let mut folders = vec![base.clone()];
    let mut files = Sources::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") && !entry.ends_with("tests.rs") {
                let path = entry.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
                files.insert(path, code(&fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    assert!(!files.is_empty(), "{folder} holds no source");
    files
}

fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Which files of the crate each of its files names. To declare a module is not to import it.
pub fn imports(sources: &Sources) -> Imports {
    let modules = sources.keys().map(|path| (module(path), path)).collect::<BTreeMap<_, _>>();
    let files_of = |(path, code): (&String, &String)| {
        let own = module(path);
        let named = paths(code).into_iter().filter_map(|named| file(&modules, &own, named));
        (path.clone(), named.filter(|other| other != path && other != "lib.rs").collect())
    };
    sources.iter().map(files_of).collect()
}

/// A file's module, as the names on the way to it.
fn module(path: &str) -> Vec<String> {
    let mut names = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect::<Vec<_>>();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

/// The file of what a path names, which may be anything in it.
fn file(modules: &BTreeMap<Vec<String>, &String>, own: &[String], path: Vec<String>) -> Option<String> {
    let mut names = if path[0] == "crate" { Vec::new() } else { own.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(names.pop()),
            _ => names.push(name),
        }
    }
    (0..=names.len()).rev().find_map(|length| modules.get(&names[..length])).map(|file| (*file).clone())
}

/// The paths that begin with `crate`, `self` or `super`, in imports of any shape and elsewhere.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for beginning in ["crate::", "self::", "super::"] {
        for place in words(code, beginning) {
            // In an indented import it is the file itself: that of a module within it.
            let line = &code[code[..place].rfind('\n').map_or(0, |end| end + 1)..place];
            let is_within = beginning == "super::" && line.starts_with(' ') && line.ends_with("use ");
            if !is_within {
                tree(&code[place..], &[], &mut found);
            }
        }
    }
    found
}

/// Where a path begins that begins so.
fn words(code: &str, beginning: &str) -> impl Iterator<Item = usize> {
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let places = code.match_indices(beginning).map(|(place, _)| place);
    places.filter(move |place| !code[..*place].chars().next_back().is_some_and(is_inside))
}

/// Whether code has this word in it, or names this path, in an import of any shape.
pub fn names(code: &str, thing: &str) -> bool {
    let by_tree = || {
        let (first, _) = thing.split_once("::")?;
        let mut found = Vec::new();
        for place in words(code, &format!("{first}::")) {
            tree(&code[place..], &[], &mut found);
        }
        Some(found.iter().any(|path| path.join("::").starts_with(thing)))
    };
    code.contains(thing) || by_tree().unwrap_or(false)
}

/// Reads one path, or a tree of them, and says what follows it.
fn tree<'a>(mut rest: &'a str, beginning: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = beginning.to_vec();
    loop {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() {
            path.push(word.into());
        }
        match (after.strip_prefix("::"), after.strip_prefix('{')) {
            (Some(next), _) => rest = next,
            (None, Some(group)) if word.is_empty() => return branches(group, &path, found),
            (None, _) => {
                found.push(path);
                return after;
            }
        }
    }
}

/// Reads the branches of a tree up to its closing brace.
fn branches<'a>(mut rest: &'a str, path: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        match rest.strip_prefix('}') {
            Some(after) => return after,
            None if rest.is_empty() => return rest,
            None => {
                let after = tree(rest, path, found);
                // A glob, or another name for it.
                rest = &after[after.find([',', '}']).unwrap_or(after.len())..];
            }
        }
    }
}

/// Panics unless each thing is named in its places alone, and in each of them.
pub fn assert_reached_in(folder: &str, table: &[(&str, &[&str])]) {
    let sources = sources(folder);
    for (thing, places) in table {
        let reaching = sources.iter().filter(|(_, code)| names(code, thing)).map(|(path, _)| path);
        let reaching = reaching.collect::<Vec<_>>();
        for path in &reaching {
            let may = places.iter().any(|place| path.starts_with(place));
            assert!(may, "{folder}/{path} reaches {thing}");
        }
        for place in *places {
            let does = reaching.iter().any(|path| path.starts_with(place));
            assert!(does, "nothing in {folder}/{place} reaches {thing} any more: take it out of the table");
        }
    }
}

/// The crates that a crate is made of.
pub fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let section = text.split("\n[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn an_import_is_found_in_every_shape() {
    let code =
        "use super::{b::{self, One}, *};\nuse crate::a;\nfn f() -> crate::c::Two { self::d::run(); $crate::e!() }
        mod inner {\n    use super::f;\n}";
    let sources =
        ["lib.rs", "a.rs", "b.rs", "c/mod.rs", "e.rs", "x.rs", "x/d.rs"].map(|path| (path.into(), String::new()));
    let mut sources = Sources::from(sources);
    sources.insert("x.rs".into(), code.into());
    let expected = ["a.rs", "b.rs", "c/mod.rs", "e.rs", "x/d.rs"].map(str::to_owned);
    assert_eq!(imports(&sources)["x.rs"], expected.into());
    let code = "use std::{fs::{self, File}, io};\nuse tokio::time;";
    let named = ["std::fs", "std::io", "std::fs::File", "File", "tokio::time", "std::env", "tokio::net"];
    assert_eq!(named.map(|thing| names(code, thing)), [true, true, true, true, true, false, false]);
}
