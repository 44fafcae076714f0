//! Update the agent: bring it to a release, which it verifies, tries, and commits or rolls back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JobKind, JobSpec, Kind, Recovery, first_broken, typed};
use crate::{
    envelopes::is_sha256,
    problems::Problem,
    releases::{VERSION_RULE, is_version},
};

/// The resource that updates of the agent act on.
pub const AGENT: &str = "agent";

pub(super) const KIND: Kind = Kind {
    name: "self_update",
    instead: Some("an update of the agent goes through POST /api/v1/hosts/{id}/update or a fleet update"),
    command: None,
    sample: include_str!("../../samples/job_spec.self_update.json"),
    spec: SelfUpdateSpec::name,
    parse: |spec| typed(spec).map(JobSpec::SelfUpdate),
};

/// Bring the agent to a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfUpdateSpec {
    /// The release's version.
    pub version: String,
    /// SHA-256 of the signed manifest's payload, hexadecimal: which release exactly.
    pub manifest_sha256: String,
}

impl JobKind for SelfUpdateSpec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn recovery(&self) -> Recovery {
        Recovery::Probe
    }

    fn title(&self) -> String {
        format!("update the agent to {}", self.version)
    }

    fn resource(&self) -> Option<String> {
        Some(AGENT.into())
    }

    /// Both texts become paths on the host.
    fn check(&self) -> Result<(), Box<Problem>> {
        first_broken(&[
            ("spec.version", is_version(&self.version), VERSION_RULE),
            ("spec.manifest_sha256", is_sha256(&self.manifest_sha256), "must be 64 hexadecimal digits in lower case"),
        ])
    }
}
