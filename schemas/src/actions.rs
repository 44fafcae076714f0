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

/// Actions on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnHost {
    /// Run a job on it; if it is offline, only with `if_offline: queue`.
    Run,
    /// Update its agent to the newest release.
    Update,
    /// Change its name and labels.
    Change,
    /// Readmit it after a quarantine.
    Readmit,
    /// Close its agent's circuit breakers, by a job of that kind.
    ResetBreakers,
    /// Retire it permanently; if it has open jobs, only with `force=true`.
    Remove,
}

/// Actions on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnJob {
    /// Cancel it.
    Cancel,
}

/// Actions on a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnRelease {
    /// Take it back.
    Yank,
}

/// Actions on a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnFleetUpdate {
    /// Stop offering the release to further hosts.
    Pause,
    /// Continue; after a halt with a note.
    Resume,
    /// End it permanently.
    Cancel,
    /// Retry the failed hosts; after a halt with a note.
    RetryFailed,
    /// Write off a lost host, which frees its slot.
    WriteOff,
}

/// Actions on an enrollment token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnEnrollmentToken {
    /// Take it back.
    Revoke,
}

/// Actions on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnUser {
    /// Change its password or role; the last admin keeps the role.
    Change,
    /// Remove it.
    Remove,
}

/// Actions on an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnApiKey {
    /// Take it back.
    Revoke,
}

/// Actions of a caller that belong to no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOfCaller {
    /// Run jobs on hosts.
    CreateJobs,
    /// Start fleet updates.
    CreateFleetUpdates,
    /// Announce releases and upload their files.
    PublishReleases,
    /// Create enrollment tokens.
    CreateEnrollmentTokens,
    /// Create accounts.
    CreateUsers,
    /// Create API keys.
    CreateApiKeys,
    /// Read the audit trail.
    LookAtAudit,
    /// Read accounts.
    LookAtUsers,
    /// Read API keys.
    LookAtApiKeys,
    /// Read enrollment tokens.
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
