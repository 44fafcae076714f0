//! Retention: how long what is over is kept. What is still open, or is needed by something open, is kept whatever its age.

use jiff::{SignedDuration, Timestamp};

const HOURS_OF_A_DAY: i64 = 24;

/// How long what is over is kept, in days. 0: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The log of a job, from the job's deadline on.
    pub log_days: u32,
    /// A job, from its end on; its log is never kept longer.
    pub job_days: u32,
    /// An entry of the audit trail.
    pub audit_days: u32,
    /// A retired host.
    pub host_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { log_days: 30, job_days: 90, audit_days: 400, host_days: 90 }
    }
}

impl Retention {
    /// Nothing is ever removed.
    pub const FOR_EVER: Self = Self { log_days: 0, job_days: 0, audit_days: 0, host_days: 0 };

    /// Until when the log of a job is kept whose time is over then. `None`: for ever.
    pub fn log_until(&self, over_at: Timestamp) -> Option<Timestamp> {
        let ends = [until(over_at, self.log_days), self.job_until(over_at)];
        ends.into_iter().flatten().min()
    }

    /// Until when a job is kept that ended then.
    pub fn job_until(&self, ended_at: Timestamp) -> Option<Timestamp> {
        until(ended_at, self.job_days)
    }

    /// Until when an entry of the audit trail is kept.
    pub fn audit_until(&self, at: Timestamp) -> Option<Timestamp> {
        until(at, self.audit_days)
    }

    /// Until when a host is kept that was retired then.
    pub fn host_until(&self, retired_at: Timestamp) -> Option<Timestamp> {
        until(retired_at, self.host_days)
    }
}

fn until(at: Timestamp, days: u32) -> Option<Timestamp> {
    let span = SignedDuration::from_hours(i64::from(days) * HOURS_OF_A_DAY);
    (days > 0).then(|| at.checked_add(span).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_days_are_for_ever_and_a_log_goes_no_later_than_its_job() {
        let at = Timestamp::UNIX_EPOCH;
        let day = |count: i64| Some(Timestamp::from_second(count * 86_400).expect("it is in range"));
        let kept = |log_days, job_days| Retention { log_days, job_days, ..Retention::default() };
        assert_eq!(kept(30, 90).log_until(at), day(30));
        assert_eq!(kept(90, 30).log_until(at), day(30));
        assert_eq!(kept(0, 30).log_until(at), day(30), "a log without its job is found by nobody");
        assert_eq!(kept(30, 0).log_until(at), day(30));
        assert_eq!((kept(0, 0).log_until(at), kept(0, 0).job_until(at)), (None, None));
        assert_eq!(Retention::default().audit_until(Timestamp::MAX), Some(Timestamp::MAX));
    }
}
