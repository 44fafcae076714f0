use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::{SignedDuration, Timestamp};
use muster_domain::pacing::Pacing;
use muster_server::store::meter::Units;
use muster_tests::world::{Host, World};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{fleet, reads, writes};

/// Hosts check in when they are asked to, a tenth sooner or later, and ask for a token when theirs ends.
async fn idles(world: &World, hosts: &mut [Host], span: SignedDuration) -> u64 {
    let mut random = StdRng::seed_from_u64(7);
    let end = world.now() + span;
    let mut due: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    due.extend(
        (0..hosts.len())
            .map(|host| Reverse((world.now() + SignedDuration::from_secs(random.random_range(0..330)), host))),
    );
    let mut check_ins = 0;
    while let Some(Reverse((at, host))) = due.pop().filter(|Reverse((at, _))| *at < end) {
        world.moves(at.duration_since(world.now()).as_secs());
        let next = hosts[host].check_in().await.next_check_in_seconds;
        check_ins += 1;
        let pause = f64::from(next) * random.random_range(0.9..1.1);
        due.push(Reverse((at + SignedDuration::try_from_secs_f64(pause.round()).unwrap(), host)));
    }
    world.moves(end.duration_since(world.now()).as_secs());
    check_ins
}

async fn idle_fleet(count: u32, span: SignedDuration) -> (Units, f64) {
    let world = World::new().await.paced(Pacing::of_functions());
    let mut hosts = world.fleet(count, "1.0.0").await;
    // They have just joined, and have attention for a while.
    idles(&world, &mut hosts, SignedDuration::from_mins(20)).await;
    world.table.take();
    let check_ins = idles(&world, &mut hosts, span).await;
    let host_hours = f64::from(count) * span.as_secs_f64() / 3_600.0;
    println!("{count} hosts, {} h: {check_ins} check-ins", span.as_hours());
    (world.table.take(), host_hours)
}

#[tokio::test]
async fn an_idle_host_costs_at_most_six_read_and_four_write_units_an_hour() {
    let (units, host_hours) = idle_fleet(fleet(1_000, 20), SignedDuration::from_hours(24)).await;
    let (reads, writes) = (reads(&units) / host_hours, writes(&units) / host_hours);
    println!("an idle host, an hour: {reads:.2} read units, {writes:.2} write units; {:?}", units.operations);
    assert!(reads <= 6.0, "{reads} read units an hour");
    assert!(writes <= 4.0, "{writes} write units an hour");
}
