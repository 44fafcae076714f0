//! State machine of a host's description: what it reports of itself, and what operators say of it. Its jobs and session are
//! in its mailbox.

mod actions;

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use jiff::Timestamp;
use muster_schemas::{
    hosts::{Labels, Selector},
    ids::{EnrollmentTokenId, HostId},
    reports::{AgentReport, Facts, Report},
    upstreams::Upstream,
};
use serde::{Deserialize, Serialize};

pub use self::actions::Standing;
use crate::{
    changes::{Change, Effect, Note},
    machine::{Machine, Step},
    mailboxes,
    refused::Refused,
};

/// The longest name, in characters.
const MAX_NAME: usize = 128;

/// A host's description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Its public key: 32 bytes, base64url.
    pub public_key: String,
    /// Its name: given by operators, or else its hostname.
    pub name: String,
    /// Whether operators have given it. Absent: from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_named: Option<bool>,
    /// Its labels.
    pub labels: Labels,
    /// Its own facts.
    pub facts: Facts,
    /// Its agent. Absent before its first session.
    pub agent: Option<AgentReport>,
    /// The upstreams of its agent, as last reported.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// When it joined.
    pub enrolled_at: Timestamp,
}

/// An event of a /// .
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It joined.
    Enrolled {
        /// Its id.
        id: HostId,
        /// Its public key.
        public_key: String,
        /// Its own facts.
        facts: Box<Facts>,
        /// Labels of the token it joined with.
        labels: Labels,
        /// The token it joined with.
        token: EnrollmentTokenId,
    },
    /// It reported; absent sections are unchanged.
    Reported {
        /// The sections.
        reports: Vec<Report>,
    },
    /// An operator described it.
    Described {
        /// A new name.
        name: Option<String>,
        /// Labels to set, or to remove where the value is absent.
        labels: BTreeMap<String, Option<String>>,
    },
}

impl Machine for Host {
    type Event = Event;

    fn begin(event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Enrolled { id, public_key, facts, labels, token } => {
                let host = Self {
                    id: *id,
                    public_key: public_key.clone(),
                    name: name(*id, &facts.hostname),
                    is_named: Some(false),
                    labels: labels.clone(),
                    facts: (**facts).clone(),
                    agent: None,
                    upstreams: Vec::new(),
                    enrolled_at: now,
                };
                let opened = mailboxes::Event::Open(*id, public_key.clone());
                Ok(Step::to(host).and(Effect::Also(Change::Mailbox(*id, opened))).and(Note::new(
                    "host.enrolled",
                    id,
                    format!("with {token}"),
                )))
            }
            Event::Reported { .. } | Event::Described { .. } => Err(Refused::not_found("host")),
        }
    }

    fn transition(&self, event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Enrolled { .. } => Err(Refused::wrong_state("the host is already enrolled")),
            Event::Reported { reports } => Ok(Step::to(self.reported(reports))),
            Event::Described { name, labels } => {
                let next = self.described(name.as_deref(), labels);
                let unchanged = next == *self;
                let note = Note::new("host.described", self.id, self.differs_from(&next));
                Ok(Step::to(next).and_all((!unchanged).then_some(note)))
            }
        }
    }
}

/// The name of a host until an operator renames it: the printable part of its hostname.
fn name(id: HostId, hostname: &str) -> String {
    let printable = hostname.chars().filter(|character| !character.is_control()).take(MAX_NAME).collect::<String>();
    if printable.is_empty() { id.to_string() } else { printable }
}

impl Host {
    /// Whether a selector matches it.
    pub fn matches(&self, selector: &Selector) -> bool {
        let Selector { labels, os } = selector;
        labels.iter().all(|(key, value)| self.labels.get(key) == Some(value))
            && os.as_ref().is_none_or(|os| *os == self.facts.os)
    }

    /// Whether operators have given it its name. Of a host from before that was kept its name tells: it is another than its
    /// hostname.
    fn is_named(&self) -> bool {
        self.is_named.unwrap_or_else(|| self.name != name(self.id, &self.facts.hostname))
    }

    fn reported(&self, reports: &[Report]) -> Self {
        let mut next = self.clone();
        for report in reports {
            match report {
                Report::Agent(agent) => next.agent = Some(agent.clone()),
                Report::Facts(facts) => {
                    next.is_named = Some(next.is_named());
                    if next.is_named == Some(false) {
                        next.name = name(next.id, &facts.hostname);
                    }
                    next.facts = facts.clone();
                }
                Report::Upstreams(upstreams) => next.upstreams.clone_from(upstreams),
            }
        }
        next
    }

    /// What an operator has changed, before and after.
    fn differs_from(&self, next: &Self) -> String {
        let shown = |value: Option<&String>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:?}"));
        let keys = self.labels.keys().chain(next.labels.keys()).collect::<BTreeSet<_>>();
        let labels = keys.into_iter().map(|key| (format!("label {key}"), self.labels.get(key), next.labels.get(key)));
        let changed = iter::once(("name".to_owned(), Some(&self.name), Some(&next.name))).chain(labels);
        let changed = changed.filter(|(_, before, after)| before != after);
        let texts = changed.map(|(what, before, after)| format!("{what}: {} -> {}", shown(before), shown(after)));
        texts.collect::<Vec<_>>().join(", ")
    }

    fn described(&self, name: Option<&str>, labels: &BTreeMap<String, Option<String>>) -> Self {
        let mut next = self.clone();
        if let Some(name) = name {
            name.clone_into(&mut next.name);
            next.is_named = Some(true);
        }
        for (key, value) in labels {
            match value {
                Some(value) => next.labels.insert(key.clone(), value.clone()),
                None => next.labels.remove(key),
            };
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(hostname: &str) -> Facts {
        Facts { hostname: hostname.into(), ..Facts::default() }
    }

    fn host(hostname: &str) -> Host {
        let (at, public_key) = (Timestamp::UNIX_EPOCH, String::new());
        let (id, token) = (HostId::new(at, 1), EnrollmentTokenId::new(at, 1));
        let joined = Event::Enrolled { id, public_key, facts: Box::new(facts(hostname)), labels: Labels::new(), token };
        Host::begin(&joined, at).expect("it joins").next
    }

    fn renamed(host: &Host, hostname: &str) -> Host {
        host.reported(&[Report::Facts(facts(hostname))])
    }

    #[test]
    fn a_host_that_nobody_has_named_is_called_what_it_calls_itself_now() {
        let host = renamed(&host("vm"), "web-7.example");
        assert_eq!(host.name, "web-7.example");
        let named = renamed(&host.described(Some("front"), &BTreeMap::new()), "web-8.example");
        assert_eq!((named.name.as_str(), named.facts.hostname.as_str()), ("front", "web-8.example"));
        let same = host.described(Some("web-7.example"), &BTreeMap::new());
        assert_eq!(renamed(&same, "web-9").name, "web-7.example", "given, although it is its hostname");
    }

    #[test]
    fn a_name_from_before_is_a_given_one_if_it_is_not_the_hostname() {
        let before = |name: &str| Host { is_named: None, name: name.into(), ..host("vm") };
        assert_eq!(renamed(&renamed(&before("vm"), "web-7"), "web-8").name, "web-8");
        assert_eq!(renamed(&renamed(&before("front"), "front"), "web-8").name, "front");
    }
}
