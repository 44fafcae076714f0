//! Accounts, sessions of people, and keys of programs.

use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyView, Role, SessionView, UserView},
    pages::Page,
    problems::ProblemCode,
};
use muster_server::app::Settings;
use muster_tests::world::{Caller, PUBLIC_URL, World};
use serde_json::{Value, json};

const COOKIE: &str = "__Host-muster-session";

fn login(username: &str, kind: &str) -> Value {
    json!({ "username": username, "password": World::password(), "kind": kind })
}

/// A browser that has signed in: with its cookie, and its CSRF token.
async fn browser(world: &World, username: &str) -> (Caller, String) {
    let answer = world.nobody().post("/api/v1/session", &login(username, "cookie")).await.is(201);
    let cookie = answer.header("set-cookie").to_owned();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let view: SessionView = answer.json();
    assert_eq!(view.token, None, "a page's script never sees the session");
    let pair = cookie.split(';').next().unwrap();
    (world.nobody().with("cookie", pair), view.csrf_token.unwrap().reveal().to_owned())
}

#[tokio::test]
async fn a_browsers_change_needs_our_own_origin_and_the_sessions_token() {
    let world = World::new().await;
    let (browser, csrf) = browser(&world, "admin").await;
    browser.get("/api/v1/hosts").await.is(200);
    let change = async |caller: Caller| caller.post("/api/v1/enrollment-tokens", &json!({})).await;
    change(browser.clone()).await.refused(ProblemCode::CsrfRefused);
    change(browser.clone().with("origin", PUBLIC_URL)).await.refused(ProblemCode::CsrfRefused);
    change(browser.clone().with("x-csrf-token", &csrf)).await.refused(ProblemCode::CsrfRefused);
    let foreign = browser.clone().with("origin", "https://evil.test").with("x-csrf-token", &csrf);
    change(foreign).await.refused(ProblemCode::CsrfRefused);
    let wrong = browser.clone().with("origin", PUBLIC_URL).with("x-csrf-token", "");
    change(wrong).await.refused(ProblemCode::CsrfRefused);
    change(browser.clone().with("origin", PUBLIC_URL).with("x-csrf-token", &csrf)).await.is(201);
}

#[tokio::test]
async fn a_console_with_a_url_of_its_own_may_change_things_where_the_server_is_told_so() {
    let world = World::new().await;
    let (browser, csrf) = browser(&world, "admin").await;
    let change = async |world: &World, origin: &str| {
        let caller = browser.clone().to(world).with("origin", origin).with("x-csrf-token", &csrf);
        caller.post("/api/v1/enrollment-tokens", &json!({})).await
    };
    let elsewhere = "https://console.test";
    change(&world, elsewhere).await.refused(ProblemCode::CsrfRefused);
    let told = world.told(Settings { console_url: format!("{elsewhere}/"), ..world.app.settings.clone() });
    change(&told, elsewhere).await.is(201);
    change(&told, PUBLIC_URL).await.is(201);
    change(&told, "https://evil.test").await.refused(ProblemCode::CsrfRefused);
    change(&told, "").await.refused(ProblemCode::CsrfRefused);
    change(&world, "").await.refused(ProblemCode::CsrfRefused);
}

#[tokio::test]
async fn a_reloaded_page_is_told_its_csrf_token_again_and_a_program_has_none() {
    let world = World::new().await;
    let (browser, csrf) = browser(&world, "viewer").await;
    let view: SessionView = browser.get("/api/v1/session").await.is(200).json();
    assert_eq!((view.csrf_token.unwrap().reveal(), view.role), (csrf.as_str(), Role::Viewer));
    let program: SessionView = world.viewer().await.get("/api/v1/session").await.is(200).json();
    assert_eq!((program.csrf_token, program.token), (None, None));
}

