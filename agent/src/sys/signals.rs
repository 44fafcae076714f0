//! Signals: SIGTERM and Ctrl-C end the agent, SIGHUP makes it read its files again.

use std::io;

/// Returns when the process is asked to end (SIGTERM or SIGINT; Ctrl-C on Windows).
pub async fn asked_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// The times at which the process is asked to read its files again (SIGHUP). From now on that does not end it.
#[derive(Debug)]
pub struct Reloads {
    #[cfg(unix)]
    hangups: Option<tokio::signal::unix::Signal>,
}

impl Reloads {
    /// From now on.
    pub fn new() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { hangups: signal(SignalKind::hangup()).ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Returns when the process is asked to; never where that is not known.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(hangups) = &mut self.hangups
            && hangups.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl Default for Reloads {
    fn default() -> Self {
        Self::new()
    }
}

/// The ends of children, as they are told: several at once may be told as one.
#[derive(Debug)]
pub struct ChildrenThatEnd(#[cfg(unix)] tokio::signal::unix::Signal);

/// Listens for the ends of children from now on.
pub fn children_that_end() -> io::Result<ChildrenThatEnd> {
    #[cfg(unix)]
    {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child()).map(ChildrenThatEnd)
    }
    #[cfg(not(unix))]
    Ok(ChildrenThatEnd())
}

impl ChildrenThatEnd {
    /// Returns when a child has ended.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        self.0.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}
