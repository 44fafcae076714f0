use std::sync::Arc;

use muster_server::store::conformance;
use muster_tests::world::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_table_in_dynamodb_keeps_every_promise_on_an_engine_of_its_own() {
    let Some(engine) = Service::engine() else { return };
    conformance::all(async || Arc::new(engine.new_table().await) as conformance::Subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_table_in_dynamodb_keeps_every_promise_on_another_emulator() {
    let Some(emulator) = Service::emulator() else { return };
    conformance::all(async || Arc::new(emulator.new_table().await) as conformance::Subject).await;
}
