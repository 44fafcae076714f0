//! A NAT that lets nobody in, and one that forgets.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use muster_tests::processes::patience::until_within;

use crate::harness::{namespace::Namespace, router::Fault, world::World};

#[test]
fn a_host_that_nobody_can_connect_to_gets_a_command_at_once() {
    let Some(world) = World::start() else { return };
    let host = world.host();
    let _inside = host.network.inside(|| TcpListener::bind("0.0.0.0:7000")).unwrap();
    assert!(reaches(&world.router.network, "10.77.1.2:7000"), "it is not the host that refuses");
    for address in ["10.77.1.2:7000", "203.0.113.1:7000"] {
        assert!(!reaches(&world.server, address), "{address}");
    }
    let _outside = world.server.inside(|| TcpListener::bind("0.0.0.0:8080")).unwrap();
    assert!(reaches(&world.router.network, "203.0.113.10:8080"), "it is not the server that refuses");
    assert!(!reaches(&host.network, "203.0.113.10:8080"));
    host.rests();
    let asked = Instant::now();
    let job = world.operator.run(&host, "echo line >> effect");
    host.wait_for_file("effect");
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    world.operator.succeeds(job);
}

#[test]
fn a_command_comes_soon_after_the_nat_has_forgotten_the_poll_that_waits_for_it() {
    let Some(world) = World::start() else { return };
    let hosts = [world.host(), world.host()];
    // The first is told as soon as it speaks; the second is left to find out.
    world.router.suffers(Fault::StrangersDropped(2));
    for host in &hosts {
        host.rests();
    }
    world.router.forgets();
    let given = Instant::now();
    let jobs = hosts.each_ref().map(|host| world.operator.run(host, "echo line >> effect"));
    for (host, seconds) in hosts.iter().zip([20, 35]) {
        until_within(Duration::from_secs(seconds), "the command", || host.effect().then_some(()));
        eprintln!("It came after {:?}.", given.elapsed());
    }
    for job in jobs {
        world.operator.succeeds(job);
    }
    assert_eq!(hosts.map(|host| host.read("effect")), ["line\n"; 2]);
}

/// Whether somebody in this network can connect.
fn reaches(network: &Namespace, address: &str) -> bool {
    let address: SocketAddr = address.parse().unwrap();
    network.inside(|| TcpStream::connect_timeout(&address, Duration::from_secs(1))).is_ok()
}
