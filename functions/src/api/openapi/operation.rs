//! One operation of the document: a route with its parameters, its body, its answers and its problems.

use std::collections::BTreeMap;

use muster_schemas::{
    messages::MESSAGES,
    problems::{Problem, ProblemCode},
};
use utoipa::{
    ToSchema,
    openapi::{
        Content, ContentBuilder, Header, HttpMethod, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
        example::Example,
        extensions::Extensions,
        header::HeaderBuilder,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type},
        security::SecurityRequirement,
    },
};

use super::access;
use crate::api::route::{Answer, Route, Shape};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const FORM: &str = "application/x-www-form-urlencoded";
const FILE: &str = "application/octet-stream";

/// The operation of a route.
pub fn operation(route: &Route) -> Operation {
    let extensions = Extensions::from_iter([(access::EXTENSION, access::extension(route.access))]);
    let mut operation = OperationBuilder::new()
        .tag(route.noun())
        .summary(Some(route.summary))
        .description(Some(access::sentence(route.access)))
        .operation_id(Some(route.operation_id()))
        .request_body(body(route))
        .extensions(Some(extensions));
    if let Some(scheme) = access::scheme(route.access) {
        operation = operation.security(SecurityRequirement::new(scheme, Vec::<String>::new()));
    }
    for parameter in parameters(route) {
        operation = operation.parameter(parameter);
    }
    for (status, answer) in answers(route).into_iter().chain(refusals(route)) {
        operation = operation.response(status, answer);
    }
    operation.build()
}

/// The method of a route.
pub fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let parameter = |name: &str, place, meaning: Option<&str>, schema: RefOr<Schema>| {
        let required = if place == ParameterIn::Path { Required::True } else { Required::False };
        let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
        parameter.description(meaning).schema(Some(schema)).build()
    };
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = names.map(|name| parameter(name, ParameterIn::Path, None, simple(Type::String)));
    let asks = route.asks.iter();
    let query = asks.map(|(name, kind, meaning)| parameter(name, ParameterIn::Query, Some(meaning), asked(kind)));
    let hears = route.hears.iter();
    let headers =
        hears.map(|(name, meaning)| parameter(name, ParameterIn::Header, Some(meaning), simple(Type::String)));
    path.chain(query).chain(headers).collect()
}

fn asked(kind: &str) -> RefOr<Schema> {
    match kind {
        "integer" => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).into(),
        "boolean" => simple(Type::Boolean),
        "string" => simple(Type::String),
        "strings" => ArrayBuilder::new().items(simple(Type::String)).into(),
        name => Ref::from_schema_name(name).into(),
    }
}

fn body(route: &Route) -> Option<RequestBody> {
    if route.takes_file {
        return Some(RequestBodyBuilder::new().content(FILE, file()).required(Some(Required::False)).build());
    }
    let shape = route.takes?();
    // No body is an empty object.
    let required = if shape.is_nothing_required() { Required::False } else { Required::True };
    let kind = if route.form { FORM } else { JSON };
    Some(RequestBodyBuilder::new().content(kind, json(&shape)).required(Some(required)).build())
}

fn answers(route: &Route) -> Vec<(String, Response)> {
    let mut success = ResponseBuilder::new().description(match route.status {
        201 => "Created.",
        202 => "Accepted: it goes on after the answer.",
        204 => "Done. There is nothing else to say.",
        _ => "Done.",
    });
    success = match route.gives {
        Some(Answer::Json(shape)) => success.content(JSON, json(&shape())),
        Some(Answer::Object) => success.content(JSON, Content::new(Some(simple(Type::Object)))),
        Some(Answer::Text(kind)) => success.content(kind, Content::new(Some(simple(Type::String)))),
        Some(Answer::File) => success.content(FILE, file()),
        None => success,
    };
    for (name, meaning) in &route.tells {
        success = success.header(*name, header(Type::String, meaning));
    }
    let mut answers = vec![(route.status.to_string(), success.build())];
    if matches!(route.gives, Some(Answer::File)) {
        let part = ResponseBuilder::new().description("A part of the file.").content(FILE, file());
        let elsewhere = ResponseBuilder::new().description("The file is elsewhere.");
        let elsewhere = elsewhere.header("Location", header(Type::String, "Where the file is, for an hour."));
        answers.extend([("206".into(), part.build()), ("307".into(), elsewhere.build())]);
    }
    if let Some(shape) = route.gives_dry {
        let plan = ResponseBuilder::new().description("The plan. Nothing was done.").content(JSON, json(&shape()));
        answers.push(("200".into(), plan.build()));
    }
    if route.waits {
        let same = ResponseBuilder::new().description("The answer that the caller has still holds.");
        answers.push(("304".into(), same.build()));
    }
    answers
}

/// The problems that are known from the handler's arguments, by status, and all others.
fn refusals(route: &Route) -> Vec<(String, Response)> {
    let mut codes: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in access::problems(route).into_iter().chain(route.problems.iter().copied()) {
        let same = codes.entry(code.status()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    let sentence = |code: &ProblemCode| format!("`{code}`: {}.", code.title());
    let known = codes.into_iter().map(|(status, codes)| {
        let sentences = codes.iter().map(sentence).collect::<Vec<_>>().join(" ");
        let mut refusal = ResponseBuilder::new().description(sentences).content(PROBLEM, problem(false));
        if matches!(status, 429 | 503) {
            let meaning = "After how many seconds to ask again.";
            refusal = refusal.header("Retry-After", header(Type::Integer, meaning));
        }
        (status.to_string(), refusal.build())
    });
    let others = ResponseBuilder::new().description("Any other problem: its `code` says which.");
    let others = ("default".to_owned(), others.content(PROBLEM, problem(true)).build());
    known.chain([others]).collect()
}

/// A body of JSON, with the golden samples of its type.
fn json(shape: &Shape) -> Content {
    let kind = snake_case(&shape.name);
    let samples = MESSAGES.iter().filter(|message| message.kind() == kind);
    let examples = samples.map(|message| (&*message.name, example(&message.name)));
    ContentBuilder::new().schema(Some(Ref::from_schema_name(&shape.name))).examples_from_iter(examples).build()
}

fn problem(with_example: bool) -> Content {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
    let content = if with_example { content.examples_from_iter([("problem", example("problem"))]) } else { content };
    content.build()
}

fn example(name: &str) -> RefOr<Example> {
    RefOr::Ref(Ref::new(format!("#/components/examples/{name}")))
}

fn file() -> Content {
    let bytes = ObjectBuilder::new().schema_type(Type::String);
    Content::new(Some(bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))))
}

fn header(kind: Type, meaning: &str) -> Header {
    HeaderBuilder::new().schema(Some(simple(kind))).description(Some(meaning)).build()
}

fn simple(kind: Type) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(kind).into()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
