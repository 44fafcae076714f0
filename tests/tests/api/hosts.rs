use muster_schemas::{
    hosts::{HostState, HostView},
    jobs::{JobState, Outcome},
    pages::Page,
    problems::ProblemCode,
};
use muster_tests::world::{World, finished, result, run_job};
use serde_json::json;

#[tokio::test]
async fn the_older_of_two_processes_of_one_identity_is_fenced() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let mut clone = host.cloned();
    clone.starts().await.is(200);
    host.asks().await.refused(ProblemCode::SessionSuperseded);
    clone.asks().await.is(200);
    assert_eq!(world.sees_host(host.id()).await.state, HostState::Active);
}

#[tokio::test]
async fn when_the_earlier_process_comes_back_both_are_quarantined_until_an_operator_readmits_the_host() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let mut clone = host.cloned();
    clone.starts().await.is(200);
    let job = world.job(host.id(), &run_job()).await;
    host.starts().await.refused(ProblemCode::HostQuarantined);
    assert_eq!(world.alerts().await[0].action, "host.quarantined");
    for copy in [&mut host, &mut clone] {
        copy.asks().await.refused(ProblemCode::HostQuarantined);
        copy.tells(job.id, vec![finished(result(Outcome::Succeeded, world.now()))])
            .await
            .refused(ProblemCode::HostQuarantined);
        copy.restarts().await.refused(ProblemCode::HostQuarantined);
        assert!(copy.received.is_empty(), "nothing is offered to either");
    }
    assert_eq!(world.sees_job(job.id).await.state, JobState::Queued);
    let path = format!("/api/v1/hosts/{}/readmit", host.id());
    let reason = json!({ "reason": "the other machine was a restored image" });
    world.admin().await.post(&path, &reason).await.is(200);
    host.restarts().await.is(200);
    host.runs(job.id).await.is(200);
    world.admin().await.post(&path, &reason).await.refused(ProblemCode::WrongState);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_restarted_agent_is_no_clone() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    for _ in 0..40 {
        host.restarts().await.is(200);
        // The same process may ask again: the answer was lost.
        host.starts().await.is(200);
    }
    assert_eq!(world.sees_host(host.id()).await.state, HostState::Active);
}

#[tokio::test]
async fn a_retired_host_is_told_to_stop_for_good() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let admin = world.admin().await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let job = world.job(host.id(), &run_job()).await;
    let problem = admin.delete(&path).await.refused(ProblemCode::HostInUse);
    assert_eq!(problem.members["open_jobs"], 1);
    admin.delete(&format!("{path}?force=true&reason=sold")).await.is(204);
    host.asks().await.refused(ProblemCode::HostRetired);
    host.starts().await.refused(ProblemCode::HostRetired);
    host.asks_for_token(&host.assertion()).await.refused(ProblemCode::HostRetired);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Cancelled);
    let seen = world.sees_host(host.id()).await;
    assert_eq!((seen.state, seen.state_reason.as_deref()), (HostState::Retired, Some("sold")));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_counts_as_offline_ten_minutes_after_its_last_word() {
    let world = World::new().await;
    let host = world.host("one").await;
    assert!(world.sees_host(host.id()).await.online);
    world.moves(599);
    assert!(world.sees_host(host.id()).await.online);
    world.moves(1);
    assert!(!world.sees_host(host.id()).await.online);
}

#[tokio::test]
async fn what_an_operator_says_of_a_host_is_kept_apart_from_what_it_says_itself() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let operator = world.operator().await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let change = json!({ "name": "web front", "labels": { "role": "web", "old": null } });
    let seen: HostView = operator.patch(&path, &change).await.is(200).json();
    assert_eq!((seen.name.as_str(), seen.labels["role"].as_str()), ("web front", "web"));
    host.facts.hostname = "renamed".into();
    host.restarts().await.is(200);
    let seen = world.sees_host(host.id()).await;
    assert_eq!((seen.name.as_str(), seen.facts.hostname.as_str()), ("web front", "renamed"));
}

#[tokio::test]
async fn a_change_of_an_older_revision_is_refused() {
    let world = World::new().await;
    let host = world.host("one").await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let operator = world.operator().await;
    let etag = operator.get(&path).await.is(200).header("etag").to_owned();
    let change = |name: &str| json!({ "name": name });
    let conditional = operator.clone().with("if-match", &etag);
    let newer = conditional.patch(&path, &change("first")).await.is(200).header("etag").to_owned();
    assert_ne!(newer, etag);
    conditional.patch(&path, &change("second")).await.refused(ProblemCode::RevisionMismatch);
    operator
        .clone()
        .with("if-match", "garbage")
        .patch(&path, &change("third"))
        .await
        .refused(ProblemCode::RevisionMismatch);
    operator.clone().with("if-match", "*").patch(&path, &change("fourth")).await.is(200);
    assert_eq!(world.sees_host(host.id()).await.name, "fourth");
}

#[tokio::test]
async fn a_list_of_hosts_goes_by_label_version_state_and_presence() {
    let world = World::new().await;
    let mut hosts = world.fleet(3, "1.0.0").await;
    let operator = world.operator().await;
    let change = json!({ "labels": { "site": "north" } });
    operator.patch(&format!("/api/v1/hosts/{}", hosts[1].id()), &change).await.is(200);
    world.admin().await.delete(&format!("/api/v1/hosts/{}", hosts[2].id())).await.is(204);
    hosts[0].agent.version = "2.0.0".into();
    hosts[0].restarts().await.is(200);
    world.moves(599);
    let names = async |query: &str| {
        let page: Page<HostView> = operator.get(&format!("/api/v1/hosts?{query}")).await.is(200).json();
        page.items.into_iter().map(|host| host.name).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["host_02", "host_01"]);
    assert_eq!(names("label=site%3Dnorth").await, ["host_02"]);
    assert_eq!(names("version=2.0.0").await, ["host_01"]);
    assert_eq!(names("state=retired").await, ["host_03"]);
    assert_eq!(names("online=true").await, ["host_01"]);
    operator.get("/api/v1/hosts?label=north").await.refused(ProblemCode::Invalid);
}

#[tokio::test]
async fn one_host_is_updated_alone_unless_it_is_current_offline_or_being_updated() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let release = world.publishes("1.1.0").await;
    let path = format!("/api/v1/hosts/{}/update", host.id());
    let (admin, body) = (world.admin().await, json!({ "version": "1.1.0" }));
    admin.post(&path, &json!({ "version": "9.9.9" })).await.refused(ProblemCode::Invalid);
    admin.post(&path, &body).await.is(202);
    admin.post(&path, &body).await.refused(ProblemCode::UpdateInProgress);
    assert!(world.sees_host(host.id()).await.update_available);
    host.updates(&release).await.unwrap();
    admin.post(&path, &body).await.refused(ProblemCode::AlreadyUpToDate);
    assert!(!world.sees_host(host.id()).await.update_available);
    world.publishes("1.2.0").await;
    world.moves(600);
    admin.post(&path, &json!({ "version": "1.2.0" })).await.refused(ProblemCode::HostOffline);
    world.is_consistent().await;
}
