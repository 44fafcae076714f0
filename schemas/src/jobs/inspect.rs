//! Inspect a host: report its facts in full, at once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JobKind, JobSpec, Kind, Recovery, typed};

pub(super) const KIND: Kind = Kind {
    name: "inspect",
    instead: None,
    command: Some("Make hosts report all their facts again"),
    sample: include_str!("../../samples/job_spec.inspect.json"),
    spec: InspectSpec::name,
    parse: |spec| typed(spec).map(JobSpec::Inspect),
};

/// Report the host's facts in full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectSpec {}

impl JobKind for InspectSpec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn recovery(&self) -> Recovery {
        Recovery::Converge
    }

    fn title(&self) -> String {
        "inspect the host".into()
    }
}
