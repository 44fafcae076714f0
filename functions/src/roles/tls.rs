//! TLS of the server itself: rustls, with the certificate read again when one of its files changes, and as long as they cannot be
//! used.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
    time::timeout,
};
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
    stamps: [Option<Stamp>; 2],
    /// Why the files as they are now cannot be used. Absent: they are in use.
    complaint: Option<String>,
    config: Arc<ServerConfig>,
}

/// What tells a file from the one before. A copy that keeps its time differs all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    /// Its size, its number in its directory, and when the kernel saw it change.
    others: [i128; 4],
}

/// What came of a look at the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// They are as they were.
    Same,
    /// They are in use.
    Renewed,
    /// They cannot be used for this reason, and those before stay in use.
    Unusable(String),
}

impl Certificate {
    /// Reads both.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: rustls::pki_types::pem::Error| TlsError::File { path, reason: error.to_string() }
        };
        // Before they are read: what changes meanwhile is seen at the next look.
        let stamps = [chain, key].map(Stamp::of);
        let certificates = CertificateDer::pem_file_iter(chain).map_err(unreadable(chain))?;
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable(chain))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.map_err(TlsError::Mismatch)?.with_no_client_auth().with_single_cert(certificates, private);
        let config = Arc::new(config.map_err(TlsError::Mismatch)?);
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), stamps, complaint: None, config })
    }

    /// Looks at the files: reads both again if one has changed, and at each look as long as they could not be used.
    pub fn look(&mut self) -> Look {
        let stamps = [&self.chain, &self.key].map(|path| Stamp::of(path));
        if stamps == self.stamps && self.complaint.is_none() {
            return Look::Same;
        }
        match Self::read(&self.chain, &self.key) {
            Ok(renewed) => {
                *self = renewed;
                Look::Renewed
            }
            Err(error) => {
                let complaint = chain(&error);
                let is_new = self.complaint.as_ref() != Some(&complaint);
                self.complaint = Some(complaint.clone());
                if is_new { Look::Unusable(complaint) } else { Look::Same }
            }
        }
    }

    /// Shakes hands over a stream.
    pub fn serves(&self, stream: TcpStream) -> tokio_rustls::Accept<TcpStream> {
        TlsAcceptor::from(Arc::clone(&self.config)).accept(stream)
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let others = [found.size().into(), found.ino().into(), found.ctime().into(), found.ctime_nsec().into()];
        Some(Self { modified: found.modified().ok(), others })
    }
}

/// Shakes hands with the certificate as it is now.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Certificate>);

impl Tls {
    /// From now on, and with this certificate until it changes. Its files are looked at every ten seconds, and when notified.
    pub fn new(certificate: Certificate, look_now: Arc<Notify>) -> Self {
        let (to, current) = watch::channel(certificate);
        tokio::spawn(renews(to, look_now));
        Self(current)
    }

    /// The stream, if its caller shakes hands in time.
    pub async fn shakes(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let accepted = self.0.borrow().serves(stream);
        timeout(HANDSHAKE, accepted).await.ok()?.ok()
    }
}

async fn renews(certificate: watch::Sender<Certificate>, look_now: Arc<Notify>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = certificate.closed() => return,
            _ = look.tick() => {}
            () = look_now.notified() => {}
        }
        certificate.send_if_modified(|certificate| match certificate.look() {
            Look::Same => false,
            Look::Renewed => {
                tracing::info!("The TLS certificate has changed and was reloaded.");
                true
            }
            Look::Unusable(reason) => {
                tracing::error!(
                    "The TLS certificate has changed and cannot be used; the one before stays in use: {reason}"
                );
                false
            }
        });
    }
}
