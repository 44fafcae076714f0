//! Configuration file and credentials: which server to use, and the token for it.
//!
//! The environment goes before the file. A stored token is sent to no server but the one that issued it.

use std::{env, path::PathBuf};

use jiff::Timestamp;
use muster_schemas::secrets::Secret;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{failures::Failure, files, output};

/// The configuration file, which `muster login` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// URL of the server.
    pub server: String,
    /// Name of the account that logged in.
    pub username: String,
    /// Token of the session.
    pub token: Secret,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// A server and the credential for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// URL of the server, without a trailing slash.
    pub server: String,
    /// The credential.
    pub token: Secret,
}

impl Config {
    /// Reads the stored configuration, if there is one. Where there is no home directory, none is stored.
    pub fn load() -> Result<Option<Self>, Failure> {
        let Ok(path) = path() else { return Ok(None) };
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read(&path)?;
        let unreadable = |error: toml::de::Error| Failure::Unreadable {
            what: path.display().to_string(),
            why: error.message().to_owned(), // the whole error quotes the file, token included
        };
        toml::from_str(&text).map(Some).map_err(unreadable)
    }

    /// Stores the configuration in a file that only its owner can read.
    pub fn save(&self) -> Result<(), Failure> {
        let text = toml::to_string(self).expect("texts and times always fit in TOML");
        files::replace(&path()?, &text)
    }

    /// Deletes the stored configuration.
    pub fn remove() -> Result<(), Failure> {
        let path = path()?;
        std::fs::remove_file(&path).map_err(|source| Failure::File { doing: "remove", path, source })
    }
}

/// Path of the configuration file: `$MUSTER_CONFIG`, or `muster/config.toml` in the user's configuration folder.
pub fn path() -> Result<PathBuf, Failure> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".config"));
    let default = || set("XDG_CONFIG_HOME").or_else(home).map(|folder| folder.join("muster/config.toml"));
    let missing =
        || Failure::Usage("there is no home directory; set MUSTER_CONFIG to the file that stores the session".into());
    set("MUSTER_CONFIG").or_else(default).ok_or_else(missing)
}

/// The server to use: the one that the command line or the environment names, else the one logged in to, which `stored` reads.
pub fn server(
    named: Option<&str>,
    stored: impl FnOnce() -> Result<Option<Config>, Failure>,
) -> Result<String, Failure> {
    match named {
        Some(named) => checked(named),
        None => checked(&stored()?.ok_or(Failure::NoServer)?.server),
    }
}

/// The server to use, and the credential for it. What `stored` reads is not asked for where both are named: a job or a pipeline
/// has no home directory to keep a file in.
pub fn endpoint(
    named: Option<&str>,
    token: Option<Secret>,
    stored: impl FnOnce() -> Result<Option<Config>, Failure>,
    now: Timestamp,
) -> Result<Endpoint, Failure> {
    if let Some(token) = token {
        return Ok(Endpoint { server: server(named, stored)?, token });
    }
    let config = stored()?;
    let server = server(named, || Ok(config.clone()))?;
    let config = config.filter(|config| checked(&config.server).is_ok_and(|stored| stored == server));
    match config {
        Some(config) if config.expires_at <= now => Err(Failure::SessionEnded { server, at: config.expires_at }),
        Some(config) => Ok(Endpoint { server, token: config.token }),
        None => Err(Failure::NotLoggedIn { server }),
    }
}

/// The credential of the environment: an API key, or the token of a session. By its old name, which means an enrollment token as
/// well, what begins as one is not taken for it.
pub fn token(environment: impl Fn(&str) -> Option<String>) -> Option<Secret> {
    let by_old_name = || {
        let token = environment("MUSTER_TOKEN")?;
        if token.starts_with("met_") {
            output::warn("MUSTER_TOKEN is an enrollment token, and no API key: set MUSTER_API_KEY");
            return None;
        }
        output::warn("MUSTER_TOKEN is called MUSTER_API_KEY now; set that");
        Some(token)
    };
    environment("MUSTER_API_KEY").or_else(by_old_name).map(Secret::new)
}

