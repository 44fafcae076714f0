//! Host identity: a private key that never leaves the host, the server it joined, and its id there.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster_schemas::{check_ins::AssertionClaims, envelopes::public_key, ids::HostId, secrets::Secret};
use rand::{TryRng, rngs::SysRng};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sys::files::{FileError, read_json, write_json};

/// `identity.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The server's URL, as given at enrolment, without a slash at its end.
    pub server: String,
    /// The host's id. Absent until the server has answered the enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
    /// The `aud` of assertions, as the server returned it.
    #[serde(default)]
    pub audience: String,
    /// The Ed25519 key: 32 bytes, base64url.
    key: Secret,
}

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is none.
    #[error("this host has not joined a server yet: run `muster-agent enroll` first")]
    Missing,
    /// The key in the file is no key.
    #[error("the key in identity.json is damaged")]
    Key,
    /// The machine gives no randomness.
    #[error("the system has no random bytes")]
    Random(#[source] rand::rngs::SysError),
    /// Not a URL that the agent talks to.
    #[error("the server's URL {0}")]
    Server(&'static str),
    /// The assertion cannot be signed.
    #[error("cannot sign an assertion")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl Identity {
    /// A new key for a server.
    pub fn create(server: &str) -> Result<Self, IdentityError> {
        let mut key = [0; 32];
        SysRng.try_fill_bytes(&mut key).map_err(IdentityError::Random)?;
        let key = Secret::new(URL_SAFE_NO_PAD.encode(key));
        Ok(Self { server: check_server(server)?, host_id: None, audience: String::new(), key })
    }

    /// The identity in a state directory; `None` when there is none.
    pub fn find(state: &Path) -> Result<Option<Self>, IdentityError> {
        let Some(identity) = read_json::<Self>(&path(state))? else { return Ok(None) };
        check_server(&identity.server)?;
        identity.signing_key()?;
        Ok(Some(identity))
    }

    /// The identity of a host that has joined.
    pub fn load(state: &Path) -> Result<(Self, HostId), IdentityError> {
        let identity = Self::find(state)?.ok_or(IdentityError::Missing)?;
        let host_id = identity.host_id.ok_or(IdentityError::Missing)?;
        Ok((identity, host_id))
    }

    /// The same host, whose server is known by another URL and for another audience.
    #[must_use]
    pub fn at(&self, server: &str, audience: &str) -> Self {
        Self { server: server.into(), audience: audience.into(), ..self.clone() }
    }

    /// Puts it on disk, durably.
    pub fn save(&self, state: &Path) -> Result<(), IdentityError> {
        Ok(write_json(&path(state), self)?)
    }

    /// The public half of the key, as the server wants it.
    pub fn public_key(&self) -> Result<String, IdentityError> {
        Ok(public_key(&self.signing_key()?).to_string())
    }

    /// Proves who this host is, for a minute.
    pub fn assertion(&self, claims: &AssertionClaims) -> Result<Secret, IdentityError> {
        // PKCS #8, version 1: a fixed head and the 32 bytes.
        const HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let key = EncodingKey::from_ed_der(&[&HEAD[..], &self.signing_key()?.to_bytes()[..]].concat());
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).map(Secret::new).map_err(IdentityError::Sign)
    }

    fn signing_key(&self) -> Result<SigningKey, IdentityError> {
        let bytes = URL_SAFE_NO_PAD.decode(self.key.reveal()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(|bytes| SigningKey::from_bytes(&bytes)).ok_or(IdentityError::Key)
    }
}

/// Records that the server retired this host, for later starts of the agent.
pub fn retire(state: &Path) -> Result<(), FileError> {
    write_json(&state.join("retired.json"), &json!({ "retired": true }))
}

/// Whether the server retired this host.
pub fn is_retired(state: &Path) -> bool {
    // A marker that cannot be read is still a marker.
    read_json::<Value>(&state.join("retired.json")).map_or(true, |marker| marker.is_some())
}

fn path(state: &Path) -> PathBuf {
    state.join("identity.json")
}

/// The URL in the form that is stored: https, or http to this very machine, with nothing after its path.
pub fn check_server(server: &str) -> Result<String, IdentityError> {
    let url = Url::parse(server).map_err(|_| IdentityError::Server("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(IdentityError::Server("must have no user, query or fragment"));
    }
    if is_allowed(&url) {
        Ok(url.as_str().trim_end_matches('/').into())
    } else {
        Err(IdentityError::Server("must begin with https:// (http:// is for this very machine only)"))
    }
}

/// Whether the agent talks to this URL at all.
pub fn is_allowed(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether the URL names this very machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for server in ["http://127.0.0.1:8080/", "http://[::1]:1", "http://localhost", "https://fleet.example/muster"] {
            assert!(check_server(server).is_ok(), "{server}");
        }
        for server in ["http://fleet.example", "http://127.0.0.1.example", "ftp://127.0.0.1", "fleet", "https://a:b@c"]
        {
            assert!(check_server(server).is_err(), "{server}");
        }
    }

    #[test]
    fn an_assertion_verifies_with_the_public_key() {
        let identity = Identity::create("https://fleet.example").unwrap();
        let host = HostId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let claims = AssertionClaims { iss: host, sub: host, aud: "a".into(), iat: 1, exp: 61, jti: "x".into() };
        let token = identity.assertion(&claims).unwrap();
        let key = DecodingKey::from_ed_components(&identity.public_key().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.set_audience(&["a"]);
        let decoded = jsonwebtoken::decode::<AssertionClaims>(token.reveal(), &key, &validation).unwrap();
        assert_eq!(decoded.claims, claims);
    }

    #[test]
    #[cfg(unix)]
    fn the_key_is_readable_by_its_owner_alone_and_never_printed() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let identity = Identity::create("https://fleet.example").unwrap();
        identity.save(state.path()).unwrap();
        let mode = std::fs::metadata(path(state.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{identity:?}").contains(identity.key.reveal()));
    }
}
