//! `KEY=VALUE` arguments: labels, environment variables, release targets.

use std::{collections::BTreeMap, convert::Infallible, env, path::PathBuf, str::FromStr};

use muster_schemas::secrets::Secret;

/// A `KEY=VALUE` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The part before the first `=`.
    pub key: String,
    /// The part after it; may be empty.
    pub value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, value) = pair.ok_or_else(|| format!("{text:?} is not KEY=VALUE"))?;
        Ok(Self { key: key.into(), value: value.into() })
    }
}

/// Pairs as a map. If a key is given twice, the last value wins.
pub fn map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|Pair { key, value }| (key.clone(), value.clone())).collect()
}

/// A map as `key=value` texts, joined with commas.
pub fn text(map: &BTreeMap<String, String>) -> String {
    map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// A label to set (`KEY=VALUE`) or to remove (`KEY-`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelChange {
    /// Key of the label.
    pub key: String,
    /// New value; `None` removes the label.
    pub value: Option<String>,
}

impl FromStr for LabelChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(Pair { key, value }) = text.parse() {
            return Ok(Self { key, value: Some(value) });
        }
        let key = text.strip_suffix('-').filter(|key| !key.is_empty() && !key.contains('='));
        let key = key.ok_or_else(|| format!("{text:?} is neither KEY=VALUE (to set) nor KEY- (to remove)"))?;
        Ok(Self { key: key.into(), value: None })
    }
}

/// The file of a release for one platform: `linux-x86_64=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    /// `linux` or `windows`.
    pub os: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Path of the file.
    pub path: PathBuf,
}

impl TargetFile {
    /// The platform, such as `linux-x86_64`.
    pub fn platform(&self) -> String {
        format!("{}-{}", self.os, self.arch)
    }
}

impl FromStr for TargetFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not OS-ARCH=PATH, such as linux-x86_64=target/release/muster-agent");
        let Pair { key, value } = text.parse().map_err(|_| wrong())?;
        let (os, arch) = key.split_once('-').ok_or_else(wrong)?;
        if os.is_empty() || arch.is_empty() || value.is_empty() {
            return Err(wrong());
        }
        Ok(Self { os: os.into(), arch: arch.into(), path: value.into() })
    }
}

/// A secret variable: `NAME=VALUE`, or `NAME` alone for what the environment of this command has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
}

/// A text that is not repeated if something about it is wrong.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers return a Result")]
pub fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = if let Some((name, value)) = text.split_once('=') {
            (name, Secret::new(value))
        } else {
            // It may be a value whose name was forgotten, so it is not repeated.
            let missing = "NAME alone must be a variable of this command's environment";
            (text, Secret::new(env::var(text).map_err(|_| missing)?))
        };
        if name.is_empty() {
            return Err("the name is missing".into());
        }
        Ok(Self { name: name.into(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_splits_at_the_first_equals_sign() {
        let pair: Pair = "path=/a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("path", "/a=b"));
        assert!("=x".parse::<Pair>().is_err() && "x".parse::<Pair>().is_err());
    }

    #[test]
    fn a_secret_is_given_or_taken_from_the_environment_and_an_error_does_not_tell_it() {
        let secret: Variable = "TOKEN=a=b".parse().unwrap();
        assert_eq!((secret.name.as_str(), secret.value.reveal()), ("TOKEN", "a=b"));
        let path: Variable = "PATH".parse().unwrap();
        assert_eq!(Some(path.value.reveal()), std::env::var("PATH").ok().as_deref());
        assert_eq!("=hunter2".parse::<Variable>(), Err("the name is missing".into()));
        assert!("MUSTER_NO_SUCH_VARIABLE".parse::<Variable>().is_err());
    }

    #[test]
    fn a_label_is_set_with_a_value_and_removed_with_a_dash() {
        assert_eq!("a=b-".parse(), Ok(LabelChange { key: "a".into(), value: Some("b-".into()) }));
        assert_eq!("a-".parse(), Ok(LabelChange { key: "a".into(), value: None }));
        assert!("a".parse::<LabelChange>().is_err() && "-".parse::<LabelChange>().is_err());
    }

    #[test]
    fn a_target_names_its_platform_and_its_file() {
        let target: TargetFile = "linux-x86_64=/tmp/a=b".parse().unwrap();
        assert_eq!((target.platform(), target.path), ("linux-x86_64".into(), PathBuf::from("/tmp/a=b")));
        assert!("linux=/tmp/a".parse::<TargetFile>().is_err() && "linux-x86_64=".parse::<TargetFile>().is_err());
    }
}
