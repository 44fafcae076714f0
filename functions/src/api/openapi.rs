//! The `OpenAPI` 3.1 document, made from the list of routes and the wire types.

mod access;
mod operation;
mod plain;

use std::sync::OnceLock;

use axum::{
    Extension,
    http::{StatusCode, header},
    response::IntoResponse,
};
use muster_schemas::{messages::MESSAGES, problems::Problem};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, RefOr, Schema,
        example::ExampleBuilder, tag::Tag,
    },
};

use super::{
    auth::Anyone,
    route::{self, Answer, Route, Routes},
};

static DOCUMENT: OnceLock<String> = OnceLock::new();

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![route::get("/api/v1/openapi.json", get).says("Get this document.").gives_other(Answer::Object)]
}

/// `GET /api/v1/openapi.json`
pub async fn get(_: Anyone, Extension(Routes(routes)): Extension<Routes>) -> impl IntoResponse {
    let document = DOCUMENT.get_or_init(|| text(&routes()));
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], document.as_str())
}

/// The document as text, the same every time.
pub fn text(routes: &[Route]) -> String {
    let mut document = serde_json::to_value(document(routes)).expect("the document is plain data");
    plain::make_plain(&mut document);
    let mut text = serde_json::to_string_pretty(&document).expect("the document is plain data");
    text.push('\n');
    text
}

fn document(routes: &[Route]) -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in routes {
        paths = paths.path(route.path, PathItem::new(operation::method(route), operation::operation(route)));
    }
    let info = InfoBuilder::new()
        .title("Muster")
        .version("1")
        .description(Some(
            "A fleet control plane for hosts that nobody can reach from outside. Errors are RFC 9457 problems with a \
             stable `code`. Lists are pages: `next_cursor` of one page is the `cursor` of the next.",
        ))
        .build();
    let mut tags: Vec<Tag> = Vec::new();
    for route in routes {
        if !tags.iter().any(|tag| tag.name == route.noun()) {
            tags.push(Tag::new(route.noun()));
        }
    }
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components(routes))).tags(Some(tags)).build()
}

fn components(routes: &[Route]) -> Components {
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    for route in routes {
        let gives = match route.gives {
            Some(Answer::Json(shape)) => Some(shape),
            _ => None,
        };
        let shapes = [route.takes, gives, route.gives_dry].into_iter().flatten();
        schemas.extend(shapes.flat_map(|shape| shape().schemas));
    }
    let mut components = ComponentsBuilder::new().schemas_from_iter(schemas);
    for (name, scheme) in access::schemes() {
        components = components.security_scheme(name, scheme);
    }
    let mut components = components.build();
    for message in MESSAGES.iter() {
        let sample: Value = serde_json::from_str(message.sample).expect("a sample is JSON");
        let example = ExampleBuilder::new().value(Some(sample)).build();
        components.examples.insert(message.name.to_string(), example.into());
    }
    components
}
