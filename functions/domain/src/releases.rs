//! State machine of a release: signed offline, uploaded here, verified by agents.
//!
//! ```text
//! draft ──Uploaded (last file)──▶ published ──Yank──▶ yanked        draft ──Yank──▶ yanked
//! ```
//! A version stands for the same files for ever. Its manifest may be replaced by one that is signed anew with a higher number:
//! so hosts that have accepted a later release may go back to it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    envelopes::Envelope,
    problems::ProblemCode,
    releases::ActionOnRelease,
    releases::{Manifest, ReleaseState, ReleaseView, Target},
};
use serde::{Deserialize, Serialize};

use crate::{
    access::{Permission, actions},
    changes::Note,
    machine::{Machine, Step},
    refused::Refused,
};

/// How many signatures are kept.
const MAX_SIGNATURES: usize = 16;

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The signed manifest as it was uploaded; agents get these bytes.
    pub envelope: Envelope,
    /// Its content.
    pub manifest: Manifest,
    /// SHA-256 of the signed payload.
    pub manifest_sha256: String,
    /// Platforms whose files are here.
    pub uploaded: BTreeSet<String>,
    /// Why it was yanked.
    pub yanked: Option<String>,
    /// When it was announced.
    pub created_at: Timestamp,
}

/// An event of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its manifest was uploaded.
    Announce(Box<Release>),
    /// The file for a platform is stored, complete and durable.
    Uploaded(String),
    /// An operator yanks it.
    Yank(String),
}

impl Machine for Release {
    type Event = Event;

    fn begin(event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Announce(release) => {
                let note = Note::new("release.announced", &release.manifest.version, &release.manifest_sha256);
                Ok(Step::to((**release).clone()).and(note))
            }
            Event::Uploaded(_) | Event::Yank(_) => Err(Refused::not_found("release")),
        }
    }

    fn transition(&self, event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            // The same signed payload again, perhaps with one more signature.
            Event::Announce(again) if again.manifest_sha256 == self.manifest_sha256 => {
                Ok(Step::to(self.signed_also_by(&again.envelope)))
            }
            Event::Announce(anew) => {
                self.can_be_signed_anew(anew)?;
                let number = anew.manifest.manifest_version;
                let note = Note::new("release.republished", &self.manifest.version, format!("manifest {number}"));
                let Self { envelope, manifest, manifest_sha256, .. } = (**anew).clone();
                Ok(Step::to(Self { envelope, manifest, manifest_sha256, ..self.clone() }).and(note))
            }
            Event::Uploaded(platform) => Ok(self.uploaded(platform)),
            Event::Yank(_) if self.can_be_yanked().is_err() => Ok(Step::to(self.clone())),
            Event::Yank(reason) => {
                let note = Note::new("release.yanked", &self.manifest.version, reason);
                Ok(Step::to(Self { yanked: Some(reason.clone()), ..self.clone() }).and(note))
            }
        }
    }
}

impl Release {
    /// Whether it can be offered.
    pub fn state(&self) -> ReleaseState {
        if self.yanked.is_some() {
            ReleaseState::Yanked
        } else if self.missing().next().is_none() {
            ReleaseState::Published
        } else {
            ReleaseState::Draft
        }
    }

    /// The file for a platform, if it is here.
    pub fn target(&self, os: &str, arch: &str) -> Option<&Target> {
        self.manifest.target(os, arch).filter(|target| self.uploaded.contains(&target.platform()))
    }

    /// Whether a caller of this role may do this with it.
    pub fn allows(&self, action: ActionOnRelease, role: Role) -> Result<(), Refused> {
        match action {
            ActionOnRelease::Yank => Permission::ManageReleases.check(role).and_then(|()| self.can_be_yanked()),
        }
    }

    /// Whether another manifest of this version may take the place of the one that is here.
    fn can_be_signed_anew(&self, anew: &Self) -> Result<(), Refused> {
        let Manifest { version, manifest_version, .. } = &self.manifest;
        let files = |release: &Self| {
            let files = release.manifest.targets.iter().map(|target| (target.platform(), target.sha256.clone()));
            files.collect::<BTreeSet<_>>()
        };
        let refused = |why: String| Err(Refused::new(ProblemCode::AlreadyExists, why));
        if files(self) != files(anew) {
            refused(format!("version {version} already exists with other files; other files need another version"))
        } else if self.yanked.is_some() {
            refused(format!("version {version} was yanked; sign its files as another version"))
        } else if anew.manifest.manifest_version <= *manifest_version {
            refused(format!(
                "version {version} already exists as manifest {manifest_version}; another manifest for the same files \
                 must have a higher number"
            ))
        } else {
            Ok(())
        }
    }

    /// The reason for `why_not`: yanking twice changes nothing, and is not an error.
    fn can_be_yanked(&self) -> Result<(), Refused> {
        if self.yanked.is_some() { Err(Refused::wrong_state("the release is already yanked")) } else { Ok(()) }
    }

    /// The release as operators of this role see it.
    pub fn view(&self, role: Role, revision: u64) -> ReleaseView {
        let Self { envelope, manifest, manifest_sha256, uploaded, yanked, created_at } = self.clone();
        let missing = self.missing().map(Target::platform).collect::<Vec<_>>();
        let state = self.state();
        ReleaseView {
            version: manifest.version.clone(),
            state,
            waiting_on: (state == ReleaseState::Draft).then(|| format!("the files for {}", missing.join(", "))),
            manifest,
            manifest_sha256,
            signed_by: envelope.signatures.into_iter().map(|signature| signature.keyid).collect(),
            uploaded: uploaded.into_iter().collect(),
            yanked_reason: yanked,
            created_at,
            revision,
            actions: actions(|action| self.allows(action, role)),
        }
    }

    /// The release with the signatures of both envelopes: a later upload adds signatures, and removes none.
    fn signed_also_by(&self, again: &Envelope) -> Self {
        let mut next = self.clone();
        let known = |keyid: &str| self.envelope.signatures.iter().any(|signature| signature.keyid == keyid);
        let added = again.signatures.iter().filter(|signature| !known(&signature.keyid)).cloned();
        next.envelope.signatures.extend(added.take(MAX_SIGNATURES.saturating_sub(self.envelope.signatures.len())));
        next
    }

    fn missing(&self) -> impl Iterator<Item = &Target> {
        self.manifest.targets.iter().filter(|target| !self.uploaded.contains(&target.platform()))
    }

    fn uploaded(&self, platform: &str) -> Step<Self> {
        let mut next = self.clone();
        next.uploaded.insert(platform.into());
        let completes = self.state() == ReleaseState::Draft && next.state() == ReleaseState::Published;
        let note = Note::new("release.published", &self.manifest.version, String::new());
        Step::to(next).and_all(completes.then_some(note))
    }
}
