//! Child process of the supervisor: starts a worker, exchanges messages with it, and ends it.

use std::{
    collections::VecDeque,
    io::{self, Write},
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use super::control::{SupervisorMessage, WorkerMessage};
use crate::sys::{processes::kill_marked, state_mark};

/// So much of the last output is kept, in bytes.
const TAIL_BYTES: usize = 4096;
/// A longer line is none of ours.
const MAX_LINE_BYTES: usize = 256;
/// How long a worker may take to end when asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(25);
/// How long the rest of a dead worker's output is awaited: something it started may hold it open.
const TAIL_PATIENCE: Duration = Duration::from_secs(1);

/// The variable that marks a worker, with the mark of its state directory, from its first moment on.
const MARK: &str = "MUSTER_WORKER_OF";

type Tail = Arc<Mutex<VecDeque<u8>>>;

/// A worker process. Dropped, it is killed.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::Receiver<WorkerMessage>,
    tail: Tail,
    stderr: JoinHandle<()>,
}

/// An event of a worker.
#[derive(Debug)]
pub enum WorkerEvent {
    /// A message.
    Message(WorkerMessage),
    /// It exited.
    Ended(io::Result<ExitStatus>),
}

impl Worker {
    /// Starts a binary as the worker of a state directory.
    pub fn start(binary: &Path, state: &Path) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .arg("work")
            .arg("--state")
            .arg(state)
            .env(MARK, state_mark::of(state))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (send, said) = mpsc::channel(16);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(listen(stdout, send));
        }
        let tail = Tail::default();
        let stderr = match child.stderr.take() {
            Some(stderr) => tokio::spawn(pass_on(stderr, tail.clone())),
            None => tokio::spawn(async {}),
        };
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, said, tail, stderr })
    }

    /// Waits for its next word or its end.
    pub async fn next(&mut self) -> WorkerEvent {
        tokio::select! {
            biased;
            Some(said) = self.said.recv() => WorkerEvent::Message(said),
            status = self.child.wait() => WorkerEvent::Ended(status),
        }
    }

    /// Says something to it. If it is gone, its end says so.
    pub async fn tell(&mut self, told: SupervisorMessage) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(told.line().as_bytes()).await;
            let _ = stdin.flush().await;
        }
    }

    /// Asks it to end, and kills it if it does not.
    pub async fn stop(&mut self) {
        self.tell(SupervisorMessage::Stop).await;
        if timeout(STOP_PATIENCE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills it. What is in the middle of a call that cannot be ended is left to end when the call does.
    pub async fn kill(&mut self) {
        // The one error is that it has ended already.
        let _ = timeout(STOP_PATIENCE, self.child.kill()).await;
    }

    /// Its last words. To be asked after its end.
    pub async fn tail(&mut self) -> String {
        let _ = timeout(TAIL_PATIENCE, &mut self.stderr).await;
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(tail.make_contiguous()).into_owned()
    }
}

/// Kills the worker that a killed supervisor left behind. A good one has ended by itself; a bad one may not even do that.
pub fn kill_left_behind(state: &Path) {
    kill_marked(MARK, state_mark::of(state).as_ref());
}

/// Passes its lines on. What is no line of ours is passed over.
async fn listen(mut stdout: impl AsyncRead + Unpin, send: mpsc::Sender<WorkerMessage>) {
    let (mut line, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = stdout.read(&mut buffer).await {
        for byte in &buffer[..count] {
            if *byte != b'\n' {
                // A line that is too long is remembered only as such.
                if line.len() <= MAX_LINE_BYTES {
                    line.push(*byte);
                }
                continue;
            }
            let said = std::str::from_utf8(&line)
                .ok()
                .filter(|line| line.len() <= MAX_LINE_BYTES)
                .and_then(WorkerMessage::parse);
            line.clear();
            if let Some(said) = said
                && send.send(said).await.is_err()
            {
                return;
            }
        }
    }
}

/// Passes its stderr on to ours, and keeps the end of it.
async fn pass_on(mut stderr: impl AsyncRead + Unpin, tail: Tail) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let _ = io::stderr().write_all(&buffer[..count]);
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&buffer[..count]);
        let excess = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..excess);
    }
}
