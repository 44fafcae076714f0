//! Exit codes, which scripts and CI pipelines may rely on.

use std::process::ExitCode;

/// The table of exit codes, for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0      succeeded; of several jobs, all
  1      failed; of several jobs, at least one
  2      usage error, found here or by the server
  3      timed out: the time limit of a job, its latest start, or --timeout
  4      cancelled, superseded or halted
  1-255  with --wait or --follow and one job: what its program ended with";

/// The exit codes. clap also ends with 2 when it cannot parse the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Succeeded,
    /// The command failed, or what it waited for failed.
    Failed,
    /// The only job that it waited for failed with this exit code, which is not 0.
    Program(u8),
    /// The command line is wrong.
    Usage,
    /// A time limit passed.
    TimedOut,
    /// A job was cancelled, or a fleet update was cancelled or halted.
    Stopped,
}

impl Exit {
    /// The exit code for two results: a failure outweighs a timeout, a timeout a stop, a stop a success.
    pub fn worst(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Stopped => 1,
            Self::TimedOut => 2,
            Self::Failed | Self::Program(_) => 3,
            Self::Usage => 4,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::TimedOut => 3,
            Self::Stopped => 4,
            Self::Program(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
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
        assert_eq!(Exit::Succeeded.worst(Exit::Program(7)), Exit::Program(7));
        assert_eq!(Exit::Failed.worst(Exit::Program(7)), Exit::Failed, "a host that refused makes it several");
    }
}
