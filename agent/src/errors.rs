//! Error chains as one bounded line of text.

/// An error and what caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The beginning of a text, up to so many bytes.
pub fn head(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit));
    text
}

/// Why a text is not TOML of the wanted shape: where, and the rule. Of the text itself no more than a key, because its values
/// may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{message}")]
pub struct TomlError {
    place: String,
    message: String,
}

impl TomlError {
    /// The complaint about this text.
    pub fn new(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ", ");
        let place = error.span().map_or_else(String::new, |span| place(text, span.start));
        Self { place, message }
    }
}

/// The line at this byte, with its key or its table.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    let named = line.split_once('=').map(|(key, _)| key.trim()).or_else(|| line.starts_with('[').then_some(line));
    named.map_or_else(|| format!("line {number}: "), |named| format!("line {number}, {named}: "))
}
