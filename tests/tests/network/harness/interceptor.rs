//! A proxy that reads along: it answers in the server's name with a certificate of its own authority, and asks the server.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use muster_tests::processes::authority::{Authority, files};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::{listener::Listener, namespace::Namespace, world::ADDRESS};

/// Where it listens.
pub const PORT: u16 = 8443;

/// The proxy.
pub struct Interceptor {
    /// Whose certificates it shows.
    pub authority: Authority,
    asked: Arc<Counts>,
    _listener: Listener,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Interceptor {
    /// One that believes this authority about the server.
    pub fn start(network: &Namespace, folder: &Path, servers: &Authority) -> Self {
        let authority = Authority::new();
        let (theirs, ours) = (Arc::new(toward_server(servers)), Arc::new(toward_hosts(&authority, folder)));
        let asked = Arc::new(Counts::default());
        let counts = asked.clone();
        let serve = move |client| {
            counts.connections.fetch_add(1, Ordering::Relaxed);
            let session = ServerConnection::new(ours.clone()).map_err(io::Error::other)?;
            serve(StreamOwned::new(session, client), &theirs, &counts)
        };
        Self { authority, asked, _listener: Listener::start(network, PORT, serve) }
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.asked.connections.load(Ordering::Relaxed)
    }

    /// In how many of them it could read anything.
    pub fn requests(&self) -> usize {
        self.asked.requests.load(Ordering::Relaxed)
    }
}

type Hosts = StreamOwned<ServerConnection, TcpStream>;

fn serve(mut client: Hosts, theirs: &Arc<ClientConfig>, counts: &Counts) -> io::Result<()> {
    let request = request(&mut client, &counts.requests)?;
    let name = ServerName::try_from(ADDRESS).map_err(io::Error::other)?;
    let session = ClientConnection::new(theirs.clone(), name).map_err(io::Error::other)?;
    let mut server = StreamOwned::new(session, TcpStream::connect((ADDRESS, 443))?);
    server.write_all(&request)?;
    let mut answer = Vec::new();
    // Servers end a connection without many words.
    drop(server.read_to_end(&mut answer));
    client.write_all(&answer)?;
    client.conn.send_close_notify();
    client.flush()
}

/// A request that asks for one answer only. It counts from its first byte on.
fn request(client: &mut Hosts, begun: &AtomicUsize) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(client);
    if !reader.fill_buf()?.is_empty() {
        begun.fetch_add(1, Ordering::Relaxed);
    }
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().map_err(io::Error::other)?;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok([head.as_bytes(), b"connection: close\r\n\r\n", &body].concat())
}

fn toward_hosts(authority: &Authority, folder: &Path) -> ServerConfig {
    let files = files(folder);
    authority.vouch(&[ADDRESS], &files);
    let certificate = CertificateDer::from_pem_file(&files[0]).unwrap();
    let key = PrivateKeyDer::from_pem_file(&files[1]).unwrap();
    ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
}

fn toward_server(authority: &Authority) -> ClientConfig {
    let mut believed = RootCertStore::empty();
    believed.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    ClientConfig::builder().with_root_certificates(believed).with_no_client_auth()
}
