use std::collections::BTreeMap;

use muster_domain::{fleet_updates::FleetUpdate, fleet_updates::hosts::FleetUpdateHost, pacing::Pacing};
use muster_schemas::{fleet_updates::FleetUpdateState, ids::FleetUpdateId};
use muster_server::{records, store::Consistency};
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
    // The first have joined long ago; all are online now.
    for host in &mut hosts {
        host.check_in().await;
    }
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
    while state(&world, id).await.planning.is_some() {
        world.tick().await;
        count_as(&mut costs, "plan and first offers");
    }
    let places = hosts.iter().zip(0..).map(|(host, place)| (host.id(), place)).collect::<BTreeMap<_, usize>>();
    let mut largest = 0;
    loop {
        let fleet_update = state(&world, id).await;
        if fleet_update.slots.is_empty() {
            break;
        }
        largest = largest.max(serde_json::to_vec(&fleet_update).unwrap().len());
        for position in fleet_update.slots {
            let key = records::fleet_update_hosts::key(id, position);
            let planned = world.app.load::<FleetUpdateHost>(&key, Consistency::Strong).await.unwrap().unwrap().record;
            largest = largest.max(serde_json::to_vec(&planned).unwrap().len());
            let host = &mut hosts[places[&planned.host_id]];
            host.caller().await;
            world.table.take();
            let job = host.begins_update().await.unwrap();
            count_as(&mut costs, "offer, accept, start");
            host.tries(&release).await.is(200);
            count_as(&mut costs, "new process");
            host.commits(job).await.is(200);
            count_as(&mut costs, "proof, result, next offer");
        }
    }
    let ended = state(&world, id).await;
    assert_eq!((ended.state, ended.succeeded), (FleetUpdateState::Completed, count));
    world.is_consistent().await;
    (costs, largest)
}

async fn state(world: &World, id: FleetUpdateId) -> FleetUpdate {
    world.app.load(&records::fleet_updates::key(id), Consistency::Strong).await.unwrap().unwrap().record
}

#[tokio::test]
async fn a_fleet_update_costs_the_same_per_host_whatever_the_size_of_the_fleet() {
    let mut per_host = Vec::new();
    for (count, width) in [(20, 5), (60, 30), (fleet(100_000, 200), fleet(500, 100))] {
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
    let cheapest = per_host.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(per_host.iter().all(|cost| *cost <= cheapest * 1.1), "{per_host:?}");
}
