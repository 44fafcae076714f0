//! The HTTP API: the routes of every noun, joined into one router.

pub mod api_keys;
pub mod arguments;
pub mod audit;
pub mod auth;
pub mod bodies;
pub mod check_ins;
pub mod checks;
pub mod commands;
pub mod edge;
pub mod enrollment;
pub mod extract;
pub mod files;
pub mod fleet_updates;
pub mod found;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod identity;
pub mod install;
pub mod jobs;
pub mod known;
pub mod lists;
pub mod looks;
pub mod openapi;
pub mod orders;
pub mod overview;
pub mod problem;
pub mod releases;
pub mod route;
pub mod session;
pub mod storage;
pub mod tick;
pub mod tokens;
pub mod trust_root;
pub mod trusted;
pub mod users;

use axum::{
    Extension, Router, middleware,
    routing::{MethodRouter, any},
};
use muster_schemas::problems::ProblemCode;
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    problem::Failure,
    route::{Route, Routes},
};
use crate::app::App;

/// The routes of each noun.
const NOUNS: [fn() -> Vec<Route>; 19] = [
    health::routes,
    openapi::routes,
    session::routes,
    users::routes,
    api_keys::routes,
    enrollment::routes,
    hosts::routes,
    overview::routes,
    jobs::routes,
    releases::routes,
    trust_root::routes,
    fleet_updates::routes,
    audit::routes,
    storage::routes,
    tick::routes,
    install::routes,
    tokens::routes,
    check_ins::routes,
    commands::routes,
];

/// Every route.
pub fn routes() -> Vec<Route> {
    NOUNS.iter().flat_map(|routes| routes()).collect()
}

/// The router of all of them.
pub fn router(app: &App) -> Router {
    router_beside(app, any(async || Failure::of(ProblemCode::NotFound)))
}

/// The router of all of them, and of something else where no route is.
pub fn router_beside(app: &App, others: MethodRouter<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, route.serve);
    }
    let edge_app = app.clone();
    router
        .method_not_allowed_fallback(async || Failure::of(ProblemCode::MethodNotAllowed))
        .fallback_service(others.with_state(app.clone()))
        .layer(Extension(Routes(routes)))
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(middleware::from_fn(move |request, next| edge::serve(edge_app.clone(), request, next)))
        .with_state(app.clone())
}
