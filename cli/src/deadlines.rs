//! Timeouts: how long a command waits, in long polls that each have a limit of their own.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::times;

/// Arguments of commands that can wait for jobs.
#[derive(Debug, Clone, clap::Args)]
pub struct WaitArguments {
    /// Wait until the jobs have ended; the exit code tells how: with one job, it is that of its program
    #[arg(long)]
    wait: bool,
    /// Stop waiting after this time, such as 10m, with exit code 3
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    timeout: Option<u32>,
}

impl WaitArguments {
    /// The deadline of `--wait`; `None` without the flag.
    pub fn deadline(&self) -> Option<Deadline> {
        self.wait.then(|| self.limit())
    }

    /// The deadline of a command that waits whether or not `--wait` is given.
    pub fn limit(&self) -> Deadline {
        Deadline::after(self.timeout)
    }
}

/// A moment until which a command waits, or no limit at all.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    until: Option<Instant>,
}

impl Deadline {
    /// A deadline that many seconds from now. `None` means no limit.
    pub fn after(seconds: Option<u32>) -> Self {
        Self { until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into())) }
    }

    /// What a future gives before the deadline has passed. `None`: the deadline came first.
    pub async fn cut<T>(self, future: impl Future<Output = T>) -> Option<T> {
        match self.until {
            Some(until) => timeout_at(until, future).await.ok(),
            None => Some(future.await),
        }
    }

    /// How long the next long poll may take, in seconds, at most `longest`. `None` when the deadline has passed.
    pub fn next_poll(self, longest: u64) -> Option<u64> {
        let Some(until) = self.until else { return Some(longest) };
        let left = until.saturating_duration_since(Instant::now());
        // Rounding up keeps the last poll from ending too early.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        (seconds > 0).then_some(seconds.min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_poll_is_shorter_and_then_the_deadline_has_passed() {
        let deadline = Deadline::after(Some(30));
        assert_eq!(deadline.next_poll(25), Some(25));
        tokio::time::advance(Duration::from_millis(25_500)).await;
        assert_eq!(deadline.next_poll(25), Some(5));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(deadline.next_poll(25), None);
        assert_eq!(Deadline::after(None).next_poll(25), Some(25));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_a_server_holds_for_too_long_is_cut_to_the_second() {
        let begun = Instant::now();
        assert_eq!(Deadline::after(Some(3)).cut(std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed().as_secs(), 3);
        assert_eq!(Deadline::after(None).cut(std::future::ready(1)).await, Some(1));
    }
}
