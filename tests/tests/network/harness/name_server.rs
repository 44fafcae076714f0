//! A name server that knows one name, and can be told to fail.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use super::namespace::Namespace;

/// How long it listens before it looks whether anybody needs it.
const GLANCE: Duration = Duration::from_millis(100);
/// The header of a message, in bytes.
const HEADER: usize = 12;
/// The type of a question for an IPv4 address.
const A: u8 = 1;

/// What the name server says.
#[derive(Debug, Clone, Copy)]
pub enum Saying {
    /// That the name has this address.
    Address(Ipv4Addr),
    /// That it cannot say.
    ServerFailure,
    /// Nothing at all.
    Nothing,
}

/// The name server.
pub struct NameServer {
    saying: Arc<Mutex<Saying>>,
    stopped: Arc<AtomicBool>,
}

impl NameServer {
    /// What it says at first.
    pub const TRUTH: Saying = Saying::Address(Ipv4Addr::new(203, 0, 113, 10));

    /// One that tells the truth.
    pub fn start(network: &Namespace) -> Self {
        let names = Self { saying: Arc::new(Mutex::new(Self::TRUTH)), stopped: Arc::default() };
        let (saying, stopped, (ready, is_ready)) = (names.saying.clone(), names.stopped.clone(), mpsc::channel());
        network.occupy(move || {
            let socket = UdpSocket::bind("0.0.0.0:53").unwrap();
            socket.set_read_timeout(Some(GLANCE)).unwrap();
            ready.send(()).unwrap();
            let mut question = [0; 512];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut question) else { continue };
                if let Some(answer) = answer(&question[..length], *saying.lock().unwrap()) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        is_ready.recv().unwrap();
        names
    }

    /// From now on it says this.
    pub fn says(&self, saying: Saying) {
        *self.saying.lock().unwrap() = saying;
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn answer(question: &[u8], saying: Saying) -> Option<Vec<u8>> {
    // The name ends with an empty label; its type and class follow.
    let name = question.get(HEADER..)?.iter().position(|byte| *byte == 0)?;
    let end = HEADER + name + 5;
    let is_for_address = question.get(end - 3) == Some(&A);
    let (code, records) = match saying {
        Saying::Nothing => return None,
        Saying::ServerFailure => (2, None),
        Saying::Address(address) => (0, Some(address).filter(|_| is_for_address)),
    };
    // It answers, and asks others for whoever wants that; one question, as many answers, nothing else.
    let header = [0x81, 0x80 | code, 0, 1, 0, u8::from(records.is_some()), 0, 0, 0, 0];
    let mut answer = [&question[..2], &header, question.get(HEADER..end)?].concat();
    if let Some(address) = records {
        // The name of the question, an address of the internet, not to be remembered, four bytes long.
        answer.extend([0xc0, 12, 0, A, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
