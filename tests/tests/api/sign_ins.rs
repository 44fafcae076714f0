//! Signing in while somebody guesses: who has the password gets in, and who has not learns nothing and leaves a trace.

use muster_schemas::{audit::AuditEntry, pages::Page, problems::ProblemCode};
use muster_tests::world::{Answer, Caller, World};
use serde_json::json;

const ATTACKER: &str = "198.51.100.66";
const ELSEWHERE: &str = "203.0.113.7";

async fn tries(caller: &Caller, username: &str, password: &str) -> Answer {
    caller.post("/api/v1/session", &json!({ "username": username, "password": password, "kind": "bearer" })).await
}

/// Guesses at a name until it has to wait.
async fn guesses(caller: &Caller, username: &str) {
    for _ in 0..100 {
        if tries(caller, username, "wrong wrong wrong").await.status == 429 {
            return;
        }
    }
    panic!("nobody has to wait");
}

/// A browser at this address that has signed in, with the cookie by which it is known from then on.
async fn known_browser(world: &World, username: &str, address: &str) -> Caller {
    let answer = tries(&world.nobody().at(address), username, World::password()).await.is(201);
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    let device = cookies.into_iter().find(|cookie| cookie.starts_with("__Host-muster-device=")).unwrap();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(device.contains(attribute), "{device}");
    }
    world.nobody().at(address).with("cookie", device.split(';').next().unwrap())
}

