//! Actions: what a caller may do with a thing right now, told with the thing itself, so that no client copies a rule.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type, schema::ArrayBuilder},
};

/// Every action of a thing, each in exactly one of the two: by the caller's role and the thing's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "A: Action + DeserializeOwned"))]
pub struct Actions<A> {
    /// What the caller may do with it now. Empty from a server that does not say.
    #[serde(default, deserialize_with = "known")]
    pub allowed: Vec<A>,
    /// Why the others cannot be done now, a sentence each for people: what a request for it would be refused with.
    #[serde(default = "BTreeMap::new", deserialize_with = "known_reasons")]
    pub why_not: BTreeMap<A, String>,
}

/// The actions of one kind of thing.
pub trait Action: Copy + Ord + Serialize + 'static {
    /// Each of them.
    const ALL: &'static [Self];
}

impl<A: Action> Actions<A> {
    /// Each action as decided: allowed, or why not.
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

/// [`ActionOnHost`], each decided.
pub type ActionsOnHost = Actions<ActionOnHost>;
/// [`ActionOnJob`], each decided.
pub type ActionsOnJob = Actions<ActionOnJob>;
/// [`ActionOnRelease`], each decided.
pub type ActionsOnRelease = Actions<ActionOnRelease>;
/// [`ActionOnFleetUpdate`], each decided.
pub type ActionsOnFleetUpdate = Actions<ActionOnFleetUpdate>;
/// [`ActionOnEnrollmentToken`], each decided.
pub type ActionsOnEnrollmentToken = Actions<ActionOnEnrollmentToken>;
/// [`ActionOnUser`], each decided.
pub type ActionsOnUser = Actions<ActionOnUser>;
/// [`ActionOnApiKey`], each decided.
pub type ActionsOnApiKey = Actions<ActionOnApiKey>;
/// [`ActionOfCaller`], each decided.
pub type ActionsOfCaller = Actions<ActionOfCaller>;

/// With a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnHost {
    /// Give it a job; one that is offline takes it with `if_offline: queue`.
    Run,
    /// Bring its agent to the newest release.
    Update,
    /// Name and label it.
    Change,
    /// Serve it again.
    Readmit,
    /// Close its agent's circuit breakers, by a job of that kind.
    ResetBreakers,
    /// Retire it for good; one with open jobs with `force=true`.
    Remove,
}

/// With a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnJob {
    /// Stop it.
    Cancel,
}

/// With a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnRelease {
    /// Take it back.
    Yank,
}

/// With a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnFleetUpdate {
    /// Offer the release to no further host.
    Pause,
    /// Go on; after a halt with a note.
    Resume,
    /// End it.
    Cancel,
    /// Give failed hosts another turn; after a halt with a note.
    RetryFailed,
    /// Give up the slot of a lost host.
    WriteOff,
}

/// With an enrollment token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnEnrollmentToken {
    /// Take it back.
    Revoke,
}

/// With an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnUser {
    /// Give it a password or a role; the last admin keeps theirs.
    Change,
    /// Remove it.
    Remove,
}

/// With an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnApiKey {
    /// Take it back.
    Revoke,
}

/// What the caller may do at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOfCaller {
    /// Give jobs to hosts.
    CreateJobs,
    /// Start fleet updates.
    CreateFleetUpdates,
    /// Announce releases and upload their files.
    PublishReleases,
    /// Make enrollment tokens.
    CreateEnrollmentTokens,
    /// Make accounts.
    CreateUsers,
    /// Make API keys.
    CreateApiKeys,
    /// Look at the audit trail.
    LookAtAudit,
    /// Look at accounts.
    LookAtUsers,
    /// Look at API keys.
    LookAtApiKeys,
    /// Look at enrollment tokens.
    LookAtEnrollmentTokens,
}

impl Action for ActionOnHost {
    const ALL: &'static [Self] =
        &[Self::Run, Self::Update, Self::Change, Self::Readmit, Self::ResetBreakers, Self::Remove];
}

impl Action for ActionOnJob {
    const ALL: &'static [Self] = &[Self::Cancel];
}

impl Action for ActionOnRelease {
    const ALL: &'static [Self] = &[Self::Yank];
}

impl Action for ActionOnFleetUpdate {
    const ALL: &'static [Self] = &[Self::Pause, Self::Resume, Self::Cancel, Self::RetryFailed, Self::WriteOff];
}

impl Action for ActionOnEnrollmentToken {
    const ALL: &'static [Self] = &[Self::Revoke];
}

impl Action for ActionOnUser {
    const ALL: &'static [Self] = &[Self::Change, Self::Remove];
}

impl Action for ActionOnApiKey {
    const ALL: &'static [Self] = &[Self::Revoke];
}

impl Action for ActionOfCaller {
    const ALL: &'static [Self] = &[
        Self::CreateJobs,
        Self::CreateFleetUpdates,
        Self::PublishReleases,
        Self::CreateEnrollmentTokens,
        Self::CreateUsers,
        Self::CreateApiKeys,
        Self::LookAtAudit,
        Self::LookAtUsers,
        Self::LookAtApiKeys,
        Self::LookAtEnrollmentTokens,
    ];
}

/// Actions that this side does not know are from a newer server, and none of its business.
fn known<'de, D: Deserializer<'de>, A: DeserializeOwned>(deserializer: D) -> Result<Vec<A>, D::Error> {
    let words = Vec::<Value>::deserialize(deserializer)?;
    Ok(words.into_iter().filter_map(|word| serde_json::from_value(word).ok()).collect())
}

/// The same.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words<A: Action + ToSchema>() -> (Value, Value) {
        let schema = serde_json::to_value(A::schema()).expect("it is plain data");
        (schema["enum"].clone(), json!(A::ALL))
    }

    #[test]
    fn every_action_is_decided_on() {
        for (named, decided) in [
            words::<ActionOnHost>(),
            words::<ActionOnJob>(),
            words::<ActionOnRelease>(),
            words::<ActionOnFleetUpdate>(),
            words::<ActionOnEnrollmentToken>(),
            words::<ActionOnUser>(),
            words::<ActionOnApiKey>(),
            words::<ActionOfCaller>(),
        ] {
            assert_eq!(named, decided);
        }
    }

    #[test]
    fn what_a_newer_server_tells_of_is_left_out_and_what_an_older_one_does_not_tell_is_empty() {
        let newer = json!({ "allowed": ["run", "dance"], "why_not": { "sing": "no voice", "remove": "no" } });
        let read: Actions<ActionOnHost> = serde_json::from_value(newer).expect("it is tolerated");
        assert_eq!(read.allowed, [ActionOnHost::Run]);
        assert_eq!(read.why_not, BTreeMap::from([(ActionOnHost::Remove, "no".to_owned())]));
        let older: Actions<ActionOnHost> = serde_json::from_value(json!({})).expect("it is tolerated");
        assert_eq!((older.allowed, older.why_not), (Vec::new(), BTreeMap::new()));
    }
}
