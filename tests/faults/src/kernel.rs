//! The kernel itself.

use std::ffi::{CStr, c_int, c_long};

/// Asks the kernel: what comes back is the result, or -1 and `errno`, as the C library's functions have it.
macro_rules! kernel {
    ($number:ident $(, $argument:expr)*) => {
        // SAFETY: the arguments are those of the C library's function of this name, which the caller vouches for.
        unsafe { libc::syscall(libc::$number $(, $argument)*) }
    };
}
pub(crate) use kernel;

/// Fails as a call of the C library does.
pub fn failed(errno: c_int) -> c_long {
    // SAFETY: it is this thread's own number.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// Opens a file for good.
pub fn open(path: &CStr, flags: c_int) -> Option<c_int> {
    let opened = kernel!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags | libc::O_CLOEXEC, 0o600);
    c_int::try_from(opened).ok().filter(|file| *file >= 0)
}

/// Writes all of these, one after the other, in one call.
pub fn write_all(file: c_int, parts: &[&[u8]]) {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() })
        .collect();
    kernel!(SYS_writev, file, parts.as_ptr(), parts.len());
}
