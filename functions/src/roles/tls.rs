//! TLS of the server itself: rustls, with the certificate read again when its file changes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::errors::chain;

/// How long a caller may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and the key do not match")]
    Mismatch(#[source] rustls::Error),
}

/// A certificate with its key, and where they came from.
#[derive(Clone)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    changed: Option<SystemTime>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads both.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: rustls::pki_types::pem::Error| TlsError::File { path, reason: error.to_string() }
        };
        let changed = changed(chain, key);
        let certificates = CertificateDer::pem_file_iter(chain).map_err(unreadable(chain))?;
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable(chain))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.map_err(TlsError::Mismatch)?.with_no_client_auth().with_single_cert(certificates, private);
        let config = Arc::new(config.map_err(TlsError::Mismatch)?);
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), changed, config })
    }

    /// Reads both again if a file has changed. A pair that cannot be used is logged, and the pair before stays in use.
    fn renewed(&self) -> Option<Self> {
        let changed = changed(&self.chain, &self.key);
        if changed == self.changed {
            return None;
        }
        match Self::read(&self.chain, &self.key) {
            Ok(renewed) => {
                tracing::info!("The TLS certificate has changed and was reloaded.");
                Some(renewed)
            }
            Err(error) => {
                tracing::error!("The TLS certificate has changed and cannot be used: {}", chain(&error));
                Some(Self { changed, ..self.clone() })
            }
        }
    }
}

fn changed(chain: &Path, key: &Path) -> Option<SystemTime> {
    let of = |path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    of(chain).max(of(key))
}

/// Shakes hands with the certificate as it is now.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Certificate>);

impl Tls {
    /// From now on, and with this certificate until it changes.
    pub fn new(certificate: Certificate) -> Self {
        let (to, current) = watch::channel(certificate);
        tokio::spawn(renews(to));
        Self(current)
    }

    /// The stream, if its caller shakes hands in time.
    pub async fn shakes(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.borrow().config);
        timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await.ok()?.ok()
    }
}

async fn renews(certificate: watch::Sender<Certificate>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = certificate.closed() => return,
            _ = look.tick() => {
                let renewed = certificate.borrow().renewed();
                if let Some(renewed) = renewed {
                    certificate.send_replace(renewed);
                }
            }
        }
    }
}
