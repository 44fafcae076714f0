//! State machine of an enrollment token: it admits a number of hosts, for a limited time.
//!
//! ```text
//! open ──Join (last seat)──▶ used up      open ──Revoke──▶ revoked      open ──time──▶ expired
//! ```
//! `used up` and `expired` are derived when read; no event leads to them.

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    enrollment::ActionOnEnrollmentToken,
    enrollment::{EnrollmentTokenState, EnrollmentTokenView},
    hosts::Labels,
    ids::{EnrollmentTokenId, HostId},
    problems::ProblemCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    access::{Permission, actions},
    changes::{Change, Effect, Note},
    hosts,
    machine::{Machine, Step},
    refused::Refused,
    words::counted,
};

/// An enrollment token. Only the hash of its text is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrollmentToken {
    /// Its id, the public part of its text.
    pub id: EnrollmentTokenId,
    /// SHA-256 of its text, hexadecimal.
    pub secret_sha256: String,
    /// How many hosts may join with it.
    pub seats: u32,
    /// How many have joined.
    pub used: u32,
    /// Labels for the hosts that join with it.
    pub labels: Labels,
    /// Its purpose, for people.
    pub note: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether an operator revoked it.
    pub revoked: bool,
}

/// An event of an /// .
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An operator created it.
    Create(Box<EnrollmentToken>),
    /// A host joins: it takes a seat and is created.
    Join {
        /// Its id.
        id: HostId,
        /// Its first step.
        host: Box<hosts::Event>,
    },
    /// An operator revokes it.
    Revoke,
}

impl Machine for EnrollmentToken {
    type Event = Event;

    fn begin(event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Create(token) => {
                let note = Note::new("enrollment_token.created", token.id, counted(token.seats, "seat"));
                Ok(Step::to((**token).clone()).and(note))
            }
            Event::Join { .. } => Err(invalid("unknown")),
            Event::Revoke => Err(Refused::not_found("enrollment token")),
        }
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Create(_) => Err(Refused::new(ProblemCode::AlreadyExists, "the token already exists")),
            Event::Join { id, host } => match self.state(now) {
                EnrollmentTokenState::Open => {
                    let joins = Effect::Also(Change::Host(*id, (**host).clone()));
                    Ok(Step::to(Self { used: self.used + 1, ..self.clone() }).and(joins))
                }
                EnrollmentTokenState::UsedUp => Err(invalid("used up")),
                EnrollmentTokenState::Expired => Err(invalid("expired")),
                EnrollmentTokenState::Revoked => Err(invalid("revoked")),
            },
            Event::Revoke if self.can_be_revoked().is_err() => Ok(Step::to(self.clone())),
            Event::Revoke => {
                let note = Note::new("enrollment_token.revoked", self.id, String::new());
                Ok(Step::to(Self { revoked: true, ..self.clone() }).and(note))
            }
        }
    }
}

impl EnrollmentToken {
    /// Whether a host can join with it at this time.
    pub fn state(&self, now: Timestamp) -> EnrollmentTokenState {
        if self.revoked {
            EnrollmentTokenState::Revoked
        } else if self.used >= self.seats {
            EnrollmentTokenState::UsedUp
        } else if now >= self.expires_at {
            EnrollmentTokenState::Expired
        } else {
            EnrollmentTokenState::Open
        }
    }

    /// Whether a machine may download the agent with it at this time. Used seats do not matter: an installation that broke off
    /// after the host had joined can be repeated.
    pub fn lets_install(&self, now: Timestamp) -> Result<(), Refused> {
        if self.revoked {
            Err(invalid("revoked"))
        } else if now >= self.expires_at {
            Err(invalid("expired"))
        } else {
            Ok(())
        }
    }

    /// Whether a caller of this role may do this with it.
    pub fn allows(&self, action: ActionOnEnrollmentToken, role: Role) -> Result<(), Refused> {
        match action {
            ActionOnEnrollmentToken::Revoke => Permission::ManageHosts.check(role).and_then(|()| self.can_be_revoked()),
        }
    }

    /// The reason for `why_not`: revoking twice changes nothing, and is not an error.
    fn can_be_revoked(&self) -> Result<(), Refused> {
        if self.revoked { Err(Refused::wrong_state("the token is already revoked")) } else { Ok(()) }
    }

    /// The token as operators of this role see it.
    pub fn view(&self, role: Role, now: Timestamp) -> EnrollmentTokenView {
        let state = self.state(now);
        let actions = actions(|action| self.allows(action, role));
        let Self { id, secret_sha256: _, seats, used, labels, note, created_at, expires_at, revoked: _ } = self.clone();
        EnrollmentTokenView { id, state, seats, used, labels, note, created_at, expires_at, actions }
    }
}

fn invalid(why: &str) -> Refused {
    Refused::new(ProblemCode::EnrollmentTokenInvalid, format_args!("the token is {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn join() -> Event {
        let described = hosts::Event::Described { name: None, labels: std::collections::BTreeMap::new() };
        Event::Join { id: HostId::new(at(0), 1), host: Box::new(described) }
    }

    fn token(seats: u32) -> EnrollmentToken {
        EnrollmentToken {
            id: EnrollmentTokenId::new(at(0), 1),
            secret_sha256: String::new(),
            seats,
            used: 0,
            labels: Labels::new(),
            note: String::new(),
            created_at: at(0),
            expires_at: at(60),
            revoked: false,
        }
    }

    #[test]
    fn takes_as_many_hosts_as_it_has_seats() {
        let after_one = token(2).transition(&join(), at(1)).expect("a seat is free").next;
        let after_two = after_one.transition(&join(), at(1)).expect("a seat is free").next;
        assert!(after_two.transition(&join(), at(1)).is_err());
    }

    #[test]
    fn ends_at_the_second_it_says() {
        assert!(token(1).transition(&join(), at(59)).is_ok());
        assert!(token(1).transition(&join(), at(60)).is_err());
    }

    #[test]
    fn a_revoked_token_takes_nobody() {
        let revoked = token(1).transition(&Event::Revoke, at(1)).expect("it can be revoked").next;
        assert!(revoked.transition(&join(), at(1)).is_err());
    }
}
