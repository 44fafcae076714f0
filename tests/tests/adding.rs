//! The checklists of `docs/adding.md` against the sources: a kind of job and a noun that only the fixtures know are added to a
//! copy of the workspace, and the matches that the compiler then names are the ones that the page names.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What the copy is made of, beside the manifests at the top.
const CRATES: [&str; 6] = ["schemas", "functions", "agent", "cli", "tests", "xtask"];
/// How many places, at most, a kind of job and a noun may need.
const MOST: [(&str, usize); 2] = [("A kind of job", 8), ("A noun with a life", 20)];

/// Files of routes, each with the file of tests that holds them if that has another name.
const TESTED_ELSEWHERE: [(&str, &str); 6] = [
    ("commands", "api/results.rs"),
    ("openapi", "api/openapi.rs"),
    ("session", "access.rs"),
    ("tick", "api/ticks.rs"),
    ("trust_root", "api/releases.rs"),
    ("users", "access.rs"),
];

/// One line of a checklist.
#[derive(Debug)]
struct Row {
    how: String,
    places: Vec<String>,
    what: String,
    named_by: String,
}

impl Row {
    /// Whether a match of an enum stands there, which the compiler holds.
    fn is_match(&self) -> bool {
        self.what.contains("an arm in `") && self.named_by.contains("the compiler")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// The texts between backticks.
fn code(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The checklists by their headings.
fn checklists() -> Vec<(String, Vec<Row>)> {
    let page = fs::read_to_string(root().join("docs/adding.md")).unwrap();
    let lists = page.split("\n## ").skip(1).map(|section| {
        let rows = section.lines().filter_map(|line| {
            let cells = line.strip_prefix("| ")?.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
            let [how, place, what, named_by, _] = <[String; 5]>::try_from(cells).ok()?;
            let is_row = ["new", "edit", "made"].contains(&how.as_str());
            is_row.then(|| Row { how, places: code(&place), what, named_by })
        });
        (section.lines().next().unwrap().to_owned(), rows.collect::<Vec<_>>())
    });
    lists.filter(|(_, rows)| !rows.is_empty()).collect()
}

fn checklist(heading: &str) -> Vec<Row> {
    checklists().into_iter().find(|(name, _)| name == heading).unwrap().1
}

/// Every file below a folder that cargo could want, by its path from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            found.push(entry);
        } else if !entry.ends_with("target") && !entry.ends_with("node_modules") {
            found.extend(files(&entry));
        }
    }
    found
}

/// The copy of the workspace. What has not changed is not written: cargo goes by the times of files.
struct Copy {
    folder: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn with(fixtures: &[&str]) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_path_buf();
        let copy = Self { folder: target.join("tmp/adding"), target };
        let tops = ["Cargo.toml", "Cargo.lock"].map(|name| root().join(name));
        let mut texts = tops.into_iter().chain(CRATES.iter().flat_map(|name| files(&root().join(name))));
        let fixtures = fixtures.iter().map(|name| root().join("tests/fixtures/adding").join(name));
        let changes = fixtures.map(|path| fs::read_to_string(path).unwrap()).collect::<String>();
        texts.by_ref().for_each(|path| {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            copy.write(&name, &changed(&name, under_its_own_version(&name, fs::read(&path).unwrap()), &changes));
        });
        for (head, text) in parts(&changes).filter(|(head, _)| !head.contains(" before ")) {
            copy.write(head, text.as_bytes());
        }
        copy
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// The files with matches that are not exhaustive any more. Nothing else may be wrong.
    fn forgotten(&self, arguments: &[&str]) -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--keep-going", "--message-format=json"]).args(arguments);
        let output = cargo.current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target).output().unwrap();
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let errors = messages.filter(|message| message["message"]["level"] == "error").map(|message| {
            let error = &message["message"];
            assert!(error["code"].is_null() || error["code"]["code"] == "E0004", "{}", error["rendered"]);
            error["spans"].as_array().unwrap().clone()
        });
        let names = errors.flatten().filter(|span| span["is_primary"] == true);
        names.map(|span| span["file_name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Cargo tells packages of two workspaces apart by their versions alone. With the same one, what is compiled here, with a kind
/// too many, would pass for what the repository's own sources are.
fn under_its_own_version(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if name != "Cargo.toml" {
        return bytes;
    }
    let (ours, own) = (concat!("\nversion = \"", env!("CARGO_PKG_VERSION"), "\"\n"), "\nversion = \"0.0.1-adding\"\n");
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches(ours).count(), 1, "the version of the workspace");
    text.replace(ours, own).into_bytes()
}

/// The parts of a fixture: each with its head, a new file's path, or `path before line`.
fn parts(changes: &str) -> impl Iterator<Item = (&str, &str)> {
    changes.split("@@ ").skip(1).map(|part| part.split_once('\n').unwrap())
}

fn changed(name: &str, bytes: Vec<u8>, changes: &str) -> Vec<u8> {
    let mut bytes = bytes;
    for (head, text) in parts(changes) {
        if let Some((path, anchor)) = head.split_once(" before ")
            && path == name
        {
            let old = String::from_utf8(bytes).unwrap();
            let place = old.lines().position(|line| line.trim() == anchor);
            let place = place.unwrap_or_else(|| panic!("{name} has no line {anchor:?} any more"));
            let lines = old.split_inclusive('\n').enumerate();
            let put = lines.map(|(number, line)| if number == place { format!("{text}{line}") } else { line.into() });
            bytes = put.collect::<String>().into_bytes();
        }
    }
    bytes
}

fn matches(heading: &str, keep: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let rows = checklist(heading).into_iter().filter(Row::is_match);
    rows.flat_map(|row| row.places).filter(|place| keep(place)).collect()
}

#[test]
fn the_matches_that_a_new_kind_and_a_new_noun_break_are_those_of_the_page() {
    let in_the_words = |place: &str| place.starts_with("schemas/");
    let copy = Copy::with(&["kind.txt"]);
    assert_eq!(copy.forgotten(&["-p", "muster-schemas"]), matches("A kind of job", in_the_words));
    // Everywhere else, with the words as they should be.
    let copy = Copy::with(&["kind.txt", "kind-in-the-words.txt", "noun.txt"]);
    let mut named = matches("A kind of job", |place| !in_the_words(place));
    named.extend(matches("A noun with a life", |_| true));
    assert_eq!(copy.forgotten(&["--workspace"]), named);
}

#[test]
fn every_place_of_a_checklist_is_there() {
    let all = CRATES.iter().chain(&["docs", "console/src", "console/tests"]);
    let known = all.flat_map(|name| files(&root().join(name)));
    let known = known.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>();
    for (heading, rows) in checklists() {
        for place in rows.iter().flat_map(|row| &row.places) {
            let is_there = match (place.split_once('<'), place.split_once('>')) {
                (Some((beginning, _)), Some((_, end))) => known.iter().any(|path| {
                    let name = path.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(end));
                    name.is_some_and(|name| !name.contains('/'))
                }),
                _ => known.contains(place),
            };
            assert!(is_there, "{heading}: {place}");
        }
    }
}

