//! A day without a server, with the memory measured: a test binary of its own, because its allocator counts.

use std::alloc::System;

use muster_simulation::outage;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Room for maps and buffers that double now and then.
const MOST_GROWTH_BYTES: u64 = 16 * 1024;
/// Pauses of a minute at most, as the server says; full jitter makes them half as long on the whole.
const MOST_TRIES_AN_HOUR: u64 = 120;

#[test]
fn a_day_without_a_server_takes_no_memory_few_tries_and_loses_nothing() {
    let held = || {
        let stats = ALLOCATOR.stats();
        (stats.bytes_allocated - stats.bytes_deallocated) as u64
    };
    let day = outage(1, 24, held);
    let growth = day[23].measured.saturating_sub(day[0].measured);
    assert!(growth <= MOST_GROWTH_BYTES, "{growth} bytes in 23 hours: {day:?}");
    assert!(day[1..].iter().all(|hour| (1..=MOST_TRIES_AN_HOUR).contains(&hour.tries)), "{day:?}");
}
