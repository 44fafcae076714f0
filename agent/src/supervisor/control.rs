//! Inter-process communication of worker and supervisor: one message per line, over the worker's stdin and stdout.
//!
//! The worker's stdin is a pipe that only the supervisor holds. When it ends, the supervisor is gone, however it died, and the
//! worker ends at once, so that there are never two.

use std::{
    io::{BufRead, Write},
    time::Duration,
};

/// How often a worker gives a sign of life.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(10);

/// A message of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerMessage {
    /// The journal is replayed and the loop runs; with the version.
    Ready(String),
    /// The server has answered an authenticated check-in.
    Contact,
    /// The probation is over and nothing is wrong.
    Commit,
    /// Nothing holds it up.
    Alive,
}

/// A message of the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupervisorMessage {
    /// The record of the update has changed: it is decided.
    Decided,
    /// The files that people change are to be looked at now.
    Reload,
    /// The worker must end.
    Stop,
}

impl WorkerMessage {
    /// The line for it.
    pub fn line(&self) -> String {
        match self {
            Self::Ready(version) => format!("ready {version}\n"),
            Self::Contact => "contact\n".into(),
            Self::Commit => "commit\n".into(),
            Self::Alive => "alive\n".into(),
        }
    }

    /// Parses a line; `None` if it is not a message.
    pub fn parse(line: &str) -> Option<Self> {
        match line.trim_end().split_once(' ') {
            Some(("ready", version)) => Some(Self::Ready(version.into())),
            None if line.trim_end() == "contact" => Some(Self::Contact),
            None if line.trim_end() == "commit" => Some(Self::Commit),
            None if line.trim_end() == "alive" => Some(Self::Alive),
            _ => None,
        }
    }
}

impl SupervisorMessage {
    /// The line for it.
    pub fn line(self) -> &'static str {
        match self {
            Self::Decided => "decided\n",
            Self::Reload => "reload\n",
            Self::Stop => "stop\n",
        }
    }

    fn parse(line: &str) -> Option<Self> {
        [Self::Decided, Self::Reload, Self::Stop].into_iter().find(|told| told.line().trim_end() == line.trim_end())
    }
}

/// Says something to the supervisor. If it is gone, the end of stdin says so.
pub fn say(said: &WorkerMessage) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(said.line().as_bytes()).and_then(|()| stdout.flush());
}

/// Tells the supervisor now and then that nothing holds this process up: its one thread does everything.
pub async fn say_alive() {
    loop {
        say(&WorkerMessage::Alive);
        tokio::time::sleep(SIGN_OF_LIFE_EVERY).await;
    }
}

/// Listens to the supervisor, on a thread of its own. `gone` is called when it is no more.
pub fn listen(told: impl Fn(SupervisorMessage) + Send + 'static, gone: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines();
        lines.map_while(Result::ok).filter_map(|line| SupervisorMessage::parse(&line)).for_each(told);
        gone();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_its_line_and_noise_is_nothing() {
        for said in
            [WorkerMessage::Ready("1.2.3".into()), WorkerMessage::Contact, WorkerMessage::Commit, WorkerMessage::Alive]
        {
            assert_eq!(WorkerMessage::parse(&said.line()), Some(said));
        }
        for told in [SupervisorMessage::Decided, SupervisorMessage::Reload, SupervisorMessage::Stop] {
            assert_eq!(SupervisorMessage::parse(told.line()), Some(told));
        }
        assert_eq!(
            (WorkerMessage::parse("commit now"), WorkerMessage::parse("hello"), SupervisorMessage::parse("")),
            (None, None, None)
        );
    }
}
