//! Long poll and presence: how long a poll is held, when the next one is due, and when a host counts as offline.
//!
//! The clock may be set. A time in the future was written by a clock that has been set back since: as the time of a host's last
//! request it is no sign of life, and it is written anew with the host's next request.

use jiff::{SignedDuration, Timestamp};

use crate::{budgets::Budget, mailboxes::Mailbox};

/// By which part of the longest silence of a healthy host another one is silent for longer before it counts as offline, where
/// polls are held.
const SILENCE_MARGIN: u32 = 29;
/// How many requests a server process of modest size serves in a second, with a margin.
const SERVED_PER_SECOND: u32 = 200;
/// The shortest and the longest pause between retries that follow from the size of a fleet, in seconds.
const RETRY_CAP_SECONDS: (u32, u32) = (60, 3_600);
/// Over how many seconds idle hosts are spread at least that an overloaded server sends away: a small fleet is none to blame.
const LEAST_SPREAD_SECONDS: u32 = 60;

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
    /// After how many seconds without a request or an open connection a host counts as offline.
    pub offline_after_seconds: u32,
    /// How long an access token of a host is valid, in seconds. A revoked host is refused even with a valid
    /// token, so this only bounds how long a stolen token is of use.
    pub access_token_seconds: u32,
    /// The longest pause between a host's retries while the server does not answer, in seconds. Absent: it follows the size of
    /// the fleet.
    pub retry_cap_seconds: Option<u32>,
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
            offline_after_seconds: 60,
            access_token_seconds: 900,
            retry_cap_seconds: None,
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
            offline_after_seconds: 1_380,
            access_token_seconds: 3_600,
            // Of the whole fleet one function hears from a few hosts only.
            retry_cap_seconds: Some(60),
            ..Self::default()
        }
    }

    /// The longest silence of a healthy host, as the store knows it. Presence is written at check-ins only, and a host whose
    /// polls are not held may be late by a tenth of its interval.
    pub fn longest_silence_seconds(&self) -> u32 {
        let unheld = self.idle_interval_seconds + self.idle_interval_seconds / 10;
        self.presence_write_seconds + if self.max_hold_seconds > 0 { self.max_hold_seconds } else { unheld }
    }

    /// After how many seconds a host counts as offline by what is stored of it alone. Where polls are held, the process that
    /// holds them knows more, and this is for the hosts that no process has heard from since it started.
    fn stored_silence_seconds(&self) -> u32 {
        let longest = self.longest_silence_seconds();
        let longest = longest + (longest / SILENCE_MARGIN).max(1);
        if self.max_hold_seconds > 0 { longest.max(self.offline_after_seconds) } else { self.offline_after_seconds }
    }

    /// Which rule of presence the settings break, if they break one. Where polls are not held, only what is stored tells whether
    /// a host is there.
    pub fn check(&self) -> Result<(), u32> {
        let least = self.longest_silence_seconds();
        if self.max_hold_seconds == 0 && self.offline_after_seconds <= least { Err(least) } else { Ok(()) }
    }

    /// The longest pause between the retries of a host, of this many, while the server does not answer, in seconds. With full
    /// jitter, the fleet comes back at twice its size divided by this, each second: never more than the server can serve.
    pub fn retry_cap_seconds(&self, hosts: usize) -> u32 {
        let twice = u32::try_from(hosts).unwrap_or(u32::MAX).saturating_mul(2);
        let (least, most) = RETRY_CAP_SECONDS;
        self.retry_cap_seconds.unwrap_or_else(|| twice.div_ceil(SERVED_PER_SECOND).clamp(least, most))
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

    /// Over how many seconds the retries of shed idle hosts, of this many, are spread.
    pub fn spread_seconds(&self, hosts: usize) -> u32 {
        let held = self.retry_cap_seconds(hosts).max(LEAST_SPREAD_SECONDS);
        if self.max_hold_seconds > 0 { held } else { self.idle_interval_seconds }
    }

    /// How old the overview of a fleet of this size may be, in seconds, no matter how many people look. Where reads are billed,
    /// at most ten hosts per second are counted; elsewhere so many that it takes a few percent of a processor.
    pub fn overview_seconds(&self, hosts: u32) -> u32 {
        let alone = self.max_hold_seconds > 0 && self.look_again_seconds == 0;
        if alone { (hosts / 2_000).clamp(15, 60) } else { (hosts / 10).clamp(30, 600) }
    }

    /// Whether it is time to write `last_seen_at` again.
    pub fn presence_is_due(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        silence(mailbox, now).is_none_or(|silence| silence >= seconds(self.presence_write_seconds))
    }

    /// Whether `last_seen_at` must be written even under load, because the host would soon count as offline, or does.
    pub fn presence_is_urgent(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        let third = seconds(self.stored_silence_seconds().saturating_sub(self.presence_write_seconds)) / 3;
        let urgent = seconds(self.presence_write_seconds) + third;
        silence(mailbox, now).is_none_or(|silence| silence >= urgent)
    }

    /// Whether the host is online by what is stored of it: it made a request recently, and has not left since.
    pub fn is_online(&self, mailbox: &Mailbox, now: Timestamp) -> bool {
        silence(mailbox, now).is_some_and(|silence| silence < seconds(self.stored_silence_seconds()))
    }
}

