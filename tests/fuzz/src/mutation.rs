//! Mutations that keep the syntax: behind a parser is where decisions are.

use rand::{
    RngExt,
    rngs::StdRng,
    seq::{IndexedRandom, IteratorRandom},
};
use serde_json::{Map, Value, json};

/// Texts at the edges of what fields take.
const TEXTS: [&str; 24] = [
    "",
    "0",
    "*",
    "/",
    "..",
    "10%",
    "+5%",
    "22:00",
    "+1:00",
    "\0",
    "ä",
    "\u{1b}",
    "1.1.0",
    "0.9.0",
    "agent",
    "run",
    "-009999-01-02T01:59:59Z",
    "1970-01-01T00:00:00Z",
    "2026-03-02T12:00:00Z",
    "2026-03-09T23:59:59.999999999Z",
    "9999-12-30T22:00:00.999999999Z",
    "job_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    "host_01KJQ6PSG0DRSNYJN0TRKP6Y1T",
    "prc_00000000000000000000000000",
];
/// Bytes that mean something to one of the parsers.
const TOKENS: [&str; 12] = ["\n", "!", " ", "=", "\"", "[", "]", "{", "}", "\\", "\u{0}", "\n---\n"];

/// A changed input: of a JSON text, or of a line of it, a value; else some bytes.
pub fn mutate(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    if random.random_bool(0.25) {
        return mutate_bytes(bytes, random);
    }
    if let Some(changed) = mutate_json(bytes, random) {
        return changed;
    }
    let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let Some(place) = (0..lines.len()).choose(random) else { return mutate_bytes(bytes, random) };
    match random.random_range(0..6) {
        0 => drop(lines.remove(place)),
        1 => lines.insert(place, lines[place].clone()),
        2 => lines.swap(place, 0),
        _ => lines[place] = mutate_line(&lines[place], random),
    }
    lines.concat()
}

/// A line may have a mark before its JSON.
fn mutate_line(line: &[u8], random: &mut StdRng) -> Vec<u8> {
    let start = line.iter().position(|byte| *byte == b'{' || *byte == b'[').unwrap_or(line.len());
    match mutate_json(&line[start..], random) {
        Some(changed) => [&line[..start], &changed, b"\n"].concat(),
        None => mutate_bytes(line, random),
    }
}

fn mutate_json(bytes: &[u8], random: &mut StdRng) -> Option<Vec<u8>> {
    let mut value = serde_json::from_slice::<Value>(bytes).ok()?;
    for _ in 0..[1, 1, 1, 2, 3].choose(random).copied().unwrap_or(1) {
        let (nodes, donors) = (count(&value), count(&value));
        let donor = nth(&mut value, &mut random.random_range(0..donors)).cloned().unwrap_or_default();
        let mut place = random.random_range(0..nodes);
        if let Some(node) = nth(&mut value, &mut place) {
            edit(node, donor, random);
        }
    }
    serde_json::to_vec(&value).ok()
}

fn edit(node: &mut Value, donor: Value, random: &mut StdRng) {
    match node {
        Value::Object(members) if random.random_bool(0.7) => edit_members(members, donor, random),
        Value::Array(values) if random.random_bool(0.7) => edit_list(values, donor, random),
        Value::String(text) if random.random_bool(0.3) => {
            let changed = mutate_bytes(text.as_bytes(), random);
            *text = String::from_utf8_lossy(&changed).into();
        }
        _ if random.random_bool(0.3) => *node = donor,
        _ => *node = edge(random),
    }
}

fn edit_members(members: &mut Map<String, Value>, donor: Value, random: &mut StdRng) {
    let Some(name) = members.keys().cloned().choose(random) else { return };
    if random.random_bool(0.5) {
        members.remove(&name);
    } else {
        let to = members.keys().cloned().choose(random).unwrap_or(name);
        members.insert(to, donor);
    }
}

fn edit_list(values: &mut Vec<Value>, donor: Value, random: &mut StdRng) {
    let Some(place) = (0..values.len()).choose(random) else { return values.push(donor) };
    match random.random_range(0..5) {
        0 => drop(values.remove(place)),
        1 => values.insert(place, values[place].clone()),
        2 => values.swap(place, 0),
        3 => values.insert(place, donor),
        _ => values.extend(std::iter::repeat_n(values[place].clone(), random.random_range(0..90))),
    }
}

/// A value at the edge of what a field takes.
fn edge(random: &mut StdRng) -> Value {
    match random.random_range(0..8) {
        0 => [0, 1, 80, 3600, 86_400, u64::from(u32::MAX), (1 << 53) + 1, u64::MAX].choose(random).copied().into(),
        1 => [-1, -80, i64::MIN, i64::from(i32::MIN)].choose(random).copied().into(),
        2 => [0.1, 1e-7, 2.0, 1e300, 0.3 + f64::EPSILON].choose(random).copied().into(),
        3 => random.random::<f64>().into(),
        4 => Value::from("x".repeat(1 << random.random_range(0..18))),
        5 => [json!(null), json!(true), json!(false), json!([]), json!({})].choose(random).cloned().into(),
        6 => (0..random.random_range(1..130)).fold(json!(1), |inner, _| json!([inner])),
        _ => (*TEXTS.choose(random).unwrap_or(&"")).into(),
    }
}

/// Values in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum::<usize>(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value at this place, counted from the top.
fn nth<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|inner| nth(inner, place)),
        Value::Object(members) => members.values_mut().find_map(|inner| nth(inner, place)),
        _ => None,
    }
}

fn mutate_bytes(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let end = changed.len();
    let (from, to) = (random.random_range(0..=end), random.random_range(0..=end));
    let range = from.min(to)..from.max(to).min(from.min(to) + 64);
    match random.random_range(0..6) {
        0 => drop(changed.drain(range)),
        1 => changed.truncate(from),
        2 => drop(changed.splice(from..from, bytes[range].to_vec())),
        3 if end > 0 => changed[from.min(end - 1)] = random.random(),
        4 if end > 0 => changed[from.min(end - 1)] ^= 1 << random.random_range(0..8),
        _ => {
            let token = if random.random_bool(0.5) { TOKENS.choose(random) } else { TEXTS.choose(random) };
            drop(changed.splice(from..from, token.unwrap_or(&"").bytes()));
        }
    }
    changed
}
