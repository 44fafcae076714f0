//! Why a program could not be started, for people.

use std::{io, path::Path};

/// Why a program could not be started.
pub fn not_started(path: &Path, source: &io::Error) -> String {
    let path_shown = path.display();
    if source.kind() == io::ErrorKind::NotFound && path.is_file() {
        // The kernel blames the program for the interpreter or loader that it names.
        return format!("cannot start {path_shown}: it is there, and the interpreter that it names is not");
    }
    format!("cannot start {path_shown}: {source}")
}

/// Why a program could not be started in this directory.
pub fn not_entered(directory: &Path, source: &io::Error) -> String {
    format!("cannot enter the working directory {}: {source}", directory.display())
}
