use jiff::SignedDuration;
use muster_domain::{budgets::Budget, mailboxes::Mailbox, pacing::Pacing};
use muster_schemas::{
    PROTOCOL,
    check_ins::{CheckInRequest, CheckInResponse, SessionRequest, SessionResponse},
    jobs::{JobState, Outcome},
    problems::ProblemCode,
    reports::{self, AgentReport, Facts, Report, Section},
};
use muster_server::{
    commit::put,
    records::mailboxes,
    store::{Consistency, Expect, Table as _},
};
use muster_tests::world::{Host, World, answered, result, run_job, started};
use serde_json::json;

#[tokio::test]
async fn an_idle_held_check_in_does_one_read_and_no_write() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.caller().await;
    world.table.take();
    let held = host.holds(25).await;
    world.moves(25);
    let answer: CheckInResponse = answered(held).await.is(200).json();
    let units = world.table.take();
    assert_eq!((units.reads(), units.writes()), (1, 0), "{units:?}");
    assert_eq!(units.of("get").read_half_units, 1, "an eventually consistent read of a small item");
    assert_eq!((answer.jobs.len(), answer.server_time), (0, world.now()));
}

#[tokio::test]
async fn last_seen_at_is_written_at_most_every_five_minutes() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.check_in().await;
    world.table.take();
    for _ in 0..29 {
        world.moves(10);
        host.check_in().await;
    }
    assert_eq!(world.table.take().writes(), 0);
    world.moves(10);
    host.check_in().await;
    assert_eq!(world.table.take().writes(), 1);
    assert_eq!(world.sees_host(host.id()).await.last_seen_at, Some(world.now()));
}

#[tokio::test]
async fn a_job_wakes_a_held_check_in_at_once() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let held = host.holds(25).await;
    let job = world.job(host.id(), &run_job()).await;
    let answer: CheckInResponse = answered(held).await.is(200).json();
    assert_eq!(answer.jobs[0].id, job.id);
    assert_eq!(answer.server_time, job.created_at, "no time has passed");
    assert!(world.app.polls.is_empty());
}

#[tokio::test]
async fn a_cancel_wakes_a_held_check_in_at_once() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    let held = host.holds(25).await;
    world.operator().await.post(&format!("/api/v1/jobs/{}/cancel", job.id), &json!({})).await.is(200);
    let answer: CheckInResponse = answered(held).await.is(200).json();
    assert_eq!(answer.cancel, [job.id]);
}

#[tokio::test]
async fn a_new_session_ends_the_held_check_in_of_the_one_before() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let held = host.holds(25).await;
    host.restarts().await.is(200);
    answered(held).await.refused(ProblemCode::SessionSuperseded);
}

#[tokio::test]
async fn a_server_that_stops_answers_its_held_polls_and_spreads_the_next_ones() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let held = host.holds(25).await;
    world.app.drain();
    let answer: CheckInResponse = answered(held).await.is(200).json();
    assert!((1..=10).contains(&answer.next_check_in_seconds));
    let request = CheckInRequest { wait_seconds: 25, ..host.check_in_request() };
    host.says(&request).await.is(200);
}

#[tokio::test]
async fn a_poll_is_held_no_longer_than_asked_and_no_longer_than_the_server_likes() {
    let world = World::new().await;
    let world = world.paced(Pacing { max_hold_seconds: 20, ..Pacing::default() });
    let mut host = world.host("one").await;
    let held = host.holds(3_600).await;
    world.moves(19);
    assert!(!held.is_finished());
    world.moves(1);
    let answer: CheckInResponse = answered(held).await.is(200).json();
    assert_eq!(answer.next_check_in_seconds, 0);
}

#[tokio::test]
async fn a_body_that_cannot_hold_answers_at_once_and_paces_by_the_clock() {
    let world = World::new().await;
    let world = world.paced(Pacing { max_hold_seconds: 0, ..Pacing::default() });
    let mut host = world.host("one").await;
    let request = CheckInRequest { wait_seconds: 25, ..host.check_in_request() };
    world.moves(120);
    let idle: CheckInResponse = host.says(&request).await.is(200).json();
    assert_eq!((idle.next_check_in_seconds, idle.attention_until), (30, None));
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    assert_eq!(host.check_in().await.next_check_in_seconds, 5);
}

