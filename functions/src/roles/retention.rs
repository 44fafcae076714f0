//! Retention by options: how long what is over is kept.

use muster_domain::retention::Retention;

/// The settings. 0: for ever.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the options are called so")]
pub struct Options {
    /// How many days the log of a job is kept, from the job's deadline on; 0: as long as the job
    #[arg(long, env = "MUSTER_KEEP_LOGS_DAYS", default_value_t = 30, value_parser = days())]
    keep_logs_days: u32,
    /// How many days a job is kept after its end; 0: for ever
    #[arg(long, env = "MUSTER_KEEP_JOBS_DAYS", default_value_t = 90, value_parser = days())]
    keep_jobs_days: u32,
    /// How many days an entry of the audit trail is kept; 0: for ever
    #[arg(long, env = "MUSTER_KEEP_AUDIT_DAYS", default_value_t = 400, value_parser = days())]
    keep_audit_days: u32,
    /// How many days a retired host is kept; 0: for ever
    #[arg(long, env = "MUSTER_KEEP_RETIRED_HOSTS_DAYS", default_value_t = 90, value_parser = days())]
    keep_retired_hosts_days: u32,
}

impl Options {
    /// What was asked for.
    pub fn retention(&self) -> Retention {
        let Self { keep_logs_days, keep_jobs_days, keep_audit_days, keep_retired_hosts_days } = *self;
        Retention {
            log_days: keep_logs_days,
            job_days: keep_jobs_days,
            audit_days: keep_audit_days,
            host_days: keep_retired_hosts_days,
        }
    }
}

/// A century is as good as for ever, and no time that is out of range.
fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=36_500)
}
