//! Every route by every caller: allowed, or refused exactly as the route says. A new route needs a line here.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use axum::body::Body;
use muster_schemas::problems::ProblemCode;
use muster_server::api::{auth::Access, route::Route, routes};
use muster_tests::world::{Caller, World, request};

/// Every route, and the least caller it serves.
const ROUTES: &str = "
anyone    GET    /api/v1/health
anyone    GET    /api/v1/version
anyone    GET    /api/v1/openapi.json
anyone    POST   /api/v1/session
viewer    GET    /api/v1/session
viewer    DELETE /api/v1/session
admin     POST   /api/v1/users
admin     GET    /api/v1/users
admin     PATCH  /api/v1/users/{id}
admin     DELETE /api/v1/users/{id}
admin     POST   /api/v1/api-keys
admin     GET    /api/v1/api-keys
admin     DELETE /api/v1/api-keys/{id}
admin     POST   /api/v1/enrollment-tokens
admin     GET    /api/v1/enrollment-tokens
admin     DELETE /api/v1/enrollment-tokens/{id}
viewer    GET    /api/v1/hosts
viewer    GET    /api/v1/hosts/{id}
operator  PATCH  /api/v1/hosts/{id}
admin     DELETE /api/v1/hosts/{id}
admin     POST   /api/v1/hosts/{id}/readmit
admin     POST   /api/v1/hosts/{id}/update
viewer    GET    /api/v1/overview
operator  POST   /api/v1/jobs
viewer    GET    /api/v1/jobs
viewer    GET    /api/v1/jobs/{id}
operator  POST   /api/v1/jobs/{id}/cancel
viewer    GET    /api/v1/jobs/{id}/log
admin     POST   /api/v1/releases
viewer    GET    /api/v1/releases
viewer    GET    /api/v1/releases/{version}
admin     POST   /api/v1/releases/{version}/targets/{platform}/upload
admin     PUT    /api/v1/releases/{version}/targets/{platform}
admin     POST   /api/v1/releases/{version}/yank
admin     POST   /api/v1/fleet-updates
viewer    GET    /api/v1/fleet-updates
viewer    GET    /api/v1/fleet-updates/{id}
viewer    GET    /api/v1/fleet-updates/{id}/hosts
admin     POST   /api/v1/fleet-updates/{id}/pause
admin     POST   /api/v1/fleet-updates/{id}/resume
admin     POST   /api/v1/fleet-updates/{id}/cancel
admin     POST   /api/v1/fleet-updates/{id}/retry-failed
admin     POST   /api/v1/fleet-updates/{id}/write-off
viewer    GET    /api/v1/audit
admin     POST   /api/v1/tick
anyone    POST   /oauth/token
anyone    GET    /api/v1/install.sh
machine   GET    /api/v1/install/{platform}
anyone    POST   /api/v1/agent/enroll
host      POST   /api/v1/agent/session
host      POST   /api/v1/agent/check-in
host      POST   /api/v1/agent/jobs/{id}/events
host      GET    /api/v1/agent/releases/{version}/manifest
host      GET    /api/v1/agent/blobs/{sha256}
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
    let served = routes().iter().map(|route| format!("{} {} {}", least(route), route.method, route.path)).collect();
    assert_eq!(written, served);
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
