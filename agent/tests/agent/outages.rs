//! Outages: what an agent asks while nobody answers, what it tells of it afterwards, and that nothing is lost.

use muster_schemas::{
    jobs::Outcome,
    upstreams::{BreakerState, FailureKind, Upstream},
};

use crate::world::{
    host::{Host, lines},
    http::Reply,
    releases::{manifest, offer, script, signed, trust},
    server::{MakeReply, Server, World},
};

fn bad_gateway() -> Reply {
    Reply::page(502, "<html>Bad Gateway</html>")
}

/// From now on everything is answered with this.
fn breaks(server: &Server, reply: MakeReply) {
    server.with(|world| {
        world.instead = vec![("/", reply)];
        // Who is held now is sent away.
        world.session += 1;
        world.paths.clear();
    });
}

fn heals(server: &Server) {
    server.with(|world| world.instead.clear());
}

/// What the host has told last of its way to the server.
fn told(world: &World) -> Option<&Upstream> {
    let sessions = world.sessions.iter().map(|session| &session.upstreams);
    let check_ins = world.check_ins.iter().rev().filter_map(|check_in| check_in.upstreams.as_ref());
    check_ins.chain(sessions.rev()).next()?.iter().find(|upstream| upstream.name == "api")
}

/// So many calls have failed.
fn failed(server: &Server, count: usize) {
    server.wait("failed calls", |world| (world.paths.len() >= count).then_some(()));
}

#[test]
fn after_five_failures_the_servers_health_is_asked_for_and_a_real_call_made_only_now_and_then() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    breaks(&server, bad_gateway);
    failed(&server, 12);
    let paths = server.with(|world| world.paths.clone());
    let of_agent = |path: &&String| !path.contains("/health");
    assert!(paths.iter().take(5).all(|path| of_agent(&path)), "{paths:?}");
    assert!(paths.iter().skip(5).filter(of_agent).count() < paths.len() / 4, "{paths:?}");
    heals(&server);
    server.assert_host_works();
    let (breaker, opened, outage) = server.wait("word of the outage", |world| {
        let Upstream { breaker, opened, last_outage, .. } = told(world)?;
        Some((*breaker, *opened, last_outage.clone()?))
    });
    assert_ne!(breaker, BreakerState::Open);
    assert!(opened >= 1 && outage.failures >= 12, "{opened} {outage:?}");
    server.wait("a closed circuit", |world| (told(world)?.breaker == BreakerState::Closed).then_some(()));
}

#[test]
fn how_a_call_failed_is_told_by_its_name() {
    let portal = || Reply::page(200, "<html>Log in</html>");
    let proxy = || Reply::page(407, "who are you");
    let fault = || Reply::problem(500, "internal");
    let cut_off = || Reply::Raw {
        status: 200,
        kind: "application/json",
        headers: String::new(),
        body: b"{".into(),
        claimed: 100,
    };
    let large = || Reply::page(200, &"x".repeat(5_000_000)).of_kind("application/json");
    for (reply, kind) in [
        ((|| Reply::Cut) as MakeReply, FailureKind::Connection),
        (portal, FailureKind::NotOurs),
        (proxy, FailureKind::ProxyAuthentication),
        (fault, FailureKind::Server),
        (cut_off, FailureKind::CutOff),
        (large, FailureKind::TooLarge),
    ] {
        let server = Server::start();
        let _host = Host::running(&server);
        server.assert_host_works();
        breaks(&server, reply);
        failed(&server, 7);
        heals(&server);
        let seen = server.wait("word of it", |world| Some(told(world)?.last_failure.as_ref()?.kind));
        assert_eq!(seen, kind);
    }
}

#[test]
fn who_asks_for_a_pause_is_no_failure() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    for reply in [
        (|| Reply::problem(503, "unavailable").with_header("retry-after: 0")) as MakeReply,
        || Reply::problem(429, "too_many_requests").with_header("retry-after: 0"),
        || Reply::problem(404, "not_found"),
    ] {
        breaks(&server, reply);
        failed(&server, 8);
        assert_eq!(server.with(|world| world.paths.iter().filter(|path| path.contains("health")).count()), 0);
        heals(&server);
        server.assert_host_works();
    }
    assert_eq!(server.with(|world| told(world).map(|api| (api.failures, api.opened))), Some((0, 0)));
}

#[test]
fn an_operator_closes_the_circuit_of_a_store_that_is_well_again() {
    let server = Server::start();
    let mut host = Host::joined(&server);
    trust(&host);
    std::fs::write(host.path("agent.toml"), "[resilience.circuit_breaker]\nfailure_threshold = 1\n").unwrap();
    // Nobody listens there.
    server.with(|world| world.blob_elsewhere = Some("http://127.0.0.1:1/bucket/blob".into()));
    host.start();
    let blob = script("9.9.9", "").repeat(2);
    let refused = offer(&server, signed(&manifest("9.9.8", 7, &blob), 2), blob);
    assert_eq!(server.result(refused).error.unwrap().code, "preflight", "it came through the server all the same");
    let store = |world: &World, breaker| {
        let told = world.check_ins.iter().rev().find_map(|check_in| check_in.upstreams.as_ref())?;
        told.iter().find(|upstream| upstream.name == "object_store" && upstream.breaker == breaker).map(drop)
    };
    server.wait("an open circuit", |world| store(world, BreakerState::Open));
    let reset = server.job("reset_breakers", serde_json::json!({}));
    assert_eq!(server.result(reset).outcome, Outcome::Succeeded);
    server.wait("a closed circuit", |world| store(world, BreakerState::Closed));
}

#[test]
fn twenty_outages_in_a_row_lose_nothing_and_double_nothing() {
    let server = Server::start();
    let host = Host::running(&server);
    let marks = host.path("marks");
    for round in 0..20 {
        let id = server.run(&format!("echo {round} >> {}", marks.display()));
        // Sometimes before it is received, sometimes in its midst, sometimes when it has ended.
        match round % 3 {
            0 => {}
            1 => server.wait("a start", |world| world.started.contains(&id).then_some(())),
            _ => drop(server.result(id)),
        }
        breaks(&server, [bad_gateway as MakeReply, || Reply::Cut][round % 2]);
        failed(&server, 6);
        heals(&server);
        let result = server.result(id);
        assert_eq!((result.outcome, lines(&marks)), (Outcome::Succeeded, round + 1));
    }
}

#[test]
fn a_server_that_comes_back_with_other_keys_is_asked_for_another_token() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    breaks(&server, bad_gateway);
    failed(&server, 7);
    server.with(|world| world.token = "of another key".into());
    heals(&server);
    server.assert_host_works();
}

#[test]
fn an_agent_that_is_stopped_says_goodbye_once() {
    let server = Server::start();
    let mut host = Host::running(&server);
    server.assert_host_works();
    host.stop();
    let goodbyes = server.with(|world| world.paths.iter().filter(|path| path.ends_with("/agent/session/end")).count());
    assert_eq!(goodbyes, 1);
}

#[test]
fn an_agent_that_is_stopped_while_nobody_answers_ends_all_the_same() {
    let server = Server::start();
    let mut host = Host::running(&server);
    server.assert_host_works();
    breaks(&server, bad_gateway);
    failed(&server, 1);
    host.stop();
    assert!(host.has_ended());
}
