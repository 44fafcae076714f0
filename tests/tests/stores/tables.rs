use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use muster_server::store::{conformance, dynamodb::DynamoTable};
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

#[tokio::test]
async fn a_setup_that_broke_off_is_completed_by_the_next_one() {
    let Some(engine) = Service::engine() else { return };
    let (client, name) = (Client::new(&engine.configuration()), format!("broken-off-{}", std::process::id()));
    let table = DynamoTable::new(&engine.configuration(), &name);
    table.create().await.unwrap();
    let off = TimeToLiveSpecification::builder().enabled(false).attribute_name("expires_at").build().unwrap();
    client.update_time_to_live().table_name(&name).time_to_live_specification(off).send().await.unwrap();
    for _ in 0..2 {
        table.create().await.unwrap();
        let found = client.describe_time_to_live().table_name(&name).send().await.unwrap();
        let status = found.time_to_live_description.and_then(|described| described.time_to_live_status);
        assert_eq!(status, Some(TimeToLiveStatus::Enabled), "what is over goes by itself");
    }
}

#[tokio::test]
async fn a_table_of_somebody_else_is_not_taken_for_ours() {
    let Some(engine) = Service::engine() else { return };
    let (client, name) = (Client::new(&engine.configuration()), format!("another-{}", std::process::id()));
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let request = client.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest).key_schema(key);
    request.attribute_definitions(attribute.build().unwrap()).send().await.unwrap();
    let taken = DynamoTable::new(&engine.configuration(), &name).create().await.unwrap_err();
    let told = std::iter::successors(Some(&taken as &dyn std::error::Error), |error| error.source());
    let told = told.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(told.contains(&name) && told.contains("it has no index due"), "{told}");
}
