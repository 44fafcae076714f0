//! The scripted server.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use muster_schemas::{
    check_ins::{CheckInRequest, SessionRequest},
    commands::{Command, EventKind, EventsRequest},
    envelopes::Envelope,
    ids::{HostId, JobId},
    jobs::{JobResult, Recovery},
    reports::AgentReport,
};
use serde_json::{Value, json};

use super::http::{self, Reply, Request};

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Makes a reply each time it is asked to.
pub type MakeReply = fn() -> Reply;

#[derive(Default)]
pub struct World {
    pub session: u64,
    pub jobs: Vec<Command>,
    pub cancels: Vec<JobId>,
    pub accepted: Vec<JobId>,
    pub started: Vec<JobId>,
    pub output: BTreeMap<JobId, String>,
    pub lost: BTreeMap<JobId, u64>,
    pub results: BTreeMap<JobId, JobResult>,
    /// How often another result was told of a job than the one that is known.
    pub conflicts: usize,
    pub sessions: Vec<SessionRequest>,
    pub check_ins: Vec<CheckInRequest>,
    /// How many of them there were when the last result came.
    pub check_ins_before_result: usize,
    pub reports: Vec<AgentReport>,
    pub paths: Vec<String>,
    pub manifest: Option<Envelope>,
    pub blob: Vec<u8>,
    /// The one token that is valid.
    pub token: String,
    /// Answers to be lost: what was asked is done, and the line is cut. By what the path contains.
    pub cuts: Vec<String>,
    /// Replies in place of the right ones, by what the path contains.
    pub instead: Vec<(&'static str, MakeReply)>,
    /// What is sent elsewhere, by what the path contains, and where to.
    pub redirect: Option<&'static str>,
    pub redirect_to: Option<String>,
    /// From this executable's first session on, nobody's check-in is answered.
    pub silent_from: Option<String>,
    /// Whether no check-in is answered.
    pub silent: bool,
    /// Bytes after which a blob's line is cut, once.
    pub blob_cut: Option<usize>,
    /// The most that one answer brings of a blob.
    pub blob_part: Option<usize>,
    /// Where hosts are sent for blobs, unless they want them through this server.
    pub blob_elsewhere: Option<String>,
    /// What is said with each token of where the server is.
    pub relocation: Option<Value>,
    /// Whether blobs are held back.
    pub hold_blobs: bool,
    pub sequences: BTreeMap<(String, JobId), u64>,
}

pub struct Server {
    pub address: SocketAddr,
    pub host_id: HostId,
    world: Arc<(Mutex<World>, Condvar)>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, host_id: HostId::new(Timestamp::now(), 7), world: Arc::default() };
        let (world, host_id) = (server.world.clone(), server.host_id);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let world = world.clone();
                thread::spawn(move || serve(&stream, &world, host_id));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the world.
    pub fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let (world, changed) = &*self.world;
        let done = change(&mut world.lock().unwrap());
        changed.notify_all();
        done
    }

    /// Waits until something is so.
    pub fn wait<T>(&self, what: &str, so: impl FnMut(&mut World) -> Option<T>) -> T {
        wait(&self.world, PATIENCE, so).unwrap_or_else(|| panic!("waited in vain for: {what}"))
    }

    pub fn job(&self, kind: &str, spec: Value) -> JobId {
        self.job_with(kind, spec, |_| {})
    }

    /// The same, changed before anybody is offered it.
    pub fn job_with(&self, kind: &str, spec: Value, change: impl FnOnce(&mut Command)) -> JobId {
        self.with(|world| {
            let sequence = world.jobs.len() as u64 + 1;
            let id = JobId::new(Timestamp::now(), u128::from(sequence));
            let recovery = if kind == "run" { Recovery::Converge } else { Recovery::Probe };
            let mut command = Command {
                id,
                host_id: self.host_id,
                sequence,
                kind: kind.into(),
                spec,
                // A word that the agent must not go by.
                recovery,
                resource: (kind == "self_update").then(|| "agent".into()),
                generation: sequence,
                start_by: Timestamp::now() + SignedDuration::from_mins(5),
                time_limit_seconds: 60,
            };
            change(&mut command);
            world.jobs.push(command);
            id
        })
    }

    pub fn run(&self, script: &str) -> JobId {
        self.job("run", json!({ "argv": ["/bin/sh", "-c", script] }))
    }

    pub fn result(&self, id: JobId) -> JobResult {
        self.wait("a result", |world| world.results.get(&id).cloned())
    }

    /// An `inspect` succeeds: the host works.
    pub fn assert_host_works(&self) {
        let id = self.job("inspect", json!({}));
        assert_eq!(self.result(id).outcome, muster_schemas::jobs::Outcome::Succeeded);
    }
}

