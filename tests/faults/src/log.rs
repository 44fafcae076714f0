//! What was done, in order: a line for each change, and behind a write's line its data.

use std::{
    env,
    ffi::{CString, c_int},
    os::unix::ffi::OsStringExt,
    sync::OnceLock,
};

use crate::kernel::{open, write_all};

/// Notes a change that was made. Neither paths nor words have spaces in them.
pub fn note(word: &str, paths: &[&[u8]], numbers: &[i64], data: &[u8]) {
    let Some(log) = log() else { return };
    let mut line = word.as_bytes().to_vec();
    for path in paths {
        line.push(b' ');
        line.extend_from_slice(path);
    }
    for number in numbers {
        line.extend_from_slice(format!(" {number}").as_bytes());
    }
    line.push(b'\n');
    // At once, so that another process's line does not come in between.
    write_all(log, &[&line, data]);
}

fn log() -> Option<c_int> {
    static LOG: OnceLock<Option<c_int>> = OnceLock::new();
    *LOG.get_or_init(|| {
        let path = CString::new(env::var_os("MUSTER_FAULTS_LOG")?.into_vec()).ok()?;
        open(&path, libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT)
    })
}
