//! Text files that people write (`policy.toml`, `agent.toml`): what is in one right now, and who may change it.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The largest such file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A text file as it is right now. Two that are equal need not be read twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// What is in it; `None` when it is not there; or why it cannot be read.
    pub text: Result<Option<String>, io::ErrorKind>,
    /// Who may change it.
    pub writers: Writers,
}

/// Who may change a file, or put another one in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writers {
    /// Root and the user of this process.
    Owner,
    /// Some others too: a group, or the user whom it belongs to.
    Others,
    /// Everybody on this machine.
    Everybody,
}

impl TextFile {
    /// Reads it. Only a regular file is read: nothing waits for the other end of a pipe.
    pub fn read(path: &Path) -> Self {
        let text = match read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.kind()),
        };
        let writers = if matches!(text, Ok(None)) { Writers::Owner } else { writers(path) };
        Self { text, writers }
    }

    /// The text; empty when the file is not there.
    pub fn text(&self) -> Result<&str, io::Error> {
        match &self.text {
            Ok(text) => Ok(text.as_deref().unwrap_or_default()),
            Err(kind) => Err((*kind).into()),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Who may change the file at this path, by itself or by its directory.
#[cfg(unix)]
fn writers(path: &Path) -> Writers {
    let own = rustix::process::geteuid().as_raw();
    let of = |path: &Path| fs::metadata(path).map_or(Writers::Owner, |found| writers_of(&found, own));
    of(path).max(path.parent().map_or(Writers::Owner, of))
}

#[cfg(not(unix))]
fn writers(_: &Path) -> Writers {
    Writers::Owner
}

#[cfg(unix)]
fn writers_of(found: &Metadata, own: u32) -> Writers {
    use std::os::unix::fs::MetadataExt;
    // In a directory with this bit nobody replaces what is another's.
    let is_sticky = found.is_dir() && found.mode() & 0o1000 != 0;
    let may = |bit| found.mode() & bit != 0 && !is_sticky;
    if may(0o002) {
        Writers::Everybody
    } else if (may(0o020) && found.gid() != 0) || (found.uid() != 0 && found.uid() != own) {
        Writers::Others
    } else {
        Writers::Owner
    }
}

/// What tells that a file is another one than before, without reading it. A copy that keeps its times differs all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    /// Its device, its number there, and when the kernel saw it change.
    identity: [i128; 3],
}

/// The stamps of these files; `None` for one that is not there.
pub fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    paths.iter().map(|path| fs::metadata(path).ok().map(|found| stamp(&found))).collect()
}

fn stamp(found: &Metadata) -> Stamp {
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        let changed = i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
        [found.dev().into(), found.ino().into(), changed]
    };
    #[cfg(not(unix))]
    let identity = [0; 3];
    Stamp { modified: found.modified().ok(), size: found.len(), identity }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn who_may_change_a_file_is_told_by_it_and_by_its_directory() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        assert_eq!(TextFile::read(&path), TextFile { text: Ok(None), writers: Writers::Owner });
        fs::write(&path, "x").unwrap();
        let told = |file, of_directory| {
            fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(of_directory)).unwrap();
            TextFile::read(&path).writers
        };
        assert_eq!(told(0o644, 0o700), Writers::Owner);
        assert_eq!(told(0o646, 0o700), Writers::Everybody);
        assert_eq!(told(0o644, 0o777), Writers::Everybody);
        assert_eq!(told(0o644, 0o1777), Writers::Owner);
        assert_eq!(told(0o666, 0o1777), Writers::Everybody);
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        assert!(TextFile::read(directory.path()).text.is_err());
        let path = directory.path().join("large");
        fs::write(&path, "x".repeat(1024 * 1024 + 1)).unwrap();
        assert_eq!(TextFile::read(&path).text, Err(io::ErrorKind::FileTooLarge));
    }

    #[test]
    #[cfg(unix)]
    fn a_copy_that_keeps_its_time_and_size_is_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["one", "two"].map(|name| directory.path().join(name));
        for path in &paths {
            fs::write(path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        let before = stamps(&paths[..1]);
        fs::rename(&paths[1], &paths[0]).unwrap();
        assert_ne!(stamps(&paths[..1]), before);
        assert_eq!(stamps(&paths[1..]), [None]);
    }
}
