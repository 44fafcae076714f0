use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use muster_schemas::{
    PROTOCOL,
    health::{Health, HealthStatus, Version},
    problems::ProblemCode,
};
use muster_server::store::{AttemptId, Consistency, Index, Item, Key, Query, Rows, StoreError, Table, Write};
use muster_tests::world::{Stores, World};
use serde_json::json;

/// A table on a disk that becomes full: reads are answered, commits are not done.
struct Filling {
    table: Arc<dyn Table>,
    is_full: Arc<AtomicBool>,
}

impl Table for Filling {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        self.table.get(key, consistency)
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.table.get_many(keys)
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query(query)
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query_index(index, query)
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        if self.is_full.load(Ordering::SeqCst) {
            let full = || StoreError::Unavailable { doing: "write", source: "database or disk is full".into() };
            return Box::pin(async move { Err(full()) });
        }
        self.table.commit(writes, attempt)
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.table.expire(now, limit)
    }
}

#[tokio::test]
async fn health_touches_the_store_only_when_asked_to_look_deep() {
    let world = World::new().await;
    world.table.take();
    let health: Health = world.nobody().get("/api/v1/health").await.is(200).json();
    assert_eq!((health.status, health.time), (HealthStatus::Ok, world.now()));
    assert_eq!(world.table.take().reads(), 0);
    world.moves(3_600);
    for _ in 0..3 {
        let health: Health = world.nobody().get("/api/v1/health?deep=true").await.is(200).json();
        assert_eq!(health.status, HealthStatus::Ok);
    }
    let units = world.table.take();
    assert_eq!((units.reads(), units.writes()), (0, 1), "a write proves it for ten seconds: {units:?}");
}

#[tokio::test]
async fn a_store_that_takes_no_writes_is_not_well_and_the_outage_is_in_the_audit_trail() {
    let (mut stores, is_full) = (Stores::embedded(), Arc::new(AtomicBool::new(false)));
    stores.table = Arc::new(Filling { table: stores.table, is_full: is_full.clone() });
    let mut world = World::on(stores).await;
    world.is_busy = true;
    let admin = world.admin().await;
    world.moves(60);
    is_full.store(true, Ordering::SeqCst);
    let user = json!({ "username": "x", "password": "a long password", "role": "viewer" });
    let refused = admin.post("/api/v1/users", &user).await.is(503);
    assert_eq!(refused.header("retry-after"), "5");
    let health: Health = world.nobody().get("/api/v1/health?deep=true").await.is(200).json();
    assert_eq!(health.status, HealthStatus::Failing);
    world.tick().await;
    world.moves(60);
    is_full.store(false, Ordering::SeqCst);
    world.tick().await;
    let health: Health = world.nobody().get("/api/v1/health?deep=true").await.is(200).json();
    assert_eq!(health.status, HealthStatus::Ok);
    let alerts = world.viewer().await.get("/api/v1/audit?alert=true").await.is(200).value();
    assert_eq!(alerts["items"][0]["action"], "store.failed", "{alerts}");
}

#[tokio::test]
async fn a_server_is_ready_as_long_as_its_store_takes_writes_and_it_does_not_stop() {
    let (mut stores, is_full) = (Stores::embedded(), Arc::new(AtomicBool::new(false)));
    stores.table = Arc::new(Filling { table: stores.table, is_full: is_full.clone() });
    let mut world = World::on(stores).await;
    world.is_busy = true;
    let nobody = world.nobody();
    for path in ["/readyz", "/healthz", "/livez"] {
        nobody.get(path).await.is(200);
    }
    world.moves(60);
    is_full.store(true, Ordering::SeqCst);
    for path in ["/readyz", "/healthz"] {
        let problem = nobody.get(path).await.refused(ProblemCode::Unavailable);
        assert!(problem.detail.unwrap().contains("store"), "{path}");
    }
    nobody.get("/livez").await.is(200);
    is_full.store(false, Ordering::SeqCst);
    nobody.get("/readyz").await.is(200);
    world.app.drain();
    nobody.get("/readyz").await.refused(ProblemCode::Unavailable);
    nobody.get("/livez").await.is(200);
}

#[tokio::test]
async fn what_only_the_caller_may_see_is_kept_by_no_cache() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let login = serde_json::json!({ "username": "admin", "password": World::password() });
    let admin = world.admin().await;
    let key = serde_json::json!({ "name": "ci", "role": "viewer" });
    for answer in [
        host.asks_for_token(&host.assertion()).await.is(200),
        host.asks_for_token("nonsense").await.is(401),
        world.nobody().post("/api/v1/session", &login).await.is(201),
        admin.get("/api/v1/session").await.is(200),
        admin.post("/api/v1/api-keys", &key).await.is(201),
        admin.get("/api/v1/api-keys").await.is(200),
        admin.get("/api/v1/jobs").await.is(200),
        world.nobody().get("/nowhere").await.is(404),
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert!(!host.asks().await.is(200).headers.contains_key("cache-control"), "check-ins stay as small as they are");
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
