//! Worker: the long-poll loop that calls the server, and graceful shutdown.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};
use tracing::{error, info, warn};

use crate::{
    agent::Agent,
    client::Client,
    clock::ServerClock,
    config::{Config, ConfigError},
    errors::chain,
    exits::Exit,
    identity::{Identity, IdentityError, retire},
    jobs::{
        desk::{Desk, Gate},
        intake,
    },
    journal::Journal,
    link::{Link, Outcome},
    policy::Policy,
    reload, relocation,
    session::{Caller, say_goodbye},
    supervisor::{
        control::{self, SupervisorMessage, WorkerMessage},
        report::{Reporter, is_on_trial},
    },
    suspend::Watch,
    sys::{
        cgroups::Cgroup,
        dice,
        files::FileError,
        groups::{Groups, Shim},
        lock::{LockError, lock_within},
        machine::{own_executable, own_sha256},
        reaper, signals, state_mark,
    },
    transport::{Http, TransportError},
    upstream::recovered,
    version::VERSION,
    versions::pointer::Update,
};

/// How long a worker waits for the one before it to be gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// Over how long the reconnects after a suspend are spread.
const WAKE_SPREAD: Duration = Duration::from_secs(30);
/// How long running jobs have to end when the agent is stopped, whatever grace they ask for: the service manager waits as well.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
/// How long they have when they were killed.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// Why the worker cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another one works on this state.
    #[error("another agent uses this state directory")]
    Lock(#[source] LockError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host has no usable identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The transport cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The journal or another file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Works until there is a reason to end.
pub async fn work(state: PathBuf) -> Result<Exit, WorkError> {
    let _lock = lock_within(&state.join("worker.lock"), LOCK_PATIENCE).map_err(WorkError::Lock)?;
    // What a job has started comes here if the job has killed its shim.
    reaper::adopt_orphans();
    let executable_sha256 = own_sha256()?;
    let desk = assemble(&state, &executable_sha256)?;
    let agent = &desk.agent;
    listen(agent);
    let reporter = Reporter::new(state.clone(), agent.process_id, executable_sha256);
    begin(&desk, reporter);
    info!("The agent {VERSION} is ready");
    control::say(&WorkerMessage::Ready(VERSION.into()));
    agent.spawn(probation(desk.clone()));
    agent.spawn(reload::follow(desk.clone()));
    agent.spawn(relocation::follow(agent.clone()));
    agent.spawn(control::say_alive());
    let exit = tokio::select! {
        exit = agent.ended() => exit,
        _ = signals::asked_to_end() => Exit::Stop,
    };
    Ok(wind_up(&desk, exit).await?)
}

/// Takes up the jobs of the journal, and calls the server from now on.
pub fn begin(desk: &Arc<Desk>, reporter: Reporter) {
    intake::replay(desk);
    desk.agent.spawn(call(Caller::new(desk.clone(), reporter)));
}

fn assemble(state: &Path, executable_sha256: &str) -> Result<Arc<Desk>, WorkError> {
    let settings = Config::follow(state)?;
    let config = settings.in_force();
    let (identity, host_id) = Identity::load(state)?;
    let policy = Policy::follow(state);
    if let Some(reason) = policy.standing().broken {
        error!("This host allows no jobs: {reason}");
    }
    let (journal, aside) = Journal::open(state)?;
    if let Some(aside) = aside {
        error!("The journal was damaged; it was moved to {}, and its readable entries are kept", aside.display());
    }
    let update = Update::load(state).unwrap_or_else(|failed| {
        error!(
            "Cannot read the record of the last update, so this version assumes that it is committed: {}",
            chain(&failed)
        );
        None
    });
    let on_trial = update.is_some_and(|update| is_on_trial(&update, executable_sha256));
    let gate = if on_trial { Gate::OnTrial } else { Gate::Open };
    let http = Http::new(&identity.server, &config.way())?;
    let client = Client::new(identity, &config, Arc::new(http), ServerClock::default());
    let mark = state_mark::of(state);
    let shim = cfg!(target_os = "linux").then(|| Shim { binary: own_executable(), cgroup: Cgroup::own(&mark) });
    let machine = Arc::new(Groups::take_over(state.join("groups.json"), mark, shim));
    let agent = Agent::new(state.into(), host_id, settings, client, machine);
    let desk = Desk::new(agent, policy, journal, gate);
    desk.warn_of_writers();
    Ok(desk)
}

/// Follows the supervisor's words, and ends at once without it.
fn listen(agent: &Arc<Agent>) {
    let (told, machine) = (agent.clone(), agent.machine.clone());
    let gone = move || {
        machine.kill_all();
        std::process::exit(1);
    };
    let told = move |word| match word {
        SupervisorMessage::Decided => told.supervisor_spoke.send_modify(|count| *count += 1),
        SupervisorMessage::Reload => told.look.notify_one(),
        SupervisorMessage::Stop => told.end(Exit::Stop),
    };
    control::listen(told, gone);
}

/// Calls the server for as long as the worker lives.
async fn call(mut caller: Caller) {
    let agent = caller.agent().clone();
    let (mut link, mut spoke, mut session) =
        (Link::default(), agent.supervisor_spoke.subscribe(), agent.session.subscribe());
    let (mut news, mut trouble) = (agent.news.subscribe(), Trouble::default());
    let mut watch = Watch::new();
    loop {
        let known = *session.borrow_and_update();
        let asked = Instant::now();
        let outcome = tokio::select! {
            biased;
            outcome = caller.call() => {
                trouble.after(&agent, outcome, asked);
                outcome
            }
            // A job's events were refused: the held call is of no use any more.
            Ok(_) = session.wait_for(|session| known.is_some() && session.is_none()) => Outcome::Failed,
            Ok(()) = spoke.changed() => Outcome::Answered { next: Duration::ZERO },
            // The server is to hear of it now.
            Ok(()) = news.changed() => Outcome::Answered { next: Duration::ZERO },
        };
        let pause = agent.pause(&mut link, outcome);
        if link.failures > 0 && !matches!(outcome, Outcome::CircuitOpen { .. } | Outcome::CutShort) {
            let failures = link.failures;
            let (seconds, why) = (pause.as_secs(), caller.failure());
            warn!(failures, pause_seconds = seconds, "Check-in failed, retry {failures} in {seconds} s: {why}");
        }
        tokio::select! {
            biased;
            () = sleep(pause) => {}
            Ok(()) = spoke.changed() => {}
        }
        if let Some(slept) = watch.slept() {
            wake_up(&agent, slept).await;
        }
    }
}

/// Check-ins that have failed one after the other.
#[derive(Default)]
struct Trouble {
    /// When the first failed.
    began: Option<Instant>,
    failures: u64,
    /// How many calls had failed by the server's fault when a check-in was answered last.
    faults: u64,
}

impl Trouble {
    /// Says when check-ins succeed again, unless the upstream says so: it knows of those alone that were the server's fault.
    fn after(&mut self, agent: &Agent, outcome: Outcome, asked: Instant) {
        match outcome {
            Outcome::Failed | Outcome::Held { .. } | Outcome::Limited { .. } => {
                self.began.get_or_insert_with(Instant::now);
                self.failures += 1;
            }
            Outcome::Answered { .. } => {
                let Self { began, failures, faults } = std::mem::take(self);
                self.faults = agent.client.failures();
                if let Some(began) = began.filter(|_| faults == self.faults) {
                    let seconds = asked.saturating_duration_since(began).as_secs();
                    info!(failures, seconds, "Check-ins: {}", recovered(failures, seconds));
                }
            }
            Outcome::CutShort | Outcome::CircuitOpen { .. } => {}
        }
    }
}

/// Reconnects after a suspend, with jitter, so that machines that wake together do not come in the same second.
async fn wake_up(agent: &Agent, slept: Duration) {
    info!("The machine was suspended for {} s: dropping the old connections", slept.as_secs());
    agent.client.reconnect();
    agent.session.send_replace(None);
    sleep(agent.client.pacing().max.min(WAKE_SPREAD).mul_f64(dice::random())).await;
}

/// Tells the supervisor about the first answer; on trial, asks for the commit when the probation is over.
async fn probation(desk: Arc<Desk>) {
    let agent = &desk.agent;
    let started = tokio::time::Instant::now();
    // The sender lives as long as the agent.
    let _ = agent.contact.subscribe().wait_for(|contact| *contact).await;
    control::say(&WorkerMessage::Contact);
    if *desk.gate.borrow() != Gate::OnTrial {
        return;
    }
    tokio::time::sleep_until(started + agent.config().probation()).await;
    let mut spoke = agent.supervisor_spoke.subscribe();
    control::say(&WorkerMessage::Commit);
    let _ = spoke.changed().await;
    info!("This version is committed");
    desk.gate.send_if_modified(|gate| *gate == Gate::OnTrial && std::mem::replace(gate, Gate::Open) == Gate::OnTrial);
}

/// Lets running jobs end, or ends them. Returns why the worker ends: an update that waits for jobs gives way to a stop.
async fn wind_up(desk: &Desk, exit: Exit) -> Result<Exit, FileError> {
    let agent = &desk.agent;
    desk.gate.send_replace(Gate::Draining);
    // Also where the service manager asked for it.
    agent.end(exit);
    let mut running = desk.running.subscribe();
    if exit == Exit::Update {
        let mut reason = agent.exit.subscribe();
        tokio::select! {
            _ = timeout(agent.config().drain(), running.wait_for(|running| *running == 0)) => {}
            _ = reason.wait_for(|reason| *reason != Some(Exit::Update)) => {}
            _ = signals::asked_to_end() => agent.end(Exit::Stop),
        }
    }
    let exit = agent.exit.borrow().unwrap_or(exit);
    if exit == Exit::Retired {
        retire(&agent.state)?;
        error!("The server retired this host: the agent stops permanently");
    }
    if *running.borrow() > 0 {
        warn!("Interrupting the running jobs");
        desk.stopping.cancel();
        if timeout(STOP_PATIENCE, running.wait_for(|running| *running == 0)).await.is_err() {
            agent.machine.kill_all();
            // How they have ended is written down.
            let _ = timeout(KILL_PATIENCE, running.wait_for(|running| *running == 0)).await;
        }
    }
    agent.machine.kill_all();
    if exit == Exit::Stop {
        say_goodbye(agent).await;
    }
    Ok(exit)
}
