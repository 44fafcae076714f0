//! Retention: what is over is removed in its time, what is open or needed by something open is not, and a log can be erased.

use muster_domain::retention::Retention;
use muster_schemas::{
    ids::JobId,
    jobs::{JobState, JobView, LOG_COMPLETE_HEADER, LOG_GONE_HEADER, Outcome},
    problems::ProblemCode,
};
use muster_server::{
    app::Settings,
    records,
    store::{Expect, Index, Item, Query, Write},
    tick::walk,
};
use muster_tests::world::{Answer, Host, World, output, result, run_job, started};
use serde_json::json;

const DAY: i64 = 86_400;

/// A job that has printed this and runs.
async fn running(world: &World, host: &mut Host, text: &str) -> JobId {
    let id = world.job(host.id(), &run_job()).await.id;
    host.check_in().await;
    host.accepts(id).await.is(200);
    host.tells(id, vec![started(), output(text)]).await.is(200);
    id
}

async fn ended(world: &World, host: &mut Host, text: &str) -> JobId {
    let id = running(world, host, text).await;
    host.finishes(id, result(Outcome::Succeeded, world.now())).await.is(200);
    id
}

async fn log(world: &World, id: JobId) -> Answer {
    world.viewer().await.get(&format!("/api/v1/jobs/{id}/log")).await.is(200)
}

async fn job(world: &World, id: JobId) -> Answer {
    world.viewer().await.get(&format!("/api/v1/jobs/{id}")).await
}

/// All that is stored of a job.
async fn stored(world: &World, id: JobId) -> Vec<Item> {
    world.app.table.query(Query::all(records::jobs::key(id).partition, 1_000)).await.unwrap().items
}

async fn days_pass(world: &World, days: i64) {
    world.moves(days * DAY);
    for _ in 0..3 {
        world.tick().await;
        removes_by_itself(world).await;
    }
}

/// `DynamoDB` removes what is over by itself, within days. Its emulator does not.
async fn removes_by_itself(world: &World) {
    if std::env::var("MUSTER_TEST_STORE").is_ok_and(|store| store == "dynamodb") {
        let table = &world.app.table;
        let mut items = table.query_index(Index::List, Query::all("audit", 1_000)).await.unwrap().items;
        for job in table.query_index(Index::List, Query::all("jobs", 1_000)).await.unwrap().items {
            items.extend(table.query(Query::all(job.key.partition, 1_000)).await.unwrap().items);
        }
        for item in items.into_iter().filter(|item| item.expires_at.is_some_and(|at| at <= world.now())) {
            let write = Write::Delete { key: item.key, expect: Expect::Any };
            table.commit(vec![write], rand::random()).await.unwrap();
        }
    }
}

/// The same world by other settings.
fn keeping(world: &World, retention: Retention) -> World {
    world.told(Settings { retention, ..world.app.settings.clone() })
}

fn says_expired(answer: &Answer) {
    let told = (answer.header(LOG_GONE_HEADER), answer.header(LOG_COMPLETE_HEADER), answer.text());
    assert_eq!(told, ("expired", "true", String::new()));
}

#[tokio::test]
async fn a_log_goes_after_thirty_days_and_its_job_after_ninety() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = ended(&world, &mut host, "printed\n").await;
    days_pass(&world, 29).await;
    assert_eq!(log(&world, id).await.text(), "printed\n");
    days_pass(&world, 2).await;
    says_expired(&log(&world, id).await);
    assert_eq!(stored(&world, id).await.len(), 1, "the job alone");
    assert_eq!(world.sees_job(id).await.state, JobState::Succeeded);
    days_pass(&world, 60).await;
    job(&world, id).await.is(404);
    assert_eq!(stored(&world, id).await, []);
}

#[tokio::test]
async fn a_log_whose_time_is_over_is_told_as_gone_also_before_it_was_removed() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = ended(&world, &mut host, "printed\n").await;
    world.moves(31 * DAY);
    says_expired(&log(&world, id).await);
}

#[tokio::test]
async fn a_lost_job_keeps_its_log_however_long_it_is_lost_and_its_time_begins_when_it_has_ended() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = running(&world, &mut host, "before\n").await;
    let queued = world.job(host.id(), &json!({ "kind": "run", "spec": { "argv": ["/bin/true"] } })).await.id;
    days_pass(&world, 1).await;
    assert_eq!(world.sees_job(id).await.state, JobState::PresumedLost);
    days_pass(&world, 200).await;
    assert_eq!(log(&world, id).await.text(), "before\n");
    job(&world, queued).await.is(404);

    host.restarts().await.is(200);
    host.tells(id, vec![output("after\n")]).await.is(200);
    days_pass(&world, 100).await;
    assert_eq!(log(&world, id).await.text(), "before\nafter\n");
    host.restarts().await.is(200);
    host.finishes(id, result(Outcome::Succeeded, world.now())).await.is(200);
    days_pass(&world, 29).await;
    assert_eq!(log(&world, id).await.text(), "before\nafter\n");
    days_pass(&world, 2).await;
    says_expired(&log(&world, id).await);
    days_pass(&world, 60).await;
    job(&world, id).await.is(404);
    world.is_consistent().await;
}

