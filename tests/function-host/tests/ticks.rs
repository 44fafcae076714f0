//! The scheduler: that it ticks, never twice at once unless asked, and loses what its seed says.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::time::Duration;

use harness::{function, pid, until};
use muster_function_host::{Counts, Faults, Limits, Schedule, losses};

const PERIOD: Duration = Duration::from_millis(5);

#[tokio::test]
async fn a_tick_told_by_hand_returns_the_answer() {
    let schedule = Schedule::by_hand(function(Limits::default()));
    assert_eq!(schedule.tick_now().await.unwrap()["body"], "{}");
    assert_eq!(schedule.counts(), Counts { invoked: 1, ..Counts::default() });
}

#[tokio::test]
async fn two_ticks_do_not_run_at_once_unless_asked() {
    let schedule = Schedule::by_hand(function(Limits::default()));
    let (one, other) = tokio::join!(schedule.tick_now(), schedule.tick_now());
    assert_eq!(pid(&one.unwrap()), pid(&other.unwrap()));
    let answers = schedule.ticks_now(3).await;
    let mut pids: Vec<_> = answers.iter().map(|answer| pid(answer.as_ref().unwrap())).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_come_by_themselves_and_get_lost_as_the_seed_says() {
    let faults = Faults { lossy: 0.5, seed: 7, at_once: 2 };
    let schedule = Schedule::every(PERIOD, function(Limits::default()), faults);
    let enough = || schedule.counts().invoked >= 10 && schedule.counts().lost >= 3;
    tokio::task::block_in_place(|| until("some ticks", enough));
    let Counts { invoked, lost, failed } = schedule.counts();
    let expected = losses(0.5, 7).take(invoked / 2 + lost).filter(|lost| *lost).count();
    assert_eq!((lost, failed), (expected, 0));
}

#[test]
fn the_same_seed_loses_the_same_ticks_and_about_as_many_as_asked() {
    let lost = |fraction, seed| losses(fraction, seed).take(1000).collect::<Vec<_>>();
    assert_eq!(lost(0.2, 1), lost(0.2, 1));
    assert_ne!(lost(0.2, 1), lost(0.2, 2));
    let count = |fraction| lost(fraction, 3).into_iter().filter(|lost| *lost).count();
    assert_eq!((count(0.0), count(1.0)), (0, 1000));
    assert!((150..250).contains(&count(0.2)));
}
