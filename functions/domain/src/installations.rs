//! Installation: a server with all that it keeps. Its id stays; its public URL may change. Hosts sign for a URL that the installation
//! has or had, or for its id, and follow it from one URL to the next.

use muster_schemas::{check_ins::Relocation, ids::InstallationId};
use serde::{Deserialize, Serialize};

/// How many public URLs are remembered.
const MAX_URLS: usize = 32;

/// An installation, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Its id, for as long as its records live.
    pub id: InstallationId,
    /// Its public URLs, the newest last.
    pub urls: Vec<String>,
}

impl Installation {
    /// One that begins now.
    pub fn new(id: InstallationId, public_url: &str) -> Self {
        Self { id, urls: vec![public_url.into()] }
    }

    /// Its public URL.
    pub fn public_url(&self) -> &str {
        self.urls.last().map_or("", String::as_str)
    }

    /// The same with this public URL from now on. `None`: it has it already.
    pub fn known_as(&self, public_url: &str) -> Option<Self> {
        if self.public_url() == public_url {
            return None;
        }
        let kept = self.urls.iter().filter(|url| *url != public_url).cloned().collect::<Vec<_>>();
        let newest = kept.len().saturating_sub(MAX_URLS - 1);
        let urls = kept[newest..].iter().cloned().chain([public_url.to_owned()]).collect();
        Some(Self { id: self.id, urls })
    }
}

/// The names that a server goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its public URL.
    pub public_url: String,
    /// Further URLs that it has now: hosts that call it by one of them stay there.
    pub also_known_as: Vec<String>,
    /// What is kept of it. Absent: nothing is.
    pub installation: Option<Installation>,
}

impl Names {
    /// A server of which nothing is kept.
    pub fn of(public_url: &str) -> Self {
        Self { public_url: public_url.into(), also_known_as: Vec::new(), installation: None }
    }

    /// What a host that joins signs for. Its URL, and not its id: a server that was put back to a version or a backup of before
    /// knows that.
    pub fn audience(&self) -> String {
        self.public_url.clone()
    }

    /// Whether what a host signed for this audience is meant for this server.
    pub fn is_addressed_by(&self, audience: &str) -> bool {
        let kept = |kept: &Installation| kept.id.to_string() == audience || kept.urls.iter().any(|url| url == audience);
        self.urls().any(|url| url == audience) || self.installation.as_ref().is_some_and(kept)
    }

    /// The URLs that it has now.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.public_url.as_str()).chain(self.also_known_as.iter().map(String::as_str))
    }

    /// What hosts are told that call it by a URL that it had. `None`: it had no other.
    pub fn relocation(&self) -> Option<Relocation> {
        let had = self.installation.iter().flat_map(|installation| &installation.urls);
        let from = had.filter(|had| self.urls().all(|url| url != *had)).cloned().collect::<Vec<_>>();
        (!from.is_empty()).then(|| Relocation { to: self.public_url.clone(), from })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn begun(url: &str) -> Installation {
        Installation::new(InstallationId::new(Timestamp::UNIX_EPOCH, 7), url)
    }

    fn names(installation: &Installation, also: &[&str]) -> Names {
        let also_known_as = also.iter().map(|url| (*url).to_owned()).collect();
        let public_url = installation.public_url().to_owned();
        Names { public_url, also_known_as, installation: Some(installation.clone()) }
    }

    #[test]
    fn a_server_answers_to_its_id_and_to_every_url_that_it_has_had_or_is_told() {
        let first = begun("https://old.example");
        let now = first.known_as("https://new.example").expect("it is another");
        let names = names(&now, &["https://alias.example"]);
        for audience in [&first.id.to_string(), "https://old.example", "https://new.example", "https://alias.example"] {
            assert!(names.is_addressed_by(audience), "{audience}");
        }
        for audience in ["", "https://evil.example", "https://new.example/", "ins_00000000000000000000000000"] {
            assert!(!names.is_addressed_by(audience), "{audience}");
        }
        assert_eq!(names.audience(), "https://new.example");
    }

    #[test]
    fn hosts_are_told_where_a_server_went_and_stay_at_a_url_that_it_still_has() {
        let first = begun("https://a.example");
        assert_eq!(names(&first, &[]).relocation(), None);
        let third = first
            .known_as("https://b.example")
            .expect("it is another")
            .known_as("https://c.example")
            .expect("it is another");
        let told = names(&third, &["https://a.example"]).relocation().expect("it had another");
        assert_eq!((told.to.as_str(), told.from), ("https://c.example", vec!["https://b.example".to_owned()]));
        let back = third.known_as("https://a.example").expect("it is another");
        assert_eq!(
            names(&back, &[]).relocation().expect("it had another").from,
            ["https://b.example", "https://c.example"]
        );
    }

    #[test]
    fn the_same_url_changes_nothing_and_of_many_the_newest_are_remembered() {
        let mut installation = begun("https://0.example");
        assert_eq!(installation.known_as("https://0.example"), None);
        for number in 1..100 {
            installation = installation.known_as(&format!("https://{number}.example")).expect("it is another");
        }
        assert_eq!((installation.urls.len(), installation.public_url()), (MAX_URLS, "https://99.example"));
        assert_eq!(installation.urls[0], "https://68.example");
    }

    #[test]
    fn a_server_of_which_nothing_is_kept_answers_to_its_urls_alone() {
        let names = Names::of("https://one.example");
        assert_eq!((names.audience().as_str(), names.relocation()), ("https://one.example", None));
        assert!(names.is_addressed_by("https://one.example") && !names.is_addressed_by("https://two.example"));
    }
}
