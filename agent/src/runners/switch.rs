//! `kind = true` or `kind = false` in `policy.toml`: the section of a kind of which everything is allowed, or nothing.

use std::{fmt, marker::PhantomData};

use muster_schemas::jobs::JobKind;
use serde::Deserialize;

use super::Section;

/// A switch, and what it is when the file does not name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Switch<Spec, const DEFAULT: bool>(bool, PhantomData<Spec>);

impl<Spec, const DEFAULT: bool> Switch<Spec, DEFAULT> {
    /// Off: what holds while the file cannot be read.
    pub const OFF: Self = Self(false, PhantomData);
}

impl<Spec, const DEFAULT: bool> Default for Switch<Spec, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT, PhantomData)
    }
}

impl<Spec, const DEFAULT: bool> fmt::Display for Switch<Spec, DEFAULT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<Spec: JobKind, const DEFAULT: bool> Section for Switch<Spec, DEFAULT> {
    type Spec = Spec;

    fn allows(&self, spec: &Spec) -> Result<(), String> {
        if self.0 { Ok(()) } else { Err(format!("this host's policy does not allow {}", spec.kind().name)) }
    }

    fn lets_something(&self) -> bool {
        self.0
    }
}
