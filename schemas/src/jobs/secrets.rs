//! Secrets of jobs: who sees which values of a spec, and what is kept of it at the end.

use super::JobSpec;
use crate::access::Role;

impl JobSpec {
    /// As callers of this role see it: nobody sees secrets, and whoever may only look sees no value of a variable.
    #[must_use]
    pub fn shown_to(mut self, role: Role) -> Self {
        if let Self::Run(spec) = &mut self {
            if role == Role::Viewer { spec.without_values() } else { spec.without_secrets() }
        }
        self
    }

    /// The same when nobody needs its secrets any more.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        if let Self::Run(spec) = &mut self {
            spec.without_secrets();
        }
        self
    }
}
