//! Every message of the wire and every record of the store: what is read is written, and read again the same.

use std::collections::BTreeMap;

use muster_domain::{
    changes::Change, enrollment_tokens::EnrollmentToken, fleet_updates::FleetUpdate,
    fleet_updates::hosts::FleetUpdateHost, hosts::Host, jobs::Job, mailboxes::Mailbox, releases::Release,
};
use muster_schemas::messages::MESSAGES;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Reads something and writes it again.
type Again = fn(&str) -> Result<String, serde_json::Error>;

const RECORDS: [(&str, Again); 8] = [
    ("change", again::<Change>),
    ("enrollment_token", again::<EnrollmentToken>),
    ("fleet_update", again::<FleetUpdate>),
    ("fleet_update_host", again::<FleetUpdateHost>),
    ("host", again::<Host>),
    ("job", again::<Job>),
    ("mailbox", again::<Mailbox>),
    ("release", again::<Release>),
];

/// Nothing is lost or changed on the way. An input says which message it is, as `{"job_view": {…}}`.
pub fn messages(bytes: &[u8]) {
    let Ok(named) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(bytes) else { return };
    let messages = MESSAGES.iter().map(|message| (message.kind(), message.again));
    for (name, again) in messages.chain(RECORDS) {
        named.get(name).into_iter().for_each(|text| stays(name, again, text.get()));
    }
}

fn stays(name: &str, again: Again, text: &str) {
    let Ok(first) = again(text) else { return };
    let second = again(&first).unwrap_or_else(|error| panic!("{name}: {error}: {first}"));
    assert_eq!(second, first, "{name}");
}

fn again<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::from_str::<T>(text)?)
}
