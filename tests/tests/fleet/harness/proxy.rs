//! A network that can be cut or be hostile: a proxy that sees each request and its answer, and may keep the answer to itself.
//!
//! Each request gets a connection of its own. An answer is read to its end before anything of it is passed on: when it is cut
//! off, the server has done what was asked, and the agent does not know.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    thread,
};

/// A request and the server's answer, both as bytes on the wire.
pub struct Exchange {
    /// Method and path.
    pub target: String,
    /// The request's body.
    pub request: String,
    /// The whole answer.
    pub answer: Vec<u8>,
}

/// What becomes of an answer.
pub enum Deed {
    /// It is passed on.
    Pass,
    /// The connection is cut off before its first byte.
    Cut,
    /// It is passed on when this is sent, or its sender is gone.
    Hold(Receiver<()>),
    /// Something else is said.
    Say(Vec<u8>),
}

type Meddler = Box<dyn FnMut(&Exchange) -> Deed + Send>;

/// The proxy.
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    meddlers: Mutex<Vec<Meddler>>,
    asked: Mutex<Vec<String>>,
    cut: Mutex<Vec<&'static str>>,
    stopped: AtomicBool,
}

impl Proxy {
    /// A proxy before a server.
    pub fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (meddlers, asked, cut) = (Mutex::default(), Mutex::default(), Mutex::default());
        let stopped = AtomicBool::new(false);
        let shared = Arc::new(Shared { server: server.into(), meddlers, asked, cut, stopped });
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// Where it can be reached.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this sees every exchange; the first that does not let an answer pass decides.
    pub fn meddle(&self, meddler: impl FnMut(&Exchange) -> Deed + Send + 'static) {
        lock(&self.shared.meddlers).push(Box::new(meddler));
    }

    /// Nobody meddles any more.
    pub fn be_honest(&self) {
        lock(&self.shared.meddlers).clear();
    }

    /// Cuts the connection once, before the answer to the first exchange that is such.
    pub fn cut(&self, name: &'static str, such: impl Fn(&Exchange) -> bool + Send + 'static) {
        let shared = self.shared.clone();
        self.meddle(move |exchange| {
            let mut cut = lock(&shared.cut);
            if cut.contains(&name) || !such(exchange) {
                return Deed::Pass;
            }
            cut.push(name);
            Deed::Cut
        });
    }

    /// What was cut so far.
    pub fn cuts(&self) -> Vec<&'static str> {
        lock(&self.shared.cut).clone()
    }

    /// How often the server was asked for this, whatever it may have answered.
    pub fn times_asked(&self, text: &str) -> usize {
        lock(&self.shared.asked).iter().filter(|target| target.contains(text)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // So that the accepting thread looks.
        drop(TcpStream::connect(&self.address));
    }
}

impl Shared {
    fn deed(&self, exchange: &Exchange) -> Deed {
        let mut meddlers = lock(&self.meddlers);
        let deeds = meddlers.iter_mut().map(|meddler| meddler(exchange));
        deeds.into_iter().find(|deed| !matches!(deed, Deed::Pass)).unwrap_or(Deed::Pass)
    }
}

impl Exchange {
    /// Whether the answer to a request for this holds this text.
    pub fn says(&self, target: &str, text: &str) -> bool {
        self.target.ends_with(target) && String::from_utf8_lossy(&self.answer).contains(text)
    }

    /// Whether the request tells this of a job.
    pub fn tells(&self, what: &str) -> bool {
        self.target.ends_with("/events") && self.request.contains(&format!("\"type\":\"{what}\""))
    }
}

/// An answer as a server would write it.
pub fn answer(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        let shared = shared.clone();
        // A connection that breaks is what networks are like.
        thread::spawn(move || stream.and_then(|stream| serve(&stream, &shared)));
    }
}

fn serve(mut client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let (target, head, body) = request(client)?;
    let mut server = TcpStream::connect(&shared.server)?;
    server.write_all(&[head.as_bytes(), &body].concat())?;
    lock(&shared.asked).push(target.clone());
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let request = String::from_utf8_lossy(&body).into_owned();
    let exchange = Exchange { target, request, answer };
    match shared.deed(&exchange) {
        Deed::Pass => client.write_all(&exchange.answer),
        Deed::Cut => Ok(()),
        Deed::Hold(until) => {
            // That the sender is gone is as good.
            let _ = until.recv();
            client.write_all(&exchange.answer)
        }
        Deed::Say(answer) => client.write_all(&answer),
    }
}

/// A request: its first two words, its head that asks for one answer only, and its body.
fn request(client: &TcpStream) -> io::Result<(String, String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().map_err(io::Error::other)?;
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    head.push_str("connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((head.split(' ').take(2).collect::<Vec<_>>().join(" "), head, body))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
