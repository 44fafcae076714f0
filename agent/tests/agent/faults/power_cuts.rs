//! A power cut at every change of the disk: what was not synced is gone, or is there by half.

use muster_agent::journal::{self, Stage};

use super::{
    cut::{Cut, Disk},
    points::{self, Reached},
    trial::{Trial, changes_of},
    work::{COMPACTION, DAMAGE, JOBS, UPDATE, Work},
};
use crate::world::{faults::Fault, server::World};

#[test]
fn an_update_through_a_power_cut_leaves_one_good_version_and_a_true_word() {
    cut_at_points_of(&UPDATE, 4);
}

#[test]
fn what_was_told_of_a_job_is_known_after_a_power_cut() {
    cut_at_points_of(&JOBS, 3);
}

#[test]
fn a_compaction_through_a_power_cut_loses_no_job() {
    cut_at_points_of(&COMPACTION, 2);
}

#[test]
fn a_damaged_journal_is_set_aside_whole_through_a_power_cut() {
    cut_at_points_of(&DAMAGE, 2);
}

/// The rest of this bench is worth as much as this.
#[test]
fn what_is_noted_of_an_update_is_all_that_is_done_to_the_disk() {
    let mut trial = Trial::new(&UPDATE);
    let mut disk = Disk::of(trial.host.state.path());
    trial.host.environment.push(trial.faults.log_variable());
    trial.begin(None);
    trial.wait_until("the update is over", |trial| trial.is_at_rest());
    assert!(trial.host.stop().success());
    disk.play(&trial.faults.log());
    assert!(disk.is(&Disk::of(trial.host.state.path())));
}

fn cut_at_points_of(work: &'static Work, some: u64) {
    let changes = changes_of(work);
    for (what, cut) in [("nothing unsynced is left", Cut::Lost), ("names are left, and data by half", Cut::Torn)] {
        let what = format!("a power cut after which {what} in {}", work.name);
        points::each(&what, changes, some, |point| cut_at(work, cut, point));
    }
}

fn cut_at(work: &'static Work, cut: Cut, point: u64) -> Reached {
    let mut trial = Trial::new(work);
    let mut disk = Disk::of(trial.host.state.path());
    trial.host.environment.push(trial.faults.log_variable());
    trial.begin(Some((Fault::KillAll, point)));
    trial.wait_until("the power is cut", |trial| trial.host.has_ended() || trial.is_at_rest());
    trial.faults.mend();
    if trial.faults.struck() > 0 {
        // Whoever was killed along with the others may still be on its way out.
        trial.host.kill_supervisor();
        trial.host.wait_for_no_worker();
        disk.play(&trial.faults.log());
        disk.put_back(cut);
        trial.server.with(|world| assert_is_known(world, trial.host.state.path()));
        trial.start_again();
    }
    trial.wait_until("it has come to rest after the cut", |trial| trial.is_at_rest());
    trial.assert_holds()
}

/// Everything that the server was told is on disk.
fn assert_is_known(world: &World, state: &std::path::Path) {
    let ledger = journal::read(state).unwrap().ledger;
    let job = |id| ledger.jobs().get(id);
    for id in &world.accepted {
        assert!(job(id).is_some() || ledger.remembered(*id).is_some(), "{id} was accepted and is not known");
    }
    for id in &world.started {
        let is_known = job(id).is_none_or(|job| job.stage != Stage::Received);
        assert!(is_known, "{id} was started and is not known as such");
    }
    for (id, told) in &world.results {
        let known = match job(id).map(|job| &job.stage) {
            Some(Stage::Finished(result)) => Some(&**result),
            Some(_) => None,
            None => ledger.remembered(*id),
        };
        assert_eq!(known, Some(told), "another result of {id} was told");
    }
}
