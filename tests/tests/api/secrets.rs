//! Secrets of jobs: they reach the host's program and nobody else, and are gone when the job has ended.

use muster_schemas::{
    ids::{HostId, JobId},
    jobs::{JobView, Outcome},
    problems::ProblemCode,
};
use muster_server::{
    records,
    store::{Consistency, Table},
};
use muster_tests::world::{Host, Logs, World, finished, result, run_job, started};
use serde_json::{Value, json};

const SECRET: &str = "hunter2-and-more";
const PLAIN: &str = "a value in the clear";

fn secret_job() -> Value {
    json!({ "kind": "run", "spec": {
        "argv": ["/usr/bin/mysqldump", "shop"],
        "environment": { "LANG": PLAIN },
        "secret_environment": { "DB_PASSWORD": SECRET },
    } })
}

/// Whether the job's record, as the store has it, holds the secret.
async fn is_stored(world: &World, id: JobId) -> bool {
    let item = world.table.get(&records::jobs::key(id), Consistency::Strong).await.unwrap().unwrap();
    String::from_utf8_lossy(&item.body).contains(SECRET)
}

async fn asks(world: &World, host: HostId) -> JobView {
    world.job(host, &secret_job()).await
}

#[tokio::test]
async fn a_secret_reaches_the_host_and_no_view_list_log_or_entry_and_is_erased_with_the_end() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = asks(&world, host.id()).await;
    assert_eq!(serde_json::to_value(&job.spec).unwrap()["spec"]["secret_environment"], json!({ "DB_PASSWORD": "***" }));
    assert!(is_stored(&world, job.id).await, "the host does not have it yet");
    for caller in [world.admin().await, world.operator().await, world.viewer().await] {
        for path in [format!("/api/v1/jobs/{}", job.id), "/api/v1/jobs".into(), "/api/v1/audit".into()] {
            let text = caller.get(&path).await.is(200).text();
            assert!(!text.contains(SECRET), "{path}: {text}");
        }
    }
    let offered = host.check_in().await.jobs.remove(0);
    assert_eq!(offered.spec["secret_environment"]["DB_PASSWORD"], SECRET);
    host.accepts(job.id).await.is(200);
    host.tells(job.id, vec![started()]).await.is(200);
    host.tells(job.id, vec![finished(result(Outcome::Succeeded, world.now()))]).await.is(200);
    assert!(!is_stored(&world, job.id).await);
    let seen = serde_json::to_value(world.sees_job(job.id).await.spec).unwrap();
    assert_eq!(seen["spec"]["secret_environment"], json!({ "DB_PASSWORD": "***" }), "its name is still told");
    assert!(!logs.text().contains(SECRET));
}

#[tokio::test]
async fn a_secret_is_erased_however_its_job_ends() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let (admin, operator) = (world.admin().await, world.operator().await);
    let cancelled = asks(&world, host.id()).await.id;
    operator.post(&format!("/api/v1/jobs/{cancelled}/cancel"), &json!({})).await.is(200);
    let rejected = asks(&world, host.id()).await.id;
    host.check_in().await;
    host.tells(rejected, vec![finished(result(Outcome::Rejected, world.now()))]).await.is(200);
    let expired = asks(&world, host.id()).await.id;
    world.moves(3_600);
    world.tick().await;
    let retired = asks(&world, host.id()).await.id;
    host.check_in().await;
    admin.delete(&format!("/api/v1/hosts/{}?force=true", host.id())).await.is(204);
    world.settles().await;
    for (how, id) in [("cancelled", cancelled), ("rejected", rejected), ("expired", expired), ("retired", retired)] {
        assert!(!is_stored(&world, id).await, "{how}");
    }
}

#[tokio::test]
async fn a_host_whose_agent_does_not_know_secrets_gets_no_job_that_brings_one() {
    let world = World::new().await;
    let mut host = Host::new(&world, "old");
    host.facts.capabilities.retain(|able| able != "run.secret_environment");
    host.joins(world.token(1).await.token.reveal()).await.is(201);
    host.starts().await.is(200);
    let mut body = secret_job();
    body["host_ids"] = json!([host.id()]);
    let problem = world.operator().await.post("/api/v1/jobs", &body).await.refused(ProblemCode::WrongState);
    let detail = problem.detail.unwrap();
    assert!(detail.contains("run.secret_environment") && detail.contains("update it"), "{detail}");
    assert!(!detail.contains(SECRET), "{detail}");
    assert!(host.check_in().await.jobs.is_empty());
    world.job(host.id(), &run_job()).await;
    assert_eq!(host.check_in().await.jobs.len(), 1, "other jobs are as before");
}

#[tokio::test]
async fn who_may_only_look_sees_no_value_of_a_variable() {
    let world = World::new().await;
    let host = world.host("one").await;
    let job = asks(&world, host.id()).await;
    let path = format!("/api/v1/jobs/{}", job.id);
    let viewed = world.viewer().await.get(&path).await.is(200);
    assert!(viewed.text().contains("LANG") && !viewed.text().contains(PLAIN), "{}", viewed.text());
    assert!(!world.viewer().await.get("/api/v1/jobs").await.is(200).text().contains(PLAIN));
    assert!(!world.viewer().await.get("/api/v1/audit").await.is(200).text().contains(PLAIN));
    assert!(world.operator().await.get(&path).await.is(200).text().contains(PLAIN), "who may run jobs sees it");
}

#[tokio::test]
async fn what_a_view_shows_in_place_of_a_secret_is_not_taken_for_one() {
    let world = World::new().await;
    let host = world.host("one").await;
    let mut body = secret_job();
    body["host_ids"] = json!([host.id()]);
    body["spec"]["secret_environment"]["DB_PASSWORD"] = json!("***");
    let problem = world.operator().await.post("/api/v1/jobs", &body).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("spec.secret_environment"));
}
