//! `kill -9` at every change of the disk: of everything, and of the one process that makes it.

use super::{
    points::{self, Reached},
    trial::{Trial, changes_of},
    work::{COMPACTION, DAMAGE, DEAD_UPDATE, JOBS, UPDATE, Work},
};
use crate::world::faults::Fault;

#[test]
fn an_update_that_is_killed_anywhere_leaves_one_good_version_and_a_true_word() {
    kill_at_points_of(&UPDATE, 6);
}

#[test]
fn a_job_that_is_killed_anywhere_runs_once_at_most_and_is_told_truly() {
    kill_at_points_of(&JOBS, 3);
}

#[test]
fn a_compaction_that_is_killed_anywhere_loses_no_job() {
    kill_at_points_of(&COMPACTION, 2);
}

#[test]
fn a_damaged_journal_is_set_aside_whole_wherever_the_agent_is_killed() {
    kill_at_points_of(&DAMAGE, 2);
}

#[test]
fn a_version_that_hangs_is_started_no_more_often_than_is_counted_wherever_the_agent_is_killed() {
    kill_at_points_of(&DEAD_UPDATE, 3);
}

fn kill_at_points_of(work: &'static Work, some: u64) {
    let changes = changes_of(work);
    for (who, fault) in [("everything", Fault::KillAll), ("the process that makes it", Fault::KillOne)] {
        let what = format!("kill -9 of {who} in {}", work.name);
        points::each(&what, changes, some, |point| kill_at(work, fault, point));
    }
}

fn kill_at(work: &'static Work, fault: Fault, point: u64) -> Reached {
    let mut trial = Trial::new(work);
    trial.begin(Some((fault, point)));
    trial.wait_until("it has come to rest after the kill", |trial| {
        if trial.host.has_ended() {
            trial.start_again();
        }
        trial.is_at_rest()
    });
    trial.assert_holds()
}
