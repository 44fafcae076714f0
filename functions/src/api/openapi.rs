//! The `OpenAPI` 3.1 document, made from the list of routes and the wire types.

use std::sync::LazyLock;

use axum::{http::header, response::IntoResponse};
use muster_schemas::problems::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
        Ref, Required, ResponseBuilder,
        path::{OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    auth::{Access, Anyone},
    route::{Route, Shape},
    routes,
};

static DOCUMENT: LazyLock<String> = LazyLock::new(text);

/// `GET /api/v1/openapi.json`
pub async fn get(_: Anyone) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

/// The document as text, the same every time.
pub fn text() -> String {
    let mut text = document().to_pretty_json().expect("the document is plain data");
    text.push('\n');
    text
}

fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    let problem = (Problem::name().into_owned(), Problem::schema());
    let mut schemas = vec![problem];
    Problem::schemas(&mut schemas);
    for route in routes() {
        paths = paths.path(route.path, PathItem::new(method(&route), operation(&route)));
        let shapes = [route.takes, route.gives, route.gives_dry].into_iter().flatten();
        schemas.extend(shapes.flat_map(|shape| shape().schemas));
    }
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme("bearer", bearer).build();
    let info = InfoBuilder::new()
        .title("Muster")
        .version("1")
        .description(Some("A fleet control plane for hosts nobody can reach. Errors are RFC 9457 problems."))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

fn operation(route: &Route) -> utoipa::openapi::path::Operation {
    let who = match route.access {
        Access::Anyone => "Anybody may call it.".to_owned(),
        Access::Machine => "For a machine that may become a host, with an enrollment token.".to_owned(),
        Access::Agent => "For a host, with its access token.".to_owned(),
        Access::Operator(permission) => {
            format!("Needs the role {}.", muster_domain::words::word(permission.least_role()))
        }
    };
    let mut success = ResponseBuilder::new().description("Done");
    if let Some(shape) = route.gives {
        success = success.content("application/json", content(&shape()));
    }
    let refused = ResponseBuilder::new().description("Refused, or broken: a problem with a stable code").content(
        "application/problem+json",
        ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build(),
    );
    let mut operation = OperationBuilder::new()
        .summary(Some(route.summary))
        .description(Some(who))
        .operation_id(Some(operation_id(route)))
        .response(route.status.to_string(), success)
        .response("default", refused);
    if route.access != Access::Anyone {
        operation = operation.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
    }
    for name in route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(text)));
    }
    if let Some(shape) = route.gives_dry {
        let plan = ResponseBuilder::new()
            .description("The plan; nothing was done")
            .content("application/json", content(&shape()));
        operation = operation.response("200", plan);
    }
    for (name, kind, meaning) in &route.asks {
        let kind = match *kind {
            "integer" => Type::Integer,
            "boolean" => Type::Boolean,
            _ => Type::String,
        };
        let value = ObjectBuilder::new().schema_type(kind);
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query).required(Required::False);
        operation = operation.parameter(parameter.description(Some(*meaning)).schema(Some(value)));
    }
    if route.waits {
        let known = ParameterBuilder::new().name("If-None-Match").parameter_in(ParameterIn::Header);
        let known = known.required(Required::False).description(Some("The ETag of the answer that the caller has"));
        let text = ObjectBuilder::new().schema_type(Type::String);
        let same = ResponseBuilder::new().description("Still the answer that the caller has");
        operation = operation.parameter(known.schema(Some(text))).response("304", same);
    }
    if let Some(shape) = route.takes {
        let kind = if route.form { "application/x-www-form-urlencoded" } else { "application/json" };
        let shape = shape();
        // No body is an empty object.
        let required = if shape.is_nothing_required() { Required::False } else { Required::True };
        let body = RequestBodyBuilder::new().content(kind, content(&shape)).required(Some(required));
        operation = operation.request_body(Some(body.build()));
    }
    operation.build()
}

fn content(shape: &Shape) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(&shape.name))).build()
}

/// The method and the path as one word: `post_jobs_id_cancel`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1").replace(['{', '}'], "");
    let words = path.split(['/', '-', '.']).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), words.join("_"))
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
