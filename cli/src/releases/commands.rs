//! Release commands: keygen, sign, countersign, verify, publish, republish, list, show, yank.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use muster_schemas::releases::{Manifest, ReleaseState, ReleaseView, YankRequest};

use super::{
    keys, numbers, publish,
    republish::{self, RepublishArguments},
    sign::{self, ManifestFields},
    version,
};
use crate::{
    exits::Exit,
    failures::Failure,
    output::{self, Context, Paging},
    pairs::TargetFile,
    tables::{self, Table},
    times,
};

/// The `release` commands. `keygen`, `sign`, `countersign` and `verify` work offline.
#[derive(Debug, clap::Subcommand)]
pub enum ReleaseCommand {
    /// Generate signing keys and the trust root that names them (offline)
    Keygen {
        /// Folder to write root.key, release.key and root.json to
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Create and sign the manifest of a release (offline)
    Sign(SignArguments),
    /// Add the signature of another key to a manifest (offline)
    Countersign {
        /// File of the signing key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File of the manifest
        manifest: PathBuf,
        /// Write the manifest to this file instead of changing it in place
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Verify a manifest and its files against the trust root (offline)
    Verify {
        /// File of the trust root (root.json)
        #[arg(long, value_name = "FILE")]
        root: PathBuf,
        /// File of the manifest
        manifest: PathBuf,
        /// Verify that this file is the one that the manifest names (repeatable)
        #[arg(long, value_name = "OS-ARCH=PATH")]
        target: Vec<TargetFile>,
    },
    /// Publish a release: upload its manifest and its files to the server
    Publish {
        /// File of the manifest
        manifest: PathBuf,
        /// File of the release for one platform (repeatable)
        #[arg(long, value_name = "OS-ARCH=PATH")]
        target: Vec<TargetFile>,
        /// File of the trust root to verify it against, which the server then knows, too [default: root.json beside the manifest]
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
    },
    /// Sign the files of an earlier release anew and publish that: the way back after a bad release
    Republish(RepublishArguments),
    /// List releases
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a release
    Show {
        /// Version of the release
        version: String,
    },
    /// Yank a release: it is no longer offered to any host
    Yank {
        /// Version of the release
        version: String,
        /// Reason, for the audit log
        #[arg(long)]
        reason: String,
    },
}

/// Arguments of `release sign`.
#[derive(Debug, clap::Args)]
pub struct SignArguments {
    /// File of the signing key (repeatable)
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// Version of the release [default: the one that the file itself says]
    #[arg(long)]
    version: Option<String>,
    /// Number of this manifest: agents refuse a lower number than they have seen [default: one higher than the last that the
    /// key has signed]
    #[arg(long, value_name = "NUMBER")]
    manifest_version: Option<u64>,
    /// Make agents refuse all releases with a lower manifest version from now on
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    security_floor: u64,
    /// Revoke this version: agents no longer install it (repeatable)
    #[arg(long, value_name = "VERSION")]
    revoke: Vec<String>,
    /// File of the release for one platform (repeatable)
    #[arg(long, value_name = "OS-ARCH=PATH", required = true)]
    target: Vec<TargetFile>,
    /// File to write the manifest to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs a `release` command.
pub async fn run(context: &Context, command: ReleaseCommand) -> Result<Exit, Failure> {
    match command {
        ReleaseCommand::Keygen { out } => {
            let keys = keys::generate(&out)?;
            output::text(&generated(&out.display().to_string(), &keys))?;
        }
        ReleaseCommand::Sign(arguments) => sign_release(context, arguments)?,
        ReleaseCommand::Countersign { key, manifest, out } => {
            let mut envelope = keys::read_envelope(&manifest)?;
            let untrusted = |error| Failure::untrusted(manifest.display().to_string(), &error);
            envelope.countersign(&keys::read(&key)?).map_err(untrusted)?;
            keys::write_envelope(out.as_ref().unwrap_or(&manifest), &envelope)?;
            let signatures = tables::count(envelope.signatures.len() as u64, "signature");
            context.remark(&format!("The manifest has {signatures} now."));
        }
        ReleaseCommand::Verify { root, manifest, target } => {
            let verified = sign::verify(&root, &manifest, &target)?;
            let json = || serde_json::to_string(&verified).expect("a manifest is JSON") + "\n";
            output::text(&if context.json { json() } else { describe(&verified) })?;
            let files = tables::count(target.len() as u64, "file");
            context.remark(&format!("Good: signed by the release keys of {}; {files} verified.", root.display()));
        }
        ReleaseCommand::Publish { manifest, target, root } => {
            return publish::publish(context, &manifest, &target, root).await;
        }
        ReleaseCommand::Republish(arguments) => republish::republish(context, arguments).await?,
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
            context.done(&answer, &format!("Yanked {version}. It is no longer offered to any host."))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn sign_release(context: &Context, arguments: SignArguments) -> Result<(), Failure> {
    let SignArguments { key, version, manifest_version, security_floor, revoke, target, out } = arguments;
    let version = version::of_files(&target, version.as_deref())?;
    let manifest_version = numbers::next(&key[0], manifest_version, None)?;
    let fields = ManifestFields { version: version.clone(), manifest_version, security_floor, revoked: revoke };
    let envelope = sign::sign(fields, &target, &key)?;
    if let Some(root) = beside(&key[0]) {
        sign::check_keys(&root, &envelope)?;
    }
    keys::write_envelope(&out, &envelope)?;
    numbers::keep(&key[0], manifest_version);
    context.remark(&format!("Wrote the signed manifest {manifest_version} of {version} to {}.", out.display()));
    Ok(())
}

/// The trust root in the folder of this file, if there is one: `keygen` puts it beside the keys.
pub fn beside(file: &Path) -> Option<PathBuf> {
    Some(file.with_file_name("root.json")).filter(|root| root.exists())
}

fn generated(folder: &str, keys: &keys::GeneratedKeys) -> String {
    let (root, release) = (keys.root.id(), keys.release.id());
    tables::facts(&[
        (&format!("{folder}/root.key"), format!("{root}: signs the next trust root; keep it offline")),
        (
            &format!("{folder}/release.key"),
            format!("{release}: signs releases; keep it in the secret store of your CI"),
        ),
        (&format!("{folder}/root.json"), "the trust root: public; copy it to every host".into()),
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
    table.render("There are no releases.")
}

fn state(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Draft => "draft",
        ReleaseState::Published => "published",
        ReleaseState::Yanked => "yanked",
    }
}
