//! How long to wait for something to end, in polls that each end by themselves.

use std::time::Duration;

use tokio::time::Instant;

use crate::times;

/// Whether to wait, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub struct Waiting {
    /// Wait for the end; the exit code is the truth
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, such as 10m (exit code 3)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    timeout: Option<u32>,
}

impl Waiting {
    /// The patience that was asked for; none if nobody waits.
    pub fn patience(&self) -> Option<Patience> {
        self.wait.then(|| self.limit())
    }

    /// The patience of somebody who waits anyway.
    pub fn limit(&self) -> Patience {
        Patience::of(self.timeout)
    }
}

/// Waits until a moment, or as long as it takes.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Patience for so many seconds from now; none: without a limit.
    pub fn of(seconds: Option<u32>) -> Self {
        Self { until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into())) }
    }

    /// How long the next poll may wait, in seconds, at most `longest`. None when patience has ended.
    pub fn next_poll(self, longest: u64) -> Option<u64> {
        let Some(until) = self.until else { return Some(longest) };
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up, so that the last poll is not too short.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        (seconds > 0).then_some(seconds.min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_poll_is_shorter_and_then_patience_ends() {
        let patience = Patience::of(Some(30));
        assert_eq!(patience.next_poll(25), Some(25));
        tokio::time::advance(Duration::from_millis(25_500)).await;
        assert_eq!(patience.next_poll(25), Some(5));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(patience.next_poll(25), None);
        assert_eq!(Patience::of(None).next_poll(25), Some(25));
    }
}
