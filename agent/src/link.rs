//! Exponential backoff with jitter, as plain data, without any waiting.
//!
//! A failure makes the next pause a random part of a growing span (full jitter); a success forgets all failures. The
//! spans are the `backoff` crate's. `Retry-After` is a floor with the jitter on top; a pause that the server names for the
//! next check-in is kept within ±10 %.
//!
//! A rate limit (429) never silences an agent for longer than a minute, whatever the server or a proxy in between says: a limit
//! is a matter of seconds. No server can make an agent pause for longer than an hour at all. So long a pause has its reasons: the
//! server names when the next check-in of an idle host is due, and one that is being worked on, or is overloaded, answers with
//! 503 and says when it can be back.

use std::time::Duration;

use backoff::{ExponentialBackoffBuilder, SystemClock, backoff::Backoff, exponential::ExponentialBackoff};

/// The longest pause that a server can ask for.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The longest pause that a rate limit can ask for, jitter included.
pub const LONGEST_LIMIT: Duration = Duration::from_mins(1);
/// How much of it is left to jitter at least, so that hosts that are refused together do not come back together.
const LIMIT_JITTER: Duration = Duration::from_secs(15);
/// The shortest pause, so that neither a server that always says "at once" nor a setting of 0 makes the agent spin.
pub const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// The shortest pause that a server can ask for.
const SHORTEST_CAP: Duration = Duration::from_secs(5);
/// So many failures in a row reach any maximum; more are not counted.
const ENOUGH_FAILURES: u32 = 64;

/// The outcome of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer; the next attempt is due after this.
    Answered {
        /// The pause that the server named.
        next: Duration,
    },
    /// No answer, or one that was not the server's, or its fault.
    Failed,
    /// A held check-in was cut off, and the next one asks to be held for less: no failure, and no reason for all to come at
    /// once.
    CutShort,
    /// The server asked for a pause because of a rate limit (429).
    Limited {
        /// How long at least.
        retry_after: Duration,
    },
    /// The server asked for a pause for another reason (503 with `Retry-After`).
    Held {
        /// How long at least.
        retry_after: Duration,
    },
    /// No request was made, because the circuit breaker is open.
    CircuitOpen {
        /// When a request may be made.
        retry_in: Duration,
    },
}

/// How pauses grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing {
    /// The span of the first pause.
    pub initial: Duration,
    /// The span that is never exceeded.
    pub max: Duration,
    /// The factor between two spans.
    pub multiplier: f64,
    /// The least of a span that a pause takes: 0 is full jitter, 1 none.
    pub least: f64,
}

impl Pacing {
    /// The same with no pause longer than a server wants.
    pub fn capped(self, longest: Duration) -> Self {
        Self { max: self.max.min(longest.max(SHORTEST_CAP)), ..self }
    }
}

/// The state of the backoff.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// Attempts that failed since the last success.
    pub failures: u32,
}

impl Link {
    /// The state after this attempt, and how long to pause. `random` is drawn from 0 (included) to 1.
    pub fn after(self, outcome: Outcome, pacing: Pacing, random: f64) -> (Self, Duration) {
        match outcome {
            Outcome::Answered { next } => {
                let jittered = next.min(LONGEST_PAUSE).mul_f64(0.9 + 0.2 * random);
                (Self { failures: 0 }, jittered.max(SHORTEST_PAUSE))
            }
            Outcome::Failed => self.failed(pacing, random),
            Outcome::CutShort => (self, self.failed(pacing, random).1),
            Outcome::Limited { retry_after } => {
                let floor = retry_after.min(LONGEST_LIMIT.saturating_sub(LIMIT_JITTER));
                let left = Pacing { max: pacing.max.min(LONGEST_LIMIT.saturating_sub(floor)), ..pacing };
                let (link, pause) = self.failed(left, random);
                (link, floor + pause)
            }
            Outcome::Held { retry_after } => {
                let (link, pause) = self.failed(pacing, random);
                (link, retry_after.min(LONGEST_PAUSE) + pause)
            }
            // The breaker has put its own jitter in.
            Outcome::CircuitOpen { retry_in } => (self, retry_in.max(SHORTEST_PAUSE)),
        }
    }

    fn failed(self, pacing: Pacing, random: f64) -> (Self, Duration) {
        let failures = (self.failures + 1).min(ENOUGH_FAILURES);
        let drawn = pacing.least + (1.0 - pacing.least) * random;
        (Self { failures }, span(pacing, failures).mul_f64(drawn).max(SHORTEST_PAUSE))
    }
}

