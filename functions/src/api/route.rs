//! Routes: a handler's first argument says which callers it serves, or it does not compile.

use std::any::type_name;

use axum::{
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
};
use muster_schemas::problems::ProblemCode;
use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::auth::{Access, Caller};
use crate::app::App;

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// The full path of its handler.
    handler: &'static str,
    /// The callers that it serves.
    pub access: Access,
    /// One sentence about it.
    pub summary: &'static str,
    /// Parameters of the query, each with its type and what it means.
    pub asks: Vec<QueryParameter>,
    /// Headers that it looks at.
    pub hears: Vec<HeaderMeaning>,
    /// The shape of its body.
    pub takes: Option<MakeShape>,
    /// Whether what it takes is a form rather than JSON.
    pub form: bool,
    /// Whether it takes the bytes of a file.
    pub takes_file: bool,
    /// The body of a success.
    pub gives: Option<Answer>,
    /// The status of a success.
    pub status: u16,
    /// The shape of its dry run's answer, which has the status 200.
    pub gives_dry: Option<MakeShape>,
    /// Whether it waits for another answer than the caller has.
    pub waits: bool,
    /// Headers of a success.
    pub tells: Vec<HeaderMeaning>,
    /// Problems that its arguments refuse a request with. Others depend on what is asked for.
    pub problems: Vec<ProblemCode>,
    /// Its handler.
    pub serve: MethodRouter<App>,
}

/// A parameter of the query: its name, its type, and what it means. The type is a word of JSON Schema, `strings` for one that
/// may be given several times, or the name of one of the document's schemas.
pub type QueryParameter = (&'static str, &'static str, &'static str);

/// A header and what it means.
pub type HeaderMeaning = (&'static str, &'static str);

const WAIT: QueryParameter =
    ("wait", "integer", "How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds.");
/// Of a list: its page.
pub const PAGE: [QueryParameter; 2] = [
    ("limit", "integer", "How many entries to return at most: 1 to 200. Absent: 50."),
    ("cursor", "string", "The `next_cursor` of the page before. Absent: the first page."),
];
/// Of a list of hosts.
pub const PAGE_OF_HOSTS: [QueryParameter; 2] =
    [("limit", "integer", "How many entries to return at most: 1 to 1000. Absent: 50."), PAGE[1]];
/// Of what waits for a revision.
pub const REVISION: [QueryParameter; 1] =
    [("revision", "integer", "Wait for a revision after this one. Absent: for the next change from now on.")];

const IF_NONE_MATCH: HeaderMeaning =
    ("If-None-Match", "The ETag of the answer that the caller has. If it still holds, the status is 304.");
const ETAG: HeaderMeaning = ("ETag", "Names this answer; for If-None-Match and If-Match.");

/// The body of a success.
#[derive(Clone, Copy)]
pub enum Answer {
    /// JSON of this shape.
    Json(MakeShape),
    /// A JSON object that is described elsewhere.
    Object,
    /// Text of this media type.
    Text(&'static str),
    /// The bytes of a file, or part of it, or the way to it.
    File,
}

/// Makes a shape for the document. Only there: to make all of them takes milliseconds, which a function's start has not.
pub type MakeShape = fn() -> Shape;

/// The shape of a body.
pub struct Shape {
    /// Its name among the document's schemas.
    pub name: String,
    /// Every schema it is made of, itself included.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// Whether an empty object is one.
    pub fn is_nothing_required(&self) -> bool {
        let own = self.schemas.iter().find(|(name, _)| *name == self.name);
        matches!(own, Some((_, RefOr::T(Schema::Object(object)))) if object.required.is_empty())
    }
}

/// The arguments of a handler, the first of which says who may call.
pub trait HandlerArguments {
    /// The callers that it serves.
    const ACCESS: Access;

    /// Tells the document of the others.
    fn document(route: &mut Route);
}

/// An argument of a handler that stands behind the first: what it makes of a request belongs in the document.
pub trait Argument {
    /// Tells the document of it.
    fn document(_route: &mut Route) {}
}

impl<M, C: Caller> HandlerArguments for (M, C) {
    const ACCESS: Access = C::ACCESS;

    fn document(_route: &mut Route) {}
}
impl<M, C: Caller, A: Argument> HandlerArguments for (M, C, A) {
    const ACCESS: Access = C::ACCESS;

    fn document(route: &mut Route) {
        A::document(route);
    }
}
impl<M, C: Caller, A: Argument, B: Argument> HandlerArguments for (M, C, A, B) {
    const ACCESS: Access = C::ACCESS;

    fn document(route: &mut Route) {
        A::document(route);
        B::document(route);
    }
}
impl<M, C: Caller, A: Argument, B: Argument, D: Argument> HandlerArguments for (M, C, A, B, D) {
    const ACCESS: Access = C::ACCESS;

    fn document(route: &mut Route) {
        A::document(route);
        B::document(route);
        D::document(route);
    }
}
impl<M, C: Caller, A: Argument, B: Argument, D: Argument, E: Argument> HandlerArguments for (M, C, A, B, D, E) {
    const ACCESS: Access = C::ACCESS;

    fn document(route: &mut Route) {
        A::document(route);
        B::document(route);
        D::document(route);
        E::document(route);
    }
}

/// `GET`
pub fn get<T: HandlerArguments + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T, H>(Method::GET, path, routing::get(handler))
}

/// `POST`
pub fn post<T: HandlerArguments + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T, H>(Method::POST, path, routing::post(handler))
}

