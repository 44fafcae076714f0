use std::collections::BTreeMap;

use muster_domain::{fleet_updates::FleetUpdate, pacing::Pacing};
use muster_schemas::fleet_updates::FleetUpdateState;
use muster_server::store::{Consistency, Query, Table as _, keys};
use muster_tests::world::World;
use serde_json::json;

use super::{fleet, reads, writes};

/// What each kind of step of a whole fleet update costs, summed over all hosts: read and write units.
type Costs = BTreeMap<&'static str, (f64, f64)>;

/// A fleet update from its plan to its end, `width` hosts at a time; and its largest item, in bytes.
async fn updated(count: u32, width: u32) -> (Costs, usize) {
    let world = World::new().await.paced(Pacing::of_functions());
    let mut hosts = world.fleet(count, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let mut costs = Costs::new();
    let count_as = |costs: &mut Costs, what| {
        let units = world.table.take();
        let cost = costs.entry(what).or_default();
        *cost = (cost.0 + reads(&units), cost.1 + writes(&units));
    };
    world.table.take();
    let request = json!({ "version": "1.1.0", "waves": [count], "max_in_flight": width, "soak_seconds": 0 });
    let id = world.fleet_update(&request).await.id;
    count_as(&mut costs, "plan and first offers");
    // All slots are taken now.
    let rows = world.app.table.query(Query::all(keys::fleet_update(id).partition, 100_000)).await.unwrap();
    let largest = rows.items.iter().map(|item| item.body.len()).max().unwrap_or(0);
    let mut left = (0..hosts.len()).collect::<Vec<_>>();
    while !left.is_empty() {
        let mut later = Vec::new();
        for place in left {
            let host = &mut hosts[place];
            host.caller().await;
            world.table.take();
            let Some(job) = host.begins_update().await else {
                world.table.take();
                later.push(place);
                continue;
            };
            count_as(&mut costs, "offer, accept, start");
            host.tries(&release).await.is(200);
            count_as(&mut costs, "new process");
            host.commits(job).await.is(200);
            count_as(&mut costs, "proof, result, next offer");
        }
        left = later;
    }
    let ended = world.app.load::<FleetUpdate>(&keys::fleet_update(id), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((ended.record.state, ended.record.succeeded), (FleetUpdateState::Completed, count));
    world.is_consistent().await;
    (costs, largest)
}

#[tokio::test]
async fn a_fleet_update_costs_the_same_per_host_whatever_the_size_of_the_fleet() {
    let mut per_host = Vec::new();
    for (count, width) in [(20, 5), (fleet(1_000, 60), 5), (fleet(1_000, 60), fleet(200, 30))] {
        let (costs, largest) = updated(count, width).await;
        let sum = |part: fn(&(f64, f64)) -> f64| costs.values().map(part).sum::<f64>() / f64::from(count);
        println!("{count} hosts, {width} at a time: largest item {largest} bytes");
        for (what, (reads, writes)) in &costs {
            println!(
                "  {what}: {:.2} read, {:.2} write units a host",
                reads / f64::from(count),
                writes / f64::from(count)
            );
        }
        println!("  together: {:.2} read, {:.2} write units a host", sum(|cost| cost.0), sum(|cost| cost.1));
        per_host.push(sum(|cost| cost.1));
        assert!(largest <= 64 * 1024, "an item of {largest} bytes");
    }
    assert!((per_host[1] - per_host[0]).abs() <= per_host[0] * 0.1, "{per_host:?}");
}
