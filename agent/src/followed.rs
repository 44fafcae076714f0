//! Files that people change while the agent runs: what could be read of one last stays in force until something better can be
//! read. A file that is gone counts as an empty one, so its defaults come into force.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use muster_schemas::envelopes::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::sys::texts::{TextFile, Writers};

/// What is in force of one file.
#[derive(Debug)]
pub struct Followed<T> {
    path: PathBuf,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    seen: TextFile,
    in_force: Arc<T>,
    standing: Standing,
}

/// Which text is in force, and whether the file holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// SHA-256 of the text that is in force, hexadecimal. Empty: no text of the file was ever of use to this process.
    pub sha256: String,
    /// Why the file as it is now is not in force. Absent: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// What came of a look at the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something else is in force than before, or the file is of use again.
    InForce,
    /// The file cannot be used: what was in force stays.
    Broken(String),
}

impl<T: PartialEq> Followed<T> {
    /// What was read of a file as it was `seen`; or `otherwise`, while it cannot be used.
    pub fn new(path: PathBuf, seen: TextFile, read: Result<T, String>, otherwise: impl FnOnce() -> T) -> Self {
        let (in_force, standing) = match read {
            Ok(value) => (value, Standing { sha256: sha256_of(&seen), broken: None }),
            Err(reason) => (otherwise(), Standing { sha256: String::new(), broken: Some(reason) }),
        };
        Self { path, state: Mutex::new(State { seen, in_force: Arc::new(in_force), standing }) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<T> {
        self.state().in_force.clone()
    }

    /// Which text that is, and whether the file holds it.
    pub fn standing(&self) -> Standing {
        self.state().standing.clone()
    }

    /// Who may change the file, as it was seen last.
    pub fn writers(&self) -> Writers {
        self.state().seen.writers
    }

    /// Looks at the file, and reads it if it has changed or was of no use. `None`: all is as it was.
    pub fn look(&self, read: impl FnOnce(&TextFile) -> Result<T, String>) -> Option<News> {
        let now = TextFile::read(&self.path);
        let mut state = self.state();
        if now == state.seen && state.standing.broken.is_none() {
            return None;
        }
        let was = state.standing.broken.take();
        let news = match read(&now) {
            Ok(value) => {
                let is_other = *state.in_force != value;
                state.standing.sha256 = sha256_of(&now);
                if is_other {
                    state.in_force = Arc::new(value);
                }
                (is_other || was.is_some()).then_some(News::InForce)
            }
            Err(reason) => {
                state.standing.broken = Some(reason.clone());
                (was.as_ref() != Some(&reason)).then_some(News::Broken(reason))
            }
        };
        state.seen = now;
        news
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands for the text of a file in [`Standing`].
pub fn sha256_of(file: &TextFile) -> String {
    sha256_hex(file.text().unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn number(file: &TextFile) -> Result<u32, String> {
        let text = file.text().map_err(|error| error.to_string())?;
        if text.is_empty() { Ok(0) } else { text.trim().parse().map_err(|_| format!("{text:?} is no number")) }
    }

    fn begun(path: &Path) -> Followed<u32> {
        let seen = TextFile::read(path);
        let read = number(&seen);
        Followed::new(path.into(), seen, read, || 7)
    }

    #[test]
    fn what_a_file_says_is_in_force_once_it_is_looked_at_and_what_it_said_stays_while_it_is_broken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "1").unwrap();
        let followed = begun(&path);
        assert_eq!((followed.look(number), *followed.in_force()), (None, 1));
        fs::write(&path, "2").unwrap();
        assert_eq!((followed.look(number), *followed.in_force()), (Some(News::InForce), 2));
        fs::write(&path, "two").unwrap();
        assert_eq!(
            (followed.look(number), *followed.in_force()),
            (Some(News::Broken("\"two\" is no number".into())), 2)
        );
        assert_eq!(followed.look(number), None, "the same complaint is made once");
        assert!(followed.standing().broken.is_some());
        fs::write(&path, "2").unwrap();
        assert_eq!((followed.look(number), *followed.in_force()), (Some(News::InForce), 2));
        fs::remove_file(&path).unwrap();
        assert_eq!((followed.look(number), *followed.in_force()), (Some(News::InForce), 0));
    }

    #[test]
    fn a_file_that_was_never_of_use_is_tried_again_at_each_look() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "?").unwrap();
        let followed = begun(&path);
        assert_eq!((*followed.in_force(), followed.standing().sha256.as_str()), (7, ""));
        // What it needs beside itself may have come.
        assert_eq!(followed.look(|_| Ok(3)), Some(News::InForce));
        assert_eq!(*followed.in_force(), 3);
        assert_eq!(followed.standing().sha256, sha256_of(&TextFile::read(&path)));
    }

    #[test]
    fn what_changes_nothing_is_no_news() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        fs::write(&path, "1").unwrap();
        let followed = begun(&path);
        let before = followed.standing();
        fs::write(&path, " 1 ").unwrap();
        assert_eq!(followed.look(number), None);
        assert_ne!(followed.standing(), before, "it is another text all the same");
    }
}