/// How long the host has been silent. `None`: it has never been heard from, has left, or what is stored is from a clock that has
/// been set back since.
fn silence(mailbox: &Mailbox, now: Timestamp) -> Option<SignedDuration> {
    let seen = mailbox.last_seen_at(now).filter(|_| mailbox.left_at.is_none())?;
    Some(now.duration_since(seen))
}

fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(count.into())
}

#[cfg(test)]
mod tests {
    use muster_schemas::ids::HostId;

    use super::*;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is a time")
    }

    fn seen(second: i64) -> Mailbox {
        Mailbox { last_seen_at: Some(at(second)), ..Mailbox::new(HostId::new(at(0), 1), "") }
    }

    #[test]
    fn the_overview_of_a_large_fleet_is_counted_less_often() {
        let of = |pacing: Pacing| [1_000, 10_000, 100_000, 1_000_000].map(|hosts| pacing.overview_seconds(hosts));
        assert_eq!(of(Pacing::default()), [15, 15, 50, 60]);
        assert_eq!(of(Pacing::of_functions()), [100, 600, 600, 600]);
    }

    #[test]
    fn presence_is_written_before_a_host_would_count_as_offline() {
        for pacing in [Pacing::default(), Pacing::of_functions()] {
            assert!(pacing.longest_silence_seconds() < pacing.stored_silence_seconds(), "{pacing:?}");
            assert_eq!(pacing.check(), Ok(()));
        }
        let unheld = Pacing { offline_after_seconds: 1_263, ..Pacing::of_functions() };
        assert_eq!(unheld.check(), Err(1_263));
    }

    #[test]
    fn a_time_in_the_future_is_no_sign_of_life_and_is_written_anew() {
        let now = 1_000 * DAY;
        for pacing in [Pacing::default(), Pacing::of_functions()] {
            for step in [60, 2 * 3_600, 2 * DAY, 730 * DAY] {
                let seen = seen(now + step);
                assert!(!pacing.is_online(&seen, at(now)), "{step} s");
                assert!(
                    pacing.presence_is_due(&seen, at(now)) && pacing.presence_is_urgent(&seen, at(now)),
                    "{step} s"
                );
            }
            // Two servers of one store, whose clocks differ a little.
            let seen = seen(now + 2);
            assert!(pacing.is_online(&seen, at(now)) && !pacing.presence_is_due(&seen, at(now)));
        }
    }

    #[test]
    fn a_host_that_has_left_is_offline_until_it_is_heard_from() {
        let pacing = Pacing::default();
        let left = Mailbox { left_at: Some(at(110)), ..seen(100) };
        assert!(pacing.is_online(&seen(100), at(111)) && !pacing.is_online(&left, at(111)));
        assert!(pacing.presence_is_due(&left, at(111)) && pacing.presence_is_urgent(&left, at(111)));
    }

    #[test]
    fn a_fleet_is_back_within_a_minute_and_a_large_one_comes_as_a_trickle() {
        let cap = |hosts| Pacing::default().retry_cap_seconds(hosts);
        assert_eq!([cap(0), cap(10), cap(6_000)], [60; 3]);
        assert_eq!([cap(10_000), cap(100_000), cap(usize::MAX)], [100, 1_000, 3_600]);
        let set = Pacing { retry_cap_seconds: Some(30), ..Pacing::default() };
        assert_eq!(set.retry_cap_seconds(10_000), 30);
        assert_eq!(Pacing::of_functions().retry_cap_seconds(10_000), 60);
        assert_eq!(Pacing::default().spread_seconds(10), 60);
    }
}
