//! Access tokens that this process has verified, until they expire: a host uses one for a quarter of an hour or longer, and to
//! verify it takes more than all the rest of an idle check-in. What a host may do is looked up with every request all the same.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use muster_schemas::ids::HostId;

/// How many tokens are remembered at most.
const REMEMBERED: usize = 16_384;

/// Tokens by their whole text: only what was signed is ever kept.
#[derive(Default)]
pub struct VerifiedTokens {
    known: Mutex<HashMap<String, Verified>>,
}

#[derive(Clone, Copy)]
struct Verified {
    host_id: HostId,
    /// In seconds since 1970.
    expires_at: i64,
}

impl VerifiedTokens {
    /// The host that a token was verified to be for, if it is still valid.
    pub fn find(&self, token: &str, now: i64) -> Option<HostId> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).filter(|verified| now < verified.expires_at).map(|verified| verified.host_id)
    }

    /// Remembers a token that was verified.
    pub fn keep(&self, token: &str, host_id: HostId, expires_at: i64, now: i64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, verified| now < verified.expires_at);
        }
        // So many hosts are rare, and to verify a token once more is no harm.
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(token.to_owned(), Verified { host_id, expires_at });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn host(number: u128) -> HostId {
        HostId::new(Timestamp::UNIX_EPOCH, number)
    }

    #[test]
    fn a_token_is_known_until_it_expires_and_no_other_text_is() {
        let tokens = VerifiedTokens::default();
        tokens.keep("one", host(1), 100, 0);
        assert_eq!(
            (tokens.find("one", 99), tokens.find("one", 100), tokens.find("on", 0)),
            (Some(host(1)), None, None)
        );
    }

    #[test]
    fn however_many_there_are_memory_is_bounded() {
        let tokens = VerifiedTokens::default();
        for number in 0..3 * REMEMBERED {
            tokens.keep(&number.to_string(), host(1), 100, 0);
        }
        assert!(tokens.known.lock().is_ok_and(|known| known.len() <= REMEMBERED));
        assert_eq!(tokens.find(&(3 * REMEMBERED - 1).to_string(), 0), Some(host(1)), "the latest is known");
    }
}
