//! Texts for people: a state as the wire spells it, a noun with its number.

use std::fmt::Display;

use serde::Serialize;

/// A state as the word on the wire.
pub fn word(state: impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `1 host`, `2 hosts`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