#[tokio::test]
async fn a_host_has_attention_while_something_is_pending_and_for_two_minutes_after_it() {
    let world = World::new().await;
    let world = world.paced(Pacing::of_functions());
    let mut host = world.host("one").await;
    let started_at = world.now();
    let just_started = host.check_in().await;
    assert_eq!(just_started.next_check_in_seconds, 5, "who has just started is mostly waited for");
    assert_eq!(just_started.attention_until, Some(started_at + SignedDuration::from_secs(120)));
    world.moves(120);
    assert_eq!(host.check_in().await.next_check_in_seconds, 330);

    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    world.moves(600);
    assert_eq!(host.check_in().await.next_check_in_seconds, 5, "it is still open");
    host.tells(job.id, vec![started()]).await.is(200);
    host.finishes(job.id, result(Outcome::Succeeded, world.now())).await.is(200);
    world.moves(119);
    assert_eq!(host.check_in().await.next_check_in_seconds, 5, "what comes next mostly comes soon");
    world.moves(1);
    assert_eq!(host.check_in().await.next_check_in_seconds, 330);
}

#[tokio::test]
async fn a_host_that_a_person_looks_at_has_attention_where_polls_are_not_held() {
    let world = World::new().await.paced(Pacing::of_functions());
    let mut host = world.host("one").await;
    let (viewer, path) = (world.viewer().await, format!("/api/v1/hosts/{}", host.id()));
    let key = json!({ "name": "a program", "role": "viewer" });
    let key = world.admin().await.post("/api/v1/api-keys", &key).await.is(201).value();
    let program = world.nobody().bearing(key["key"].as_str().unwrap());
    world.moves(600);
    viewer.get("/api/v1/hosts").await.is(200);
    program.get(&path).await.is(200);
    assert_eq!(
        host.check_in().await.next_check_in_seconds,
        330,
        "a list is no look at it, and a program does not wait"
    );

    viewer.get(&path).await.is(200);
    let looked_at = world.now();
    let asked = host.check_in().await;
    assert_eq!(
        (asked.next_check_in_seconds, asked.attention_until),
        (5, Some(looked_at + SignedDuration::from_secs(120)))
    );
    world.table.take();
    for _ in 0..59 {
        world.moves(1);
        viewer.get(&path).await.is(200);
    }
    assert_eq!(world.table.take().writes(), 0, "it is written once a minute");
    world.moves(1);
    viewer.get(&path).await.is(200);
    assert_eq!(world.table.take().writes(), 1);
    world.moves(119);
    assert_eq!(host.check_in().await.next_check_in_seconds, 5);
    world.moves(1);
    assert_eq!(host.check_in().await.next_check_in_seconds, 330);
}

#[tokio::test]
async fn to_look_at_a_host_writes_nothing_where_its_poll_is_held() {
    let world = World::new().await;
    let host = world.host("one").await;
    let (viewer, path) = (world.viewer().await, format!("/api/v1/hosts/{}", host.id()));
    world.moves(600);
    world.table.take();
    viewer.get(&path).await.is(200);
    assert_eq!(world.table.take().writes(), 0);
}

#[tokio::test]
async fn facts_are_asked_for_when_their_digest_differs() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    assert!(!host.check_in().await.send_facts);
    host.facts.kernel = "6.12".into();
    assert!(host.check_in().await.send_facts);
    let request = CheckInRequest { facts: Some(host.facts.clone()), ..host.check_in_request() };
    let answer: CheckInResponse = host.says(&request).await.is(200).json();
    assert!(!answer.send_facts);
    assert_eq!(world.sees_host(host.id()).await.facts.kernel, "6.12");
    assert!(!host.check_in().await.send_facts);
}

/// A session and check-ins of an agent that compares one digest of all that it tells.
async fn starts(host: &Host, reports: &[Report]) -> SessionResponse {
    let request = SessionRequest::of(0, reports).unwrap();
    host.caller_of_its_own().await.post("/api/v1/agent/session", &request).await.is(200).json()
}

async fn checks_in(host: &Host, session: u64, news: &[Report], told: &[Report]) -> CheckInResponse {
    let bare = CheckInRequest { session, facts_digest: String::new(), ..host.check_in_request() };
    let bare = CheckInRequest { reports_digest: reports::digest(told), ..bare };
    let request = news.iter().cloned().fold(bare, CheckInRequest::with);
    host.caller_of_its_own().await.post("/api/v1/agent/check-in", &request).await.is(200).json()
}

