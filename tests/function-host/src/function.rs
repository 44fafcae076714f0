//! A function: a program, and as many processes of it as there are callers, up to a limit.
//!
//! An invocation goes on when its caller has gone, as in Lambda. A process that failed is killed, and the next invocation
//! starts another one. A failed start is not tried again within the same invocation.

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use crate::{failure::Failure, process::Process, program::Program, runtime_api::PAYLOAD_LIMIT};

/// What a function may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many processes there are at most.
    pub max_concurrency: usize,
    /// How long an invocation may take.
    pub time: Duration,
    /// How long a process may take to its first `next`.
    pub initialization: Duration,
    /// How long a caller waits for a process when all are busy.
    pub turn: Duration,
    /// Whether a process stands still between two invocations, as in Lambda.
    pub frozen_between: bool,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            max_concurrency: 10,
            time: seconds(30),
            initialization: seconds(10),
            turn: seconds(10),
            frozen_between: true,
        }
    }
}

/// A function. When it is dropped its processes are killed.
pub struct Function {
    pool: Arc<Pool>,
}

impl Function {
    /// A function without any process yet.
    pub fn new(program: Program, limits: Limits) -> Self {
        let places = Semaphore::new(limits.max_concurrency);
        let (idle, cold_starts, last_init_error) = (Mutex::default(), Mutex::default(), Mutex::default());
        let stopped = watch::Sender::new(false);
        Self { pool: Arc::new(Pool { program, limits, places, idle, cold_starts, last_init_error, stopped }) }
    }

    /// Invokes it and waits for its answer.
    pub async fn invoke(&self, event: Bytes) -> Result<Bytes, Failure> {
        if event.len() > PAYLOAD_LIMIT {
            return Err(Failure::EventTooLarge);
        }
        let pool = self.pool.clone();
        let invocation = tokio::spawn(async move { pool.invoke(event).await });
        // The task ends early only with the runtime itself.
        invocation.await.unwrap_or(Err(Failure::Stopped))
    }

    /// How long each process took from its start to its first `next`, in the order of their starts.
    pub fn cold_starts(&self) -> Vec<Duration> {
        self.pool.cold_starts.lock().expect(UNPOISONED).clone()
    }

    /// Why the last process that did not start did not.
    pub fn last_init_error(&self) -> Option<String> {
        self.pool.last_init_error.lock().expect(UNPOISONED).clone()
    }

    /// Kills all processes. Invocations that run, wait or come later end with [`Failure::Stopped`].
    pub fn stop(&self) {
        self.pool.stopped.send_replace(true);
        self.pool.places.close();
        drop(mem::take(&mut *self.pool.idle.lock().expect(UNPOISONED)));
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.stop();
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

struct Pool {
    program: Program,
    limits: Limits,
    places: Semaphore,
    idle: Mutex<Vec<Process>>,
    cold_starts: Mutex<Vec<Duration>>,
    last_init_error: Mutex<Option<String>>,
    stopped: watch::Sender<bool>,
}

impl Pool {
    async fn invoke(&self, event: Bytes) -> Result<Bytes, Failure> {
        let turn = timeout(self.limits.turn, self.places.acquire()).await;
        let _place = turn.map_err(|_| Failure::Throttled)?.map_err(|_| Failure::Stopped)?;
        let mut stopped = self.stopped.subscribe();
        let outcome = tokio::select! {
            outcome = self.invoke_a_process(event) => outcome,
            _ = stopped.wait_for(|stopped| *stopped) => Err(Failure::Stopped),
        };
        if let Err(failure) = &outcome {
            self.program.note(&failure.to_string());
        }
        outcome
    }

    async fn invoke_a_process(&self, event: Bytes) -> Result<Bytes, Failure> {
        let mut process = match self.idle() {
            Some(process) => process,
            None => self.start().await?,
        };
        let outcome = process.invoke(request_id(), &self.program.name(), event, &self.limits).await;
        if outcome.as_ref().err().is_none_or(Failure::leaves_the_process_well) {
            self.put_back(process);
        }
        outcome
    }

    /// The process that was used last, of those that live.
    fn idle(&self) -> Option<Process> {
        let mut idle = self.idle.lock().expect(UNPOISONED);
        while let Some(mut process) = idle.pop() {
            if process.lives() {
                return Some(process);
            }
        }
        None
    }

    fn put_back(&self, process: Process) {
        let mut idle = self.idle.lock().expect(UNPOISONED);
        // `stop` says so first and then looks here: nothing is put back behind its back.
        if !*self.stopped.borrow() {
            idle.push(process);
        }
    }

    async fn start(&self) -> Result<Process, Failure> {
        match Process::start(&self.program, self.limits.initialization).await {
            Ok((process, took)) => {
                self.cold_starts.lock().expect(UNPOISONED).push(took);
                Ok(process)
            }
            Err(failure) => {
                *self.last_init_error.lock().expect(UNPOISONED) = Some(failure.to_string());
                Err(failure)
            }
        }
    }
}

/// An id no other request of this host has, of the shape Amazon's have.
pub(crate) fn request_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (now, count) = (Timestamp::now(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{:08x}-0000-4000-8000-{:04x}{count:08x}", now.as_second() & 0xffff_ffff, now.subsec_millisecond())
}
