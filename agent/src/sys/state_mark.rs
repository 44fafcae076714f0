//! State directory identity: what tells an agent's own processes from those of another agent whose directory has the same name,
//! in a container or in another place.

use std::{fs, io::Write, path::Path};

use super::files::create_private;

/// The file that holds an id of this directory alone.
const FILE: &str = "directory-id";

/// The mark of a state directory: its device, its inode, and an id that was drawn for it. A copy of the directory has another.
pub fn of(state: &Path) -> String {
    let id = fs::read_to_string(state.join(FILE)).unwrap_or_else(|_| draw(state));
    format!("{}:{id}", place(state))
}

/// Without an id, as on a disk that is full, device and inode have to do.
fn draw(state: &Path) -> String {
    let id = format!("{:032x}", rand::random::<u128>());
    let written = create_private(&state.join(FILE)).and_then(|mut file| file.write_all(id.as_bytes()));
    written.map(|()| id).unwrap_or_default()
}

#[cfg(unix)]
fn place(state: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(state).map(|found| format!("{:x}:{:x}", found.dev(), found.ino())).unwrap_or_default()
}

#[cfg(not(unix))]
fn place(state: &Path) -> String {
    fs::canonicalize(state).unwrap_or_default().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_mark_and_a_copy_of_it_has_another() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mark = of(one.path());
        assert_eq!(of(one.path()), mark);
        fs::copy(one.path().join(FILE), other.path().join(FILE)).unwrap();
        assert_ne!(of(other.path()), mark);
        let moved = one.path().join("moved");
        fs::create_dir(&moved).unwrap();
        assert_ne!(of(&moved), mark);
    }

    #[test]
    fn a_directory_that_takes_no_file_still_has_a_mark() {
        assert_eq!(of(Path::new("/proc/self")).matches(':').count(), 2);
    }
}
