//! Somebody who listens on a port of a network, until nobody needs it.

use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use super::namespace::Namespace;

/// A port that is listened on.
pub struct Listener {
    network: Namespace,
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl Listener {
    /// Has every connection served, each by a thread of its own in that network.
    pub fn start(
        network: &Namespace,
        port: u16,
        serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (stopped, serve, (ready, is_ready)) = (Arc::new(AtomicBool::new(false)), Arc::new(serve), mpsc::channel());
        let is_stopped = stopped.clone();
        network.occupy(move || {
            let listener = TcpListener::bind(("0.0.0.0", port)).unwrap();
            ready.send(()).unwrap();
            for stream in listener.incoming() {
                if is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                let serve = serve.clone();
                // A connection that breaks is what networks are like.
                thread::spawn(move || stream.and_then(|stream| serve(stream)));
            }
        });
        is_ready.recv().unwrap();
        Self { network: network.clone(), port, stopped }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // So that the accepting thread looks.
        self.network.inside(|| drop(TcpStream::connect(("127.0.0.1", self.port))));
    }
}
