//! Each golden sample can be read and is written again the same, each message of the wire has one, and each sample is of a
//! message.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fs, path::Path};

use muster_schemas::messages::{MESSAGES, Message, Unknown};
use serde_json::{Value, json};

/// What is signed or stands inside of other messages: no route takes or gives it as its body.
const INSIDE: [&str; 3] = ["command", "manifest", "root"];

fn again(message: &Message, value: &Value) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&(message.again)(&value.to_string())?)
}

fn sample(message: &Message) -> Value {
    serde_json::from_str(message.sample).unwrap_or_else(|error| panic!("{}: {error}", message.name))
}

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).expect("the document is JSON")
}

#[test]
fn every_sample_is_read_and_written_again_the_same() {
    for message in MESSAGES.iter() {
        let sample = sample(message);
        let written = again(message, &sample).unwrap_or_else(|error| panic!("{}: {error}", message.name));
        assert_eq!(written, sample, "{}", message.name);
    }
}

#[test]
fn what_is_unknown_is_tolerated_between_programs_and_an_error_from_people() {
    for message in MESSAGES.iter() {
        let mut newer = sample(message);
        newer["from_the_future"] = json!({ "any": "thing" });
        let refused = again(message, &newer).is_err();
        assert_eq!(refused, message.unknown == Unknown::Refused, "{}", message.name);
    }
}

#[test]
fn every_message_of_the_wire_has_a_sample_and_every_sample_is_of_a_message() {
    let wanted = bodies(&document()).into_iter().chain(INSIDE.map(str::to_owned)).collect::<BTreeSet<_>>();
    let listed = MESSAGES.iter().map(|message| message.kind().to_owned()).collect::<BTreeSet<_>>();
    let without = wanted.difference(&listed).collect::<Vec<_>>();
    assert!(without.is_empty(), "no sample, and no line in schemas/src/messages.rs: {without:?}");
    let unused = listed.difference(&wanted).filter(|name| *name != "job_spec").collect::<Vec<_>>();
    assert!(unused.is_empty(), "no route takes or gives these messages: {unused:?}");
}

#[test]
fn every_file_among_the_samples_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    };
    let listed = MESSAGES.iter().map(|message| message.name.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(fs::read_dir(folder).unwrap().map(file).collect::<BTreeSet<_>>(), listed);
    let by_hand = MESSAGES.iter().map(|message| &message.name).filter(|name| !name.starts_with("job_spec."));
    assert!(by_hand.is_sorted(), "the list is sorted by name");
}

/// The bodies that routes take and give, in snake case.
fn bodies(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let bodies = operations.flat_map(|operation| {
        let answers = operation["responses"].as_object().unwrap().values();
        answers.chain(operation.get("requestBody")).collect::<Vec<_>>()
    });
    let contents = bodies.filter_map(|body| body["content"].as_object()).flat_map(|content| content.values());
    let references = contents.filter_map(|content| content["schema"]["$ref"].as_str());
    references.map(|reference| snake_case(reference.rsplit('/').next().unwrap())).collect()
}

/// What a program of the release before sends is still read, and nothing of it is lost; there may be more to say now.
#[test]
fn every_sample_of_the_release_before_is_read_and_says_the_same() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/before/samples"));
    let before = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(before.len() >= 49, "{before:?}");
    for path in before {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let message = MESSAGES.iter().find(|message| message.name == name);
        let message = message.unwrap_or_else(|| panic!("{name} is a message no more"));
        let sample: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let written = again(message, &sample).unwrap_or_else(|error| panic!("{name}: {error}"));
        says_the_same(name, &sample, &written);
    }
}

fn says_the_same(place: &str, before: &Value, now: &Value) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                let place = format!("{place}.{name}");
                says_the_same(&place, value, now.get(name).unwrap_or_else(|| panic!("{place} is lost")));
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            before.iter().zip(now).for_each(|(before, now)| says_the_same(place, before, now));
        }
        _ => assert_eq!(now, before, "{place}"),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
