use muster_schemas::{jobs::KINDS, messages::MESSAGES};
use muster_server::api::{openapi, routes};
use muster_tests::world::World;
use serde_json::{Value, json};

const COMMITTED: &str = include_str!("../../../schemas/openapi.json");

#[test]
fn the_committed_document_is_the_servers_own() {
    let stale = "stale: cargo run -p muster-server -- openapi > schemas/openapi.json";
    assert!(openapi::text(&routes()) == COMMITTED, "{stale}");
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

#[test]
fn every_summary_is_a_sentence_and_every_operation_has_the_tag_of_its_noun() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let tags = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect::<Vec<_>>();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.starts_with(char::is_uppercase) && summary.ends_with('.'), "{summary}");
        assert_eq!(operation["tags"], json!([route.noun()]));
        assert!(tags.contains(&operation["tags"][0]), "{summary}");
    }
}

#[test]
fn every_body_of_json_has_its_golden_samples_as_examples() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    for operation in operations {
        let id = operation["operationId"].as_str().unwrap();
        let answers = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
        for body in answers.map(|(_, answer)| answer).chain(operation.get("requestBody")) {
            for content in body["content"].as_object().into_iter().flat_map(serde_json::Map::values) {
                let is_named = content["schema"]["$ref"].is_string();
                assert_eq!(content["examples"].is_object(), is_named, "{id}");
            }
        }
    }
    for message in MESSAGES.iter() {
        let sample: Value = serde_json::from_str(message.sample).unwrap();
        assert_eq!(document["components"]["examples"][&*message.name]["value"], sample, "{}", message.name);
    }
}

#[test]
fn every_object_is_plain_for_the_generators_of_clients() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.values().all(|schema| schema.get("allOf").is_none()));
    let job = &schemas["JobView"];
    assert_eq!(job["properties"]["kind"]["enum"], json!(KINDS.map(|kind| kind.name)));
    assert_eq!(job["properties"]["spec"]["anyOf"].as_array().unwrap().len(), KINDS.len());
    assert_eq!(job["properties"]["ended_at"]["type"], json!("string"), "absent, and never null");
    assert!(job["required"].as_array().unwrap().contains(&json!("allowed")), "what was flattened is there");
    let asked_for = KINDS.iter().filter(|kind| kind.instead.is_none()).map(|kind| kind.name).collect::<Vec<_>>();
    assert_eq!(schemas["JobRequest"]["properties"]["kind"]["enum"], json!(asked_for));
}

#[test]
fn what_an_argument_of_a_handler_refuses_is_documented() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let operation = &document["paths"]["/api/v1/hosts/{id}"]["patch"];
    let statuses = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(statuses, ["200", "400", "401", "403", "404", "412", "413", "422", "429", "503", "default"]);
    let headers = operation["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "header");
    assert_eq!(headers.map(|header| &header["name"]).collect::<Vec<_>>(), [&json!("If-Match")]);
    let jobs = document["paths"]["/api/v1/jobs"]["post"]["parameters"].as_array().unwrap();
    assert!(jobs.iter().any(|parameter| parameter["name"] == "Idempotency-Key"));
}

#[tokio::test]
async fn the_document_is_served_to_anybody() {
    let world = World::new().await;
    let answer = world.nobody().get("/api/v1/openapi.json").await.is(200);
    assert_eq!((answer.header("content-type"), answer.text() == COMMITTED), ("application/json", true));
}