/// By how much of the larger two ages may differ that are about the same.
const ABOUT: f64 = 0.1;
/// So much of the age at which check-ins were cut off they are asked to be held for.
const SHORTER: f64 = 0.8;

/// How long the server is asked to hold check-ins, learned from those that were cut off on their way: a proxy in between may
/// wait for no answer as long as the server may hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hold {
    /// The age at which the last one was cut off, if none has lived longer since.
    cut_at: Option<Duration>,
    /// Whether a check-in was answered since then: a server that is away answers none, and its proxy's patience is no limit.
    answered_since: bool,
    /// What was learned.
    longest: Option<Duration>,
}

impl Hold {
    /// For how many seconds to ask, where so many are configured.
    pub fn seconds(self, configured: u16) -> u16 {
        let longest = self.longest.map_or(u64::MAX, |longest| longest.as_secs().max(1));
        configured.min(u16::try_from(longest).unwrap_or(u16::MAX))
    }

    /// After a check-in that was cut off at this age. The second one at about the same age teaches to ask for less.
    pub fn cut_off(self, age: Duration) -> Self {
        match self.cut_at {
            Some(before) if self.answered_since && is_about(before, age) => {
                Self { longest: Some(before.min(age).mul_f64(SHORTER)), ..Self::default() }
            }
            _ => Self { cut_at: Some(age), answered_since: false, ..self },
        }
    }

    /// After a check-in that was answered at this age: what cut off an earlier one was no limit.
    pub fn answered(self, age: Duration) -> Self {
        let cut_at = self.cut_at.filter(|cut| age <= *cut || is_about(*cut, age));
        Self { cut_at, answered_since: true, ..self }
    }
}

fn is_about(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) <= one.max(other).mul_f64(ABOUT).max(Duration::from_secs(1))
}

/// The span that the pause after this many failures is drawn from.
fn span(pacing: Pacing, failures: u32) -> Duration {
    let mut schedule = schedule(pacing);
    for _ in 1..failures {
        schedule.next_backoff();
    }
    schedule.current_interval
}

