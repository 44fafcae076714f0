//! Spans of time, and the options of a fleet update.

use serde_json::{Value, json};

/// `90s`, `30m`, `2h` or `3d`, in seconds.
pub fn seconds(span: &str) -> i64 {
    let (number, unit) = span.split_at(span.len() - 1);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("no such span: {span}"),
    };
    number.parse::<i64>().unwrap() * factor
}

/// `canary 1 soak 30m max-in-flight 2 …` as the request.
pub fn fleet_update(version: &str, options: &[&str]) -> Value {
    let mut request = json!({ "version": version });
    for option in options.chunks(2) {
        let [name, value] = option else { panic!("{option:?} needs a value") };
        let count = || json!(value.parse::<u32>().unwrap());
        let (field, value) = match *name {
            "canary" => ("waves", json!([count()])),
            "waves" => ("waves", value.split(',').map(|wave| json!(wave.parse::<u32>().unwrap())).collect()),
            "soak" => ("soak_seconds", json!(seconds(value))),
            "max-in-flight" => ("max_in_flight", count()),
            "max-failures" => ("max_failures", count()),
            "host-limit" => ("host_time_limit_seconds", json!(seconds(value))),
            "offline" => ("offline_policy", json!(value)),
            "deadline" => ("deadline_seconds", json!(seconds(value))),
            "window" => {
                let (start, end) = value.split_once('-').unwrap();
                ("maintenance_window", json!({ "start": start, "end": end }))
            }
            _ => panic!("no such option: {name}"),
        };
        request[field] = value;
    }
    request
}
