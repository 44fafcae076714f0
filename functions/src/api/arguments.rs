//! Arguments of handlers, as the `OpenAPI` document shows them: which headers and which problems an argument adds to an
//! operation.

use axum::{
    Extension,
    extract::{Request, State},
    http::HeaderMap,
};
use muster_schemas::problems::ProblemCode::{
    IdempotencyKeyReused, Invalid, Malformed, NotFound, RevisionMismatch, TooLarge, Unavailable,
};

use super::{
    extract::{DigestedBody, Id, IdempotencyKey, IfMatch, JsonBody, Paging, Params, PathParams},
    looks::Look,
    route::{Argument, Route},
};
use crate::app::App;

impl Argument for State<App> {}
impl Argument for HeaderMap {}
impl Argument for Request {}
impl<T> Argument for Extension<T> {}

impl<T> Argument for JsonBody<T> {
    fn document(route: &mut Route) {
        route.problems.extend([Malformed, TooLarge, Invalid, Unavailable]);
    }
}

impl<T> Argument for DigestedBody<T> {
    fn document(route: &mut Route) {
        JsonBody::<T>::document(route);
    }
}

impl<T> Argument for Params<T> {
    fn document(route: &mut Route) {
        route.problems.push(Invalid);
    }
}

impl Argument for Paging {
    fn document(route: &mut Route) {
        route.problems.extend([Invalid, Unavailable]);
    }
}

impl Argument for Look {
    fn document(route: &mut Route) {
        route.problems.extend([Invalid, Unavailable]);
    }
}

impl<T> Argument for Id<T> {
    fn document(route: &mut Route) {
        route.problems.push(NotFound);
    }
}

impl<T> Argument for PathParams<T> {
    fn document(route: &mut Route) {
        route.problems.push(NotFound);
    }
}

impl Argument for IdempotencyKey {
    fn document(route: &mut Route) {
        let meaning = "A text of the caller's own, 1 to 255 visible ASCII characters. A request that is sent again with the \
                       same key is done only once.";
        route.hears.push(("Idempotency-Key", meaning));
        route.problems.extend([Invalid, IdempotencyKeyReused]);
    }
}

impl Argument for IfMatch {
    fn document(route: &mut Route) {
        let meaning = "The ETag of the answer that the caller has. The change is refused if there is a newer revision.";
        route.hears.push(("If-Match", meaning));
        route.problems.push(RevisionMismatch);
    }
}
