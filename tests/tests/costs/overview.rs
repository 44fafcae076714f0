use muster_domain::pacing::Pacing;
use muster_tests::world::World;

use super::{reads, writes};

/// What it costs to count the hosts, and to look in between.
#[tokio::test]
async fn however_many_look_at_the_overview_few_hosts_a_second_are_counted() {
    // Always the fleet that the goal names: they are planted in a second.
    let count = 10_000;
    let world = World::new().await.paced(Pacing::of_functions());
    let mut host = world.host("one").await;
    host.check_in().await;
    world.plants(&host, count - 1, |_| true).await;
    let viewer = world.viewer().await;
    // The first has no figures to tell while it counts.
    viewer.get("/api/v1/overview").await.is(200);
    let valid = world.app.settings.pacing.overview_seconds(count);
    world.moves(valid.into());
    world.table.take();
    viewer.get("/api/v1/overview").await.is(200);
    let counted = world.table.take();
    viewer.get("/api/v1/overview").await.is(200);
    let in_between = world.table.take();
    println!(
        "{count} hosts: a count every {valid} s: {} read, {} write units; a look in between: {} read units",
        reads(&counted),
        writes(&counted),
        reads(&in_between)
    );
    assert!(reads(&counted) <= f64::from(count) * 1.6 + 20.0, "{counted:?}");
    assert!(reads(&counted) / f64::from(valid) <= 17.0, "{counted:?}");
    assert!(writes(&counted) <= 4.0, "{counted:?}");
    assert!(reads(&in_between) <= 6.0 && in_between.writes() == 0, "{in_between:?}");
}