#[tokio::test]
async fn a_cookie_ends_after_a_quarter_of_an_hour_without_a_request_and_a_program_after_twelve_hours() {
    let world = World::new().await;
    let (browser, _) = browser(&world, "viewer").await;
    let program = world.viewer().await;
    for _ in 0..3 {
        world.moves(14 * 60);
        browser.get("/api/v1/session").await.is(200);
    }
    world.moves(15 * 60);
    browser.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
    program.get("/api/v1/session").await.is(200);
    world.moves(12 * 60 * 60);
    program.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn a_cookie_is_no_bearer_token_and_a_bearer_token_no_cookie() {
    let world = World::new().await;
    let answer = world.nobody().post("/api/v1/session", &login("viewer", "cookie")).await.is(201);
    let cookie = answer.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    world.nobody().bearing(&cookie).get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
    let answer = world.nobody().post("/api/v1/session", &login("viewer", "bearer")).await.is(201).value();
    let pair = format!("{COOKIE}={}", answer["token"].as_str().unwrap());
    world.nobody().with("cookie", &pair).get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = World::new().await;
    let program = world.viewer().await;
    program.delete("/api/v1/session").await.is(204);
    program.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_the_same() {
    let world = World::new().await;
    let wrong = json!({ "username": "admin", "password": "wrong horse battery staple" });
    let unknown = json!({ "username": "nobody", "password": "wrong horse battery staple" });
    let wrong = world.nobody().post("/api/v1/session", &wrong).await.refused(ProblemCode::Unauthorized);
    let unknown = world.nobody().post("/api/v1/session", &unknown).await.refused(ProblemCode::Unauthorized);
    assert_eq!(wrong.detail, unknown.detail);
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let world = World::new().await;
    let (admin, program) = (world.admin().await, world.viewer().await);
    let users: Page<UserView> = admin.get("/api/v1/users").await.is(200).json();
    let viewer = users.items.iter().find(|user| user.username == "viewer").unwrap();
    let path = format!("/api/v1/users/{}", viewer.id);
    admin.patch(&path, &json!({ "password": "short" })).await.refused(ProblemCode::Invalid);
    program.get("/api/v1/session").await.is(200);
    admin.patch(&path, &json!({ "password": "another long password" })).await.is(200);
    program.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
    let old = login("viewer", "bearer");
    world.nobody().post("/api/v1/session", &old).await.refused(ProblemCode::Unauthorized);
    let new = json!({ "username": "viewer", "password": "another long password", "kind": "bearer" });
    world.nobody().post("/api/v1/session", &new).await.is(201);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let world = World::new().await;
    let admin = world.admin().await;
    let users: Page<UserView> = admin.get("/api/v1/users").await.is(200).json();
    let path =
        |name: &str| format!("/api/v1/users/{}", users.items.iter().find(|user| user.username == name).unwrap().id);
    admin.delete(&path("admin")).await.refused(ProblemCode::WrongState);
    admin.patch(&path("admin"), &json!({ "role": "viewer" })).await.refused(ProblemCode::WrongState);
    admin.patch(&path("operator"), &json!({ "role": "admin" })).await.is(200);
    admin.delete(&path("admin")).await.is(204);
    admin.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn of_two_admins_that_remove_each_other_at_once_one_stays() {
    for _ in 0..20 {
        let world = World::new().await;
        let admin = world.admin().await;
        let users: Page<UserView> = admin.get("/api/v1/users").await.is(200).json();
        let path = |name: &str| {
            let user = users.items.iter().find(|user| user.username == name).unwrap();
            format!("/api/v1/users/{}", user.id)
        };
        admin.patch(&path("operator"), &json!({ "role": "admin" })).await.is(200);
        let other = world.operator().await;
        let (one, two) = (path("admin"), path("operator"));
        let (one, two) = tokio::join!(other.delete(&one), admin.delete(&two));
        assert!((one.status == 204) != (two.status == 204), "{} {}", one.text(), two.text());
    }
}

#[tokio::test]
async fn a_change_of_role_counts_from_the_next_request_on() {
    let world = World::new().await;
    let (admin, operator) = (world.admin().await, world.operator().await);
    let users: Page<UserView> = admin.get("/api/v1/users").await.is(200).json();
    let user = users.items.iter().find(|user| user.username == "operator").unwrap();
    let conditional = admin.clone().with("if-match", &format!("\"{}\"", user.revision));
    conditional.patch(&format!("/api/v1/users/{}", user.id), &json!({ "role": "viewer" })).await.is(200);
    operator.post("/api/v1/jobs", &json!({})).await.refused(ProblemCode::Forbidden);
    let path = format!("/api/v1/users/{}", user.id);
    conditional.patch(&path, &json!({ "role": "admin" })).await.refused(ProblemCode::RevisionMismatch);
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_bad_account_is_refused_by_field() {
    let world = World::new().await;
    let admin = world.admin().await;
    let account =
        |username: &str, password: &str| json!({ "username": username, "password": password, "role": "viewer" });
    admin.post("/api/v1/users", &account("anna", "twelve chars")).await.is(201);
    admin.post("/api/v1/users", &account("anna", "twelve chars")).await.refused(ProblemCode::AlreadyExists);
    for (username, password, field) in
        [("", "twelve chars", "username"), ("Anna", "twelve chars", "username"), ("otto", "eleven char", "password")]
    {
        let problem = admin.post("/api/v1/users", &account(username, password)).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    // The name is free again once the account is gone.
    let users: Page<UserView> = admin.get("/api/v1/users").await.json();
    let anna = users.items.iter().find(|user| user.username == "anna").unwrap();
    admin.delete(&format!("/api/v1/users/{}", anna.id)).await.is(204);
    admin.post("/api/v1/users", &account("anna", "twelve chars")).await.is(201);
}

#[tokio::test]
async fn an_api_key_works_until_it_expires_or_is_revoked_and_is_told_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let made = async |role: &str| {
        let body = json!({ "name": "ci", "role": role, "valid_for_seconds": 3_600 });
        admin.post("/api/v1/api-keys", &body).await.is(201).json::<ApiKeyCreated>()
    };
    let (expires, revoked) = (made("operator").await, made("viewer").await);
    let program = world.nobody().bearing(expires.key.reveal());
    let other = world.nobody().bearing(revoked.key.reveal());
    program.get("/api/v1/hosts").await.is(200);
    program.post("/api/v1/enrollment-tokens", &json!({})).await.refused(ProblemCode::Forbidden);
    other.get("/api/v1/hosts").await.is(200);
    admin.delete(&format!("/api/v1/api-keys/{}", revoked.view.id)).await.is(204);
    other.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    let listed = admin.get("/api/v1/api-keys").await.is(200);
    assert!(!listed.text().contains(expires.key.reveal()));
    let keys: Page<ApiKeyView> = listed.json();
    assert_eq!((keys.items.len(), keys.items[0].last_used_at), (1, Some(world.now())));
    world.moves(3_600);
    program.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn a_credential_that_is_almost_right_is_none() {
    let world = World::new().await;
    let body = json!({ "name": "ci", "role": "viewer" });
    let key: ApiKeyCreated = world.admin().await.post("/api/v1/api-keys", &body).await.is(201).json();
    let text = key.key.reveal();
    for wrong in [&text[..text.len() - 1], &text.to_lowercase(), "mst_", "mss_", "", "x"] {
        world.nobody().bearing(wrong).get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    }
    let basic = world.nobody().with("authorization", &format!("Basic {text}"));
    basic.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn a_password_that_somebody_would_try_first_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    let account = |password: &str| json!({ "username": "ottokar", "password": password, "role": "viewer" });
    for weak in ["            ", "password1234", "aaaaaaaaaaaa", "ottokar123456", "QwertyUiop123"] {
        let problem = admin.post("/api/v1/users", &account(weak)).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("password"), "{weak:?}");
        assert!(!problem.detail.unwrap_or_default().contains(weak), "a password is not repeated");
    }
    let user: UserView = admin.post("/api/v1/users", &account("a good long one")).await.is(201).json();
    let path = format!("/api/v1/users/{}", user.id);
    admin.patch(&path, &json!({ "password": "Ottokar-2026!" })).await.refused(ProblemCode::Invalid);
}
