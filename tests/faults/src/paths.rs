//! Which file a call is about, if it is one below the directory.

use std::{
    env,
    ffi::{CStr, c_char, c_int},
    os::unix::ffi::OsStringExt,
    sync::OnceLock,
};

use crate::kernel::kernel;

/// The file behind an open one, by its name of now.
pub fn of_file(file: c_int) -> Option<Vec<u8>> {
    name_of(file).filter(|path| is_below(path))
}

/// The file that a path names. As with the kernel, one that does not begin at the root begins at a directory that is open.
///
/// # Safety
/// The path is a text of C.
pub unsafe fn of_path(directory: c_int, path: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: by the promise above.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    let path = match path.first()? {
        b'/' => path.to_vec(),
        _ if directory == libc::AT_FDCWD => return None,
        _ => [&name_of(directory)?, &b"/"[..], path].concat(),
    };
    is_below(&path).then_some(path)
}

fn name_of(file: c_int) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{file}\0");
    let mut name = vec![0_u8; 4096];
    let length = kernel!(SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), name.as_mut_ptr(), name.len());
    name.truncate(usize::try_from(length).ok()?);
    Some(name)
}

fn is_below(path: &[u8]) -> bool {
    static BELOW: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let below = BELOW.get_or_init(|| env::var_os("MUSTER_FAULTS_BELOW").map(OsStringExt::into_vec));
    below
        .as_ref()
        .is_some_and(|below| path.strip_prefix(&below[..]).is_some_and(|rest| matches!(rest, [] | [b'/', ..])))
}
