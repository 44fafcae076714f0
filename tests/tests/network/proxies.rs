//! Proxies on the way: those that read along, and those that want to know who asks.

use muster_schemas::upstreams::FailureKind;
use muster_tests::processes::patience::until_so;

use crate::harness::{
    agent::enroll,
    connect_proxy::{self, ConnectProxy},
    interceptor::{self, Interceptor},
    router::{Fault, inside},
    world::World,
};

#[test]
fn a_proxy_that_reads_along_hears_nothing_unless_its_authority_is_believed() {
    let Some(world) = World::start() else { return };
    let mut host = world.host();
    let (network, folder) = world.line();
    let interceptor = Interceptor::start(&world.router.network, &folder, &world.authority);
    world.router.intercepts(interceptor::PORT);
    let complaint = enroll(&network, &folder, &world.setup(), &world.operator.token()).unwrap_err();
    assert!(complaint.contains("certificate"), "{complaint}");
    let job = world.cut_off(&host);
    let seen = host.log().len();
    until_so("that failure", || host.tells_of(FailureKind::Certificate, seen));
    assert!(interceptor.connections() >= 2);
    assert_eq!(interceptor.requests(), 0, "something was told to a stranger");
    world.router.intercepts_nothing();
    world.operator.succeeds(job);
    assert_eq!(world.operator.recovered(&host).last_failure.unwrap().kind, FailureKind::Certificate);

    world.router.intercepts(interceptor::PORT);
    host.restart(|setup| setup.authorities += &interceptor.authority.pem());
    world.operator.works(&host);
    assert!(interceptor.requests() > 0, "it went another way");
}

#[test]
fn a_host_whose_only_way_is_a_proxy_says_who_it_is_and_says_so_when_that_is_not_enough() {
    let Some(world) = World::start() else { return };
    let mut host = world.host();
    let proxy = ConnectProxy::start(&world.router.network, "host:first");
    world.router.suffers(Fault::Blackhole);
    let url = format!("http://host:first@{}:{}", inside(1), connect_proxy::PORT);
    host.restart(|setup| setup.environment = vec![("HTTPS_PROXY", url)]);
    world.operator.works(&host);
    assert!(proxy.opened() > 0);
    let seen = host.log().len();
    proxy.wants("host:second");
    let job = world.operator.run(&host, "true");
    until_so("that failure", || host.tells_of(FailureKind::ProxyAuthentication, seen));
    proxy.wants("host:first");
    world.operator.succeeds(job);
    assert_eq!(world.operator.recovered(&host).last_failure.unwrap().kind, FailureKind::ProxyAuthentication);
}
