//! Allowed actions (HATEOAS): each resource says what the caller may do with it now, so that clients copy no rules.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type, schema::ArrayBuilder},
};

/// Every action on a resource is in exactly one of the two, by the caller's role and the resource's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "A: Action + DeserializeOwned"))]
pub struct Actions<A> {
    /// The actions that the caller may take now. Empty from a server that is older than this field.
    #[serde(default, deserialize_with = "known")]
    pub allowed: Vec<A>,
    /// Why the others are not allowed now, one sentence each for people: the `detail` that a request would be refused with.
    #[serde(default = "BTreeMap::new", deserialize_with = "known_reasons")]
    pub why_not: BTreeMap<A, String>,
}

/// The actions on one kind of resource.
pub trait Action: Copy + Ord + Serialize + 'static {
    /// All of them.
    const ALL: &'static [Self];
}

impl<A: Action> Actions<A> {
    /// The actions, each decided by `decide`: allowed, or the reason why not.
    pub fn of(decide: impl Fn(A) -> Result<(), String>) -> Self {
        let mut actions = Self { allowed: Vec::new(), why_not: BTreeMap::new() };
        for action in A::ALL {
            match decide(*action) {
                Ok(()) => actions.allowed.push(*action),
                Err(reason) => _ = actions.why_not.insert(*action, reason),
            }
        }
        actions
    }
}

/// Skips actions that this side does not know: they are from a newer server.
fn known<'de, D: Deserializer<'de>, A: DeserializeOwned>(deserializer: D) -> Result<Vec<A>, D::Error> {
    let words = Vec::<Value>::deserialize(deserializer)?;
    Ok(words.into_iter().filter_map(|word| serde_json::from_value(word).ok()).collect())
}

/// Skips reasons for actions that this side does not know.
fn known_reasons<'de, D, A>(deserializer: D) -> Result<BTreeMap<A, String>, D::Error>
where
    D: Deserializer<'de>,
    A: DeserializeOwned + Ord,
{
    let reasons = BTreeMap::<String, String>::deserialize(deserializer)?;
    let known = |(word, reason)| Some((serde_json::from_value(Value::String(word)).ok()?, reason));
    Ok(reasons.into_iter().filter_map(known).collect())
}

// By hand, because a derived schema of a generic type has the same name for every type it holds, and so that the document
// names the actions that a reason may be given for.
impl<A: Action + ToSchema> PartialSchema for Actions<A> {
    fn schema() -> RefOr<Schema> {
        let allowed = ArrayBuilder::new()
            .items(Ref::from_schema_name(A::name()))
            .description(Some("What the caller may do with it now"));
        let reason = || ObjectBuilder::new().schema_type(Type::String);
        let words = A::ALL.iter().filter_map(|action| serde_json::to_value(action).ok()?.as_str().map(str::to_owned));
        let why_not = words.fold(ObjectBuilder::new(), |reasons, word| reasons.property(word, reason())).description(
            Some("Why the others cannot be done now, a sentence each: what a request for it would be refused with"),
        );
        let both = ObjectBuilder::new().property("allowed", allowed).required("allowed");
        both.property("why_not", why_not).required("why_not").into()
    }
}

impl<A: Action + ToSchema> ToSchema for Actions<A> {
    fn name() -> Cow<'static, str> {
        A::name().replacen("Action", "Actions", 1).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((A::name().into_owned(), A::schema()));
    }
}
