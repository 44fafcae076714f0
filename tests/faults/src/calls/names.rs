//! The names of files, and what belongs to them.
//!
//! `open` takes its mode as a variable argument in C. On the platforms that this is for, that is passed as any other.

use std::ffi::{c_char, c_int, c_uint};

use libc::mode_t;

use super::{make, status};
use crate::{
    control::Change,
    kernel::kernel,
    log::note,
    paths::{of_file, of_path},
};

#[unsafe(no_mangle)]
unsafe extern "C" fn openat64(directory: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let real = || kernel!(SYS_openat, directory, path, flags, mode);
    let exists = || kernel!(SYS_faccessat, directory, path, libc::F_OK) == 0;
    let truncates = flags & libc::O_TRUNC != 0;
    let creates = flags & libc::O_CREAT != 0 && !exists();
    // SAFETY: by the caller's promise.
    let below = unsafe { of_path(directory, path) }.filter(|_| creates || truncates);
    let change = if creates { Change::Create } else { Change::Other };
    let (word, number) = if creates { ("create", i64::from(mode)) } else { ("size", 0) };
    status(make(below.as_deref(), change, real, |path| note(word, &[path], &[number], &[])))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat(directory: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { openat64(directory, path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { openat64(libc::AT_FDCWD, path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { openat64(libc::AT_FDCWD, path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn renameat2(
    from_directory: c_int,
    from: *const c_char,
    to_directory: c_int,
    to: *const c_char,
    flags: c_uint,
) -> c_int {
    let real = || kernel!(SYS_renameat2, from_directory, from, to_directory, to, flags);
    // SAFETY: by the caller's promise.
    let (old, new) = unsafe { (of_path(from_directory, from), of_path(to_directory, to)) };
    let old = old.unwrap_or_default();
    status(make(new.as_deref(), Change::Other, real, |new| note("rename", &[&old, new], &[], &[])))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn renameat(
    from_directory: c_int,
    from: *const c_char,
    to_directory: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { renameat2(from_directory, from, to_directory, to, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { renameat2(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlinkat(directory: c_int, path: *const c_char, flags: c_int) -> c_int {
    let real = || kernel!(SYS_unlinkat, directory, path, flags);
    // SAFETY: by the caller's promise.
    let below = unsafe { of_path(directory, path) };
    status(make(below.as_deref(), Change::Other, real, |path| note("remove", &[path], &[], &[])))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { unlinkat(libc::AT_FDCWD, path, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rmdir(path: *const c_char) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { unlinkat(libc::AT_FDCWD, path, libc::AT_REMOVEDIR) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: mode_t) -> c_int {
    let real = || kernel!(SYS_mkdirat, libc::AT_FDCWD, path, mode);
    // SAFETY: by the caller's promise.
    let below = unsafe { of_path(libc::AT_FDCWD, path) };
    status(make(below.as_deref(), Change::Create, real, |path| note("directory", &[path], &[i64::from(mode)], &[])))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn chmod(path: *const c_char, mode: mode_t) -> c_int {
    let real = || kernel!(SYS_fchmodat, libc::AT_FDCWD, path, mode);
    // SAFETY: by the caller's promise.
    let below = unsafe { of_path(libc::AT_FDCWD, path) };
    status(make(below.as_deref(), Change::Other, real, |path| note("mode", &[path], &[i64::from(mode)], &[])))
}

#[unsafe(no_mangle)]
extern "C" fn fchmod(file: c_int, mode: mode_t) -> c_int {
    let real = || kernel!(SYS_fchmod, file, mode);
    status(make(of_file(file).as_deref(), Change::Other, real, |path| note("mode", &[path], &[i64::from(mode)], &[])))
}