#[tokio::test]
async fn sections_are_asked_for_when_the_digest_of_all_of_them_differs() {
    let world = World::new().await;
    let host = world.host("one").await;
    let told = |kernel: &str| {
        let facts = Facts { kernel: kernel.into(), ..host.facts.clone() };
        vec![Report::Agent(host.agent.clone()), Report::Facts(facts), Report::Upstreams(Vec::new())]
    };
    let SessionResponse { session, sections, .. } = starts(&host, &told("6.12")).await;
    assert_eq!(sections, Section::ALL);
    let same = checks_in(&host, session, &[], &told("6.12")).await;
    assert_eq!((same.wanted, same.send_facts), (Vec::new(), false));

    // A change that the server has not heard of, and then has.
    let other = checks_in(&host, session, &[], &told("6.13")).await;
    assert_eq!(other.wanted, Section::ALL);
    assert_eq!(world.sees_host(host.id()).await.facts.kernel, "6.12");
    let heard = checks_in(&host, session, &told("6.13")[1..2], &told("6.13")).await;
    assert!(heard.wanted.is_empty());
    assert_eq!(world.sees_host(host.id()).await.facts.kernel, "6.13");
    assert!(checks_in(&host, session, &[], &told("6.13")).await.wanted.is_empty());
    world.is_consistent().await;
}

#[tokio::test]
async fn a_server_that_knows_more_sections_than_the_one_before_asks_for_them() {
    let world = World::new().await;
    let host = world.host("one").await;
    let told = [Report::Agent(host.agent.clone()), Report::Facts(host.facts.clone()), Report::Upstreams(Vec::new())];
    let session = starts(&host, &told).await.session;
    let key = mailboxes::key(host.id());
    let mut mailbox = world.app.load::<Mailbox>(&key, Consistency::Strong).await.unwrap().unwrap();
    // What a server that took fewer sections would have written down of the same digest.
    mailbox.record.digests.reports_digest = reports::digest(&told);
    let write = put(key, mailbox.revision + 1, Vec::new(), &mailbox.record, Expect::Revision(mailbox.revision));
    world.table.commit(vec![write], rand::random()).await.unwrap();
    assert_eq!(checks_in(&host, session, &[], &told).await.wanted, Section::ALL);
    assert!(checks_in(&host, session, &told, &told).await.wanted.is_empty());
    assert!(checks_in(&host, session, &[], &told).await.wanted.is_empty());
}

#[tokio::test]
async fn a_section_that_comes_alone_does_not_hide_that_another_one_is_missing() {
    let world = World::new().await;
    let host = world.host("one").await;
    let told = |kernel: &str, boot: &str| {
        let facts = Facts { kernel: kernel.into(), ..host.facts.clone() };
        let agent = AgentReport { boot_id: boot.into(), ..host.agent.clone() };
        vec![Report::Agent(agent), Report::Facts(facts), Report::Upstreams(Vec::new())]
    };
    let session = starts(&host, &told("6.12", "one")).await.session;
    let key = mailboxes::key(host.id());
    let before = world.app.load::<Mailbox>(&key, Consistency::Strong).await.unwrap().unwrap().record;
    checks_in(&host, session, &told("6.13", "one")[1..2], &told("6.13", "one")).await;
    // The store is put back to before the facts had changed; then another section changes.
    let now = world.app.load::<Mailbox>(&key, Consistency::Strong).await.unwrap().unwrap();
    let write = put(key, now.revision + 1, Vec::new(), &before, Expect::Revision(now.revision));
    world.table.commit(vec![write], rand::random()).await.unwrap();
    let bare = CheckInRequest { session, facts_digest: String::new(), ..host.check_in_request() };
    let alone = CheckInRequest {
        reports_digest: reports::digest(&told("6.13", "two")),
        digest_before: reports::digest(&told("6.13", "one")),
        ..bare.with(told("6.13", "two").remove(0))
    };
    host.caller_of_its_own().await.post("/api/v1/agent/check-in", &alone).await.is(200);
    let all = told("6.13", "two");
    assert_eq!(checks_in(&host, session, &[], &all).await.wanted, Section::ALL, "the facts are missing");
    checks_in(&host, session, &all, &all).await;
    assert!(checks_in(&host, session, &[], &all).await.wanted.is_empty());
}

