//! Every input of the corpora still holds, and so do mutations of them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    ffi::OsString,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use muster_fuzz::{TARGETS, Target, mutate};
use muster_schemas::messages::{MESSAGES, Message};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const SEED: u64 = 1;
const MUTATIONS: usize = 2_000;
/// A larger input only takes longer.
const MAX_BYTES: usize = 16 * 1024;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The inputs of a target by name, so that a run repeats; with the golden samples, which are all targets' business.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/samples");
    let read = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let own = read(corpora().join(name));
    assert!(!own.is_empty(), "the corpus of {name} is empty");
    let mut paths = [own, read(samples)].concat();
    paths.sort();
    let mut inputs: Vec<_> =
        paths.into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect();
    if name == "messages" {
        inputs.extend(MESSAGES.iter().map(|message| (message.name.to_string(), named(message))));
    }
    inputs
}

/// A golden sample as the target of messages takes it: with the name of the message.
fn named(message: &Message) -> Vec<u8> {
    format!(r#"{{"{}":{}}}"#, message.kind(), message.sample).into_bytes()
}

/// Runs a target, and says what breaks it, and how.
fn breaks(target: Target, input: &[u8], origin: &str) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| target(input))).err()?;
    let why = panic.downcast_ref::<String>().cloned();
    let why = why.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
    let shown = String::from_utf8_lossy(&input[..input.len().min(4096)]);
    Some(format!("{origin}: {why}\n{shown}"))
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let mut found: Vec<_> = fs::read_dir(corpora()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    assert_eq!(found, TARGETS.map(|(name, _)| name));
}

#[test]
fn every_target_has_its_own_program_for_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    assert_eq!(found, TARGETS.map(|(name, _)| OsString::from(format!("{name}.rs"))));
}

#[test]
fn every_input_that_is_known_holds() {
    let inputs = TARGETS.iter().flat_map(|(name, target)| corpus(name).into_iter().map(move |input| (*target, input)));
    let broken: Vec<_> = inputs.filter_map(|(target, (origin, input))| breaks(target, &input, &origin)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn mutations_of_known_inputs_hold() {
    std::thread::scope(|scope| {
        for (name, target) in TARGETS {
            scope.spawn(move || mutations_hold(name, target));
        }
    });
}

/// Inputs that were changed are changed again now and then: two steps lead where one does not.
fn mutations_hold(name: &str, target: Target) {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut inputs: Vec<_> = corpus(name).into_iter().map(|(_, input)| input).collect();
    for number in 0..MUTATIONS {
        let input = mutate(inputs.choose(&mut random).unwrap(), &mut random);
        if input.len() > MAX_BYTES {
            continue;
        }
        let broken = breaks(target, &input, &format!("{name}: mutation {number} of seed {SEED}"));
        assert_eq!(broken, None);
        if random.random_bool(0.1) {
            inputs.push(input);
        }
    }
}
