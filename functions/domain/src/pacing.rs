//! Long poll and presence: how long a poll is held, when the next one is due, and when a host counts as offline.

use jiff::{SignedDuration, Timestamp};

use crate::{budgets::Budget, mailboxes::Mailbox};

/// The settings of long polls, presence and rate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// How long a poll is held at most, in seconds; 0: never, where a held poll is billed.
    pub max_hold_seconds: u32,
    /// When the next check-in of an idle host is due, in seconds, where polls are not held.
    pub idle_interval_seconds: u32,
    /// The same for a host with open jobs.
    pub attention_interval_seconds: u32,
    /// How often a held poll reads its host's mailbox again, in seconds, where other processes write to it as well;
    /// 0: never, because this process makes every change itself.
    pub look_again_seconds: u32,
    /// How often `last_seen_at` is written at most, in seconds.
    pub presence_write_seconds: u32,
    /// After how many seconds without a request a host counts as offline.
    pub offline_after_seconds: u32,
    /// How long an access token of a host is valid, in seconds. A revoked host is refused even with a valid
    /// token, so this only bounds how long a stolen token is of use.
    pub access_token_seconds: u32,
    /// The longest pause between a host's retries while the server does not answer, in seconds: at least twice the number of
    /// hosts divided by the requests per second that the server can serve.
    pub retry_cap_seconds: u32,
    /// How many pending store operations a process has when it sheds all work that can be shed.
    pub capacity: u32,
    /// The rate limit of one host, per server process.
    pub host_budget: Budget,
    /// The rate limit of one person or program, per server process.
    pub operator_budget: Budget,
}

impl Default for Pacing {
    /// A server process: polls are held.
    fn default() -> Self {
        Self {
            max_hold_seconds: 280,
            idle_interval_seconds: 30,
            attention_interval_seconds: 5,
            look_again_seconds: 0,
            presence_write_seconds: 300,
            offline_after_seconds: 600,
            access_token_seconds: 900,
            retry_cap_seconds: 60,
            capacity: 512,
            // Enough for sixteen jobs with live logs, with a margin.
            host_budget: Budget { burst: 400, per_second: 40 },
            operator_budget: Budget { burst: 1_000, per_second: 100 },
        }
    }
}

impl Pacing {
    /// Functions that are billed by the request: no poll is held, and an idle host asks seldom. Per hour, an idle host
    /// costs 10.9 reads of its mailbox and one for a token, at half a unit each, and 3.6 writes.
    pub fn of_functions() -> Self {
        Self {
            max_hold_seconds: 0,
            idle_interval_seconds: 330,
            presence_write_seconds: 900,
            offline_after_seconds: 1_800,
            access_token_seconds: 3_600,
            ..Self::default()
        }
    }

    /// The longest silence of a healthy host: what `offline_after_seconds` must be above. Presence is written at
    /// check-ins only, and a host whose polls are not held may be late by a tenth of its interval.
    pub fn longest_silence_seconds(&self) -> u32 {
        let unheld = self.idle_interval_seconds + self.idle_interval_seconds / 10;
        self.presence_write_seconds + if self.max_hold_seconds > 0 { self.max_hold_seconds } else { unheld }
    }

    /// How long to hold a poll of a caller that waits at most `asked` seconds.
    pub fn hold_seconds(&self, asked: u16) -> u32 {
        self.max_hold_seconds.min(asked.into())
    }

    /// When the next check-in is due after an answer, in seconds.
    pub fn next_check_in_seconds(&self, mailbox: &Mailbox, asked: u16, now: Timestamp) -> u32 {
        if self.hold_seconds(asked) > 0 {
            0
        } else if mailbox.has_attention(now) {
            self.attention_interval_seconds.min(self.idle_interval_seconds)
        } else {
            self.idle_interval_seconds
        }
    }

    /// Over how many seconds the retries of shed idle hosts are spread.
    pub fn spread_seconds(&self) -> u32 {
        if self.max_hold_seconds > 0 { self.retry_cap_seconds } else { self.idle_interval_seconds }
    }

    /// How old the overview of a fleet of this size may be, in seconds, no matter how many people look. Where reads are billed,
    /// at most ten hosts per second are counted; elsewhere so many that it takes a few percent of a processor.
    pub fn overview_seconds(&self, hosts: u32) -> u32 {
        let alone = self.max_hold_seconds > 0 && self.look_again_seconds == 0;
        if alone { (hosts / 2_000).clamp(15, 60) } else { (hosts / 10).clamp(30, 600) }
    }

    /// Whether it is time to write `last_seen_at` again.
    pub fn presence_is_due(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        mailbox.last_seen_at.is_none_or(|seen| now.duration_since(seen) >= seconds(self.presence_write_seconds))
    }

    /// Whether `last_seen_at` must be written even under load, because the host would soon count as offline.
    pub fn presence_is_urgent(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        let third = seconds(self.offline_after_seconds.saturating_sub(self.presence_write_seconds)) / 3;
        let urgent = seconds(self.presence_write_seconds) + third;
        mailbox.last_seen_at.is_none_or(|seen| now.duration_since(seen) >= urgent)
    }

    /// Whether the host is online: it made a request recently.
    pub fn is_online(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        mailbox.last_seen_at.is_some_and(|seen| now.duration_since(seen) < seconds(self.offline_after_seconds))
    }
}

fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(count.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_of_a_large_fleet_is_counted_less_often() {
        let of = |pacing: Pacing| [1_000, 10_000, 100_000, 1_000_000].map(|hosts| pacing.overview_seconds(hosts));
        assert_eq!(of(Pacing::default()), [15, 15, 50, 60]);
        assert_eq!(of(Pacing::of_functions()), [100, 600, 600, 600]);
    }

    #[test]
    fn presence_is_written_before_a_host_would_count_as_offline() {
        for pacing in [Pacing::default(), Pacing::of_functions()] {
            assert!(pacing.longest_silence_seconds() < pacing.offline_after_seconds, "{pacing:?}");
        }
    }
}
