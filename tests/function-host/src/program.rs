//! What a function runs: a program, its environment, and where its output goes.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
};

use tokio::process::Command;

/// A program, its environment, and where its output goes.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file to run. Its name is the function's name.
    pub binary: PathBuf,
    /// What it finds in its environment, besides what Lambda sets and `PATH`. It wins over what Lambda sets.
    pub environment: Vec<(String, String)>,
    /// The file to whose end its output and this host's notes about it go. Absent: nowhere.
    pub log: Option<PathBuf>,
}

impl Program {
    /// The function's name.
    pub(crate) fn name(&self) -> String {
        self.binary.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The command that starts a process which finds its Runtime API at `api`.
    ///
    /// The process leads a group of its own: should this host be killed, the kernel wakes and hangs up what it had frozen.
    pub(crate) fn command(&self, api: SocketAddr) -> io::Result<Command> {
        let (out, err) = match self.open_log()? {
            Some(log) => (log.try_clone()?.into(), log.into()),
            None => (Stdio::null(), Stdio::null()),
        };
        let mut command = Command::new(&self.binary);
        command.env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.lambda(api)).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        command.process_group(0);
        Ok(command)
    }

    /// Writes a sentence of this host's own into the log. A log that cannot be written is no reason to fail.
    pub(crate) fn note(&self, sentence: &str) {
        if let Ok(Some(mut log)) = self.open_log() {
            drop(writeln!(log, "function host: {}: {sentence}", self.name()));
        }
    }

    fn lambda(&self, api: SocketAddr) -> [(&'static str, String); 6] {
        let name = self.name();
        [
            ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{}", api.port())),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
        ]
    }

    fn open_log(&self) -> io::Result<Option<File>> {
        self.log.as_ref().map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()
    }
}