fn wait<T>(
    world: &(Mutex<World>, Condvar),
    patience: Duration,
    mut so: impl FnMut(&mut World) -> Option<T>,
) -> Option<T> {
    let until = Instant::now() + patience;
    let mut guard = world.0.lock().unwrap();
    loop {
        if let Some(found) = so(&mut guard) {
            return Some(found);
        }
        let left = until.checked_duration_since(Instant::now())?;
        guard = world.1.wait_timeout(guard, left).unwrap().0;
    }
}

fn serve(stream: &TcpStream, world: &(Mutex<World>, Condvar), host_id: HostId) {
    let Ok(request) = http::read(stream) else { return };
    let mut reply = route(&request, world, host_id);
    {
        let mut world = world.0.lock().unwrap();
        world.paths.push(request.path.clone());
        if world.silent && request.path.contains("check-in") {
            reply = Reply::Cut;
        }
        if let Some(position) = world.cuts.iter().position(|cut| lost(cut, &request)) {
            world.cuts.remove(position);
            reply = Reply::Cut;
        }
    }
    world.1.notify_all();
    let _ = http::answer(stream, reply);
}

/// `path` or `path#text in the body`.
fn lost(cut: &str, request: &Request) -> bool {
    let (path, text) = cut.split_once('#').unwrap_or((cut, ""));
    request.path.contains(path) && String::from_utf8_lossy(&request.body).contains(text)
}

fn route(request: &Request, shared: &(Mutex<World>, Condvar), host_id: HostId) -> Reply {
    let instead = {
        let world = shared.0.lock().unwrap();
        world.instead.iter().find(|(path, _)| request.path.contains(path)).map(|(_, reply)| *reply)
    };
    let now = Timestamp::now();
    match request.path.as_str() {
        path if redirected(shared, path).is_some() => {
            let headers = format!("location: {}\r\n", redirected(shared, path).unwrap_or_default());
            Reply::Raw { status: 307, kind: "text/plain", headers, body: Vec::new(), claimed: 0 }
        }
        _ if instead.is_some() => instead.map_or(Reply::Cut, |reply| reply()),
        "/api/v1/agent/enroll" => {
            Reply::Json(201, json!({ "host_id": host_id, "audience": "world", "server_time": now }))
        }
        "/oauth/token" => {
            let mut world = shared.0.lock().unwrap();
            world.token = format!("token-{}", world.paths.len());
            let relocation = &world.relocation;
            let kind = "Bearer";
            Reply::Json(
                200,
                json!({ "access_token": world.token, "token_type": kind, "expires_in": 900, "relocation": relocation }),
            )
        }
        "/api/v1/health" => Reply::Json(200, json!({ "status": "ok", "version": "1", "time": now })),
        _ if shared.0.lock().unwrap().token != request.token => Reply::problem(401, "unauthorized"),
        "/api/v1/agent/session" => session(&mut shared.0.lock().unwrap(), request),
        "/api/v1/agent/check-in" => check_in(shared, request),
        path if path.ends_with("/events") => events(&mut shared.0.lock().unwrap(), request),
        path if path.ends_with("/manifest") => match &shared.0.lock().unwrap().manifest {
            Some(manifest) => Reply::Json(200, json!(manifest)),
            None => Reply::problem(404, "not_found"),
        },
        path if path.contains("/blobs/") => blob(shared, request),
        _ => Reply::problem(404, "not_found"),
    }
}

fn redirected(shared: &(Mutex<World>, Condvar), path: &str) -> Option<String> {
    let world = shared.0.lock().unwrap();
    world.redirect.filter(|part| path.contains(part)).and(world.redirect_to.clone())
}

