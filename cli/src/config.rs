//! Where the server is and who we are: environment before file, and never one server's credential for another.

use std::{env, path::PathBuf};

use jiff::Timestamp;
use muster_schemas::secrets::Secret;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{failures::Failure, files};

/// What `muster login` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The server's URL.
    pub server: String,
    /// Who logged in.
    pub username: String,
    /// The session's token.
    pub token: Secret,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// Whom to talk to, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The server, without a slash at its end.
    pub server: String,
    /// The credential.
    pub token: Secret,
}

impl Config {
    /// The stored configuration, if there is one.
    pub fn load() -> Result<Option<Self>, Failure> {
        let path = path()?;
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

    /// Keeps the configuration, for the owner only.
    pub fn save(&self) -> Result<(), Failure> {
        let text = toml::to_string(self).expect("texts and times always fit in TOML");
        files::replace(&path()?, &text)
    }

    /// Forgets the configuration.
    pub fn remove() -> Result<(), Failure> {
        let path = path()?;
        std::fs::remove_file(&path).map_err(|source| Failure::File { doing: "remove", path, source })
    }
}

/// Where the configuration is: `$MUSTER_CONFIG`, or `muster/config.toml` in the user's configuration folder.
pub fn path() -> Result<PathBuf, Failure> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".config"));
    let default = || set("XDG_CONFIG_HOME").or_else(home).map(|folder| folder.join("muster/config.toml"));
    let missing =
        || Failure::Usage("there is no home directory; say where to keep the session in MUSTER_CONFIG".into());
    set("MUSTER_CONFIG").or_else(default).ok_or_else(missing)
}

/// The server to use: the one asked for, else the one logged in to.
pub fn server(asked: Option<&str>, config: Option<&Config>) -> Result<String, Failure> {
    let server = asked.or(config.map(|config| config.server.as_str()));
    checked(server.ok_or(Failure::NoServer)?)
}

/// The server to use and the credential for it.
pub fn target(
    asked: Option<&str>,
    token: Option<Secret>,
    config: Option<Config>,
    now: Timestamp,
) -> Result<Target, Failure> {
    let server = server(asked, config.as_ref())?;
    if let Some(token) = token {
        return Ok(Target { server, token });
    }
    let config = config.filter(|config| checked(&config.server).is_ok_and(|stored| stored == server));
    match config {
        Some(config) if config.expires_at <= now => Err(Failure::SessionEnded { server, at: config.expires_at }),
        Some(config) => Ok(Target { server, token: config.token }),
        None => Err(Failure::NotLoggedIn { server }),
    }
}

/// A server's URL in its one form; refuses to send secrets unencrypted to another machine.
pub fn checked(server: &str) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("{server:?} is not a server's URL: {why}"));
    let url = Url::parse(server).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has more than a scheme, a host, a port and a path"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("plain http is for loopback only; everything else takes https")),
        _ => return Err(wrong("it must begin with https://")),
    }
    Ok(url.as_str().trim_end_matches('/').into())
}

/// Whether the URL's host is this machine itself.
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

    fn chosen(asked: Option<&str>, token: Option<&str>, now: i64) -> Result<Target, Failure> {
        let now = Timestamp::from_second(now).unwrap();
        target(asked, token.map(Secret::new), Some(config("https://a.example")), now)
    }

    #[test]
    fn a_stored_credential_is_never_sent_to_another_server() {
        assert!(matches!(chosen(Some("https://b.example"), None, 0), Err(Failure::NotLoggedIn { .. })));
        assert_eq!(chosen(Some("https://a.example/"), None, 0).unwrap().token, Secret::new("stored"));
    }

    #[test]
    fn the_environments_token_wins_and_an_old_session_says_so() {
        assert_eq!(chosen(None, Some("given"), 0).unwrap().token, Secret::new("given"));
        assert!(matches!(chosen(None, None, 100), Err(Failure::SessionEnded { .. })));
        assert!(matches!(target(None, None, None, Timestamp::UNIX_EPOCH), Err(Failure::NoServer)));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
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