#[tokio::test]
async fn an_entry_of_the_audit_trail_goes_after_four_hundred_days() {
    let world = World::new().await;
    let host = world.host("one").await.id();
    let entries = || async {
        let about = format!("/api/v1/audit?subject={host}");
        world.viewer().await.get(&about).await.is(200).value()["items"].as_array().unwrap().len()
    };
    days_pass(&world, 399).await;
    assert_eq!(entries().await, 1);
    days_pass(&world, 2).await;
    assert_eq!(entries().await, 0);
}

#[tokio::test]
async fn a_retired_host_goes_after_ninety_days_with_its_key_and_the_jobs_that_nobody_can_end() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let lost = running(&world, &mut host, "printed\n").await;
    let stays = world.host("two").await.id();
    world.admin().await.delete(&format!("/api/v1/hosts/{}?force=true", host.id())).await.is(204);
    let path = format!("/api/v1/hosts/{}", host.id());
    days_pass(&world, 89).await;
    world.viewer().await.get(&path).await.is(200);
    assert_eq!(world.sees_job(lost).await.state, JobState::PresumedLost);
    days_pass(&world, 2).await;
    world.viewer().await.get(&path).await.is(404);
    assert_eq!(stored(&world, lost).await, []);
    world.viewer().await.get(&format!("/api/v1/hosts/{stays}")).await.is(200);
    let about = format!("/api/v1/audit?subject={}", host.id());
    let audit = world.viewer().await.get(&about).await.is(200).value();
    assert_eq!(audit["items"][0]["action"], "host.removed", "{audit}");

    let token = world.token(1).await;
    let gone = host.id();
    host.joins(token.token.reveal()).await.is(201);
    assert_ne!(host.id(), gone, "its key is as good as new");
}

#[tokio::test]
async fn a_job_of_a_fleet_update_stays_until_that_is_over() {
    let world = World::new().await;
    let mut hosts = world.fleet(2, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let fleet_update = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
    world.tick().await;
    let id = hosts[0].rolls_back(&release, "it does not start").await.unwrap();
    assert!(world.sees_job(id).await.state.is_final());
    days_pass(&world, 200).await;
    job(&world, id).await.is(200);
    let cancel = format!("/api/v1/fleet-updates/{fleet_update}/cancel");
    world.admin().await.post(&cancel, &json!({})).await.is(200);
    days_pass(&world, 2).await;
    job(&world, id).await.is(404);
}

#[tokio::test]
async fn what_is_kept_for_ever_is_kept() {
    let world = keeping(&World::new().await, Retention::FOR_EVER);
    let mut host = world.host("one").await;
    let id = ended(&world, &mut host, "printed\n").await;
    world.admin().await.delete(&format!("/api/v1/hosts/{}", host.id())).await.is(204);
    days_pass(&world, 4_000).await;
    assert_eq!(log(&world, id).await.text(), "printed\n");
    world.viewer().await.get(&format!("/api/v1/hosts/{}", host.id())).await.is(200);
    world.is_consistent().await;
}

/// To the end of the walk over records of before.
async fn walks(world: &World) {
    while walk::step(&world.app).await.unwrap() {}
}

#[tokio::test]
async fn records_of_before_get_their_time_too_and_those_that_are_open_get_it_when_they_end() {
    // As they were written before anything had a time at which it is removed.
    let before = keeping(&World::new().await, Retention::FOR_EVER);
    let mut host = before.host("one").await;
    let mut ids = Vec::new();
    for _ in 0..120 {
        ids.push(ended(&before, &mut host, "printed\n").await);
        before.moves(1);
    }
    let open = running(&before, &mut host, "printed\n").await;
    let retired = before.host("two").await.id();
    before.admin().await.delete(&format!("/api/v1/hosts/{retired}")).await.is(204);

    let world = keeping(&before, Retention::default());
    host.talks_to(&world);
    walks(&world).await;
    world.table.take();
    walks(&world).await;
    let units = world.table.take();
    assert_eq!((units.reads(), units.writes()), (1, 0), "it is done once");
    days_pass(&world, 31).await;
    says_expired(&log(&world, ids[0]).await);
    assert_eq!(log(&world, open).await.text(), "printed\n");
    days_pass(&world, 60).await;
    for id in ids {
        assert_eq!(stored(&world, id).await, []);
    }
    world.viewer().await.get(&format!("/api/v1/hosts/{retired}")).await.is(404);
    host.restarts().await.is(200);
    host.finishes(open, result(Outcome::Succeeded, world.now())).await.is(200);
    days_pass(&world, 31).await;
    says_expired(&log(&world, open).await);
    days_pass(&world, 60).await;
    assert_eq!(stored(&world, open).await, []);
    days_pass(&world, 400).await;
    let audit = world.viewer().await.get("/api/v1/audit?limit=200").await.is(200).value();
    let about = |entry: &serde_json::Value| entry["subject"] == json!(open);
    assert!(!audit["items"].as_array().unwrap().iter().any(about), "{audit}");
}

#[tokio::test]
async fn a_setting_that_changes_holds_for_what_is_there() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = ended(&world, &mut host, "printed\n").await;
    walks(&world).await;
    let longer = keeping(&world, Retention { log_days: 200, job_days: 300, ..Retention::default() });
    walks(&longer).await;
    longer.tick().await;
    days_pass(&longer, 199).await;
    assert_eq!(log(&longer, id).await.text(), "printed\n");
    let shorter = keeping(&world, Retention { log_days: 1, job_days: 2, ..Retention::default() });
    walks(&shorter).await;
    days_pass(&shorter, 0).await;
    assert_eq!(stored(&shorter, id).await, []);
}

