//! Secrets of jobs: who sees which values of a spec, and what is kept of it at the end.

use super::JobSpec;
use crate::access::Role;

impl JobSpec {
    /// As callers of this role see it: nobody sees secrets, and whoever may only look sees no value of a variable.
    #[must_use]
    pub fn shown_to(mut self, role: Role) -> Self {
        match &mut self {
            Self::Run(spec) if role == Role::Viewer => spec.without_values(),
            Self::Run(spec) => spec.without_secrets(),
            Self::Inspect(_) | Self::ResetBreakers(_) | Self::SelfUpdate(_) | Self::Reboot(_) => {}
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
