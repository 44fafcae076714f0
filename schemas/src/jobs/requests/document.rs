//! Kinds of job in the `OpenAPI` document: those that `POST /api/v1/jobs` takes, and what each of them is told.

use utoipa::openapi::{
    Ref, RefOr, Schema,
    schema::{AnyOfBuilder, ObjectBuilder, Type},
};

use crate::jobs::{KINDS, Kind};

/// The kinds that operators ask for by `POST /api/v1/jobs`.
fn asked_for() -> impl Iterator<Item = Kind> {
    KINDS.into_iter().filter(|kind| kind.instead.is_none())
}

/// `JobRequest.kind`
pub(super) fn kinds() -> RefOr<Schema> {
    let instead =
        KINDS.into_iter().filter_map(|kind| Some(format!(" `{}` is asked for by {}.", kind.name, kind.instead?)));
    let description = format!("The kind of job.{}", instead.collect::<String>());
    let words = asked_for().map(|kind| kind.name);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some(description)).into()
}

/// `JobRequest.spec`
pub(super) fn specs() -> RefOr<Schema> {
    let specs = asked_for().fold(AnyOfBuilder::new(), |specs, kind| specs.item(Ref::from_schema_name((kind.spec)())));
    specs.description(Some("What to do: the spec of that kind. Absent: an empty object.")).into()
}
