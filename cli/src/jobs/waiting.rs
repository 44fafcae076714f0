//! Word of what jobs wait for, when nothing else has been heard of them for some seconds.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    time::Duration,
};

use muster_schemas::{ids::JobId, jobs::JobView};
use tokio::time::{Instant, sleep_until};

use crate::output::Context;

/// How long nothing happens before it is said what is waited for.
const QUIET: Duration = Duration::from_secs(3);

/// The jobs that have not ended, and what each waits for.
pub struct Waiting {
    all: usize,
    open: RefCell<BTreeMap<JobId, Option<String>>>,
    last: Cell<Instant>,
    said: RefCell<String>,
}

impl Waiting {
    /// The wait for these jobs, which begins now.
    pub fn of(jobs: &[JobView]) -> Self {
        let open = jobs.iter().map(|job| (job.id, job.waiting_on.clone())).collect();
        Self { all: jobs.len(), open: RefCell::new(open), last: Cell::new(Instant::now()), said: RefCell::default() }
    }

    /// A job is as this view says.
    pub fn heard(&self, job: &JobView) {
        self.open.borrow_mut().insert(job.id, job.waiting_on.clone());
    }

    /// A job is not waited for any more.
    pub fn over(&self, id: JobId) {
        self.open.borrow_mut().remove(&id);
        self.happened();
    }

    /// Something was printed.
    pub fn happened(&self) {
        self.last.set(Instant::now());
    }

    /// Says to stderr what is waited for, whenever nothing has happened for some seconds and it was not said before.
    pub async fn tell(&self, context: &Context) -> Infallible {
        loop {
            let quiet_at = self.last.get() + QUIET;
            sleep_until(quiet_at).await;
            if self.last.get() + QUIET <= quiet_at {
                self.happened();
                if let Some(words) = self.news() {
                    context.remark(&words);
                }
            }
        }
    }

    fn news(&self) -> Option<String> {
        let words = self.words()?;
        let is_new = *self.said.borrow() != words;
        self.said.replace(words.clone());
        is_new.then_some(words)
    }

    fn words(&self) -> Option<String> {
        let open = self.open.borrow();
        let what = open.values().flatten().next()?;
        let (left, all) = (open.len(), self.all);
        Some(if all == 1 {
            format!("Waiting for {what}.")
        } else {
            format!("Waiting for {left} of {all} jobs, such as {what}.")
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(number: u32, waiting_on: Option<&str>) -> JobView {
        let at = "2026-01-01T00:00:00Z";
        serde_json::from_value(json!({
            "id": format!("job_{number:026}"), "host_id": "host_00000000000000000000000001", "sequence": 1,
            "kind": "run", "spec": { "argv": ["/bin/true"] }, "state": "queued", "waiting_on": waiting_on,
            "created_by": "user:ada", "created_at": at, "start_by": at, "time_limit_seconds": 60,
            "cancel_requested": false, "log_bytes": 0, "revision": 1,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn what_is_waited_for_is_said_once_and_again_when_it_is_something_else() {
        let waiting = Waiting::of(&[job(1, Some("the next check-in"))]);
        assert_eq!(waiting.news().as_deref(), Some("Waiting for the next check-in."));
        assert_eq!(waiting.news(), None);
        waiting.heard(&job(1, Some("it to finish")));
        assert_eq!(waiting.news().as_deref(), Some("Waiting for it to finish."));
        waiting.over(job(1, None).id);
        assert_eq!(waiting.news(), None);
    }

    #[tokio::test]
    async fn of_several_jobs_it_is_said_how_many_are_left_and_for_what_one_of_them_waits() {
        let waiting = Waiting::of(&[job(1, Some("a")), job(2, Some("b")), job(3, None)]);
        waiting.over(job(1, None).id);
        assert_eq!(waiting.news().as_deref(), Some("Waiting for 2 of 3 jobs, such as b."));
    }
}