/// The `backoff` crate's schedule. By its builder: the plain struct keeps a `current_interval` of half a second.
fn schedule(pacing: Pacing) -> ExponentialBackoff<SystemClock> {
    ExponentialBackoffBuilder::new()
        .with_initial_interval(pacing.initial.min(pacing.max))
        .with_max_interval(pacing.max)
        .with_multiplier(pacing.multiplier)
        .with_randomization_factor(0.0)
        .with_max_elapsed_time(None)
        .build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACING: Pacing =
        Pacing { initial: Duration::from_secs(5), max: Duration::from_mins(5), multiplier: 2.0, least: 0.0 };

    fn pauses(outcome: Outcome, random: f64, count: usize) -> Vec<u64> {
        let mut link = Link::default();
        let mut next = || {
            let pause;
            (link, pause) = link.after(outcome, PACING, random);
            pause.as_secs()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn failures_double_the_span_up_to_the_maximum() {
        assert_eq!(pauses(Outcome::Failed, 1.0, 9), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn jitter_is_full_so_that_a_fleet_spreads_over_the_whole_span() {
        assert_eq!(pauses(Outcome::Failed, 0.0, 3), [0, 0, 0]);
        assert_eq!(pauses(Outcome::Failed, 0.5, 3), [2, 5, 10]);
    }

    #[test]
    fn less_jitter_leaves_the_longest_pause_as_it_is() {
        let half = Pacing { least: 0.5, ..PACING };
        let pause = |random| Link::default().after(Outcome::Failed, half, random).1.as_millis();
        assert_eq!([pause(0.0), pause(1.0)], [2500, 5000]);
    }

    #[test]
    fn a_server_shortens_pauses_and_never_to_a_stampede() {
        let capped = |seconds| PACING.capped(Duration::from_secs(seconds)).max.as_secs();
        assert_eq!([capped(60), capped(900), capped(1)], [60, 300, 5]);
    }

    #[test]
    fn an_open_circuit_is_waited_for_and_counts_as_no_failure() {
        let known = Link { failures: 3 };
        let open = Outcome::CircuitOpen { retry_in: Duration::from_secs(31) };
        assert_eq!(known.after(open, PACING, 0.7), (known, Duration::from_secs(31)));
    }

    #[test]
    fn retry_after_is_a_floor_with_the_jitter_on_top() {
        let held = Outcome::Held { retry_after: Duration::from_secs(30) };
        assert_eq!(pauses(held, 0.0, 2), [30, 30]);
        assert_eq!(pauses(held, 1.0, 2), [35, 40]);
    }

    #[test]
    fn a_rate_limit_silences_nobody_for_longer_than_a_minute() {
        let limited = |seconds| Outcome::Limited { retry_after: Duration::from_secs(seconds) };
        assert_eq!(pauses(limited(1), 0.0, 2), [1, 1]);
        assert_eq!(pauses(limited(1), 1.0, 3), [6, 11, 21]);
        for seconds in [30, 60, 7_190, 31_536_000, u64::MAX] {
            let pauses = [pauses(limited(seconds), 0.0, 9), pauses(limited(seconds), 1.0, 9)].concat();
            assert!(pauses.iter().all(|pause| (30..=60).contains(pause)), "{seconds} s: {pauses:?}");
        }
    }

    #[test]
    fn a_success_forgets_every_failure() {
        let failed = Link { failures: 7 };
        let (link, pause) = failed.after(Outcome::Answered { next: Duration::from_secs(30) }, PACING, 0.5);
        assert_eq!((link, pause), (Link::default(), Duration::from_secs(30)));
    }

    #[test]
    fn the_pause_that_the_server_names_is_kept_within_a_tenth() {
        let answered = Outcome::Answered { next: Duration::from_secs(100) };
        assert_eq!(pauses(answered, 0.0, 1), [90]);
        assert_eq!(pauses(answered, 1.0, 1), [110]);
    }

    #[test]
    fn no_server_makes_an_agent_spin_or_silences_it() {
        let (_, pause) = Link::default().after(Outcome::Answered { next: Duration::ZERO }, PACING, 0.0);
        assert_eq!(pause, SHORTEST_PAUSE);
        for outcome in [Outcome::Answered { next: Duration::MAX }, Outcome::Held { retry_after: Duration::MAX }] {
            let (_, pause) = Link::default().after(outcome, PACING, 0.999);
            assert!(pause <= LONGEST_PAUSE.mul_f64(1.1), "{pause:?}");
        }
    }

    #[test]
    fn two_check_ins_that_are_cut_off_at_the_same_age_make_the_next_one_shorter() {
        let at = |milliseconds| Duration::from_millis(milliseconds);
        let first = Hold::default().cut_off(at(15_000));
        assert_eq!(first.seconds(280), 280, "once may be anything");
        assert_eq!(first.cut_off(at(15_300)).seconds(280), 280, "a server that is away answers nothing in between");
        let first = first.answered(at(1_000));
        let second = first.cut_off(at(15_300));
        assert_eq!((second.seconds(280), second.seconds(5)), (12, 5));
        // A proxy that waits even less is learned in the same way.
        assert_eq!(second.cut_off(at(9_000)).answered(at(1_000)).cut_off(at(9_100)).seconds(280), 7);
        assert_eq!(first.cut_off(at(40_000)).seconds(280), 280, "another age is another reason");
        assert_eq!(
            Hold::default().cut_off(at(400)).answered(at(100)).cut_off(at(400)).seconds(280),
            1,
            "never at once"
        );
    }

    #[test]
    fn a_check_in_that_lives_longer_than_one_that_was_cut_off_shows_no_limit() {
        let cut = Hold::default().cut_off(Duration::from_secs(15));
        let answered = cut.answered(Duration::from_secs(3));
        assert_eq!(answered, Hold { answered_since: true, ..cut });
        assert_eq!(cut.answered(Duration::from_secs(40)), Hold { answered_since: true, ..Hold::default() });
        let learned = answered.cut_off(Duration::from_secs(15));
        assert_eq!(learned.answered(Duration::from_secs(12)).seconds(280), 12);
    }

    #[test]
    fn what_was_cut_short_is_no_failure_and_is_tried_again_after_a_random_pause() {
        let known = Link { failures: 0 };
        assert_eq!(known.after(Outcome::CutShort, PACING, 0.5), (known, Duration::from_millis(2500)));
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_its_span(failures in 0..200_u32, random in 0.0..1.0) {
            let (link, pause) = Link { failures }.after(Outcome::Failed, PACING, random);
            prop_assert!(SHORTEST_PAUSE <= pause && pause <= PACING.max);
            prop_assert!(link.failures <= ENOUGH_FAILURES);
        }
    }
}
