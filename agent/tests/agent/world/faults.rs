//! Faults of the disk, by the library that is preloaded under the agent (crate `muster-faults`, which says what the numbers are).

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// What happens to a change of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every process of the agent is killed in its place.
    KillAll = 1,
    /// The process that makes it is.
    KillOne = 2,
    /// It fails.
    InputOutputError = 3,
    /// It fails for want of room, and so does every later one.
    NoSpace = 4,
    /// From it on nothing can be synced.
    NoSync = 5,
}

/// The faults of one host's disk.
pub struct Faults {
    below: PathBuf,
    directory: TempDir,
    control: File,
}

impl Faults {
    /// None yet, below a directory.
    pub fn new(below: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let control = File::options().read(true).write(true).create_new(true).open(directory.path().join("control"));
        let control = control.unwrap();
        control.set_len(64).unwrap();
        Self { below: below.into(), directory, control }
    }

    /// What a process needs in its environment to have them.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", library().into()),
            ("MUSTER_FAULTS_BELOW", self.below.clone().into()),
            ("MUSTER_FAULTS_CONTROL", self.directory.path().join("control").into()),
        ]
    }

    /// The same for a log of all that they change, with its data.
    pub fn log_variable(&self) -> (&'static str, OsString) {
        ("MUSTER_FAULTS_LOG", self.log_path().into())
    }

    /// From now on, something happens to the change with this number.
    pub fn strike(&self, fault: Fault, number: u64) {
        self.put(1, fault as u64);
        self.put(0, self.changes() + number);
    }

    /// The disk works again.
    pub fn mend(&self) {
        self.put(1, 0);
    }

    /// How many changes there were.
    pub fn changes(&self) -> u64 {
        self.get(2)
    }

    /// To how many of them something happened.
    pub fn struck(&self) -> u64 {
        self.get(3)
    }

    /// What was done to the disk. Before the first change there is no log.
    pub fn log(&self) -> Vec<u8> {
        fs::read(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn put(&self, place: u64, number: u64) {
        self.control.write_all_at(&number.to_ne_bytes(), place * 8).unwrap();
    }

    fn get(&self, place: u64) -> u64 {
        let mut number = [0; 8];
        self.control.read_exact_at(&mut number, place * 8).unwrap();
        u64::from_ne_bytes(number)
    }
}

/// Cargo builds it beside the tests.
fn library() -> PathBuf {
    let library = std::env::current_exe().unwrap().with_file_name("libmuster_faults.so");
    assert!(library.exists(), "{} is missing", library.display());
    library
}
