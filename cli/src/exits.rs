//! How the program ends: a number that scripts and CI may rely on.

use std::process::ExitCode;

/// The exit codes. 2 is also what a command line that cannot be read ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and it went well.
    Succeeded = 0,
    /// Done, and it did not go well; or not done.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// It took longer than it was given.
    TimedOut = 3,
    /// Somebody or something stopped it.
    Stopped = 4,
}

impl Exit {
    /// What several ends amount to: a failure outweighs a timeout, a timeout a stop, a stop a success.
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
