//! What callers may do: each action of each noun is decided on, and a newer server may know more of them.

use std::collections::BTreeMap;

use muster_schemas::{
    access::{ActionOfCaller, ActionOnApiKey, ActionOnUser},
    actions::{Action, Actions},
    enrollment::ActionOnEnrollmentToken,
    fleet_updates::ActionOnFleetUpdate,
    hosts::ActionOnHost,
    jobs::ActionOnJob,
    releases::ActionOnRelease,
};
use serde_json::{Value, json};
use utoipa::ToSchema;

fn words<A: Action + ToSchema>() -> (Value, Value) {
    let schema = serde_json::to_value(A::schema()).expect("it is plain data");
    (schema["enum"].clone(), json!(A::ALL))
}

#[test]
fn every_action_is_decided_on() {
    for (named, decided) in [
        words::<ActionOnHost>(),
        words::<ActionOnJob>(),
        words::<ActionOnRelease>(),
        words::<ActionOnFleetUpdate>(),
        words::<ActionOnEnrollmentToken>(),
        words::<ActionOnUser>(),
        words::<ActionOnApiKey>(),
        words::<ActionOfCaller>(),
    ] {
        assert_eq!(named, decided);
    }
}

#[test]
fn what_a_newer_server_tells_of_is_left_out_and_what_an_older_one_does_not_tell_is_empty() {
    let newer = json!({ "allowed": ["run", "dance"], "why_not": { "sing": "no voice", "remove": "no" } });
    let read: Actions<ActionOnHost> = serde_json::from_value(newer).expect("it is tolerated");
    assert_eq!(read.allowed, [ActionOnHost::Run]);
    assert_eq!(read.why_not, BTreeMap::from([(ActionOnHost::Remove, "no".to_owned())]));
    let older: Actions<ActionOnHost> = serde_json::from_value(json!({})).expect("it is tolerated");
    assert_eq!((older.allowed, older.why_not), (Vec::new(), BTreeMap::new()));
}
