//! What an entry of the audit trail is about, by its id or by the name that people know it by.

use std::collections::BTreeSet;

use muster_domain::hosts::Host;
use muster_schemas::{audit::AuditEntry, ids::UserId};

use crate::{
    api::{identity::api_keys::ApiKey, lists::List, problem::Failure},
    app::App,
    records,
    store::Consistency,
};

/// How many records are looked at for a name.
const LOOKED_AT: usize = 1_000;

/// The entries that are wanted.
#[derive(Debug, Default)]
pub struct Subject {
    /// The word that was asked for. Absent: all.
    word: Option<String>,
    /// What has it for its name now.
    ids: BTreeSet<String>,
}

impl Subject {
    /// Finds what a word means.
    pub async fn find(app: &App, word: Option<&str>) -> Result<Self, Failure> {
        let Some(word) = word else { return Ok(Self::default()) };
        let mut ids = BTreeSet::new();
        if !is_id(word) {
            let account = app.load::<UserId>(&records::users::by_name(word), Consistency::Strong).await?;
            ids.extend(account.map(|account| account.record.to_string()));
            let (keys, _) = List::all("api-keys").before::<ApiKey>(app, None, LOOKED_AT).await?;
            ids.extend(
                keys.into_iter()
                    .map(|(_, key)| key.record)
                    .filter(|key| key.name == word)
                    .map(|key| key.id.to_string()),
            );
            let (hosts, _) = List::all("hosts").before::<Host>(app, None, LOOKED_AT).await?;
            let named = hosts.into_iter().map(|(_, host)| host.record).filter(|host| host.name == word);
            ids.extend(named.map(|host| host.id.to_string()));
        }
        Ok(Self { word: Some(word.into()), ids })
    }

    /// Where the entries are found: an id has a list of its own.
    pub fn list(&self) -> List {
        match &self.word {
            Some(id) if is_id(id) => List::owned(records::audit::about(id)),
            _ => List::all("audit"),
        }
    }

    /// Whether an entry is about it. What is gone has its name in the entry: the detail of accounts and keys begins with it.
    pub fn is_of(&self, entry: &AuditEntry) -> bool {
        let Some(word) = &self.word else { return true };
        let told = || entry.detail.split(", ").next().is_some_and(|name| name == word);
        let is_named = || ["user.", "api_key.", "session."].iter().any(|noun| entry.action.starts_with(noun)) && told();
        entry.subject == *word || self.ids.contains(&entry.subject) || is_named()
    }
}

/// Whether a word is an id: a short prefix, and 26 letters and digits.
fn is_id(word: &str) -> bool {
    let ulid = word.rsplit_once('_').map(|(_, ulid)| ulid);
    ulid.is_some_and(|ulid| {
        ulid.len() == 26 && ulid.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    })
}
