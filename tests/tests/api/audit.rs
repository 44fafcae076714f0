use muster_schemas::{
    access::{Role, UserView},
    audit::AuditEntry,
    pages::Page,
    problems::ProblemCode,
};
use muster_tests::world::{World, run_job};
use serde_json::json;

async fn entries(world: &World, query: &str) -> Vec<AuditEntry> {
    world.viewer().await.get(&format!("/api/v1/audit{query}")).await.is(200).json::<Page<_>>().items
}

#[tokio::test]
async fn every_change_says_who_did_what_to_which_thing_in_which_request() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    world.moves(1);
    let path = format!("/api/v1/jobs/{}/cancel", job.id);
    let answer = world.operator().await.post(&path, &json!({})).await.is(200);
    let entries = entries(&world, &format!("?subject={}", job.id)).await;
    let actions = entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>();
    assert_eq!(actions, ["job.cancel_requested", "job.created"]);
    assert!(entries[0].actor.starts_with("user:usr_"));
    assert_eq!(entries[0].request_id, answer.header("x-request-id"));
}

#[tokio::test]
async fn a_persons_name_is_told_with_what_they_did_also_when_the_account_is_gone() {
    let world = World::new().await;
    let host = world.host("one").await;
    let admin = world.admin().await;
    let job = world.job(host.id(), &run_job()).await;
    world.publishes("1.1.0").await;
    let update = admin.post("/api/v1/fleet-updates", &json!({ "version": "1.1.0" })).await.is(201);
    world.moves(1);
    let key = admin.post("/api/v1/api-keys", &json!({ "name": "nightly", "role": "operator" })).await.is(201).value();
    let ci = world.nobody().bearing(key["key"].as_str().unwrap());
    ci.post(&format!("/api/v1/jobs/{}/cancel", job.id), &json!({})).await.is(200);
    for account in admin.get("/api/v1/users").await.json::<Page<UserView>>().items {
        if account.role == Role::Operator {
            admin.delete(&format!("/api/v1/users/{}", account.id)).await.is(204);
        }
    }
    let names = |entries: Vec<AuditEntry>| entries.into_iter().map(|entry| entry.actor_name).collect::<Vec<_>>();
    assert_eq!(names(entries(&world, &format!("?subject={}", job.id)).await), ["nightly", "operator"]);
    assert_eq!(names(entries(&world, &format!("?subject={}", host.id())).await).last().unwrap(), "");
    assert_eq!(world.sees_job(job.id).await.created_by_name, "operator");
    assert_eq!(update.value()["created_by_name"], "admin");
}

#[tokio::test]
async fn polls_are_not_audited() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    // Signing in to look is audited, so only what is not that counts.
    let others = async || entries(&world, "").await.iter().filter(|entry| entry.action != "session.opened").count();
    let before = others().await;
    for _ in 0..5 {
        world.moves(300);
        host.check_in().await;
    }
    assert_eq!(others().await, before);
}

#[tokio::test]
async fn what_the_tick_does_is_audited_as_the_ticks() {
    let world = World::new().await;
    let host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    world.moves(3_600);
    world.tick().await;
    let entries = entries(&world, &format!("?subject={}", job.id)).await;
    assert_eq!((entries[0].actor.as_str(), entries[0].detail.as_str()), ("tick", "expired"));
}

/// The actions of the entries that a query finds, newest first.
async fn actions(world: &World, query: &str) -> Vec<String> {
    entries(world, query).await.into_iter().map(|entry| entry.action).collect()
}