/// `PUT`
pub fn put<T: HandlerArguments + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T, H>(Method::PUT, path, routing::put(handler))
}

/// `PATCH`
pub fn patch<T: HandlerArguments + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T, H>(Method::PATCH, path, routing::patch(handler))
}

/// `DELETE`
pub fn delete<T: HandlerArguments + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T, H>(Method::DELETE, path, routing::delete(handler))
}

fn route<T: HandlerArguments, H>(method: Method, path: &'static str, serve: MethodRouter<App>) -> Route {
    let mut route = Route {
        method,
        path,
        handler: type_name::<H>(),
        access: T::ACCESS,
        summary: "",
        asks: Vec::new(),
        hears: Vec::new(),
        takes: None,
        form: false,
        takes_file: false,
        gives: None,
        status: 200,
        gives_dry: None,
        waits: false,
        tells: Vec::new(),
        problems: Vec::new(),
        serve,
    };
    T::document(&mut route);
    route
}

impl Route {
    /// The noun it is about, which is the file of its handler: `jobs`.
    pub fn noun(&self) -> &'static str {
        self.handler.rsplit("::").nth(1).unwrap_or_default()
    }

    /// Its name in clients, by its noun and its handler: `jobs_create`.
    pub fn operation_id(&self) -> String {
        format!("{}_{}", self.noun(), self.handler.rsplit("::").next().unwrap_or_default())
    }

    /// One sentence about it.
    pub fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Parameters of the query.
    pub fn asks(mut self, parameters: &[QueryParameter]) -> Self {
        self.asks.extend_from_slice(parameters);
        self
    }

    /// It waits, if it is asked to, for another answer than the caller has.
    pub fn waits(mut self) -> Self {
        self.hears.push(IF_NONE_MATCH);
        Self { waits: true, ..self }.asks(&[WAIT]).tells(&[ETAG])
    }

    /// Headers of a success.
    pub fn tells(mut self, headers: &[HeaderMeaning]) -> Self {
        self.tells.extend_from_slice(headers);
        self
    }

    /// The JSON it takes.
    pub fn takes<T: ToSchema>(self) -> Self {
        Self { takes: Some(shape::<T>), ..self }
    }

    /// The form it takes.
    pub fn takes_form<T: ToSchema>(self) -> Self {
        Self { takes: Some(shape::<T>), form: true, ..self }
    }

    /// It takes the bytes of a file.
    pub fn takes_file(self) -> Self {
        Self { takes_file: true, ..self }
    }

    /// The JSON it gives, and with which status.
    pub fn gives<T: ToSchema>(self, status: u16) -> Self {
        Self { gives: Some(Answer::Json(shape::<T>)), status, ..self }
    }

    /// It gives something else than JSON of a known shape.
    pub fn gives_other(self, answer: Answer) -> Self {
        Self { gives: Some(answer), ..self }
    }

    /// The JSON it gives when it was asked to do nothing.
    pub fn gives_dry<T: ToSchema>(self) -> Self {
        Self { gives_dry: Some(shape::<T>), ..self }
    }

    /// It may refuse with these problems, whatever its arguments are.
    pub fn refuses(mut self, problems: &[ProblemCode]) -> Self {
        self.problems.extend_from_slice(problems);
        self
    }

    /// The status of a success without a body.
    pub fn ends(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

fn shape<T: ToSchema>() -> Shape {
    let name = T::name().into_owned();
    let mut schemas = vec![(name.clone(), T::schema())];
    T::schemas(&mut schemas);
    Shape { name, schemas }
}

/// The list of all routes, for the handler that documents them.
#[derive(Clone, Copy)]
pub struct Routes(pub fn() -> Vec<Route>);