#[tokio::test]
async fn sections_that_this_server_does_not_know_cost_nothing_and_break_nothing() {
    let world = World::new().await;
    let host = world.host("one").await;
    let told = [Report::Agent(host.agent.clone()), Report::Facts(host.facts.clone()), Report::Upstreams(Vec::new())];
    let mut request = serde_json::to_value(SessionRequest::of(0, &told).unwrap()).unwrap();
    // With the three of today an agent that tells of eight.
    for section in ["packages", "certificates", "applications", "backups", "services"] {
        request[section] = json!([{ "name": section }]);
    }
    let caller = host.caller_of_its_own().await;
    let session = caller.post("/api/v1/agent/session", &request).await.is(200).json::<SessionResponse>().session;
    assert!(checks_in(&host, session, &[], &told).await.wanted.is_empty());
    world.moves(30);
    world.table.take();
    let bare = CheckInRequest { session, facts_digest: String::new(), ..host.check_in_request() };
    let request = CheckInRequest { reports_digest: reports::digest(&told), ..bare };
    let caller = host.caller_of_its_own().await;
    world.table.take();
    caller.post("/api/v1/agent/check-in", &request).await.is(200);
    let units = world.table.take();
    assert_eq!((units.reads(), units.writes()), (1, 0), "{units:?}");
    assert_eq!(units.of("get").read_half_units, 1, "an eventually consistent read of a small item");
    let (one, eight) = (reports::digest(&told[..1]), reports::digest(&[&told[..], &told[..], &told[..2]].concat()));
    assert_eq!(one.len(), eight.len(), "a check-in does not grow with what is told");
}

#[tokio::test]
async fn jobs_are_offered_in_the_order_they_were_asked_for() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(world.job(host.id(), &run_job()).await.id);
    }
    let offered = host.check_in().await.jobs.into_iter().map(|command| command.id).collect::<Vec<_>>();
    assert_eq!(offered, asked);
}

#[tokio::test]
async fn a_server_restored_from_an_old_backup_gives_out_no_sequence_twice() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let body = json!({ "protocol": PROTOCOL, "agent": host.agent, "facts": host.facts, "highest_sequence": 41 });
    host.caller().await.post("/api/v1/agent/session", &body).await.is(200);
    assert_eq!(world.job(host.id(), &run_job()).await.sequence, 42);
}

#[tokio::test]
async fn a_restore_that_no_agent_restarted_for_is_noticed_at_the_next_check_in() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let known = world.job(host.id(), &run_job()).await;
    host.highest_sequence = 41;
    host.check_in().await;
    assert_eq!(world.job(host.id(), &run_job()).await.sequence, 42);
    let known = world.sees_job(known.id).await;
    assert_eq!(known.state, JobState::Offered, "the server that was lost may have offered it");
}

#[tokio::test]
async fn what_an_agent_tells_of_its_ways_is_seen_on_its_host() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    assert_eq!(world.sees_host(host.id()).await.upstreams, []);
    let api = json!([{
        "name": "api", "breaker": "half_open", "failures": 7, "opened": 1,
        "last_failure": { "at": world.now(), "kind": "certificate", "reason": "somebody reads along" },
        "last_outage": { "began_at": world.now(), "seconds": 252, "failures": 7 },
    }]);
    let mut request = host.check_in_request();
    request.upstreams = serde_json::from_value(api.clone()).unwrap();
    host.says(&request).await.is(200);
    host.check_in().await;
    assert_eq!(json!(world.sees_host(host.id()).await.upstreams), api, "what is not said again is unchanged");
    host.restarts().await.is(200);
    assert_eq!(world.sees_host(host.id()).await.upstreams, [], "another process begins anew");
}

#[tokio::test]
async fn a_host_that_asks_and_asks_is_held_three_times_at_most() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let request = CheckInRequest { wait_seconds: 25, ..host.check_in_request() };
    let caller = host.caller().await;
    let held = [(); 3].map(|()| {
        let (caller, request) = (caller.clone(), request.clone());
        tokio::spawn(async move { caller.post("/api/v1/agent/check-in", &request).await })
    });
    world.clock.until_asleep(3).await;
    caller.post("/api/v1/agent/check-in", &request).await.is(200);
    world.job(host.id(), &run_job()).await;
    for held in held {
        assert_eq!(answered(held).await.is(200).json::<CheckInResponse>().jobs.len(), 1, "those go on to be served");
    }
}

