//! Plain objects for generated clients: what `serde(flatten)` composes by `allOf` becomes one object with all its members, and
//! a member that may be absent from an answer is not `null` as well. Most generators give up on the one, and make three cases of
//! two of the other.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::access::EXTENSION;

const SCHEMAS: &str = "/components/schemas";

/// Makes every schema of the document plain, and drops those that nothing refers to any more. People may write `null` for what
/// they leave out; servers and agents leave it out.
pub fn make_plain(document: &mut Value) {
    let composed = schemas(document).clone();
    let plain = composed.iter().map(|(name, schema)| (name.clone(), object(schema, &composed))).collect();
    *schemas(document) = plain;
    let operations = document["paths"].as_object().into_iter().flatten().flat_map(|(_, path)| operations(path));
    let of_people = operations.filter(|operation| operation[EXTENSION]["caller"] == "operator");
    let bodies = of_people.map(|operation| &operation["requestBody"]).cloned().collect::<Vec<_>>();
    let taken = reachable(&Value::Array(bodies), schemas(document));
    let used = reachable(&document["paths"].clone(), schemas(document));
    schemas(document).retain(|name, _| used.contains(name));
    for (_, schema) in schemas(document).iter_mut().filter(|(name, _)| !taken.contains(*name)) {
        drop_nulls(schema);
    }
}

fn schemas(document: &mut Value) -> &mut Map<String, Value> {
    document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut).expect("the document has schemas")
}

fn operations(path: &Value) -> impl Iterator<Item = &Value> {
    path.as_object().into_iter().flat_map(Map::values)
}

/// A schema without `allOf`: one object with the members of all its parts.
fn object(schema: &Value, all: &Map<String, Value>) -> Value {
    let Some(parts) = schema["allOf"].as_array() else { return schema.clone() };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    // Its own members, which come last, are read first.
    for part in parts.iter().rev().map(|part| whole(part, all)) {
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    let mut object = json!({ "type": "object", "required": required, "properties": properties });
    if let Some(description) = schema.get("description") {
        object["description"] = description.clone();
    }
    object
}

/// A part as one object: what it refers to, and of one that has several shapes what any of them may hold.
fn whole(part: &Value, all: &Map<String, Value>) -> Value {
    let part = resolved(part, all);
    let Some(shapes) = part["oneOf"].as_array() else { return object(part, all) };
    let shapes = shapes.iter().map(|shape| whole(shape, all)).collect::<Vec<_>>();
    let mut names = Vec::new();
    for name in shapes.iter().filter_map(|shape| shape["properties"].as_object()).flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let always = |name: &String| {
        shapes.iter().all(|shape| shape["required"].as_array().is_some_and(|all| all.contains(&json!(name))))
    };
    let required = names.iter().filter(|name| always(name)).cloned().collect::<Vec<_>>();
    let properties = names.iter().map(|name| (name.clone(), member(name, &shapes, all))).collect::<Map<_, _>>();
    json!({ "properties": properties, "required": required })
}

/// The schema of one member over all shapes: one of the words that tell them apart, or any of its schemas.
fn member(name: &str, shapes: &[Value], all: &Map<String, Value>) -> Value {
    let found = shapes.iter().filter_map(|shape| Some((shape, shape["properties"].get(name)?))).collect::<Vec<_>>();
    let words = found.iter().filter_map(|(_, schema)| schema["enum"].as_array()).flatten().collect::<Vec<_>>();
    if words.len() == found.len() {
        let lines = found.iter().zip(&words);
        let lines = lines.map(|((shape, _), word)| {
            let word = word.as_str().unwrap_or_default();
            format!("- `{word}`: {}", shape["description"].as_str().unwrap_or_default())
        });
        let description = lines.collect::<Vec<_>>().join("\n");
        return json!({ "type": "string", "enum": words, "description": description });
    }
    let mut schemas = Vec::new();
    for (_, schema) in found {
        let schema = schema.get("$ref").map_or_else(|| schema.clone(), |reference| json!({ "$ref": reference }));
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    if let [one] = &schemas[..] {
        return one.clone();
    }
    // A client that takes the first that fits must not take one that asks for less.
    schemas.sort_by_key(|schema| std::cmp::Reverse(resolved(schema, all)["required"].as_array().map_or(0, Vec::len)));
    json!({ "anyOf": schemas })
}

fn resolved<'a>(schema: &'a Value, all: &'a Map<String, Value>) -> &'a Value {
    schema["$ref"].as_str().and_then(|reference| all.get(name_of(reference)?)).unwrap_or(schema)
}

fn name_of(reference: &str) -> Option<&str> {
    reference.strip_prefix('#')?.strip_prefix(SCHEMAS)?.strip_prefix('/')
}

/// The names of all schemas that a part of the document refers to, directly or not.
fn reachable(from: &Value, all: &Map<String, Value>) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(value) = open.pop() {
        if let Some(name) = value.get("$ref").and_then(Value::as_str).and_then(name_of)
            && found.insert(name.to_owned())
        {
            open.extend(all.get(name));
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// Members that may be absent are absent, and never `null`.
fn drop_nulls(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (_, member) in properties.iter_mut().filter(|(name, _)| !required.contains(&json!(name))) {
        let kinds =
            member["type"].as_array().map(|kinds| kinds.iter().filter(|kind| *kind != "null").collect::<Vec<_>>());
        if let Some([kind]) = kinds.as_deref() {
            member["type"] = (*kind).clone();
        }
        let shapes = member["oneOf"].as_array().map(|shapes| {
            shapes.iter().filter(|shape| **shape != json!({ "type": "null" })).cloned().collect::<Vec<_>>()
        });
        if let Some([shape]) = shapes.as_deref() {
            *member = shape.clone();
        }
    }
}
