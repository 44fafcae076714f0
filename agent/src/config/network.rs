//! `[network]` in `agent.toml`: the proxy and the authorities on the way to the server. A host that joins through a proxy keeps
//! it there: the service has another environment than the person who lets the host join.

use std::path::{Path, PathBuf};

use muster_schemas::secrets::Secret;
use reqwest::{Proxy, Url};
use serde::Deserialize;

use crate::{
    errors::chain,
    identity::is_loopback,
    sys::{
        files::{FileError, write_durably},
        texts::TextFile,
    },
};

/// The section `[network]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The proxy that calls go through, with user and password if it asks for any. Empty: none, whatever the environment says.
    /// Absent: the environment's.
    pub proxy: Option<Secret>,
    /// Names, domains and networks that are called without the proxy, with commas in between. Absent: none.
    pub no_proxy: Option<String>,
    /// Certificates (PEM) to believe instead of the system's. Absent: the system's.
    pub ca_file: Option<PathBuf>,
}

/// Which key breaks which rule. The value may hold a password, and is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {rule}")]
pub struct NetworkError {
    /// The key.
    pub name: &'static str,
    /// The rule that it breaks.
    pub rule: &'static str,
}

const PROXY_RULE: NetworkError =
    NetworkError { name: "network.proxy", rule: "http://host:port or https://host:port, or empty for none" };

impl Network {
    /// Whether each key can be used.
    pub fn check(&self) -> Result<(), NetworkError> {
        self.proxy()?;
        if self.no_proxy.is_some() && self.proxy.is_none() {
            return Err(NetworkError { name: "network.no_proxy", rule: "set together with network.proxy" });
        }
        if self.ca_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err(NetworkError { name: "network.ca_file", rule: "the path of a file" });
        }
        Ok(())
    }

    /// The proxy; `None` when there is to be none, or the environment's.
    pub fn proxy(&self) -> Result<Option<Proxy>, NetworkError> {
        let Some(text) = self.proxy.as_ref().map(Secret::reveal).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let url = Url::parse(text).map_err(|_| PROXY_RULE)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(PROXY_RULE);
        }
        let excepted = self.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
        Proxy::all(url).map(|proxy| Some(proxy.no_proxy(excepted))).map_err(|_| PROXY_RULE)
    }

    /// What the environment of who lets a host join says of the way to this server.
    fn of_environment(server: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
        let is_tls = Url::parse(server).is_ok_and(|url| url.scheme() == "https" || !is_loopback(&url));
        let proxy =
            first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).filter(|_| is_tls).map(with_scheme);
        let no_proxy = proxy.as_ref().and_then(|_| first(&["NO_PROXY", "no_proxy"]));
        let ca_file = first(&["MUSTER_AGENT_CA_FILE"]).map(PathBuf::from);
        Self { proxy: proxy.map(Secret::new), no_proxy, ca_file }
    }

    /// The section as text; empty when there is nothing to say.
    fn section(&self) -> String {
        let Self { proxy, no_proxy, ca_file } = self;
        let proxy = proxy.as_ref().map(|proxy| ("proxy", proxy.reveal().to_owned()));
        let no_proxy = no_proxy.clone().map(|list| ("no_proxy", list));
        let ca_file = ca_file.as_ref().map(|path| ("ca_file", path.to_string_lossy().into_owned()));
        let lines = [proxy, no_proxy, ca_file].into_iter().flatten();
        let lines = lines.map(|(key, value)| format!("{key} = {}", toml::Value::String(value))).collect::<Vec<_>>();
        if lines.is_empty() {
            return String::new();
        }
        format!("# From the environment in which this host joined.\n[network]\n{}\n", lines.join("\n"))
    }
}

/// `proxy.example:3128` in a variable means `http://proxy.example:3128`.
fn with_scheme(text: String) -> String {
    if text.contains("://") { text } else { format!("http://{text}") }
}

/// Writes what the environment says of the way to this server into `agent.toml`, unless it has a section `[network]` already
/// or nothing would be added. Says whether it did.
pub fn take_over(state: &Path, server: &str) -> Result<bool, FileError> {
    take_over_with(state, server, |name| std::env::var(name).ok())
}

/// The same, with the environment as an argument.
pub fn take_over_with(
    state: &Path,
    server: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<bool, FileError> {
    let network = Network::of_environment(server, variable);
    let path = state.join("agent.toml");
    let before = TextFile::read(&path);
    let unreadable = |source| FileError::new("read", &path, source);
    let before = before.text().map_err(unreadable)?;
    let has_section = before.parse::<toml::Table>().is_ok_and(|table| table.contains_key("network"));
    let section = network.section();
    if has_section || section.is_empty() {
        return Ok(false);
    }
    if let Err(broken) = network.check() {
        tracing::warn!("The environment's proxy is not kept in agent.toml: {}", chain(&broken));
        return Ok(false);
    }
    let gap = if before.is_empty() { "" } else { "\n" };
    let before = if before.is_empty() || before.ends_with('\n') { before.to_owned() } else { format!("{before}\n") };
    write_durably(&path, format!("{before}{gap}{section}").as_bytes())?;
    Ok(true)
}
