//! Hosts that have nothing but IPv6.

use std::{net::TcpStream, path::Path};

use muster_tests::processes::skip::skip;

use crate::harness::{
    agent::{Agent, Setup},
    world::{ADDRESS, ADDRESS_6, World, url},
};

#[test]
fn a_host_that_has_nothing_but_ipv6_is_served_like_any_other() {
    if !Path::new("/proc/sys/net/ipv6").exists() {
        return skip("this kernel has no IPv6");
    }
    let Some(world) = World::start() else { return };
    let (network, folder) = world.line();
    network.run("ip -4 address flush dev uplink");
    let setup = Setup { server: url(&format!("[{ADDRESS_6}]")), ..world.setup() };
    let host = Agent::join(network, &folder, setup, &world.operator.token());
    assert!(host.network.inside(|| TcpStream::connect((ADDRESS, 443))).is_err());
    world.operator.works(&host);
}
