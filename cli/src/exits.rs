//! Exit codes, which scripts and CI pipelines may rely on.

use std::process::ExitCode;

/// The exit codes. clap also ends with 2 when it cannot parse the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Succeeded = 0,
    /// The command failed, or what it waited for failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A time limit passed.
    TimedOut = 3,
    /// A job was cancelled, or a fleet update was cancelled or halted.
    Stopped = 4,
}

impl Exit {
    /// The exit code for two results: a failure outweighs a timeout, a timeout a stop, a stop a success.
    pub fn worst(self, other: Self) -> Self {
        let order = [Self::Usage, Self::Failed, Self::TimedOut, Self::Stopped];
        order.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(Self::Succeeded)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_timeout_and_a_timeout_a_stop() {
        assert_eq!(Exit::TimedOut.worst(Exit::Failed), Exit::Failed);
        assert_eq!(Exit::TimedOut.worst(Exit::Stopped), Exit::TimedOut);
        assert_eq!(Exit::Succeeded.worst(Exit::Stopped), Exit::Stopped);
        assert_eq!(Exit::Succeeded.worst(Exit::Succeeded), Exit::Succeeded);
    }
}
