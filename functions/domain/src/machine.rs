//! State machine: the trait of every record with a life cycle. An event either takes a step or is refused.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{changes::Effect, refused::Refused};

/// A record with a life cycle.
pub trait Machine: Sized + Serialize + DeserializeOwned {
    /// An event of it.
    type Event;

    /// The first step: what happens to a record that does not exist.
    fn begin(event: &Self::Event, now: Timestamp) -> Result<Step<Self>, Refused>;

    /// A later step.
    fn transition(&self, event: &Self::Event, now: Timestamp) -> Result<Step<Self>, Refused>;

    /// When the tick must look at it. Absent: never.
    fn due_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A step: the next state, and the effects that are committed with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<S> {
    /// The record from now on. A state equal to the one before, without effects, is not written.
    pub next: S,
    /// The effects of the step.
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
