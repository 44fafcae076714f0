//! What an installation is called: hosts that know it by another of its names are served, and told where it is now.

use axum::{body::Body, http::Method};
use muster_domain::installations::Installation;
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE, Relocation, TokenResponse},
    enrollment::EnrollResponse,
    problems::ProblemCode,
};
use muster_server::{app::Settings, records, roles::installations, store::Consistency};
use muster_tests::world::{Answer, Host, PUBLIC_URL, World, request};

const NEW_URL: &str = "https://new.test";

/// A server on the same store that has this public URL, and these others.
async fn called(world: &World, public_url: &str, also: &[&str]) -> World {
    let settings = Settings { public_url: public_url.into(), ..world.app.settings.clone() };
    let world = world.told(settings);
    let also = also.iter().map(|url| (*url).to_owned()).collect();
    installations::begin(&world.app, also).await.unwrap();
    world
}

/// Asks this server for a token with a proof for this audience.
async fn proves(world: &World, host: &Host, audience: &str) -> Answer {
    let now = world.now().as_second();
    let jti = world.number().to_string();
    let claims = AssertionClaims { iss: host.id(), sub: host.id(), aud: audience.into(), iat: now, exp: now + 60, jti };
    let kind = ASSERTION_TYPE.replace(':', "%3A");
    let assertion = host.signs(&claims);
    let form = format!("grant_type={GRANT_TYPE}&client_assertion_type={kind}&client_assertion={assertion}");
    let request = request(Method::POST, "/oauth/token").body(Body::from(form)).unwrap();
    world.nobody().sends(request).await
}

async fn relocation(world: &World, host: &Host, audience: &str) -> Option<Relocation> {
    proves(world, host, audience).await.is(200).json::<TokenResponse>().relocation
}

#[tokio::test]
async fn a_host_that_joined_under_another_url_is_served_and_told_of_the_new_one() {
    let world = called(&World::new().await, PUBLIC_URL, &[]).await;
    let mut host = Host::new(&world, "one");
    let token = world.token(1).await.token;
    let joined = host.joins(token.reveal()).await.is(201).json::<EnrollResponse>();
    let id = world.app.names().installation.as_ref().unwrap().id.to_string();
    assert_eq!(relocation(&world, &host, &joined.audience).await, None, "there is nothing to tell yet");
    let renamed = called(&world, NEW_URL, &[]).await;
    let told = Relocation { to: NEW_URL.into(), from: vec![PUBLIC_URL.into()] };
    for audience in [joined.audience.as_str(), NEW_URL, id.as_str()] {
        assert_eq!(relocation(&renamed, &host, audience).await, Some(told.clone()), "{audience}");
    }
    let again = called(&world, NEW_URL, &[PUBLIC_URL]).await;
    assert_eq!(relocation(&again, &host, PUBLIC_URL).await, None, "who calls it by a name that it still has stays");
}

#[tokio::test]
async fn a_host_that_signs_for_a_name_that_nobody_has_told_is_refused_with_that_name() {
    let world = World::new().await;
    let host = world.host("one").await;
    let renamed = called(&world, NEW_URL, &[]).await;
    let detail = proves(&renamed, &host, PUBLIC_URL).await.refused(ProblemCode::Unauthorized).detail.unwrap();
    assert!(detail.contains(PUBLIC_URL) && detail.contains("--also-known-as"), "{detail}");
    let told = called(&world, NEW_URL, &[PUBLIC_URL]).await;
    proves(&told, &host, PUBLIC_URL).await.is(200);
}

#[tokio::test]
async fn servers_that_start_at_once_are_one_installation_and_what_it_is_called_is_written_once() {
    let world = World::new().await;
    let begins = |_| async { called(&world, PUBLIC_URL, &[]).await.app.names().installation.clone().unwrap().id };
    let ids = futures_util::future::join_all((0..4).map(begins)).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let kept =
        world.app.load::<Installation>(&records::installations::key(), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((kept.revision, kept.record.urls), (1, vec![PUBLIC_URL.to_owned()]));
}
