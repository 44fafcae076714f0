//! Host reports (inventory), in sections. A section is sent when a session starts, and when it has changed.
//!
//! Host and server compare one short digest over all sections, so that the size of an idle check-in does not depend on them.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    envelopes::sha256_hex,
    ids::{JobId, ProcessId},
    upstreams::Upstream,
};

/// The length of a digest of reports, in hexadecimal digits.
const DIGEST_LENGTH: usize = 16;

/// One section of a host's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "section", content = "report", rename_all = "snake_case")]
pub enum Report {
    /// The running agent: its bytes, its process, and how the last update ended.
    Agent(AgentReport),
    /// The facts of the machine.
    Facts(Facts),
    /// The upstreams of the agent, as this process has seen them so far.
    Upstreams(Vec<Upstream>),
}

/// The name of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The running agent.
    Agent,
    /// The facts of the machine.
    Facts,
    /// The upstreams of the agent.
    Upstreams,
    /// A section that this side does not know.
    #[serde(other)]
    Unknown,
}

impl Section {
    /// Every section that this side knows.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Facts, Self::Upstreams];
}

impl Report {
    /// Which section it is.
    pub fn section(&self) -> Section {
        match self {
            Self::Agent(_) => Section::Agent,
            Self::Facts(_) => Section::Facts,
            Self::Upstreams(_) => Section::Upstreams,
        }
    }
}

/// The digest of a set of reports: one short text for any number of reports, which must be in the order of their sections.
pub fn digest<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let reports = reports.into_iter().collect::<Vec<_>>();
    let json = serde_json::to_vec(&reports).expect("reports are plain data");
    sha256_hex(&json)[..DIGEST_LENGTH].into()
}

/// The digest as the server stores it: with the sections that it accepted, so that a newer server that knows more sections
/// sees that one is missing.
pub fn as_stored(digest: &str) -> String {
    static KNOWN: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string(&Section::ALL).expect("words are plain data"));
    let mut stored = sha256_hex([digest, &KNOWN].concat().as_bytes());
    stored.truncate(DIGEST_LENGTH);
    stored
}

/// The running agent, as the host reports it: its bytes, its process, and how its last update ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AgentReport {
    /// The agent's version, as built in.
    pub version: String,
    /// SHA-256 of the running executable, hexadecimal.
    pub executable_sha256: String,
    /// Random, drawn at each start of the agent process.
    pub process_id: ProcessId,
    /// The kernel's boot id. Empty when the platform has none.
    #[serde(default)]
    pub boot_id: String,
    /// Whether this version is committed: it passed its health gate, and a restart starts it again.
    #[serde(default = "yes")]
    pub committed: bool,
    /// How the last update of the agent ended on this host. Absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update: Option<LastUpdate>,
}

fn yes() -> bool {
    true
}

/// How an update of the agent ended, by the supervisor's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LastUpdate {
    /// The job that asked for it.
    pub transaction: JobId,
    /// The new version.
    pub to: String,
    /// How it ended.
    pub outcome: UpdateOutcome,
    /// Why, for people; up to 4 KiB, with the last lines of a failed start. Empty when committed.
    #[serde(default)]
    pub reason: String,
    /// How often the new version was started.
    #[serde(default)]
    pub tries: u32,
}

/// How an update of the agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateOutcome {
    /// The new version passed its health gate.
    Committed,
    /// The new version failed; the old one runs.
    RolledBack,
    /// Neither version could reach the server, so whether the new one works is unknown; the old one runs.
    Inconclusive,
    /// Refused before anything of it was executed as an agent: signature, digest, size, platform or preflight.
    Refused,
    /// An outcome that this side does not know.
    #[serde(other)]
    Unknown,
}

/// The facts of a host, which its agent reads without running a command.
/// Sent in full when a session starts and when its digest has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Facts {
    /// The host's own name, from the kernel.
    pub hostname: String,
    /// `linux` or `windows`, as releases name it.
    pub os: String,
    /// The distribution and its version, from `/etc/os-release`. Empty when unknown.
    pub os_version: String,
    /// `x86_64` or `aarch64`, as releases name it.
    pub architecture: String,
    /// The kernel's release. Empty when it cannot be told.
    pub kernel: String,
    /// Addresses of the host's interfaces, without loopback, in text form.
    pub ip_addresses: Vec<String>,
    /// SHA-256 of `/etc/machine-id`, hexadecimal: tells machines apart without naming them. Empty when there is none.
    pub machine_id_sha256: String,
    /// When the host was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted_at: Option<Timestamp>,
    /// Logical processors.
    pub cpu_count: u32,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// Mounted file systems.
    pub disks: Vec<Disk>,
    /// Job kinds that this host's policy allows, in order; and behind them what its agent can do beyond (`run.secret_environment`).
    pub capabilities: Vec<String>,
}

impl Facts {
    /// SHA-256 of the facts as JSON, hexadecimal: tells whether they have changed.
    pub fn digest(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("facts are plain data"))
    }
}

/// A mounted file system. What is free is not a fact (it changes all the time): `inspect` tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}
