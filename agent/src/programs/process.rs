//! Running program: how it is started, asked, ended, and waited for, with a shim or without one.

use std::{io, process::ExitStatus, time::Duration};

use tokio::{
    process::{Child, Command},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    End, Program, environment,
    failures::{not_entered, not_started},
    pipes::{Printed, print_to, receiver},
};
use crate::sys::{
    accounts::{self, Account},
    groups::{Control, Shim},
    processes::{Ending, end_group, in_own_group, signal_of, wait_for_end},
};

/// How a program has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self { code: status.code(), signal: signal_of(status) }
    }
}

/// A program that runs. Dropped, it ends, and everything that it has started.
#[derive(Debug)]
pub enum Process {
    /// Below a shim.
    #[cfg(target_os = "linux")]
    InShim(super::shimmed::Shimmed),
    /// As this process's own child, in a process group of its own.
    Direct(Direct),
}

/// A program without a shim.
#[derive(Debug)]
pub struct Direct {
    child: Child,
    leader: u32,
    exit: Option<Exit>,
}

impl Process {
    /// Starts a program, and gives what it prints. It blocks for as long as the directory and the file do not answer.
    pub fn start(shim: Option<&Shim>, program: &Program) -> Result<(Self, Printed), String> {
        let no_pipe =
            |source: io::Error| format!("cannot make a pipe for the output of {}: {source}", program.path.display());
        let (reader, writer) = io::pipe().map_err(no_pipe)?;
        let printed = receiver(reader).map_err(no_pipe)?;
        let unknown = |name: &String| format!("there is no account {name:?} on this machine");
        let found = program.account.as_ref().map(|name| accounts::named(name).ok_or_else(|| unknown(name)));
        let account = found.transpose()?;
        #[cfg(target_os = "linux")]
        if let Some(shim) = shim {
            let shimmed = super::shimmed::Shimmed::start(shim, program, account, writer)?;
            return Ok((Self::InShim(shimmed), printed));
        }
        let _ = shim;
        let mut command = Command::new(&program.path);
        print_to(&mut command, writer).map_err(no_pipe)?;
        Ok((Self::Direct(Direct::start(command, program, account.as_ref())?), printed))
    }

    /// The process of it that this one has started, and the way to its shim.
    pub fn leader(&mut self) -> (u32, Option<Control>) {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.leader(),
            Self::Direct(direct) => (direct.leader, None),
        }
    }

    /// Lives the program through to its end, which comes soon after `stop` is cancelled or its time is over. What it has started
    /// may go on if it has ended by itself.
    pub async fn live(&mut self, program: &Program, until: Instant, stop: &CancellationToken) -> End {
        let end = tokio::select! {
            biased;
            ended = self.ended() => return ended.map_or_else(End::NotStarted, |()| End::Itself),
            end = cut_off(until, stop) => end,
        };
        if self.ask() {
            // The time to clean up is for all of it: a shell ends at once, and what it has called does not.
            let _ = timeout(program.stop_grace, self.all_ended()).await;
        }
        self.end(program).await;
        end
    }

    async fn ended(&mut self) -> Result<(), String> {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.ended().await,
            Self::Direct(direct) => {
                direct.ended().await;
                Ok(())
            }
        }
    }

    /// Asks it to end. Whether there is anything to wait for.
    fn ask(&mut self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.ask(),
            Self::Direct(direct) => {
                end_group(direct.leader, Ending::Ask);
                true
            }
        }
    }

    async fn all_ended(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.all_ended().await,
            Self::Direct(direct) => direct.ended().await,
        }
    }

    /// Kills what is left of it, waits a little for its end, and tells how the program itself has ended.
    pub async fn end(&mut self, program: &Program) -> Exit {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.end(program).await,
            Self::Direct(direct) => direct.end().await,
        }
    }

    /// Whether the shim is gone that kept together what it has started.
    pub fn lost_its_shim(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::InShim(shimmed) => shimmed.is_lost(),
            Self::Direct(_) => false,
        }
    }
}

/// Returns when a program must stop, with the cause.
pub async fn cut_off(until: Instant, stop: &CancellationToken) -> End {
    tokio::select! {
        biased;
        () = stop.cancelled() => End::Stopped,
        () = sleep_until(until) => End::TimeLimit,
    }
}

impl Direct {
    fn start(mut command: Command, program: &Program, account: Option<&Account>) -> Result<Self, String> {
        let Program { path, arguments, environment, directory, .. } = program;
        command.args(arguments).env_clear().envs(environment::of_account(account, environment)).kill_on_drop(true);
        if let Some(directory) = directory {
            // The error of the start itself does not tell of what it is.
            environment::check_directory(directory).map_err(|source| not_entered(directory, &source))?;
            command.current_dir(directory);
        }
        #[cfg(unix)]
        if let Some(Account { uid, gid, .. }) = account {
            command.uid(*uid).gid(*gid);
        }
        let child = in_own_group(&mut command).spawn().map_err(|source| not_started(path, &source))?;
        let leader = child.id().unwrap_or_default();
        Ok(Self { child, leader, exit: None })
    }

    /// Returns when it has ended. It is not waited for: its number, and so that of its group, must not become another's.
    async fn ended(&mut self) {
        let leader = self.leader;
        if cfg!(not(unix)) {
            self.waited().await;
        } else if self.exit.is_none() {
            // The thread ends with the program.
            let _ = tokio::task::spawn_blocking(move || wait_for_end(leader)).await;
        }
    }

    async fn waited(&mut self) -> Exit {
        if self.exit.is_none() {
            self.exit = self.child.wait().await.ok().map(Exit::from);
        }
        self.exit.unwrap_or_default()
    }

    async fn end(&mut self) -> Exit {
        if self.exit.is_none() {
            end_group(self.leader, Ending::Kill);
        }
        self.waited().await
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if self.exit.is_none() {
            end_group(self.leader, Ending::Kill);
        }
    }
}

/// How long everything may take to be gone when it was killed; what cannot be killed goes on to wait for its mount.
pub const KILL_PATIENCE: Duration = Duration::from_secs(3);
