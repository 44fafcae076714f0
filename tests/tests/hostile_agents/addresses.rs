//! Client addresses over real connections: the peer's, unless a proxy that is trusted says otherwise.

use std::time::Duration;

use muster_schemas::{audit::AuditEntry, pages::Page};
use muster_server::{
    api::identity::addresses::TrustedProxies,
    roles::connections::{Limits, Service, serve},
};
use muster_tests::world::World;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

/// Where a failed sign-in came from, by the audit trail.
async fn told(proxies: TrustedProxies, claim: &str) -> String {
    let (world, listener) = (World::new().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (_stop, stopped) = watch::channel(false);
    let url = format!("http://{}/api/v1/session", listener.local_addr().unwrap());
    let limits = Limits { most: 16, head: Duration::from_mins(1), stall: Duration::from_mins(1) };
    let service = Service { router: world.router(), held: world.app.held.clone(), limits, proxies };
    tokio::spawn(serve(listener, None, service, stopped));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "username": "admin", "password": "wrong wrong wrong" });
    let answer = client.post(url).header("x-forwarded-for", claim).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let path = "/api/v1/audit?action=session.refused";
    let entries = world.viewer().await.get(path).await.is(200).json::<Page<AuditEntry>>().items;
    entries.into_iter().next().unwrap().address
}

#[tokio::test]
async fn a_caller_cannot_claim_another_address_unless_it_is_a_trusted_proxy() {
    assert_eq!(told(TrustedProxies::default(), "203.0.113.7").await, "127.0.0.1");
    let trusted = || TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]);
    assert_eq!(told(trusted(), "203.0.113.7").await, "203.0.113.7");
    assert_eq!(told(trusted(), "10.0.0.1, 203.0.113.7").await, "203.0.113.7", "what stands before is anybody's word");
}
