//! Ids: prefixed ULIDs, one type per noun, so that no id is ever taken for another.
//!
//! An id sorts by the time it was created. The caller draws its random part: this crate and the domain have no randomness.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ulid::Ulid;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {prefix} and a ULID of 26 characters")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// The prefix of every id of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// An id made at `at` (millisecond precision) from 80 random bits; higher bits of `random` are dropped.
            pub fn new(at: Timestamp, random: u128) -> Self {
                let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or_default();
                Self(Ulid::from_parts(milliseconds, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str(self.0.array_to_str(&mut [0; 26]))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text, $prefix).map(Self).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let pattern = concat!("^", $prefix, "[0-9A-HJKMNP-TV-Z]{26}$");
                ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
            }
        }

        impl ToSchema for $name {}

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A host: one agent with one key.
    HostId "host_";
    /// A job: one piece of work on one host.
    JobId "job_";
    /// A fleet update: one change over many hosts.
    FleetUpdateId "fup_";
    /// An enrollment token (not its secret text).
    EnrollmentTokenId "tok_";
    /// An API key (not its secret text).
    ApiKeyId "key_";
    /// A person with an account.
    UserId "usr_";
    /// An alert.
    AlertId "alr_";
    /// An installation: a server with all that it keeps.
    InstallationId "ins_";
    /// One entry of the audit trail.
    AuditId "aud_";
    /// One start of an agent process, drawn at random by the agent.
    ProcessId "prc_";
    /// One request, quoted in problems and logs.
    RequestId "req_";
}

/// Only the canonical form: two texts never mean the same id.
fn parse(text: &str, prefix: &str) -> Option<Ulid> {
    let ulid = text.strip_prefix(prefix)?;
    Ulid::from_string(ulid).ok().filter(|parsed| parsed.array_to_str(&mut [0; 26]) == ulid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_refuses_another_kind() {
        let id = HostId::new(Timestamp::UNIX_EPOCH, 7);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<JobId>().is_err());
    }

    #[test]
    fn only_the_canonical_form_is_an_id() {
        for text in [
            "host_",
            "host_01arz3ndektsv4rrffq69g5fav",
            "host_01ARZ3NDEKTSV4RRFFQ69G5FA",
            "host_ü1ARZ3NDEKTSV4RRFFQ69G5FA",
        ] {
            assert!(text.parse::<HostId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        assert!(HostId::new(at(1), u128::MAX) < HostId::new(at(2), 0));
    }
}
