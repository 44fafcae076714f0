//! The way back after a bad release: the files of an earlier one are signed anew, with a higher number, so that hosts which have
//! accepted the bad one take them.
//!
//! Nothing is signed on the server's word: what is signed anew is what these very keys have signed before.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use muster_schemas::{
    envelopes::{Envelope, EnvelopeError, PublicKey, public_key},
    pages::Page,
    releases::{MANIFEST_TYPE, Manifest, ReleaseView, VERSION_RULE, is_version},
};

use super::{keys, numbers};
use crate::{client::Client, failures::Failure, output::Context};

/// Arguments of `release republish`.
#[derive(Debug, clap::Args)]
pub struct RepublishArguments {
    /// Version of the release to go back to
    version: String,
    /// File of the key that has signed it before (repeatable)
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// Number of the new manifest; default: the one after the newest release on the server
    #[arg(long, value_name = "NUMBER")]
    manifest_version: Option<u64>,
    /// Revoke this version, such as the bad one: agents no longer install it (repeatable)
    #[arg(long, value_name = "VERSION")]
    revoke: Vec<String>,
    /// Write the manifest to this file, for another key to countersign and `release publish`, and publish nothing
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Signs the files of a release anew, and publishes that.
pub async fn republish(context: &Context, arguments: RepublishArguments) -> Result<(), Failure> {
    let RepublishArguments { version, key, manifest_version, revoke, out } = arguments;
    let signing = key.iter().map(|path| keys::read(path)).collect::<Result<Vec<_>, _>>()?;
    let trusted = signing.iter().map(public_key).collect::<Vec<_>>();
    let client = context.client()?;
    let before = signed_before(&client, &version, &trusted).await?;
    let newest = newest(&client, &trusted).await?;
    let number = numbers::next(&key[0], manifest_version, newest.as_ref().map(|newest| newest.manifest_version))?;
    let revoked_since = newest.iter().any(|newest| newest.revoked.contains(&version));
    let manifest = anew(before, number, revoke, revoked_since)?;
    let envelope = signed(&manifest, &signing);
    numbers::keep(&key[0], number);
    if let Some(out) = out {
        keys::write_envelope(&out, &envelope)?;
        context.remark(&format!("Wrote manifest {number} of {version} to {}.", out.display()));
        return Ok(());
    }
    let answer = client.create(&["releases"], &envelope).await?;
    let next = format!("`muster fleet-update start --version {version}` brings it to hosts");
    context.done(&answer, &format!("{version} is published again, as manifest {number}. {next}."))
}

/// The manifest of a release, if it was signed by one of these keys.
async fn signed_before(client: &Client, version: &str, trusted: &[PublicKey]) -> Result<Manifest, Failure> {
    let what = format!("the manifest of {version} on the server");
    let envelope: Envelope = client.get(&["releases", version, "manifest"], &[]).await?.read()?;
    let manifest = Manifest::verified(&envelope, trusted, 1).map_err(|error| untrusted(&what, &error))?;
    if manifest.version != version {
        return Err(Failure::Untrusted { what, why: format!("it is the manifest of {}", manifest.version) });
    }
    Ok(manifest)
}

/// The manifest with the highest number on the server. Its number is believed only if one of these keys has signed it.
async fn newest(client: &Client, trusted: &[PublicKey]) -> Result<Option<Manifest>, Failure> {
    let page: Page<ReleaseView> = client.get(&["releases"], &[("limit", "1".into())]).await?.read()?;
    match page.items.first() {
        Some(newest) => signed_before(client, &newest.version, trusted).await.map(Some),
        None => Ok(None),
    }
}

/// The same files under another number.
fn anew(before: Manifest, number: u64, revoke: Vec<String>, revoked_since: bool) -> Result<Manifest, Failure> {
    let version = &before.version;
    if let Some(wrong) = revoke.iter().find(|version| !is_version(version)) {
        return Err(Failure::Usage(format!("--revoke {wrong:?} {VERSION_RULE}")));
    }
    if revoked_since || revoke.contains(version) {
        return Err(Failure::Usage(format!("{version} is revoked, so that hosts refuse it whatever its manifest")));
    }
    if number <= before.manifest_version {
        let why = format!("{version} is manifest {} already; the new one must be higher", before.manifest_version);
        return Err(Failure::Usage(why));
    }
    let mut revoked = before.revoked.clone();
    revoked.extend(revoke.into_iter().filter(|version| !before.revoked.contains(version)));
    Ok(Manifest { manifest_version: number, issued_at: Timestamp::now(), revoked, ..before })
}

fn signed(manifest: &Manifest, keys: &[SigningKey]) -> Envelope {
    let payload = serde_json::to_vec(manifest).expect("a manifest is JSON");
    Envelope::sign(MANIFEST_TYPE, &payload, keys)
}

fn untrusted(what: &str, error: &EnvelopeError) -> Failure {
    let why = format!("none of the keys has signed it before ({error}), and nothing else is signed anew");
    Failure::Untrusted { what: what.into(), why }
}

#[cfg(test)]
mod tests {
    use muster_schemas::releases::{PRODUCT, Target};

    use super::*;

    fn manifest() -> Manifest {
        let target = Target { os: "linux".into(), arch: "x86_64".into(), size: 9, sha256: "a".repeat(64) };
        Manifest {
            kind: "release".into(),
            manifest_version: 1,
            product: PRODUCT.into(),
            version: "1.1.0".into(),
            issued_at: Timestamp::UNIX_EPOCH,
            security_floor: 1,
            revoked: vec!["0.9.0".into()],
            targets: vec![target],
        }
    }

    #[test]
    fn the_same_files_are_signed_under_a_higher_number_and_the_bad_version_is_revoked() {
        let again = anew(manifest(), 3, vec!["1.2.0".into(), "0.9.0".into()], false).unwrap();
        assert_eq!((again.manifest_version, &again.targets), (3, &manifest().targets));
        assert_eq!((again.version.as_str(), again.revoked), ("1.1.0", vec!["0.9.0".into(), "1.2.0".into()]));
    }

    #[test]
    fn what_hosts_would_refuse_is_not_signed() {
        for (number, revoke, revoked_since) in
            [(1, "1.2.0", false), (3, "1.1.0", false), (3, "v1.2", false), (3, "1.2.0", true)]
        {
            let refused = anew(manifest(), number, vec![revoke.into()], revoked_since);
            assert!(matches!(refused, Err(Failure::Usage(_))), "{number} {revoke} {revoked_since}");
        }
    }
}
