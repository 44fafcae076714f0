//! Which version a file of a release is. It is read out of the file's bytes and never by running it: the file may be for
//! another platform, and who signs should not execute what nobody has signed.

use std::collections::BTreeSet;

use muster_schemas::releases::{VERSION_MARK, VERSION_MARK_END, VERSION_RULE, is_version};

use crate::{failures::Failure, files, output, pairs::TargetFile};

/// The version of these files: what they say, and what `--version` says where an older agent's file says nothing.
pub fn of_files(targets: &[TargetFile], named: Option<&str>) -> Result<String, Failure> {
    if let Some(wrong) = named.filter(|version| !is_version(version)) {
        return Err(Failure::Usage(format!("--version {wrong:?} {VERSION_RULE}")));
    }
    let mut version = named.map(str::to_owned);
    for target in targets {
        let path = target.path.display();
        let marks = marks(&files::read_bytes(&target.path)?);
        let own = match marks.len() {
            0 => {
                output::warn(&format!(
                    "{path} does not say which version it is, so it is no agent, or an older one: only a host that tries it \
                     finds out."
                ));
                continue;
            }
            1 => marks.into_iter().next(),
            _ => return Err(Failure::Usage(format!("{path} says that it is several versions: {marks:?}"))),
        };
        if let (Some(version), Some(own)) = (&version, &own)
            && version != own
        {
            return Err(Failure::Usage(format!("{path} is version {own}, not {version}")));
        }
        version = own;
    }
    version.ok_or_else(|| Failure::Usage("no file says which version it is; give --version".into()))
}

/// Every version that a file says it is.
fn marks(bytes: &[u8]) -> BTreeSet<String> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let marked = lines.filter_map(|line| {
        let version = line.strip_prefix(VERSION_MARK.as_bytes())?.strip_suffix(VERSION_MARK_END.as_bytes())?;
        std::str::from_utf8(version).ok()
    });
    marked.filter(|version| is_version(version)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Files with these contents, as one release.
    fn version(contents: &[&str], named: Option<&str>) -> Result<String, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let target = |(number, content): (usize, &&str)| {
            let path = folder.path().join(number.to_string());
            fs::write(&path, content.as_bytes()).unwrap();
            TargetFile { os: "linux".into(), arch: number.to_string(), path }
        };
        let targets = contents.iter().enumerate().map(target).collect::<Vec<_>>();
        of_files(&targets, named)
    }

    const ONE: &str = "\u{7f}ELF\0\nmuster-agent-version=1.1.0;\n\0";
    const TWO: &str = "\u{7f}ELF\0\nmuster-agent-version=1.2.0;\n\0";

    #[test]
    fn a_file_says_which_version_it_is_and_nobody_has_to() {
        assert_eq!(version(&[ONE], None).unwrap(), "1.1.0");
        assert_eq!(version(&[ONE, ONE], Some("1.1.0")).unwrap(), "1.1.0");
    }

    #[test]
    fn a_file_of_another_version_than_the_one_that_is_signed_is_refused() {
        for (contents, named) in [(&[ONE][..], Some("1.2.0")), (&[ONE, TWO], None), (&[&format!("{ONE}{TWO}")], None)] {
            assert!(matches!(version(contents, named), Err(Failure::Usage(_))), "{contents:?} {named:?}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for named in ["v1.5", "", "latest", "1 0", "../etc"] {
            assert!(matches!(version(&["an older agent"], Some(named)), Err(Failure::Usage(_))), "{named:?}");
        }
    }

    #[test]
    fn a_file_that_says_nothing_is_signed_as_what_it_is_said_to_be() {
        assert_eq!(version(&["an older agent"], Some("1.0.0")).unwrap(), "1.0.0");
        assert_eq!(version(&["an older agent", ONE], None).unwrap(), "1.1.0");
        assert!(matches!(
            version(&["muster-agent-version=1.0.0", "\nmuster-agent-version=1.0.0linux\n"], None),
            Err(Failure::Usage(_))
        ));
    }
}
