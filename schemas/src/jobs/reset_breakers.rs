//! Reset circuit breakers: the agent tries again at once what did not answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JobKind, JobSpec, Kind, Recovery, typed};

pub(super) const KIND: Kind = Kind {
    name: "reset_breakers",
    instead: None,
    command: Some("Close the circuit breakers of agents, so that they call upstreams again at once"),
    sample: include_str!("../../samples/job_spec.reset_breakers.json"),
    spec: ResetBreakersSpec::name,
    parse: |spec| typed(spec).map(JobSpec::ResetBreakers),
};

/// Close the agent's circuit breakers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBreakersSpec {}

impl JobKind for ResetBreakersSpec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn recovery(&self) -> Recovery {
        Recovery::Converge
    }

    fn title(&self) -> String {
        "reset circuit breakers".into()
    }
}
