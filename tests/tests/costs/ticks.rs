use muster_domain::pacing::Pacing;
use muster_server::store::meter::Units;
use muster_tests::world::{World, run_job};

use super::{fleet, reads, writes};

/// A world with so many hosts that nobody hears of.
async fn populated(count: u32) -> World {
    let world = World::new().await.paced(Pacing::of_functions());
    let mut host = world.host("one").await;
    host.check_in().await;
    world.plants(&host, count - 1, |_| true).await;
    // Three jobs that end without their host: each is due when its time is over.
    for _ in 0..3 {
        world.job(host.id(), &run_job()).await;
    }
    world
}

/// An idle tick, and one with three jobs to end.
async fn ticks(count: u32) -> (Units, Units) {
    let world = populated(count).await;
    world.table.take();
    world.tick().await;
    let idle = world.table.take();
    world.moves(2 * 3_600);
    world.tick().await;
    (idle, world.table.take())
}

#[tokio::test]
async fn a_tick_costs_the_same_whatever_the_size_of_the_fleet_and_next_to_nothing_when_idle() {
    let (few, many) = (100, fleet(100_000, 3_000));
    let ((idle_few, busy_few), (idle_many, busy_many)) = (ticks(few).await, ticks(many).await);
    println!("an idle tick: {} read units at {few} hosts, {} at {many}", reads(&idle_few), reads(&idle_many));
    println!(
        "a tick that ends three jobs: {} read, {} write units at {few}; {} and {} at {many}",
        reads(&busy_few),
        writes(&busy_few),
        reads(&busy_many),
        writes(&busy_many)
    );
    assert!(reads(&idle_many) <= 2.0, "{idle_many:?}");
    assert!(writes(&idle_many) == 0.0, "{idle_many:?}");
    for (few, many) in [(&idle_few, &idle_many), (&busy_few, &busy_many)] {
        let within = |few: f64, many: f64| (many - few).abs() <= few * 0.05;
        assert!(within(reads(few), reads(many)) && within(writes(few), writes(many)), "{few:?} and {many:?}");
    }
    assert!(writes(&busy_few) > 0.0, "there was something to do");
}
