//! A few seeds on every run; `cargo xtask simulate --seeds 10000` is the long run.

use std::{collections::BTreeMap, thread, time::Duration};

use muster_simulation::{Options, Report, herd, partitions, simulate};

/// Seeds of every run. Together they have seen each kind of fault many times.
const SEEDS: u64 = 40;

#[test]
fn whatever_goes_wrong_nothing_runs_twice_nothing_is_lost_and_everything_ends() {
    let halves = [0, 1].map(|half| {
        thread::spawn(move || {
            let mut total = Report::default();
            for seed in (1..=SEEDS).filter(|seed| seed % 2 == half) {
                match simulate(seed, &Options::default().of_seed(seed)) {
                    Ok(report) => total.add(report),
                    Err(violations) => {
                        let told = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
                        panic!("cargo xtask simulate --seed {seed} fails:\n  {told}");
                    }
                }
            }
            total
        })
    });
    let mut total = Report::default();
    for half in halves {
        total.add(half.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
    }
    let Report { jobs, completed, ends, faults, known_limit, .. } = total;
    assert!(u64::from(known_limit) * 50 < jobs, "{known_limit} of {jobs}");
    // A simulation in which nothing happens proves nothing.
    assert!(jobs > 10 * SEEDS && completed > 5 * SEEDS, "{jobs} jobs, {completed} completed");
    let some =
        |counts: &BTreeMap<&'static str, u64>, name: &str| counts.get(name).copied().unwrap_or_default() > SEEDS / 4;
    for fault in ["host crashes", "line is cut", "line is bad", "server dies", "clone starts", "store is restored"] {
        assert!(some(&faults, fault), "{fault}: {faults:?}");
    }
    for end in ["succeeded", "failed", "cancelled", "expired", "interrupted"] {
        assert!(ends.get(end).is_some_and(|count| *count > 0), "{end}: {ends:?}");
    }
}

#[test]
fn a_seed_comes_to_the_same_again() {
    for seed in [5, 6] {
        let come_to = || simulate(seed, &Options::default().of_seed(seed)).expect("it holds");
        assert_eq!(come_to(), come_to());
    }
}

#[test]
fn a_herd_comes_back_within_the_time_that_the_server_names_and_without_a_stampede() {
    let herd = herd(1, 200);
    assert!(herd.all_back_after_seconds <= 61, "{herd:?}");
    // All at once would be 200 and more.
    assert!(herd.peak_per_second <= 20, "{herd:?}");
    assert!(herd.command_milliseconds <= 1_000, "{herd:?}");
}

#[test]
fn a_host_whose_line_has_healed_converges_within_one_check_in() {
    for (span, hosts) in [(30, 20), (360, 20), (3_600, 20)] {
        let (healings, doubles) = partitions(span, hosts, Duration::from_secs(span));
        let late = healings.iter().filter(|healing| !healing.is_within_one_check_in()).collect::<Vec<_>>();
        assert!(late.is_empty() && doubles.is_empty(), "{late:?} {doubles:?}");
    }
}
