//! State machine: the shape of every life. A state, events, and a step that is either taken or refused.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{changes::Effect, refused::Refused};

/// A record with a life.
pub trait Machine: Sized + Serialize + DeserializeOwned {
    /// What can happen to it.
    type Event;

    /// The first step: what happens to a record that does not exist.
    fn begin(event: &Self::Event, now: Timestamp) -> Result<Step<Self>, Refused>;

    /// A later step.
    fn transition(&self, event: &Self::Event, now: Timestamp) -> Result<Step<Self>, Refused>;

    /// When the tick shall look at it. Absent: never.
    fn due_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A step taken: the next state, and what the commit of it asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<S> {
    /// The record from now on. A state equal to the one before, without effects, is not written.
    pub next: S,
    /// What else shall happen.
    pub effects: Vec<Effect>,
}

impl<S> Step<S> {
    /// A step without effects.
    pub fn to(next: S) -> Self {
        Self { next, effects: Vec::new() }
    }

    /// Adds an effect.
    #[must_use]
    pub fn and(mut self, effect: impl Into<Effect>) -> Self {
        self.effects.push(effect.into());
        self
    }

    /// Adds effects.
    #[must_use]
    pub fn and_all(mut self, effects: impl IntoIterator<Item = impl Into<Effect>>) -> Self {
        self.effects.extend(effects.into_iter().map(Into::into));
        self
    }
}
