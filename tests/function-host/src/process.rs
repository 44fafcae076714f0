//! One process of a function. It has one invocation at a time, and between two of them it is frozen.

use std::{
    io,
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Child, time::sleep};

use crate::{
    failure::Failure,
    function::Limits,
    program::Program,
    runtime_api::{Invocation, Report, RuntimeApi},
};

/// How long the end of a killed process is waited for.
const BURIAL: Duration = Duration::from_secs(1);

/// A process that has asked for its first invocation. When this is dropped it is killed, and gone.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    api: RuntimeApi,
}

impl Process {
    /// Starts one and waits for its first `next`; also says how long that took.
    pub async fn start(program: &Program, patience: Duration) -> Result<(Self, Duration), Failure> {
        let not_started = |error| Failure::NotInitialized(format!("{}: {error}", program.binary.display()));
        let api = RuntimeApi::listen().await.map_err(not_started)?;
        let mut command = program.command(api.address).map_err(not_started)?;
        let started = Instant::now();
        let child = command.spawn().map_err(not_started)?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it was not waited for yet");
        let mut process = Self { child, pid, api };
        let asked = process.first_next(patience).await.map_err(Failure::NotInitialized)?;
        Ok((process, asked - started))
    }

    async fn first_next(&mut self, patience: Duration) -> Result<Instant, String> {
        tokio::select! {
            biased;
            report = self.api.report() => match report {
                Report::Asked(at) => Ok(at),
                Report::NotInitialized(reason) => Err(reason),
                Report::Answered(..) => Err("it answered before it asked".to_owned()),
            },
            status = self.child.wait() => Err(format!("it ended before its first next, {}", end(status))),
            () = sleep(patience) => Err(format!("no first next within {patience:?}")),
        }
    }

    /// Whether it still lives, for all one can see from outside.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Gives it an event and waits for its answer.
    pub async fn invoke(&mut self, id: String, name: &str, event: Bytes, limits: &Limits) -> Result<Bytes, Failure> {
        let function_arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
        let limit = SignedDuration::try_from(limits.time).unwrap_or(SignedDuration::MAX);
        let deadline = Timestamp::now().checked_add(limit).unwrap_or(Timestamp::MAX).as_millisecond();
        self.api.give(Invocation { id, function_arn, deadline, event });
        self.signal(Signal::CONT);
        tokio::select! {
            biased;
            outcome = Self::answer(&mut self.api, self.pid, limits.frozen_between) => outcome,
            status = self.child.wait() => Err(Failure::Died(end(status))),
            () = sleep(limits.time) => Err(Failure::TimedOut),
        }
    }

    /// Waits for the answer, and freezes the process before it can know that the answer has come.
    async fn answer(api: &mut RuntimeApi, pid: Pid, freeze: bool) -> Result<Bytes, Failure> {
        loop {
            match api.report().await {
                Report::Asked(_) => {}
                Report::NotInitialized(reason) => return Err(Failure::Died(reason)),
                Report::Answered(outcome, acknowledge) => {
                    if freeze {
                        signal(pid, Signal::STOP);
                    }
                    // It is read when the process is thawed.
                    let _ = acknowledge.send(());
                    return outcome;
                }
            }
        }
    }

    fn signal(&self, which: Signal) {
        signal(self.pid, which);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.start_kill());
        // A few milliseconds at most: whoever is killed has no say. What the kernel holds longer is left to it.
        let patience = Instant::now() + BURIAL;
        while self.lives() && Instant::now() < patience {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

fn signal(pid: Pid, which: Signal) {
    // A process that has just ended takes no signal; its end is seen elsewhere.
    let _ = kill_process(pid, which);
}

fn end(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
