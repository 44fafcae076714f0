//! What can be said about releases on the command line.

use std::path::PathBuf;

use jiff::Timestamp;
use muster_schemas::releases::{Manifest, ReleaseState, ReleaseView, YankRequest};

use super::{
    keys, publish,
    sign::{self, Release},
};
use crate::{
    exits::Exit,
    failures::Failure,
    output::{self, Context, Paging},
    pairs::TargetFile,
    tables::{self, Table},
    times,
};

/// What to do about releases. `keygen`, `sign`, `countersign` and `verify` work offline.
#[derive(Debug, clap::Subcommand)]
pub enum ReleaseCommand {
    /// Make signing keys and the root of trust that names them
    Keygen {
        /// The folder for root.key, release.key and root.json
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Make and sign a manifest
    Sign(SignArguments),
    /// Add another key's signature to a manifest
    Countersign {
        /// The signing key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The manifest
        manifest: PathBuf,
        /// Where to write it; in place unless said otherwise
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// See whether a manifest, and files, are what the root of trust says
    Verify {
        /// The root of trust
        #[arg(long, value_name = "FILE")]
        root: PathBuf,
        /// The manifest
        manifest: PathBuf,
        /// A file that must be the one the manifest names (repeatable)
        #[arg(long, value_name = "OS-ARCH=PATH")]
        target: Vec<TargetFile>,
    },
    /// Send a manifest and its files to the server
    Publish {
        /// The manifest
        manifest: PathBuf,
        /// A file of the release (repeatable)
        #[arg(long, value_name = "OS-ARCH=PATH")]
        target: Vec<TargetFile>,
    },
    /// List releases
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a release
    Show {
        /// Its version
        version: String,
    },
    /// Take a release back: it is offered to nobody any more
    Yank {
        /// Its version
        version: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// `release sign`.
#[derive(Debug, clap::Args)]
pub struct SignArguments {
    /// The signing key (repeatable)
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// The version, as the binary itself says it
    #[arg(long)]
    version: String,
    /// One more than the last manifest's: agents refuse a lower one than they have seen
    #[arg(long, value_name = "NUMBER")]
    manifest_version: u64,
    /// Releases with a lower manifest version are refused for ever after
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    security_floor: u64,
    /// A version that must not be installed any more (repeatable)
    #[arg(long, value_name = "VERSION")]
    revoke: Vec<String>,
    /// A file of the release (repeatable)
    #[arg(long, value_name = "OS-ARCH=PATH", required = true)]
    target: Vec<TargetFile>,
    /// Where to write the manifest
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Does it.
pub async fn run(context: &Context, command: ReleaseCommand) -> Result<Exit, Failure> {
    match command {
        ReleaseCommand::Keygen { out } => {
            let made = keys::generate(&out)?;
            output::text(&what_was_made(&out.display().to_string(), &made))?;
        }
        ReleaseCommand::Sign(arguments) => {
            let SignArguments { key, version, manifest_version, security_floor, revoke, target, out } = arguments;
            let release = Release { version, manifest_version, security_floor, revoked: revoke };
            keys::write_envelope(&out, &sign::sign(release, &target, &key)?)?;
            context.remark(&format!("Signed: {}", out.display()));
        }
        ReleaseCommand::Countersign { key, manifest, out } => {
            let mut envelope = keys::read_envelope(&manifest)?;
            let untrusted = |error| Failure::untrusted(manifest.display().to_string(), &error);
            envelope.countersign(&keys::read(&key)?).map_err(untrusted)?;
            keys::write_envelope(out.as_ref().unwrap_or(&manifest), &envelope)?;
            context.remark(&format!("{} signatures now.", envelope.signatures.len()));
        }
        ReleaseCommand::Verify { root, manifest, target } => {
            let verified = sign::verify(&root, &manifest, &target)?;
            let json = || serde_json::to_string(&verified).expect("a manifest is JSON") + "\n";
            output::text(&if context.json { json() } else { describe(&verified) })?;
        }
        ReleaseCommand::Publish { manifest, target } => return publish::publish(context, &manifest, &target).await,
        ReleaseCommand::List { paging } => {
            let render = |releases: &[ReleaseView]| table(releases, Timestamp::now());
            paging.list(context, (&["releases"], Vec::new()), render).await?;
        }
        ReleaseCommand::Show { version } => {
            let answer = context.client()?.get(&["releases", &version], &[]).await?;
            context.show(&answer, details)?;
        }
        ReleaseCommand::Yank { version, reason } => {
            let answer = context.client()?.act(&["releases", &version, "yank"], &YankRequest { reason }).await?;
            context.done(&answer, &format!("{version} is yanked: it is offered to nobody any more."))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn what_was_made(folder: &str, made: &keys::Made) -> String {
    let (root, release) = (made.root.id(), made.release.id());
    tables::facts(&[
        (&format!("{folder}/root.key"), format!("{root}: signs the next root of trust; keep it offline")),
        (&format!("{folder}/release.key"), format!("{release}: signs releases; for CI's secret store")),
        (&format!("{folder}/root.json"), "the root of trust: public, give it to every agent".into()),
    ])
}

fn describe(manifest: &Manifest) -> String {
    let targets = manifest.targets.iter().map(|target| format!("{} ({} bytes)", target.platform(), target.size));
    tables::facts(&[
        ("version", manifest.version.clone()),
        ("manifest", manifest.manifest_version.to_string()),
        ("issued", manifest.issued_at.to_string()),
        ("floor", manifest.security_floor.to_string()),
        ("revoked", manifest.revoked.join(", ")),
        ("targets", targets.collect::<Vec<_>>().join(", ")),
    ])
}

fn details(release: &ReleaseView) -> String {
    let more = tables::facts(&[
        ("state", state(release.state).into()),
        ("waiting on", release.waiting_on.clone().unwrap_or_default()),
        ("yanked", release.yanked_reason.clone().unwrap_or_default()),
        ("signed by", release.signed_by.join(", ")),
        ("uploaded", release.uploaded.join(", ")),
        ("digest", release.manifest_sha256.clone()),
    ]);
    describe(&release.manifest) + &more
}

fn table(releases: &[ReleaseView], now: Timestamp) -> String {
    let mut table = Table::new(["VERSION", "STATE", "MANIFEST", "PLATFORMS", "CREATED", "NOTE"]);
    for release in releases {
        let note = release.waiting_on.as_ref().or(release.yanked_reason.as_ref());
        table.row([
            release.version.clone(),
            state(release.state).into(),
            release.manifest.manifest_version.to_string(),
            release.uploaded.join(","),
            times::ago(release.created_at, now),
            note.cloned().unwrap_or_default(),
        ]);
    }
    table.render("No releases.")
}

fn state(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Draft => "draft",
        ReleaseState::Published => "published",
        ReleaseState::Yanked => "yanked",
    }
}
