//! API keys and those who made them.

use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyView, Role, UserView},
    ids::UserId,
    pages::Page,
    problems::ProblemCode,
};
use muster_tests::world::{Caller, World};
use serde_json::json;

const PASSWORD: &str = "a password of the other one";

/// Another admin, signed in.
async fn other_admin(world: &World) -> (UserId, Caller) {
    let account = json!({ "username": "otto", "password": PASSWORD, "role": "admin" });
    let user: UserView = world.admin().await.post("/api/v1/users", &account).await.is(201).json();
    let login = json!({ "username": "otto", "password": PASSWORD, "kind": "bearer" });
    let session = world.nobody().post("/api/v1/session", &login).await.is(201).value();
    (user.id, world.nobody().bearing(session["token"].as_str().unwrap()))
}

async fn key(world: &World, maker: &Caller, role: &str) -> ApiKeyCreated {
    // Lists are in the order of making.
    world.moves(1);
    maker.post("/api/v1/api-keys", &json!({ "name": "ci", "role": role })).await.is(201).json()
}

async fn listed(world: &World) -> Vec<ApiKeyView> {
    world.admin().await.get("/api/v1/api-keys").await.is(200).json::<Page<_>>().items
}

#[tokio::test]
async fn a_key_never_has_more_than_its_maker_has_now() {
    let world = World::new().await;
    let (id, otto) = other_admin(&world).await;
    let created = key(&world, &otto, "admin").await;
    let program = world.nobody().bearing(created.key.reveal());
    program.post("/api/v1/tick", &json!({})).await.is(200);
    let path = format!("/api/v1/users/{id}");
    world.admin().await.patch(&path, &json!({ "role": "viewer" })).await.is(200);
    program.post("/api/v1/tick", &json!({})).await.refused(ProblemCode::Forbidden);
    program.get("/api/v1/hosts").await.is(200);
    let [seen] = listed(&world).await.try_into().unwrap();
    assert_eq!((seen.role, seen.role_now), (Role::Admin, Some(Role::Viewer)));
    world.admin().await.patch(&path, &json!({ "role": "admin" })).await.is(200);
    program.post("/api/v1/tick", &json!({})).await.is(200);
}

#[tokio::test]
async fn a_key_ends_with_the_account_of_its_maker_and_so_do_the_keys_that_it_made() {
    let world = World::new().await;
    let (id, otto) = other_admin(&world).await;
    let first = key(&world, &otto, "admin").await;
    let program = world.nobody().bearing(first.key.reveal());
    let second = world.nobody().bearing(key(&world, &program, "viewer").await.key.reveal());
    second.get("/api/v1/hosts").await.is(200);
    let others = world.nobody().bearing(key(&world, &world.admin().await, "viewer").await.key.reveal());
    // Another process has just asked for the maker's role.
    let elsewhere = world.restarted();
    program.clone().to(&elsewhere).get("/api/v1/hosts").await.is(200);
    world.admin().await.delete(&format!("/api/v1/users/{id}")).await.is(204);
    program.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    second.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    others.get("/api/v1/hosts").await.is(200);
    world.moves(5);
    program.to(&elsewhere).get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    let roles = listed(&world).await.into_iter().map(|key| key.role_now).collect::<Vec<_>>();
    assert_eq!(roles, [Some(Role::Viewer), None, None], "they are still listed, so that they can be removed");
}

#[tokio::test]
async fn the_list_says_who_made_a_key() {
    let world = World::new().await;
    let (id, otto) = other_admin(&world).await;
    let first = key(&world, &otto, "admin").await;
    key(&world, &world.nobody().bearing(first.key.reveal()), "viewer").await;
    let makers = listed(&world).await.into_iter().map(|key| (key.created_by, key.created_by_name)).collect::<Vec<_>>();
    let by_key = (format!("key:{}", first.view.id), "ci".to_owned());
    assert_eq!(makers, [by_key, (format!("user:{id}"), "otto".to_owned())]);
}

#[tokio::test]
async fn a_program_that_works_all_day_has_its_makers_account_read_every_few_seconds_at_most() {
    let world = World::new().await;
    let program = world.nobody().bearing(key(&world, &world.admin().await, "viewer").await.key.reveal());
    program.get("/api/v1/session").await.is(200);
    let mut reads = Vec::new();
    for _ in 0..3 {
        world.table.take();
        program.get("/api/v1/session").await.is(200);
        reads.push(world.table.take().read_half_units());
    }
    // Strongly consistent, so a whole unit: the key's own record and nothing else.
    assert_eq!(reads, [2, 2, 2]);
}
