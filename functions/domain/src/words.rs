//! Words: a value as the wire spells it, for texts that people read.

use serde::Serialize;

/// A state as the word on the wire.
pub fn word(state: impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
