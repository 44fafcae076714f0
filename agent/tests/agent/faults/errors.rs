//! Errors of the disk: one at every change, and from every change on no room for a while. Nobody helps the agent: it comes back
//! by itself.

use super::{
    points::{self, Reached},
    trial::{Trial, changes_of},
    work::{COMPACTION, JOBS, UPDATE, Work},
};
use crate::world::faults::Fault;

/// A disk without room refuses so many changes before there is room again.
const REFUSALS: u64 = 2;
/// More starts than an update with a way back needs would be a crash loop.
const MOST_STARTS: usize = 4;

#[test]
fn an_update_on_a_failing_disk_leaves_one_good_version_and_a_true_word() {
    fail_at_points_of(&UPDATE, 2);
}

#[test]
fn no_job_is_lost_or_run_twice_on_a_failing_disk() {
    fail_at_points_of(&JOBS, 2);
}

#[test]
fn a_compaction_on_a_failing_disk_loses_no_job() {
    fail_at_points_of(&COMPACTION, 2);
}

fn fail_at_points_of(work: &'static Work, some: u64) {
    let changes = changes_of(work);
    let faults = [
        ("an I/O error", Fault::InputOutputError),
        ("no room for a while", Fault::NoSpace),
        ("no sync for a while", Fault::NoSync),
    ];
    for (how, fault) in faults {
        let what = format!("{how} in {}", work.name);
        points::each(&what, changes, some, |point| fail_at(work, fault, point));
    }
}

fn fail_at(work: &'static Work, fault: Fault, point: u64) -> Reached {
    let mut trial = Trial::new(work);
    trial.begin(Some((fault, point)));
    trial.wait_until("it has come to rest after the error", |trial| {
        assert!(!trial.host.has_ended(), "the supervisor has ended");
        if trial.faults.struck() >= REFUSALS {
            trial.faults.mend();
        }
        trial.is_at_rest()
    });
    let starts = trial.starts();
    assert!(starts <= MOST_STARTS, "it was started {starts} times");
    trial.assert_holds()
}