#[tokio::test]
async fn an_erased_log_is_gone_and_who_erased_it_when_and_why_stays() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = running(&world, &mut host, "password=hunter2\n").await;
    let path = format!("/api/v1/jobs/{id}/log");
    let reason = json!({ "reason": "it has a password in it" });
    for (caller, code) in [(world.viewer().await, 403), (world.operator().await, 403), (world.nobody(), 401)] {
        caller.erases(&path, &reason).await.is(code);
    }
    let admin = world.admin().await;
    for wrong in [json!({}), json!({ "reason": "" }), json!({ "reason": "x".repeat(1_025) }), json!({ "why": "x" })] {
        admin.erases(&path, &wrong).await.is(422);
    }
    let erased: JobView = admin.erases(&path, &reason).await.is(200).json();
    let told = erased.log_erased.unwrap();
    assert_eq!(
        (told.at, told.by_name.as_str(), told.reason.as_str()),
        (world.now(), "admin", "it has a password in it")
    );
    assert_eq!(stored(&world, id).await.len(), 1, "no piece is left");
    let answer = log(&world, id).await;
    assert_eq!((answer.header(LOG_GONE_HEADER), answer.text()), ("erased", String::new()));

    host.tells(id, vec![output("password=hunter3\n")]).await.is(200);
    host.finishes(id, result(Outcome::Succeeded, world.now())).await.is(200);
    let answer = log(&world, id).await;
    assert_eq!((answer.header(LOG_COMPLETE_HEADER), answer.text()), ("true", String::new()));
    assert_eq!(stored(&world, id).await.len(), 1, "no further output is kept");
    world.moves(60);
    let again: JobView = admin.erases(&path, &json!({ "reason": "another" })).await.is(200).json();
    assert_eq!(again.log_erased, world.sees_job(id).await.log_erased);
    assert_eq!(again.log_erased.unwrap().reason, "it has a password in it");

    let audit = world.viewer().await.get(&format!("/api/v1/audit?subject={id}")).await.is(200).value();
    let entries = audit["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "job.log_erased");
    let entries = entries.collect::<Vec<_>>();
    assert_eq!(entries.len(), 1, "{audit}");
    assert_eq!(entries[0]["detail"], "17 bytes: it has a password in it");
    let nothing = world.job(host.id(), &run_job()).await.id;
    host.runs(nothing).await.is(200);
    let refused = admin.erases(&format!("/api/v1/jobs/{nothing}/log"), &reason).await.refused(ProblemCode::WrongState);
    assert_eq!(refused.detail.as_deref(), Some("it has no log"));
}

#[tokio::test]
async fn an_erasure_that_was_cut_off_is_completed_by_the_tick() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = ended(&world, &mut host, "password=hunter2\n").await;
    let admin = world.admin().await;
    let path = format!("/api/v1/jobs/{id}/log");
    for operations in 0.. {
        world.mortal.dies_after(operations);
        let reason = json!({ "reason": "a password" });
        let done = tokio::select! {
            answer = admin.erases(&path, &reason) => { answer.is(200); true },
            () = world.mortal.dies() => false,
        };
        let world = world.restarted();
        for _ in 0..3 {
            world.tick().await;
        }
        let erased = world.sees_job(id).await.log_erased.is_some();
        assert_eq!(stored(&world, id).await.len(), if erased { 1 } else { 2 }, "after {operations} operations");
        if done {
            return;
        }
    }
}
