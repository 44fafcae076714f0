//! A route: its handler's first argument says who may call it, or it does not compile.

use axum::{
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
};
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
    /// Who may call it.
    pub access: Access,
    /// What it does.
    pub summary: &'static str,
    /// Parameters of the query, each with its type in JSON Schema's words and what it means.
    pub asks: Vec<Asked>,
    /// What it takes.
    pub takes: Option<MakeShape>,
    /// Whether what it takes is a form rather than JSON.
    pub form: bool,
    /// What it gives.
    pub gives: Option<MakeShape>,
    /// The status of a success.
    pub status: u16,
    /// What it gives when it was asked to do nothing, with status 200.
    pub gives_dry: Option<MakeShape>,
    /// Whether it waits for another answer than the caller has.
    pub waits: bool,
    /// What serves it.
    pub serve: MethodRouter<App>,
}

/// A parameter of the query: its name, its type in JSON Schema's words, and what it means.
pub type Asked = (&'static str, &'static str, &'static str);

const WAIT: Asked =
    ("wait", "integer", "How long to wait for another answer than If-None-Match names, in seconds, at most 60");

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
pub trait Guarded {
    /// Who.
    const ACCESS: Access;
}

impl<M, C: Caller> Guarded for (M, C) {
    const ACCESS: Access = C::ACCESS;
}
impl<M, C: Caller, A> Guarded for (M, C, A) {
    const ACCESS: Access = C::ACCESS;
}
impl<M, C: Caller, A, B> Guarded for (M, C, A, B) {
    const ACCESS: Access = C::ACCESS;
}
impl<M, C: Caller, A, B, D> Guarded for (M, C, A, B, D) {
    const ACCESS: Access = C::ACCESS;
}
impl<M, C: Caller, A, B, D, E> Guarded for (M, C, A, B, D, E) {
    const ACCESS: Access = C::ACCESS;
}

/// `GET`
pub fn get<T: Guarded + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T>(Method::GET, path, routing::get(handler))
}

/// `POST`
pub fn post<T: Guarded + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T>(Method::POST, path, routing::post(handler))
}

/// `PUT`
pub fn put<T: Guarded + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T>(Method::PUT, path, routing::put(handler))
}

/// `PATCH`
pub fn patch<T: Guarded + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T>(Method::PATCH, path, routing::patch(handler))
}

/// `DELETE`
pub fn delete<T: Guarded + 'static, H: Handler<T, App>>(path: &'static str, handler: H) -> Route {
    route::<T>(Method::DELETE, path, routing::delete(handler))
}

fn route<T: Guarded>(method: Method, path: &'static str, serve: MethodRouter<App>) -> Route {
    Route {
        method,
        path,
        access: T::ACCESS,
        summary: "",
        asks: Vec::new(),
        takes: None,
        form: false,
        gives: None,
        status: 200,
        gives_dry: None,
        waits: false,
        serve,
    }
}

impl Route {
    /// What it does.
    pub fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Parameters of the query.
    pub fn asks(mut self, parameters: &[Asked]) -> Self {
        self.asks.extend_from_slice(parameters);
        self
    }

    /// It waits, if it is asked to, for another answer than the caller has.
    pub fn waits(self) -> Self {
        Self { waits: true, ..self }.asks(&[WAIT])
    }

    /// The JSON it takes.
    pub fn takes<T: ToSchema>(self) -> Self {
        Self { takes: Some(shape::<T>), ..self }
    }

    /// The form it takes.
    pub fn takes_form<T: ToSchema>(self) -> Self {
        Self { takes: Some(shape::<T>), form: true, ..self }
    }

    /// The JSON it gives, and with which status.
    pub fn gives<T: ToSchema>(self, status: u16) -> Self {
        Self { gives: Some(shape::<T>), status, ..self }
    }

    /// The JSON it gives when it was asked to do nothing.
    pub fn gives_dry<T: ToSchema>(self) -> Self {
        Self { gives_dry: Some(shape::<T>), ..self }
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
