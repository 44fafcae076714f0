//! Exit codes of the worker, which tell the supervisor why it ended.

/// Why the worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to.
    Stop,
    /// A new version is armed: the supervisor takes over.
    Update,
    /// The server retired this host.
    Retired,
    /// Nothing works here before somebody mends something: the configuration, the identity, the disk.
    Unusable,
}

impl Exit {
    /// The exit code that tells the supervisor.
    pub fn code(self) -> u8 {
        match self {
            Self::Stop => 0,
            Self::Update => 75,
            Self::Retired => 76,
            Self::Unusable => 77,
        }
    }
}
