//! Every route by every caller: allowed, or refused exactly as the route says. A new route needs a line here.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use axum::body::Body;
use muster_schemas::problems::ProblemCode;
use muster_server::api::{auth::Access, openapi, route::Route, routes};
use muster_tests::world::{Caller, World, request};
use serde_json::{Value, json};

/// Every route: the least caller it serves, and what generated clients call it.
const ROUTES: &str = "
anyone    health_get                 GET    /api/v1/health
anyone    health_live                GET    /livez
anyone    health_ready               GET    /readyz
anyone    health_healthz             GET    /healthz
anyone    health_version             GET    /api/v1/version
anyone    openapi_get                GET    /api/v1/openapi.json
anyone    session_create             POST   /api/v1/session
viewer    session_get                GET    /api/v1/session
viewer    session_delete             DELETE /api/v1/session
admin     users_create               POST   /api/v1/users
admin     users_list                 GET    /api/v1/users
admin     users_change               PATCH  /api/v1/users/{id}
admin     users_delete               DELETE /api/v1/users/{id}
admin     api_keys_create            POST   /api/v1/api-keys
admin     api_keys_list              GET    /api/v1/api-keys
admin     api_keys_delete            DELETE /api/v1/api-keys/{id}
admin     enrollment_create          POST   /api/v1/enrollment-tokens
admin     enrollment_list            GET    /api/v1/enrollment-tokens
admin     enrollment_revoke          DELETE /api/v1/enrollment-tokens/{id}
viewer    hosts_list                 GET    /api/v1/hosts
viewer    hosts_get                  GET    /api/v1/hosts/{id}
operator  hosts_change               PATCH  /api/v1/hosts/{id}
admin     hosts_retire               DELETE /api/v1/hosts/{id}
admin     hosts_readmit              POST   /api/v1/hosts/{id}/readmit
admin     hosts_update               POST   /api/v1/hosts/{id}/update
viewer    overview_get               GET    /api/v1/overview
operator  jobs_create                POST   /api/v1/jobs
viewer    jobs_list                  GET    /api/v1/jobs
viewer    jobs_get                   GET    /api/v1/jobs/{id}
operator  jobs_cancel                POST   /api/v1/jobs/{id}/cancel
operator  jobs_give_up               POST   /api/v1/jobs/{id}/give-up
admin     jobs_erase_log             DELETE /api/v1/jobs/{id}/log
viewer    jobs_log                   GET    /api/v1/jobs/{id}/log
admin     releases_create            POST   /api/v1/releases
viewer    releases_list              GET    /api/v1/releases
viewer    releases_get               GET    /api/v1/releases/{version}
admin     releases_upload_place      POST   /api/v1/releases/{version}/targets/{platform}/upload
admin     releases_upload            PUT    /api/v1/releases/{version}/targets/{platform}
admin     releases_yank              POST   /api/v1/releases/{version}/yank
viewer    releases_envelope          GET    /api/v1/releases/{version}/manifest
viewer    trust_root_get             GET    /api/v1/trust-root
admin     trust_root_replace         PUT    /api/v1/trust-root
admin     fleet_updates_create       POST   /api/v1/fleet-updates
viewer    fleet_updates_list         GET    /api/v1/fleet-updates
viewer    fleet_updates_get          GET    /api/v1/fleet-updates/{id}
viewer    fleet_updates_hosts        GET    /api/v1/fleet-updates/{id}/hosts
admin     fleet_updates_pause        POST   /api/v1/fleet-updates/{id}/pause
admin     fleet_updates_resume       POST   /api/v1/fleet-updates/{id}/resume
admin     fleet_updates_cancel       POST   /api/v1/fleet-updates/{id}/cancel
admin     fleet_updates_retry_failed POST   /api/v1/fleet-updates/{id}/retry-failed
admin     fleet_updates_write_off    POST   /api/v1/fleet-updates/{id}/write-off
viewer    audit_list                 GET    /api/v1/audit
viewer    storage_get                GET    /api/v1/storage
admin     tick_create                POST   /api/v1/tick
anyone    tokens_create              POST   /oauth/token
anyone    install_script             GET    /api/v1/install.sh
machine   install_agent              GET    /api/v1/install/{platform}
anyone    enrollment_enroll          POST   /api/v1/agent/enroll
host      check_ins_start            POST   /api/v1/agent/session
host      check_ins_end              POST   /api/v1/agent/session/end
host      check_ins_check_in         POST   /api/v1/agent/check-in
host      commands_tell              POST   /api/v1/agent/jobs/{id}/events
host      releases_manifest          GET    /api/v1/agent/releases/{version}/manifest
host      releases_blob              GET    /api/v1/agent/blobs/{sha256}
";

