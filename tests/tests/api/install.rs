use std::collections::BTreeSet;

use muster_schemas::problems::ProblemCode;
use muster_tests::world::{Answer, Host, World};
use serde_json::json;

use crate::releases::anybody;

const AGENT: &str = "/api/v1/install/linux-x86_64";

async fn asks(world: &World, path: &str, token: &str) -> Answer {
    world.nobody().bearing(token).get(path).await
}

/// The file, from wherever one is sent to.
async fn given(world: &World, token: &str) -> Vec<u8> {
    let answer = asks(world, AGENT, token).await;
    if answer.status != 307 {
        return answer.is(200).body;
    }
    anybody().get(answer.header("location")).send().await.unwrap().bytes().await.unwrap().into()
}

#[tokio::test]
async fn the_line_that_is_told_with_a_token_names_script_server_and_token() {
    let world = World::new().await;
    let created = world.token(1).await;
    let line = created.install_command.reveal();
    let url = &world.app.settings.public_url;
    assert_eq!(line.matches(url.as_str()).count(), 2, "{line}");
    let (script, arguments) = line.split_once(" | sudo ").unwrap();
    let token = created.token.reveal();
    assert!(script.contains(&format!(" MUSTER_ENROLLMENT_TOKEN={token};")) && !arguments.contains(token), "{line}");
    let path = script.split([' ', ';']).find_map(|word| word.strip_prefix(url.as_str())).unwrap();
    let script = world.nobody().get(path).await.is(200);
    assert!(script.text().starts_with("#!/bin/sh\n") && script.text().ends_with("\nmain \"$@\"\n"));
}

#[tokio::test]
async fn whoever_has_a_valid_token_gets_the_agent_of_the_newest_release_that_has_one() {
    let world = World::new().await;
    let token = world.token(1).await.token;
    asks(&world, AGENT, token.reveal()).await.refused(ProblemCode::NotFound);
    let old = world.publishes("1.1.0").await;
    assert_eq!(given(&world, token.reveal()).await, old.bytes);
    let new = world.publishes("1.2.0").await;
    assert_eq!(given(&world, token.reveal()).await, new.bytes);
    for platform in ["linux-aarch64", "linux", "windows-x86_64", "-", "%2e%2e-x86_64"] {
        asks(&world, &format!("/api/v1/install/{platform}"), token.reveal()).await.refused(ProblemCode::NotFound);
    }
    world.admin().await.post("/api/v1/releases/1.2.0/yank", &json!({ "reason": "it eats disks" })).await.is(200);
    assert_eq!(given(&world, token.reveal()).await, old.bytes);
}

#[tokio::test]
async fn a_seat_that_is_taken_does_not_keep_a_host_from_beginning_anew() {
    let world = World::new().await;
    let release = world.publishes("1.1.0").await;
    let token = world.token(1).await.token;
    Host::new(&world, "one").joins(token.reveal()).await.is(201);
    assert_eq!(given(&world, token.reveal()).await, release.bytes);
    // Its time goes on all the same.
    world.moves(3_600);
    asks(&world, AGENT, token.reveal()).await.refused(ProblemCode::EnrollmentTokenInvalid);
}

#[tokio::test]
async fn without_a_valid_token_nobody_gets_the_agent() {
    let world = World::new().await;
    world.publishes("1.1.0").await;
    let [revoked, expired] = [world.token(1).await, world.token(1).await];
    let path = format!("/api/v1/enrollment-tokens/{}", revoked.view.id);
    world.admin().await.delete(&path).await.is(204);
    let changed = format!("{}x", expired.token.reveal());
    let mut told = BTreeSet::new();
    for token in ["", "nothing", "Met_"] {
        asks(&world, AGENT, token).await.refused(ProblemCode::Unauthorized);
    }
    for token in ["met_", changed.as_str(), revoked.token.reveal()] {
        let answer = asks(&world, AGENT, token).await.refused(ProblemCode::EnrollmentTokenInvalid);
        told.insert(answer.detail);
    }
    world.nobody().get(AGENT).await.refused(ProblemCode::Unauthorized);
    world.moves(3_600);
    let answer = asks(&world, AGENT, expired.token.reveal()).await.refused(ProblemCode::EnrollmentTokenInvalid);
    told.insert(answer.detail);
    assert_eq!(told.len(), 3, "unknown, taken back and over are told apart: {told:?}");
}
