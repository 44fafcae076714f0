//! Arguments of handlers, as the `OpenAPI` document tells of them: what a handler takes from a request decides which headers and
//! which problems its operation documents.

use axum::{
    extract::{Request, State},
    http::HeaderMap,
};
use muster_schemas::problems::ProblemCode::{
    IdempotencyKeyReused, Invalid, Malformed, NotFound, RevisionMismatch, TooLarge, Unavailable,
};

use super::{
    extract::{Id, IdempotencyKey, IfMatch, Named, Paged, Params, Sent},
    looks::Look,
    route::{Argument, Route},
    session::Csrf,
};
use crate::app::App;

impl Argument for State<App> {}
impl Argument for HeaderMap {}
impl Argument for Request {}
impl Argument for Csrf {}

impl<T> Argument for Sent<T> {
    fn document(route: &mut Route) {
        route.problems.extend([Malformed, TooLarge, Invalid]);
    }
}

impl<T> Argument for Params<T> {
    fn document(route: &mut Route) {
        route.problems.push(Invalid);
    }
}

impl Argument for Paged {
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

impl<T> Argument for Named<T> {
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
