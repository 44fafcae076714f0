use muster_schemas::{
    PROTOCOL,
    health::{Health, HealthStatus, Version},
};
use muster_tests::world::World;

#[tokio::test]
async fn health_touches_the_store_only_when_asked_to_look_deep() {
    let world = World::new().await;
    world.table.take();
    let health: Health = world.nobody().get("/api/v1/health").await.is(200).json();
    assert_eq!((health.status, health.time), (HealthStatus::Ok, world.now()));
    assert_eq!(world.table.take().reads(), 0);
    world.nobody().get("/api/v1/health?deep=true").await.is(200);
    assert_eq!(world.table.take().reads(), 1);
}

#[tokio::test]
async fn the_version_says_which_protocol_is_spoken() {
    let world = World::new().await;
    let version: Version = world.nobody().get("/api/v1/version").await.is(200).json();
    assert_eq!(version.protocol, PROTOCOL);
}

#[tokio::test]
async fn a_tick_with_nothing_due_costs_one_query() {
    let world = World::new().await;
    world.fleet(10, "1.0.0").await;
    world.tick().await;
    world.table.take();
    world.tick().await;
    let units = world.table.take();
    assert_eq!((units.reads(), units.writes()), (1, 0), "{units:?}");
}
