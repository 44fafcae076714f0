//! Reboot a host: the machine restarts, and the boot id tells whether it did.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HOST, JobKind, JobSpec, Kind, Recovery, typed};

pub(super) const KIND: Kind = Kind {
    name: "reboot",
    instead: None,
    command: Some("Restart the machines of hosts, each when its running jobs have ended"),
    sample: include_str!("../../samples/job_spec.reboot.json"),
    spec: RebootSpec::name,
    parse: |spec| typed(spec).map(JobSpec::Reboot),
};

/// Restart the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebootSpec {}

impl JobKind for RebootSpec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn recovery(&self) -> Recovery {
        Recovery::Probe
    }

    fn title(&self) -> String {
        "restart the machine".into()
    }

    fn resource(&self) -> Option<String> {
        Some(HOST.into())
    }
}
