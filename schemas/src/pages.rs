//! Pagination by cursor: `?limit=&cursor=` in, `{items, next_cursor}` out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type, schema::ArrayBuilder},
};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries, in the list's order. May be empty although more follow, when a filter matched none of them.
    pub items: Vec<T>,
    /// Where the next page starts; opaque. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The default size of a page.
pub const DEFAULT_LIMIT: u16 = 50;
/// The largest page.
pub const MAX_LIMIT: u16 = 200;
/// The largest page of hosts, so that a client that shows a whole fleet needs few requests.
pub const MAX_HOSTS_LIMIT: u16 = 1_000;

// By hand, because a derived schema of a generic type has the same name for every type it holds.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some(
            "The entries, in order; may be empty although more follow, when a filter left none over",
        ));
        let next_cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Where the next page starts; absent on the last"));
        ObjectBuilder::new().property("items", items).required("items").property("next_cursor", next_cursor).into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