#[test]
fn every_test_that_a_checklist_goes_by_is_there() {
    let sources = CRATES.iter().flat_map(|name| files(&root().join(name)));
    let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let text = sources.map(|path| fs::read_to_string(path).unwrap()).collect::<String>();
    for (heading, rows) in checklists() {
        for test in rows.iter().flat_map(|row| code(&row.named_by)) {
            assert!(text.contains(&format!("fn {test}(")), "{heading}: {test}");
        }
    }
}

#[test]
fn a_kind_and_a_noun_need_no_more_places_than_promised() {
    for (heading, most) in MOST {
        let places =
            checklist(heading).iter().filter(|row| row.how != "made").map(|row| row.places.len()).sum::<usize>();
        assert!(places <= most, "{heading}: {places} places");
    }
}

/// The Rust files directly in a folder: their names without the ending, and their texts.
fn sources(folder: &str) -> Vec<(String, String)> {
    let files = files(&root().join(folder)).into_iter().filter(|path| path.parent() == Some(&root().join(folder)));
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().into(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn every_record_with_an_entry_among_the_due_ones_is_in_the_list_of_what_can_be_due() {
    let list = fs::read_to_string(root().join("functions/src/records.rs")).unwrap();
    let list =
        list.split_once("pub const DUE:").unwrap().1.split_once(';').unwrap().1.split_once(';').unwrap().0.to_owned();
    let tick = fs::read_to_string(root().join("functions/src/tick.rs")).unwrap();
    let mut found = 0;
    for (name, text) in sources("functions/src/records").into_iter().filter(|(_, text)| text.contains(" due(")) {
        // Removed when it is due, without a change of its own.
        if tick.contains(&format!("records::{name}::id(")) && !text.contains("fn due(") {
            continue;
        }
        let record = text.split_once("impl Record for ").unwrap().1.split_whitespace().next().unwrap().to_owned();
        assert!(text.contains("fn due("), "{name}: what happens to it when it is due");
        assert!(list.contains(&format!("{record}::due")), "{record} is not in DUE");
        found += 1;
    }
    assert_eq!(found, list.matches("::due").count(), "{list}");
}

#[test]
fn every_file_with_routes_has_a_file_of_tests() {
    let mut elsewhere = TESTED_ELSEWHERE.iter().collect::<Vec<_>>();
    for (name, _) in sources("functions/src/api").into_iter().filter(|(_, text)| text.contains("fn routes(")) {
        let other = elsewhere.iter().position(|(noun, _)| *noun == name).map(|place| elsewhere.remove(place).1);
        let tests = other.map_or_else(|| format!("api/{name}.rs"), str::to_owned);
        let text = fs::read_to_string(root().join("tests/tests").join(&tests));
        assert!(text.is_ok_and(|text| text.contains("#[") && text.contains("test")), "{name} has no tests in {tests}");
    }
    assert!(elsewhere.is_empty(), "needed by nothing: {elsewhere:?}");
}

/// A file that nothing declares is not compiled, so its tests never fail.
#[test]
fn every_file_of_a_suite_of_tests_is_declared_in_it() {
    let suites = files(&root().join("tests/tests")).into_iter().filter(|path| path.ends_with("main.rs"));
    let mut seen = 0;
    for main in suites {
        let text = fs::read_to_string(&main).unwrap();
        let folder = main.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        for (name, _) in sources(&folder).into_iter().filter(|(name, _)| name != "main") {
            assert!(text.contains(&format!("mod {name};")), "{folder}/{name}.rs is not in {folder}/main.rs");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} files");
}
