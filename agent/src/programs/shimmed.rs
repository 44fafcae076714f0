//! Program below a shim, seen from the worker.

use std::{io::PipeWriter, os::unix::net::UnixStream as Socket, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, Command},
    task::spawn_blocking,
    time::timeout,
};
use tracing::warn;

use super::{
    Program, environment,
    process::{Exit, KILL_PATIENCE},
    shim::{ASK, Order, Word},
};
use crate::sys::{
    accounts::Account,
    cgroups,
    groups::{Control, JOB_MARK, Shim},
    processes::{Fingerprint, kill_marked},
};

/// How long a shim may take to be gone after it was killed.
const SHIM_PATIENCE: Duration = Duration::from_secs(1);

/// A program below its shim. Dropped, the shim sees that nobody listens, and ends everything.
#[derive(Debug)]
pub struct Shimmed {
    shim: Child,
    pid: u32,
    words: Lines<BufReader<OwnedReadHalf>>,
    told: Option<OwnedWriteHalf>,
    control: Option<Control>,
    order: Vec<u8>,
    cgroup: Option<std::path::PathBuf>,
    stage: Stage,
    is_lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
    Ended(Exit),
}

impl Shimmed {
    /// Starts a shim, which starts the program when it is told to.
    pub fn start(shim: &Shim, program: &Program, account: Option<Account>, writer: PipeWriter) -> Result<Self, String> {
        let failed = |source: std::io::Error| format!("cannot start the shim of {}: {source}", program.path.display());
        let job = program.job.to_string();
        let cgroup = shim.cgroup.as_ref().map(|cgroup| cgroup.of_job(&job));
        let mut order =
            serde_json::to_vec(&order(program, account, &job, cgroup.clone())).map_err(|error| failed(error.into()))?;
        order.push(b'\n');
        let (ours, theirs) = Socket::pair().map_err(failed)?;
        let control = ours.try_clone().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let (words, told) = UnixStream::from_std(ours).map_err(failed)?.into_split();
        let mut command = Command::new(&shim.binary);
        command.arg0("muster-agent").arg("shim").arg(&job).env_clear().process_group(0);
        command.stdin(std::os::fd::OwnedFd::from(theirs)).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let child = command.spawn().map_err(failed)?;
        let pid = child.id().unwrap_or_default();
        let words = BufReader::new(words).lines();
        let (told, control, stage) = (Some(told), Some(control), Stage::Starting);
        Ok(Self { shim: child, pid, words, told, control, order, cgroup, stage, is_lost: false })
    }

    /// The shim, and the way to it for whoever must end everything.
    pub fn leader(&mut self) -> (u32, Option<Control>) {
        (self.pid, self.control.take())
    }

    /// Returns when the program has ended, or why it could not be started.
    pub async fn ended(&mut self) -> Result<(), String> {
        if matches!(self.stage, Stage::Ended(_)) {
            return Ok(());
        }
        self.give_order().await;
        loop {
            let word = self.words.next_line().await.ok().flatten();
            match word.and_then(|line| serde_json::from_str(&line).ok()) {
                Some(Word::Started) => self.stage = Stage::Running,
                Some(Word::NotStarted(why)) => return Err(why),
                Some(Word::Ended { exit_code, signal }) => {
                    self.stage = Stage::Ended(Exit { code: exit_code, signal });
                    return Ok(());
                }
                None => return self.shim_ended().await,
            }
        }
    }

    /// Tells what to start. If it is cut off in the middle, the shim takes it for no order.
    async fn give_order(&mut self) {
        if let Some(told) = &mut self.told
            && !self.order.is_empty()
        {
            // If the shim is gone, its last word says so.
            let _ = told.write_all(&self.order).await;
            self.order.clear();
        }
    }

    /// Somebody has killed the shim, or it has said all that it had to say.
    async fn shim_ended(&mut self) -> Result<(), String> {
        let exit = self.shim.wait().await.map(Exit::from).unwrap_or_default();
        // A program may kill it before it could say that the program runs.
        if self.stage == Stage::Starting && exit.signal.is_none() {
            return Err("the shim that starts programs has ended before it did".into());
        }
        self.stage = Stage::Ended(exit);
        Ok(())
    }

    /// Asks everything to end. Whether it was started at all.
    pub fn ask(&mut self) -> bool {
        let asked = self.told.as_ref().map(|told| told.try_write(ASK.as_bytes()));
        self.stage != Stage::Starting && matches!(asked, Some(Ok(_)))
    }

    /// Returns when everything has ended.
    pub async fn all_ended(&mut self) {
        let _ = self.ended().await;
        let _ = self.shim.wait().await;
    }

    /// Kills what is left, and waits a little until it is gone.
    pub async fn end(&mut self, program: &Program) -> Exit {
        drop(self.told.take());
        let heard = async {
            let _ = self.ended().await;
            self.shim.wait().await
        };
        let is_clean =
            timeout(KILL_PATIENCE, heard).await.is_ok_and(|ended| ended.is_ok_and(|status| status.success()));
        if !is_clean {
            self.is_lost = self.stage != Stage::Starting;
            warn!(job.id = %program.job, "The shim of job {} did not end in time, or was killed", program.job);
            self.sweep(program).await;
        }
        if let Stage::Ended(exit) = self.stage { exit } else { Exit::default() }
    }

    /// Whether the shim could not end everything.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Ends what the shim has not: it was killed or stopped, or something cannot be killed as long as its mount does not answer.
    async fn sweep(&mut self, program: &Program) {
        let (job, cgroup) = (program.job.to_string(), self.cgroup.clone());
        let shim = self.shim.id().and_then(Fingerprint::of);
        let sweep = move || {
            if let Some(cgroup) = cgroup {
                cgroups::kill(&cgroup);
                cgroups::remove(&cgroup);
            }
            if let Some(shim) = shim {
                shim.kill_left_behind();
            }
            kill_marked(JOB_MARK, job.as_ref());
        };
        let _ = timeout(KILL_PATIENCE, spawn_blocking(sweep)).await;
        let _ = timeout(SHIM_PATIENCE, self.shim.wait()).await;
    }
}

fn order(program: &Program, account: Option<Account>, job: &str, cgroup: Option<std::path::PathBuf>) -> Order {
    let Program { path, arguments, environment, directory, .. } = program;
    let mut environment = environment::of_account(account.as_ref(), environment);
    environment.insert(JOB_MARK.into(), job.into());
    Order {
        path: path.clone(),
        arguments: arguments.clone(),
        environment: environment.into_iter().collect(),
        directory: directory.clone(),
        cgroup,
        account,
    }
}