/// The least caller that a route serves, in the words of the list.
fn least(route: &Route) -> String {
    match route.access {
        Access::Anyone => "anyone".into(),
        Access::Machine => "machine".into(),
        Access::Agent => "host".into(),
        Access::Operator(permission) => muster_domain::words::word(permission.least_role()),
    }
}

#[test]
fn every_route_is_in_the_list_with_whom_it_serves() {
    let written = ROUTES.lines().filter(|line| !line.is_empty());
    let written = written.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<BTreeSet<_>>();
    let served = routes().iter().map(line).collect();
    assert_eq!(written, served);
}

fn line(route: &Route) -> String {
    format!("{} {} {} {}", least(route), route.operation_id(), route.method, route.path)
}

#[test]
fn what_clients_call_a_route_is_its_own() {
    let ids = routes().iter().map(Route::operation_id).collect::<Vec<_>>();
    let twice = ids.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect::<Vec<_>>();
    assert_eq!(twice, [""; 0]);
}

#[test]
fn the_document_says_whom_each_route_serves() {
    let document: Value = serde_json::from_str(&openapi::text(&routes())).unwrap();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let (access, scheme) = match route.access {
            Access::Anyone => (json!({ "caller": "anyone" }), None),
            Access::Machine => (json!({ "caller": "enrollment_token" }), Some("enrollment_token")),
            Access::Agent => (json!({ "caller": "host" }), Some("host_token")),
            Access::Operator(permission) => {
                let access = json!({ "caller": "operator", "permission": permission, "least_role": least(&route) });
                (access, Some("bearer"))
            }
        };
        let named = operation["security"].as_array().map(|schemes| schemes.iter().flat_map(names).collect::<Vec<_>>());
        let id = route.operation_id();
        assert_eq!(operation["operationId"], json!(id));
        assert_eq!(operation["x-muster-access"], access, "{id}");
        assert_eq!(named.unwrap_or_default(), scheme.into_iter().collect::<Vec<_>>(), "{id}");
        let refusals = operation["responses"].as_object().unwrap();
        assert_eq!(refusals.contains_key("401"), route.access != Access::Anyone, "{id}");
        assert_eq!(refusals.contains_key("403"), matches!(route.access, Access::Operator(_)), "{id}");
    }
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().into_iter().flat_map(serde_json::Map::keys).map(String::as_str).collect()
}

/// What a caller of this rank is told: nothing about access, or why not.
fn refusal(route: &Route, who: &str) -> Option<ProblemCode> {
    let ranks = ["viewer", "operator", "admin"];
    let rank = |who: &str| ranks.iter().position(|rank| *rank == who);
    let least = least(route);
    match (least.as_str(), rank(who), rank(&least)) {
        ("anyone", _, _) => None,
        ("host", _, _) => (who != "host").then_some(ProblemCode::Unauthorized),
        ("machine", _, _) | (_, None, _) => Some(ProblemCode::Unauthorized),
        (_, has, needs) => (has < needs).then_some(ProblemCode::Forbidden),
    }
}

#[tokio::test]
async fn every_route_serves_exactly_whom_it_says() {
    for route in routes() {
        let world = World::new().await;
        let mut host = world.host("one").await;
        let callers: [(&str, Caller); 5] = [
            ("nobody", world.nobody()),
            ("host", host.caller().await),
            ("viewer", world.viewer().await),
            ("operator", world.operator().await),
            ("admin", world.admin().await),
        ];
        let path = route.path.replace("{id}", "job_01KJQ6PSG00000000000000001").replace("{version}", "1.0.0");
        let path = path.replace("{sha256}", &"0".repeat(64)).replace("{platform}", "linux-x86_64");
        for (who, caller) in callers {
            let request = request(route.method.clone(), &path).body(Body::empty()).unwrap();
            let answer = caller.sends(request).await;
            let told = (answer.status == 401 || answer.status == 403).then(|| answer.problem().code);
            assert_eq!(told, refusal(&route, who), "{who}: {} {}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_is_told_so_on_every_guarded_route() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let (admin, agent) = (world.admin().await, host.caller().await);
    world.moves(13 * 60 * 60);
    for route in routes().into_iter().filter(|route| route.access != Access::Anyone) {
        let path = route.path.replace(['{', '}'], "");
        for caller in [&admin, &agent] {
            let request = request(route.method.clone(), &path).body(Body::empty()).unwrap();
            caller.sends(request).await.refused(ProblemCode::Unauthorized);
        }
    }
}