#[tokio::test]
async fn a_new_role_is_not_a_new_password_and_both_say_whose_it_is() {
    let world = World::new().await;
    let admin = world.admin().await;
    let users: Page<UserView> = admin.get("/api/v1/users").await.json();
    let id = users.items.iter().find(|user| user.username == "viewer").unwrap().id;
    let path = format!("/api/v1/users/{id}");
    admin.patch(&path, &json!({ "role": "operator" })).await.is(200);
    world.moves(1);
    admin.patch(&path, &json!({ "password": "another long password" })).await.is(200);
    world.moves(1);
    admin.patch(&path, &json!({ "role": "viewer", "password": "yet another password" })).await.is(200);
    let admin_sees = admin.get(&format!("/api/v1/audit?subject={id}&action=user")).await.is(200);
    let found = admin_sees.json::<Page<AuditEntry>>().items;
    let mut told = found.iter().map(|entry| (entry.action.as_str(), entry.detail.as_str())).collect::<Vec<_>>();
    told[..2].sort_unstable();
    let expected = [
        ("user.password_changed", "viewer, viewer"),
        ("user.role_changed", "viewer, operator -> viewer"),
        ("user.password_changed", "viewer, operator"),
        ("user.role_changed", "viewer, viewer -> operator"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_was_changed_of_a_host_is_told_before_and_after() {
    let world = World::new().await;
    let host = world.host("one").await;
    let path = format!("/api/v1/hosts/{}", host.id());
    world.operator().await.patch(&path, &json!({ "labels": { "role": "edge", "site": "b" } })).await.is(200);
    world.moves(1);
    let body = json!({ "name": "two", "labels": { "role": "core", "site": null } });
    world.operator().await.patch(&path, &body).await.is(200);
    let told = entries(&world, "?action=host.described").await.into_iter().map(|entry| entry.detail);
    let expected = [
        r#"name: "one" -> "two", label role: "edge" -> "core", label site: "b" -> -"#,
        r#"label role: - -> "edge", label site: - -> "b""#,
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_jobs_entry_has_its_command() {
    let world = World::new().await;
    let host = world.host("one").await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/systemctl", "restart", "nginx"], "environment": { "TZ": "UTC" } } });
    world.job(host.id(), &spec).await;
    let told = entries(&world, "?action=job.created").await.remove(0).detail;
    assert_eq!(told, format!("run on {}: /bin/systemctl restart nginx, environment TZ", host.id()));
}

#[tokio::test]
async fn why_an_update_was_paused_is_kept_and_who_completed_it_is_not_the_host_that_was_last() {
    let world = World::new().await;
    let mut host = world.fleet(1, "1.0.0").await.remove(0);
    let release = world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0", "soak_seconds": 0 })).await.id;
    world.tick().await;
    world.acts(id, "pause", &json!({ "note": "lunch" })).await.is(200);
    let seen = world.sees_fleet_update(id).await;
    assert_eq!(seen.paused_note, "lunch");
    assert_eq!(seen.waiting_on.as_deref(), Some("an operator to resume it: lunch"));
    let paused = entries(&world, "?action=fleet_update.paused").await.remove(0);
    assert_eq!((paused.detail.as_str(), paused.actor_name.as_str()), ("lunch", "admin"));
    world.acts(id, "resume", &json!({ "note": "back" })).await.is(200);
    assert_eq!(world.sees_fleet_update(id).await.paused_note, "");
    host.updates(&release).await.unwrap();
    let completed = entries(&world, "?action=fleet_update.completed").await.remove(0);
    assert_eq!((completed.actor.as_str(), completed.actor_name.as_str()), ("server", ""));
    let long = json!({ "note": "x".repeat(2_000) });
    world.acts(id, "pause", &long).await.refused(ProblemCode::Invalid);
}

#[tokio::test]
async fn entries_are_found_by_who_did_what_to_which_thing_by_id_or_by_name() {
    let world = World::new().await;
    let (one, two) = (world.host("one").await, world.host("two").await);
    let admin = world.admin().await;
    let (first, _) = (world.job(one.id(), &run_job()).await, world.job(two.id(), &run_job()).await);
    let account = json!({ "username": "alice", "password": "a password of alice", "role": "operator" });
    let alice: UserView = admin.post("/api/v1/users", &account).await.is(201).json();
    world.moves(1);
    admin.patch(&format!("/api/v1/users/{}", alice.id), &json!({ "role": "viewer" })).await.is(200);
    admin.post("/api/v1/api-keys", &json!({ "name": "nightly", "role": "viewer" })).await.is(201);

    assert_eq!(actions(&world, "?action=job").await, ["job.created", "job.created"]);
    assert_eq!(actions(&world, &format!("?subject={}", first.id)).await, ["job.created"]);
    assert_eq!(actions(&world, "?subject=one").await, ["host.enrolled"], "a host's name");
    assert_eq!(actions(&world, "?subject=nightly").await, ["api_key.created"], "a key's name");
    assert_eq!(actions(&world, "?subject=alice").await, ["user.role_changed", "user.created"]);
    assert_eq!(actions(&world, &format!("?actor=host:{}", two.id())).await, ["host.enrolled"]);
    assert_eq!(actions(&world, &format!("?actor={}", two.id())).await, ["host.enrolled"]);
    assert_eq!(actions(&world, "?actor=operator&action=job.created").await.len(), 2);
    assert!(actions(&world, "?action=jo").await.is_empty() && actions(&world, "?actor=nobody").await.is_empty());

    world.moves(1);
    admin.delete(&format!("/api/v1/users/{}", alice.id)).await.is(204);
    let gone = ["user.deleted", "user.role_changed", "user.created"];
    assert_eq!(actions(&world, "?subject=alice").await, gone, "although nobody has the name any more");
}

#[tokio::test]
async fn entries_of_a_span_of_time_are_found_without_looking_at_the_others() {
    let world = World::new().await;
    let host = world.host("one").await;
    let mut times = Vec::new();
    for _ in 0..5 {
        world.moves(60);
        times.push(world.now());
        world.job(host.id(), &run_job()).await;
    }
    let found = async |since: usize, until: usize| {
        let query = format!("?action=job.created&since={}&until={}", times[since], times[until]);
        entries(&world, &query).await.into_iter().map(|entry| entry.at).collect::<Vec<_>>()
    };
    assert_eq!(found(1, 3).await, [times[2], times[1]], "from the one on, and before the other");
    assert!(found(2, 2).await.is_empty());
    assert_eq!(actions(&world, &format!("?since={}&action=job", times[4])).await.len(), 1);
    let viewer = world.viewer().await;
    let page: Page<AuditEntry> =
        viewer.get(&format!("/api/v1/audit?action=job&limit=1&until={}", times[4])).await.is(200).json();
    let cursor = page.next_cursor.unwrap();
    let next = format!("/api/v1/audit?action=job&limit=9&until={}&since={}&cursor={cursor}", times[4], times[2]);
    assert_eq!(viewer.get(&next).await.is(200).json::<Page<AuditEntry>>().items.len(), 1);
    for (query, field) in [
        (format!("since={}&until={}", times[1], times[0]), "since"),
        ("since=yesterday".into(), "since"),
        ("actor=".into(), "actor"),
        (format!("subject={}", "x".repeat(129)), "subject"),
    ] {
        let problem = viewer.get(&format!("/api/v1/audit?{query}")).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field), "{query}");
    }
}

#[tokio::test]
async fn entries_are_exported_as_lines_page_by_page() {
    let world = World::new().await;
    let host = world.host("one").await;
    for _ in 0..3 {
        world.moves(1);
        world.job(host.id(), &run_job()).await;
    }
    let exporter = world.viewer().await.with("accept", "application/x-ndjson");
    let first = exporter.get("/api/v1/audit?action=job&limit=2").await.is(200);
    assert_eq!(first.header("content-type"), "application/x-ndjson");
    let lines =
        |text: String| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<AuditEntry>>();
    let cursor = first.header("muster-audit-next").to_owned();
    let rest = exporter.get(&format!("/api/v1/audit?action=job&cursor={cursor}")).await.is(200);
    assert_eq!((lines(first.text()).len(), lines(rest.text()).len(), rest.header("muster-audit-next")), (2, 1, ""));
}
