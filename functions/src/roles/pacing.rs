//! Pacing by options: what an operator may change of it, and which rules it must keep.

use muster_domain::pacing::Pacing;

/// The settings that may be changed.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// After how many seconds a host counts as offline whose connection was closed, or that is silent where check-ins are not
    /// held [default: 60; functions: 1380]
    #[arg(long, env = "MUSTER_OFFLINE_AFTER_SECONDS", value_parser = clap::value_parser!(u32).range(5..=86_400))]
    offline_after_seconds: Option<u32>,
    /// When an idle host checks in again where check-ins are not held, in seconds
    #[arg(long, env = "MUSTER_IDLE_INTERVAL_SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    idle_interval_seconds: Option<u32>,
    /// How often at most it is stored that a host was seen, in seconds
    #[arg(long, env = "MUSTER_PRESENCE_WRITE_SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    presence_write_seconds: Option<u32>,
    /// The longest pause that hosts make while the server does not answer, in seconds: after an outage they are back within it.
    /// With 6000 hosts or less 60, with more 2 × hosts ÷ 200 [default: by the size of the fleet;
    /// functions: 60]
    #[arg(long, env = "MUSTER_RETRY_CAP_SECONDS", value_parser = clap::value_parser!(u32).range(5..=3_600))]
    retry_cap_seconds: Option<u32>,
    /// How many operations of its store a process waits for at once. From half of it on it sheds load: first lists, then
    /// check-ins of idle hosts, then storing that a host was seen; never results, cancels and sessions
    #[arg(long, env = "MUSTER_CAPACITY", value_parser = clap::value_parser!(u32).range(8..=65_536))]
    capacity: Option<u32>,
}

impl Options {
    /// The pacing with what was changed, or which rule it breaks.
    pub fn applied_to(&self, pacing: Pacing) -> Result<Pacing, String> {
        let Self { offline_after_seconds, idle_interval_seconds, presence_write_seconds, retry_cap_seconds, capacity } =
            self;
        let pacing = Pacing {
            offline_after_seconds: offline_after_seconds.unwrap_or(pacing.offline_after_seconds),
            idle_interval_seconds: idle_interval_seconds.unwrap_or(pacing.idle_interval_seconds),
            presence_write_seconds: presence_write_seconds.unwrap_or(pacing.presence_write_seconds),
            retry_cap_seconds: retry_cap_seconds.or(pacing.retry_cap_seconds),
            capacity: capacity.unwrap_or(pacing.capacity),
            ..pacing
        };
        if let Err(least) = pacing.check() {
            return Err(format!(
                "--offline-after-seconds (MUSTER_OFFLINE_AFTER_SECONDS) must be above {least}, the longest silence of a \
                 healthy host"
            ));
        }
        Ok(pacing)
    }
}
