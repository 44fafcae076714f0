//! The public URL, as a setting.

/// The URL that agents and people know the server by: `aud` of every assertion, so it is one and the same text for all.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let named = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = named.filter(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(['?', '#', '@', ' ']));
    host.map(|_| text.to_owned()).ok_or_else(|| "must be http(s)://host, optionally with a port and a path".into())
}