fn session(world: &mut World, request: &Request) -> Reply {
    let request: SessionRequest = serde_json::from_slice(&request.body).unwrap();
    world.session += 1;
    world.silent |= world.silent_from.as_ref() == Some(&request.agent.executable_sha256);
    world.reports.push(request.agent.clone());
    world.sessions.push(request);
    Reply::Json(200, json!({ "session": world.session, "server_time": Timestamp::now() }))
}

fn check_in(shared: &(Mutex<World>, Condvar), request: &Request) -> Reply {
    let request: CheckInRequest = serde_json::from_slice(&request.body).unwrap();
    {
        let mut world = shared.0.lock().unwrap();
        if request.session != world.session {
            return Reply::problem(409, "session_superseded");
        }
        world.reports.extend(request.agent.clone());
        world.check_ins.push(request.clone());
    }
    shared.1.notify_all();
    let hold = Duration::from_secs(request.wait_seconds.into());
    let news = |world: &mut World| {
        let is_new = |job: &&Command| !request.open.contains(&job.id) && !world.results.contains_key(&job.id);
        let jobs: Vec<_> = world.jobs.iter().filter(is_new).cloned().collect();
        let cancel: Vec<_> = world.cancels.iter().filter(|id| !world.results.contains_key(id)).copied().collect();
        let superseded = world.session != request.session;
        (superseded || !jobs.is_empty() || !cancel.is_empty()).then_some((jobs, cancel))
    };
    let (jobs, cancel) = wait(shared, hold, news).unwrap_or_default();
    Reply::Json(
        200,
        json!({ "server_time": Timestamp::now(), "jobs": jobs, "cancel": cancel, "next_check_in_seconds": 0 }),
    )
}

fn events(world: &mut World, request: &Request) -> Reply {
    let id: JobId = request.path.split('/').nth(5).unwrap().parse().unwrap();
    let request: EventsRequest = serde_json::from_slice(&request.body).unwrap();
    if request.session != world.session {
        return Reply::problem(409, "session_superseded");
    }
    let key = (request.process_id.to_string(), id);
    for event in request.events {
        let stored = world.sequences.entry(key.clone()).or_default();
        if event.sequence <= *stored {
            continue;
        }
        *stored = event.sequence;
        match event.kind {
            EventKind::Accepted => world.accepted.push(id),
            EventKind::Starting => {}
            EventKind::Started => world.started.push(id),
            EventKind::Output { text } => world.output.entry(id).or_default().push_str(&text),
            EventKind::OutputLost { bytes, .. } => *world.lost.entry(id).or_default() += bytes,
            EventKind::Finished { result } => match world.results.get(&id) {
                Some(known) if *known != result => {
                    world.conflicts += 1;
                    return Reply::problem(409, "result_conflict");
                }
                _ => {
                    world.check_ins_before_result = world.check_ins.len();
                    world.results.insert(id, result);
                }
            },
        }
    }
    let cancel = world.cancels.contains(&id);
    let through = world.sequences.get(&key).copied().unwrap_or(0);
    Reply::Json(200, json!({ "accepted_through": through, "cancel": cancel, "send_every_seconds": 0 }))
}

fn blob(shared: &(Mutex<World>, Condvar), request: &Request) -> Reply {
    shared.0.lock().unwrap().paths.push("blob asked".into());
    shared.1.notify_all();
    if wait(shared, PATIENCE, |world| (!world.hold_blobs).then_some(())).is_none() {
        return Reply::Cut;
    }
    let mut world = shared.0.lock().unwrap();
    if let Some(place) = world.blob_elsewhere.as_ref().filter(|_| !request.path.contains("through_server=true")) {
        let headers = format!("location: {place}\r\n");
        return Reply::Raw { status: 307, kind: "text/plain", headers, body: Vec::new(), claimed: 0 };
    }
    let from = request.range_from.unwrap_or(0);
    let rest = world.blob[from.min(world.blob.len())..].to_vec();
    let claimed = world.blob_part.unwrap_or(usize::MAX).min(rest.len());
    let sent = world.blob_cut.take().unwrap_or(claimed).min(claimed);
    let headers =
        format!("content-range: bytes {from}-{}/{}\r\n", (from + claimed).saturating_sub(1), world.blob.len());
    let status = if request.range_from.is_some() || claimed < rest.len() { 206 } else { 200 };
    Reply::Raw { status, kind: "application/octet-stream", headers, body: rest[..sent].to_vec(), claimed }
}
