//! Name servers that fail: the failure has a name of its own, and ends with its cause.

use std::{net::Ipv4Addr, time::Duration};

use muster_schemas::upstreams::FailureKind;
use muster_tests::processes::patience::until_within;

use crate::harness::{
    agent::{Agent, Setup},
    name_server::{NameServer, Saying},
    router::inside,
    world::{NAME, World, url},
};

#[test]
fn a_name_that_cannot_be_resolved_is_called_so() {
    let Some((world, names, host)) = named() else { return };
    fails(&world, &names, &host, Saying::ServerFailure, FailureKind::Name);
}

#[test]
fn a_name_server_that_says_nothing_is_called_so() {
    let Some((world, names, host)) = named() else { return };
    fails(&world, &names, &host, Saying::Nothing, FailureKind::Name);
}

#[test]
fn a_name_with_a_wrong_address_is_looked_up_again() {
    let Some((world, names, host)) = named() else { return };
    fails(&world, &names, &host, Saying::Address(Ipv4Addr::LOCALHOST), FailureKind::Connection);
}

/// A host that knows the server by its name.
fn named() -> Option<(World, NameServer, Agent)> {
    let world = World::start()?;
    let names = NameServer::start(&world.router.network);
    let resolv_conf = Some(format!("nameserver {}\n", inside(1)));
    let host = world.host_with(Setup { server: url(NAME), resolv_conf, ..world.setup() });
    Some((world, names, host))
}

fn fails(world: &World, names: &NameServer, host: &Agent, saying: Saying, kind: FailureKind) {
    names.says(saying);
    let job = world.cut_off(host);
    let seen = host.log().len();
    until_within(Duration::from_mins(1), "that failure", || host.tells_of(kind, seen).then_some(()));
    names.says(NameServer::TRUTH);
    world.operator.succeeds(job);
    assert_eq!(world.operator.recovered(host).last_failure.unwrap().kind, kind);
}
