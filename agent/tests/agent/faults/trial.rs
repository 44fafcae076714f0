//! One host whose disk fails at one point, and what it makes of it.

use std::{
    collections::BTreeSet,
    thread::park_timeout,
    time::{Duration, Instant},
};

use muster_schemas::ids::JobId;
use tempfile::TempDir;

use super::{points::Reached, work::Work};
use crate::world::{
    faults::{Fault, Faults},
    host::Host,
    server::{PATIENCE, Server, World},
};

/// How long between two looks at what changes without a word.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub struct Trial {
    pub server: Server,
    pub host: Host,
    pub faults: Faults,
    pub jobs: Vec<JobId>,
    /// What no fault touches.
    pub outside: TempDir,
    work: &'static Work,
}

impl Trial {
    /// A host that has joined and does not run yet.
    pub fn new(work: &'static Work) -> Self {
        let server = Server::start();
        let mut host = Host::joined(&server);
        (work.prepare)(&mut host);
        let faults = Faults::new(host.state.path());
        Self { server, host, faults, jobs: Vec::new(), outside: tempfile::tempdir().unwrap(), work }
    }

    /// Starts the host, and begins with what is to be tried. Says how many changes of the disk came before that.
    pub fn begin(&mut self, fault: Option<(Fault, u64)>) -> u64 {
        self.host.environment.extend(self.faults.environment());
        if !self.work.from_start {
            self.host.start();
            self.server.assert_host_works();
            self.wait_until("it is idle", |trial| trial.is_at_rest());
        }
        let before = self.faults.changes();
        if let Some((fault, number)) = fault {
            self.faults.strike(fault, number);
        }
        self.jobs = (self.work.begin)(&self.server, self.outside.path());
        if self.work.from_start {
            self.host.start();
        }
        before
    }

    /// Starts the agent without faults.
    pub fn start_again(&mut self) {
        self.host.environment.clear();
        self.host.start();
    }

    /// Whether every result was told, and the host has put down that it was.
    pub fn is_at_rest(&self) -> bool {
        let told = |world: &World, id: &JobId| world.results.contains_key(id);
        self.server.with(|world| {
            let every = self.jobs.iter().chain(world.jobs.iter().map(|job| &job.id)).all(|id| told(world, id));
            let last = world.check_ins[world.check_ins_before_result..].last();
            every && last.is_some_and(|last| last.session == world.session && last.open.is_empty())
        })
    }

    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < until, "waited in vain until {what}");
            park_timeout(LOOK_EVERY);
        }
    }

    /// What must be true in the end, and still when the agent has been started once more. Nothing happens to the disk any more.
    pub fn assert_holds(&mut self) -> Reached {
        self.faults.mend();
        if self.host.has_ended() {
            self.start_again();
        }
        self.assert_true();
        assert!(self.host.stop().success());
        self.start_again();
        self.assert_true();
        if self.faults.struck() > 0 { Reached::Yes } else { Reached::No }
    }

    fn assert_true(&self) {
        self.server.assert_host_works();
        (self.work.check)(self);
        assert_eq!(self.server.with(|world| world.conflicts), 0, "two results were told of one job");
    }

    /// How often the agent was started.
    pub fn starts(&self) -> usize {
        let processes = |world: &mut World| {
            world.sessions.iter().map(|session| session.agent.process_id.to_string()).collect::<BTreeSet<_>>().len()
        };
        self.server.with(processes)
    }
}

/// How many changes of the disk the work is made of.
pub fn changes_of(work: &'static Work) -> u64 {
    let mut trial = Trial::new(work);
    let before = trial.begin(None);
    trial.wait_until("the work is done", |trial| trial.is_at_rest());
    let changes = trial.faults.changes() - before;
    trial.assert_holds();
    changes
}
