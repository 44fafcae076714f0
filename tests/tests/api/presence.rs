//! Presence: a host that holds a check-in is connected, one whose connection was closed is missed a minute later, and one that
//! says goodbye is offline at once.

use muster_domain::pacing::Pacing;
use muster_schemas::{check_ins::SessionEnd, hosts::HostView, problems::ProblemCode};
use muster_tests::world::{Answer, Host, World, answered, run_job};
use serde_json::json;

async fn if_online(world: &World, host: &Host) -> Answer {
    let mut body = json!({ "host_ids": [host.id()], "if_offline": "fail" });
    body.as_object_mut().unwrap().extend(run_job().as_object().unwrap().clone());
    world.operator().await.post("/api/v1/jobs", &body).await
}

async fn says_goodbye(host: &mut Host, session: u64) {
    host.caller().await.post("/api/v1/agent/session/end", &SessionEnd { session }).await.is(200);
}

fn presence(seen: &HostView) -> (bool, bool) {
    (seen.online, seen.connected)
}

#[tokio::test]
async fn a_host_is_connected_while_its_check_in_is_held_and_offline_a_minute_after_its_connection_was_closed() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    assert_eq!(presence(&world.sees_host(host.id()).await), (true, false), "it has a session, and holds nothing");
    let held = host.holds(280).await;
    world.moves(270);
    assert_eq!(presence(&world.sees_host(host.id()).await), (true, true));
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    let closed_at = world.now();
    world.moves(59);
    let seen = world.sees_host(host.id()).await;
    assert_eq!((presence(&seen), seen.last_seen_at), ((true, false), Some(closed_at)));
    world.moves(1);
    assert_eq!(presence(&world.sees_host(host.id()).await), (false, false));
    if_online(&world, &host).await.refused(ProblemCode::HostOffline);
    world.tick().await;
    let seen = world.restarted().sees_host(host.id()).await;
    assert_eq!((presence(&seen), seen.last_seen_at), ((false, false), Some(closed_at)), "it is written down");
    host.check_in().await;
    assert_eq!(presence(&world.sees_host(host.id()).await), (true, false));
    if_online(&world, &host).await.is(202);
}

#[tokio::test]
async fn a_host_that_is_answered_and_never_comes_back_is_missed_too_and_one_that_does_is_not() {
    let world = World::new().await;
    let (mut gone, mut there) = (world.host("gone").await, world.host("there").await);
    let held = gone.holds(25).await;
    world.moves(25);
    answered(held).await.is(200);
    assert_eq!(presence(&world.sees_host(gone.id()).await), (true, true), "its next check-in is on its way");
    let held = there.holds(60).await;
    world.moves(59);
    assert_eq!(presence(&world.sees_host(gone.id()).await), (true, false));
    world.moves(1);
    answered(held).await.is(200);
    world.tick().await;
    assert_eq!(presence(&world.sees_host(gone.id()).await), (false, false));
    assert_eq!(presence(&world.sees_host(there.id()).await), (true, true));
}

#[tokio::test]
async fn a_host_that_says_goodbye_is_offline_at_once_until_it_starts_again() {
    for pacing in [Pacing::default(), Pacing::of_functions()] {
        let world = World::new().await.paced(pacing);
        let mut host = world.host("one").await;
        host.restarts().await.is(200);
        let (newest, older) = (host.session, host.session - 1);
        says_goodbye(&mut host, older).await;
        assert!(world.sees_host(host.id()).await.online, "another process has taken over");
        says_goodbye(&mut host, newest).await;
        let seen = world.sees_host(host.id()).await;
        assert_eq!((presence(&seen), seen.last_seen_at), ((false, false), Some(world.now())));
        if_online(&world, &host).await.refused(ProblemCode::HostOffline);
        host.restarts().await.is(200);
        assert!(world.sees_host(host.id()).await.online);
    }
}

#[tokio::test]
async fn a_check_in_that_is_still_held_does_not_contradict_a_goodbye() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let held = host.holds(280).await;
    let session = host.session;
    says_goodbye(&mut host, session).await;
    assert_eq!(presence(&world.sees_host(host.id()).await), (false, false));
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    world.moves(100);
    world.tick().await;
    assert_eq!(presence(&world.sees_host(host.id()).await), (false, false));
}

#[tokio::test]
async fn a_host_that_another_process_has_missed_says_so_where_its_check_in_is_held() {
    let world = World::new().await.paced(Pacing { look_again_seconds: 1, ..Pacing::default() });
    let (one, another) = (world.restarted(), world.restarted());
    let mut host = world.host("one").await;
    host.talks_to(&one);
    let held = host.holds(280).await;
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    host.talks_to(&another);
    let held = host.holds(280).await;
    world.moves(60);
    one.tick().await;
    while !another.sees_host(host.id()).await.online || !one.sees_host(host.id()).await.online {
        world.moves(1);
        tokio::task::yield_now().await;
    }
    held.abort();
}

#[tokio::test]
async fn an_idle_check_in_that_is_held_still_writes_nothing() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.check_in().await;
    world.table.take();
    for _ in 0..3 {
        let held = host.holds(25).await;
        world.moves(25);
        answered(held).await.is(200);
        world.tick().await;
    }
    let units = world.table.take();
    assert!(!format!("{:?}", units.operations).contains("commit"), "{:?}", units.operations);
}

#[tokio::test]
async fn a_host_that_another_process_serves_now_is_online_where_it_was_answered_before() {
    let world = World::new().await.paced(Pacing { look_again_seconds: 1, ..Pacing::default() });
    let (one, another) = (world.restarted(), world.restarted());
    let mut host = world.host("one").await;
    host.talks_to(&one);
    let held = host.holds(1).await;
    world.moves(1);
    answered(held).await.is(200);
    host.talks_to(&another);
    let held = host.holds(280).await;
    world.moves(90);
    one.tick().await;
    assert!(one.sees_host(host.id()).await.online, "what is stored says so");
    assert_eq!(presence(&another.sees_host(host.id()).await), (true, true));
    held.abort();
}
