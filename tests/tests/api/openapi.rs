use muster_server::api::{openapi, routes};
use muster_tests::world::World;
use serde_json::Value;

const COMMITTED: &str = include_str!("../../../schemas/openapi.json");

#[test]
fn the_committed_document_is_the_servers_own() {
    let stale = "stale: cargo run -p muster-server -- openapi > schemas/openapi.json";
    assert!(openapi::text() == COMMITTED, "{stale}");
}

#[test]
fn every_route_is_in_the_document() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut documented = paths.values().map(|path| path.as_object().unwrap().len()).sum::<usize>();
    for route in routes() {
        let operation = &paths[route.path][route.method.as_str().to_ascii_lowercase()];
        assert!(operation.is_object(), "{} {}", route.method, route.path);
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{} {}", route.method, route.path);
        documented -= 1;
    }
    assert_eq!(documented, 0, "the document tells of routes that are not served");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_document_is_served_to_anybody() {
    let world = World::new().await;
    let answer = world.nobody().get("/api/v1/openapi.json").await.is(200);
    assert_eq!((answer.header("content-type"), answer.text() == COMMITTED), ("application/json", true));
}