/// Checks and normalizes the URL of a server. Plain http to another machine is refused: secrets would go unencrypted.
pub fn checked(server: &str) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("{server:?} is not a valid server URL: {why}"));
    let url = Url::parse(server).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it may have only a scheme, a host, a port and a path"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("plain http is allowed for this machine (loopback) only; use https")),
        _ => return Err(wrong("it must start with https://")),
    }
    Ok(url.as_str().trim_end_matches('/').into())
}

/// Whether the URL points to this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(server: &str) -> Config {
        let expires_at = Timestamp::from_second(100).unwrap();
        Config { server: server.into(), username: "ada".into(), token: Secret::new("stored"), expires_at }
    }

    fn chosen(named: Option<&str>, token: Option<&str>, now: i64) -> Result<Endpoint, Failure> {
        let now = Timestamp::from_second(now).unwrap();
        endpoint(named, token.map(Secret::new), || Ok(Some(config("https://a.example"))), now)
    }

    #[test]
    fn a_stored_credential_is_never_sent_to_another_server() {
        assert!(matches!(chosen(Some("https://b.example"), None, 0), Err(Failure::NotLoggedIn { .. })));
        assert_eq!(chosen(Some("https://a.example/"), None, 0).unwrap().token, Secret::new("stored"));
    }

    #[test]
    fn the_token_of_the_environment_wins_and_an_expired_session_is_reported() {
        assert_eq!(chosen(None, Some("given"), 0).unwrap().token, Secret::new("given"));
        assert!(matches!(chosen(None, None, 100), Err(Failure::SessionEnded { .. })));
        assert!(matches!(endpoint(None, None, || Ok(None), Timestamp::UNIX_EPOCH), Err(Failure::NoServer)));
    }

    #[test]
    fn what_is_stored_is_not_looked_for_where_server_and_token_are_named() {
        let nowhere = || Err(Failure::Usage("there is no home directory".into()));
        let found = |named, token: Option<&str>| {
            endpoint(named, token.map(Secret::new), nowhere, Timestamp::UNIX_EPOCH).map(|endpoint| endpoint.server)
        };
        assert_eq!(found(Some("https://a.example/"), Some("given")).unwrap(), "https://a.example");
        assert!(matches!(found(Some("https://a.example"), None), Err(Failure::Usage(_))));
        assert!(matches!(found(None, Some("given")), Err(Failure::Usage(_))));
    }

    #[test]
    fn the_key_of_the_environment_has_a_name_of_its_own_and_the_old_one_counts_where_it_cannot_mean_another() {
        let given = |set: &'static [(&str, &str)]| {
            let found =
                move |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            token(found).map(|token| token.reveal().to_owned())
        };
        assert_eq!(given(&[("MUSTER_API_KEY", "mst_new"), ("MUSTER_TOKEN", "mst_old")]).as_deref(), Some("mst_new"));
        assert_eq!(given(&[("MUSTER_TOKEN", "mst_old")]).as_deref(), Some("mst_old"));
        assert_eq!(given(&[("MUSTER_TOKEN", "met_of_a_host")]), None);
        assert_eq!(given(&[("MUSTER_ENROLLMENT_TOKEN", "met_of_a_host")]), None);
    }

    #[test]
    fn plain_http_is_allowed_to_loopback_only() {
        for server in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080/", "https://a.example/muster"]
        {
            assert!(checked(server).is_ok(), "{server}");
        }
        for server in [
            "http://a.example",
            "http://127.0.0.1.a.example",
            "http://10.0.0.1",
            "ftp://a",
            "a.example",
            "https://u:p@a.example",
        ] {
            assert!(checked(server).is_err(), "{server}");
        }
    }

    #[test]
    fn a_stored_configuration_reads_back() {
        let config = config("https://a.example");
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
}
