//! TLS of the server itself: rustls, with the certificate read again when its file changes.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::api::problem::chain;

/// How long a caller may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How many callers may wait for their turn.
const BACKLOG: usize = 64;

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
    #[error("certificate and key do not fit")]
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

    /// Reads both again if a file has changed. What cannot be used is logged, and the one before serves on.
    fn renewed(&self) -> Option<Self> {
        let changed = changed(&self.chain, &self.key);
        if changed == self.changed {
            return None;
        }
        match Self::read(&self.chain, &self.key) {
            Ok(renewed) => {
                tracing::info!("The TLS certificate has changed and was read again.");
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

/// Accepts callers that have shaken hands. A slow one holds up nobody.
pub struct TlsListener {
    address: Option<SocketAddr>,
    shaken: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Shakes hands with everybody who comes to `listener`.
    pub fn new(listener: TcpListener, certificate: Certificate) -> Self {
        let (to, shaken) = mpsc::channel(BACKLOG);
        let address = listener.local_addr().ok();
        tokio::spawn(accept(listener, certificate, to));
        Self { address, shaken }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.shaken.recv().await {
            Some(caller) => caller,
            // The accepting task never ends while this receiver lives.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.address.ok_or_else(|| io::Error::other("the address is not known"))
    }
}

async fn accept(
    listener: TcpListener,
    mut certificate: Certificate,
    to: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = to.closed() => return,
            _ = look.tick() => certificate = certificate.renewed().unwrap_or(certificate),
            caller = listener.accept() => match caller {
                Ok((stream, address)) => {
                    // An answer is one small packet: it must not wait for the next.
                    drop(stream.set_nodelay(true));
                    let (acceptor, to) = (TlsAcceptor::from(Arc::clone(&certificate.config)), to.clone());
                    tokio::spawn(async move {
                        // Who does not manage to shake hands is gone; nothing was asked yet.
                        if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                            drop(to.send((stream, address)).await);
                        }
                    });
                }
                // Out of file descriptors, mostly: let some close.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
        }
    }
}