#[tokio::test]
async fn a_host_that_runs_wild_is_told_to_wait_and_costs_no_other_anything() {
    let world = World::new().await;
    let pacing = Pacing { host_budget: Budget { burst: 5, per_second: 1 }, ..Pacing::default() };
    let world = world.paced(pacing);
    let (mut wild, mut calm) = (world.host("wild").await, world.host("calm").await);
    let mut refused = 0;
    for _ in 0..20 {
        let answer = wild.asks().await;
        if answer.status == 429 {
            refused += 1;
            assert_eq!(answer.header("retry-after"), "1");
            answer.refused(ProblemCode::TooManyRequests);
        }
    }
    assert!(refused >= 14, "{refused}");
    calm.check_in().await;
    world.moves(3);
    for _ in 0..3 {
        wild.check_in().await;
    }
    wild.asks().await.refused(ProblemCode::TooManyRequests);
}

#[tokio::test]
async fn a_program_that_runs_wild_is_told_to_wait() {
    let world = World::new().await;
    let world = world.paced(Pacing { operator_budget: Budget { burst: 5, per_second: 1 }, ..Pacing::default() });
    let (wild, calm) = (world.viewer().await, world.operator().await);
    let mut asked = Vec::new();
    for _ in 0..10 {
        asked.push(wild.get("/api/v1/hosts").await.status);
    }
    assert_eq!((asked[0], asked[9]), (200, 429), "{asked:?}");
    calm.get("/api/v1/hosts").await.is(200);
}

#[tokio::test]
async fn hosts_are_told_how_long_they_may_stay_away_after_an_outage() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    assert_eq!(host.check_in().await.retry_cap_seconds, 60, "a small fleet is back within a minute");
    world.app.presence.had(10_000);
    assert_eq!(host.check_in().await.retry_cap_seconds, 100, "a large one comes as a trickle");
    let mut in_functions = host.clone();
    in_functions.talks_to(&world.paced(muster_domain::pacing::Pacing::of_functions()));
    assert_eq!(in_functions.check_in().await.retry_cap_seconds, 60);
}

#[tokio::test]
async fn another_protocol_is_told_so() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let body = json!({ "protocol": PROTOCOL + 1, "agent": host.agent, "facts": host.facts });
    host.caller().await.post("/api/v1/agent/session", &body).await.refused(ProblemCode::AgentTooOld);
}

#[tokio::test]
async fn what_a_newer_agent_adds_is_tolerated() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let body = json!({ "session": host.session, "mood": "fine", "facts": { "hostname": "one", "colour": "red" } });
    host.caller().await.post("/api/v1/agent/check-in", &body).await.is(200);
}

#[tokio::test]
async fn what_no_host_can_say_of_itself_is_refused_with_its_field() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let refused = async |host: &mut muster_tests::world::Host, agent: serde_json::Value, highest: u64, field: &str| {
        let body = json!({ "protocol": PROTOCOL, "agent": agent, "facts": host.facts, "highest_sequence": highest });
        let answer = host.caller().await.post("/api/v1/agent/session", &body).await;
        assert_eq!(answer.refused(ProblemCode::Invalid).field.as_deref(), Some(field));
    };
    let agent = json!(host.agent);
    refused(&mut host, agent.clone(), u64::MAX, "highest_sequence").await;
    let mut long = agent.clone();
    long["version"] = json!("1".repeat(200));
    refused(&mut host, long, 0, "agent.version").await;
    let mut large = agent.clone();
    large["last_update"] = json!({
        "transaction": "job_01ARZ3NDEKTSV4RRFFQ69G5FAV", "to": "1.1.0", "outcome": "rolled_back", "reason": "x".repeat(9_000)
    });
    refused(&mut host, large, 0, "agent.last_update.reason").await;
    let wordy = |reason: usize| json!({ "name": "api", "breaker": "open", "last_failure": { "at": world.now(), "kind": "name", "reason": "x".repeat(reason) } });
    for (upstreams, field) in [
        (json!([wordy(2_000)]), "upstreams.last_failure.reason"),
        (json!(vec![wordy(1); 9]), "upstreams"),
        (json!([{ "name": "x".repeat(200), "breaker": "open" }]), "upstreams.name"),
    ] {
        let mut request = json!(host.check_in_request());
        request["upstreams"] = upstreams;
        let answer = host.caller().await.post("/api/v1/agent/check-in", &request).await;
        assert_eq!(answer.refused(ProblemCode::Invalid).field.as_deref(), Some(field));
    }
    host.facts.hostname = "x".repeat(70_000);
    refused(&mut host, agent, 0, "facts").await;
    world.is_consistent().await;
}
