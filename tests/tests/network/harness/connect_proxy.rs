//! An HTTP proxy that opens tunnels, for everybody or for those who say who they are.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{listener::Listener, namespace::Namespace};

/// Where it listens.
pub const PORT: u16 = 3128;

/// The proxy.
pub struct ConnectProxy {
    shared: Arc<Shared>,
    _listener: Listener,
}

struct Shared {
    wanted: Mutex<String>,
    tunnels: Mutex<Vec<TcpStream>>,
    opened: AtomicUsize,
}

impl ConnectProxy {
    /// One that wants this from everybody, as `name:password`.
    pub fn start(network: &Namespace, credentials: &str) -> Self {
        let (wanted, tunnels, opened) = (Mutex::new(basic(credentials)), Mutex::default(), AtomicUsize::new(0));
        let shared = Arc::new(Shared { wanted, tunnels, opened });
        let serving = shared.clone();
        Self { shared, _listener: Listener::start(network, PORT, move |client| serve(&client, &serving)) }
    }

    /// From now on it wants this, and who is in a tunnel has to come again.
    pub fn wants(&self, credentials: &str) {
        *self.shared.wanted.lock().unwrap() = basic(credentials);
        for tunnel in self.shared.tunnels.lock().unwrap().drain(..) {
            // It may have ended by itself.
            drop(tunnel.shutdown(Shutdown::Both));
        }
    }

    /// How many tunnels it has opened.
    pub fn opened(&self) -> usize {
        self.shared.opened.load(Ordering::Relaxed)
    }
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn serve(mut client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let (target, credentials) = asked(client)?;
    if credentials != *shared.wanted.lock().unwrap() {
        let challenge = "Proxy-Authenticate: Basic realm=\"out\"\r\nContent-Length: 0";
        return client
            .write_all(format!("HTTP/1.1 407 Proxy Authentication Required\r\n{challenge}\r\n\r\n").as_bytes());
    }
    let server = TcpStream::connect(&target)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    shared.opened.fetch_add(1, Ordering::Relaxed);
    shared.tunnels.lock().unwrap().push(client.try_clone()?);
    let (from, to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || pass_on(&from, &to));
    pass_on(client, &server)
}

/// What is to be connected to, and by whom. Nobody has sent more before it is answered.
fn asked(client: &TcpStream) -> io::Result<(String, String)> {
    let (mut reader, mut target, mut credentials) = (BufReader::new(client), String::new(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(rest) = line.strip_prefix("CONNECT ") {
            target = rest.split(' ').next().unwrap_or_default().into();
        } else if let Some((_, value)) = line.split_once(": ")
            && line.to_ascii_lowercase().starts_with("proxy-authorization")
        {
            credentials = value.trim().into();
        } else if line.trim().is_empty() {
            return Ok((target, credentials));
        }
    }
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
