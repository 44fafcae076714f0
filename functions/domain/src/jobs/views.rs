//! Views of a job: the command for its host, the view for operators, and what it waits for.

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    commands::Command,
    jobs::ActionOnJob,
    jobs::{JobState, JobView},
};

use super::{Job, JobOrder, Origin};
use crate::{
    access::{Permission, actions},
    refused::Refused,
};

impl Job {
    /// The command that its host gets.
    pub fn command(&self) -> Command {
        let wire = serde_json::to_value(&self.asked.spec).expect("a spec is plain data");
        Command {
            id: self.id,
            host_id: self.host_id,
            sequence: self.sequence,
            kind: self.asked.spec.kind().into(),
            spec: wire.get("spec").cloned().unwrap_or_default(),
            recovery: self.asked.spec.rules().recovery(),
            resource: self.asked.resource.clone(),
            // Jobs of one host on one resource are created in the order of their sequence.
            generation: self.sequence,
            start_by: self.asked.start_by,
            time_limit_seconds: self.asked.time_limit_seconds,
        }
    }

    /// The thing that the job waits for, in words.
    pub fn waiting_on(&self, now: Timestamp) -> Option<String> {
        let host = self.host_id;
        let to = |verb: &str| format!("{host} to {} it", if self.cancel_requested { "stop" } else { verb });
        match self.state {
            JobState::Queued => Some(format!("the next check-in of {host}, until {}", self.asked.start_by)),
            JobState::Offered => Some(to("accept")),
            JobState::Accepted => Some(to("start")),
            JobState::Running if now < self.deadline() => Some(format!("{}, until {}", to("finish"), self.deadline())),
            JobState::Running => Some(format!("{}, overdue since {}", to("finish"), self.deadline())),
            JobState::PresumedLost => {
                let overdue = match &self.given_up {
                    Some(given_up) => format!(", given up by {}", given_up.name()),
                    None if now >= self.deadline() => format!(", overdue since {}", self.deadline()),
                    // Its host was retired before.
                    None => String::new(),
                };
                Some(format!("a late report from {host}{overdue}"))
            }
            _ => None,
        }
    }

    /// Whether what may be done with it depends on whether its host is online.
    pub fn asks_for_its_host(&self) -> bool {
        matches!(self.state, JobState::Offered | JobState::Accepted | JobState::Running)
    }

    /// Whether a caller of this role may do this with it.
    pub fn allows(&self, action: ActionOnJob, role: Role, host_is_online: bool) -> Result<(), Refused> {
        match action {
            ActionOnJob::Cancel => Permission::RunJobs.check(role).and_then(|()| self.can_be_cancelled()),
            ActionOnJob::EraseLog => self.can_be_erased(role),
            ActionOnJob::GiveUp => Permission::RunJobs.check(role).and_then(|()| self.can_be_given_up(host_is_online)),
        }
    }

    /// The job as operators of this role see it. Whether its host is online matters only if it [`Self::asks_for_its_host`].
    pub fn view(&self, role: Role, now: Timestamp, revision: u64, host_is_online: bool) -> JobView {
        let waiting_on = self.waiting_on(now);
        let actions = actions(|action| self.allows(action, role, host_is_online));
        let Self { id, host_id, sequence, asked, state, created_at, offered_at, session: _, .. } = self.clone();
        let Self { accepted_at, started_at, ended_at, cancel_requested, log_bytes, output_lost_bytes, result, .. } =
            self.clone();
        let output_cut_bytes = self.cut_bytes();
        let log_erased = self.log_erased.clone();
        // A word that came later has corrected it.
        let given_up = self.given_up.as_ref().filter(|_| self.state == JobState::PresumedLost);
        let (given_up_by, given_up_at) = (given_up.map(|by| by.name().into()), given_up.map(|given_up| given_up.at));
        let JobOrder { spec, resource, origin, caller_name: created_by_name, start_by, time_limit_seconds } = asked;
        let fleet_update_id = origin.fleet_update().map(|place| place.fleet_update_id);
        let created_by = match origin {
            Origin::Caller(caller) => caller,
            Origin::FleetUpdate(place) => place.fleet_update_id.to_string(),
        };
        JobView {
            id,
            host_id,
            sequence,
            title: spec.rules().title(),
            spec: spec.shown_to(role),
            state,
            waiting_on,
            resource,
            created_by,
            created_by_name,
            fleet_update_id,
            created_at,
            start_by,
            time_limit_seconds,
            offered_at,
            accepted_at,
            started_at,
            ended_at,
            cancel_requested,
            given_up_by,
            given_up_at,
            log_bytes,
            output_lost_bytes,
            output_cut_bytes,
            log_erased,
            result,
            revision,
            actions,
        }
    }
}