fn retry_after(answer: &Answer) -> i64 {
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn the_right_password_passes_while_somebody_elsewhere_guesses_at_the_name() {
    let world = World::new().await;
    guesses(&world.nobody().at(ATTACKER), "admin").await;
    tries(&world.nobody().at(ELSEWHERE), "admin", World::password()).await.is(201);
    assert_eq!(tries(&world.nobody().at(ATTACKER), "admin", World::password()).await.status, 429);
}

#[tokio::test]
async fn a_browser_that_has_signed_in_before_passes_while_somebody_guesses_from_its_own_address() {
    let world = World::new().await;
    let browser = known_browser(&world, "admin", ATTACKER).await;
    guesses(&world.nobody().at(ATTACKER), "admin").await;
    tries(&browser, "admin", World::password()).await.is(201);
    // It has tries of its own, and no more of them than others.
    guesses(&browser, "admin").await;
    assert_eq!(tries(&browser, "admin", World::password()).await.status, 429);
}

#[tokio::test]
async fn the_proof_of_an_earlier_sign_in_opens_nothing_and_is_good_for_its_own_name_and_three_months() {
    let world = World::new().await;
    let browser = known_browser(&world, "viewer", ATTACKER).await;
    browser.get("/api/v1/session").await.refused(ProblemCode::Unauthorized);
    guesses(&world.nobody().at(ATTACKER), "admin").await;
    assert_eq!(tries(&browser, "admin", World::password()).await.status, 429, "it is another's");
    let changed_cookie = browser.header("cookie").unwrap().replace("device=ey", "device=ex");
    guesses(&world.nobody().at(ATTACKER), "viewer").await;
    let forger = world.nobody().at(ATTACKER).with("cookie", &changed_cookie);
    assert_eq!(tries(&forger, "viewer", World::password()).await.status, 429);
    tries(&browser, "viewer", World::password()).await.is(201);
    world.moves(90 * 86_400);
    guesses(&world.nobody().at(ATTACKER), "viewer").await;
    assert_eq!(tries(&browser, "viewer", World::password()).await.status, 429);
}

#[tokio::test]
async fn an_address_that_tries_many_names_has_to_wait_and_holds_up_nobody_who_is_known() {
    let world = World::new().await;
    tries(&world.nobody().at(ATTACKER), "admin", World::password()).await.is(201);
    let attacker = world.nobody().at(ATTACKER);
    let mut looked_at = 0;
    while tries(&attacker, &format!("name-{looked_at}"), "wrong wrong wrong").await.status == 401 {
        looked_at += 1;
        assert!(looked_at < 100, "nothing bounds it");
    }
    tries(&attacker, "admin", World::password()).await.is(201);
    tries(&world.nobody().at(ELSEWHERE), "viewer", World::password()).await.is(201);
    assert_eq!(tries(&attacker, "viewer", World::password()).await.status, 429);
    // It is another address of the same network.
    let [one, other] = ["2001:db8::1", "2001:db8:0:ff::2"].map(|address| world.nobody().at(address));
    guesses(&one, "operator").await;
    assert_eq!(tries(&other, "operator", World::password()).await.status, 429);
}

#[tokio::test]
async fn a_name_is_not_tried_without_end_however_many_addresses_try_it() {
    let world = World::new().await;
    let known = known_browser(&world, "admin", ELSEWHERE).await;
    let mut looked_at = 0;
    'all: for number in 0..200_u32 {
        let attacker = world.nobody().at(&format!("100.64.{}.{}", number / 200, number % 200));
        for _ in 0..10 {
            if tries(&attacker, "admin", "wrong wrong wrong").await.status == 429 {
                break 'all;
            }
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 1_000 - 1, "the first sign-in was one of them");
    tries(&known, "admin", World::password()).await.is(201);
    tries(&world.nobody().at(ELSEWHERE), "admin", World::password()).await.is(201);
}

#[tokio::test]
async fn who_has_to_wait_is_told_how_long_and_that_is_true() {
    let world = World::new().await;
    let attacker = world.nobody().at(ATTACKER);
    for _ in 0..10 {
        tries(&attacker, "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    }
    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        let told = tries(&attacker, "admin", "wrong wrong wrong").await;
        assert_eq!((told.status, retry_after(&told)), (429, expected));
        world.moves(expected - 1);
        let told = tries(&attacker, "admin", World::password()).await;
        assert_eq!((told.status, retry_after(&told)), (429, 1));
        world.moves(1);
        tries(&attacker, "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    }
}

async fn entries(world: &World, action: &str) -> Vec<AuditEntry> {
    let all = world.viewer().await.get("/api/v1/audit?limit=200").await.is(200).json::<Page<AuditEntry>>().items;
    all.into_iter().filter(|entry| entry.action == action).collect()
}

#[tokio::test]
async fn failed_sign_ins_are_audited_with_their_address_one_entry_that_counts_for_ten_minutes() {
    let world = World::new().await;
    for _ in 0..5 {
        tries(&world.nobody().at(ATTACKER), "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
        world.moves(1);
    }
    let [entry] = entries(&world, "session.refused").await.try_into().expect("it is one entry");
    assert!(entry.subject.starts_with("usr_"), "{entry:?}");
    assert!(entry.detail.starts_with("admin, 5 failed sign-ins, the last one at "), "{entry:?}");
    assert_eq!((entry.address.as_str(), entry.actor.as_str(), entry.alert), (ATTACKER, "anonymous", false));
    assert!(entry.request_id.starts_with("req_"), "{entry:?}");
    tries(&world.nobody().at(ELSEWHERE), "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    assert_eq!(entries(&world, "session.refused").await.len(), 2, "another address has another entry");
    for _ in 0..5 {
        tries(&world.nobody().at(ATTACKER), "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    }
    let counted = entries(&world, "session.refused").await;
    assert!(counted.iter().any(|entry| entry.alert && entry.detail.starts_with("admin, 10 failed")), "{counted:?}");
    world.moves(600);
    tries(&world.nobody().at(ATTACKER), "admin", "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    assert_eq!(entries(&world, "session.refused").await.len(), 3);
}

#[tokio::test]
async fn names_that_no_account_has_are_told_nowhere_and_fill_nothing() {
    let world = World::new().await;
    for number in 0..20 {
        let typed = format!("a password in the wrong field {number}");
        tries(&world.nobody().at(ATTACKER), &typed, "wrong wrong wrong").await.refused(ProblemCode::Unauthorized);
    }
    let [entry] = entries(&world, "session.refused").await.try_into().expect("it is one entry");
    assert!(entry.detail.starts_with("no account has the name, 20 failed sign-ins"), "{entry:?}");
    assert_eq!((entry.subject.as_str(), entry.address.as_str()), ("", ATTACKER));
}

#[tokio::test]
async fn a_sign_in_and_a_host_that_joins_are_audited_with_their_request_and_their_address() {
    let world = World::new().await;
    let opened = tries(&world.nobody().at(ELSEWHERE), "operator", World::password()).await.is(201);
    let entry = entries(&world, "session.opened").await.into_iter().find(|entry| entry.actor_name == "operator");
    let entry = entry.expect("it is audited");
    assert_eq!((entry.request_id.as_str(), entry.address.as_str()), (opened.header("x-request-id"), ELSEWHERE));
    world.host("one").await;
    let joined = entries(&world, "host.enrolled").await.remove(0);
    assert!(joined.request_id.starts_with("req_"), "{joined:?}");
}
