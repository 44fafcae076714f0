//! What is in files.

use std::{
    ffi::{c_int, c_long, c_uint, c_void},
    slice,
};

use libc::{off_t, size_t, ssize_t};

use super::{length, make, status};
use crate::{
    control::{Change, Fate, die, fate},
    kernel::{failed, kernel},
    log::note,
    paths::of_file,
};

/// A write: one that is cut off, or fails for another reason than room, has been made by half.
fn write_at(file: c_int, bytes: &[u8], at: Option<off_t>) -> ssize_t {
    let real = |bytes: &[u8]| match at {
        Some(at) => kernel!(SYS_pwrite64, file, bytes.as_ptr(), bytes.len(), at),
        None => kernel!(SYS_write, file, bytes.as_ptr(), bytes.len()),
    };
    let Some(path) = of_file(file) else { return length(real(bytes)) };
    let noted = |bytes: &[u8]| {
        let begin = at.unwrap_or_else(|| next_write_at(file));
        let written = real(bytes);
        if let Ok(count) = usize::try_from(written) {
            note("write", &[&path], &[begin, written], &bytes[..count]);
        }
        written
    };
    let made = match fate(&path, Change::Write) {
        Fate::Made => noted(bytes),
        Fate::Killed => {
            noted(&bytes[..bytes.len() / 2]);
            die()
        }
        Fate::Fails(libc::ENOSPC) => failed(libc::ENOSPC),
        Fate::Fails(errno) => {
            noted(&bytes[..bytes.len() / 2]);
            failed(errno)
        }
    };
    length(made)
}

/// Where the next write to a file goes.
fn next_write_at(file: c_int) -> i64 {
    let flags = kernel!(SYS_fcntl, file, libc::F_GETFL);
    if flags & c_long::from(libc::O_APPEND) == 0 {
        return kernel!(SYS_lseek, file, 0, libc::SEEK_CUR);
    }
    // SAFETY: all zeroes are a `stat`, and `fstat` fills it.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(file, &raw mut found);
        found.st_size
    }
}

/// A slice of what a program has in its memory; nothing instead of nowhere.
unsafe fn bytes<'a>(from: *const c_void, count: size_t) -> &'a [u8] {
    if from.is_null() {
        return &[];
    }
    // SAFETY: the caller of the C library's function promises it.
    unsafe { slice::from_raw_parts(from.cast(), count) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, from: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: by the caller's promise.
    write_at(file, unsafe { bytes(from, count) }, None)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: c_int, from: *const c_void, count: size_t, at: off_t) -> ssize_t {
    // SAFETY: by the caller's promise.
    write_at(file, unsafe { bytes(from, count) }, Some(at))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(file: c_int, from: *const c_void, count: size_t, at: off_t) -> ssize_t {
    // SAFETY: by the caller's promise.
    unsafe { pwrite64(file, from, count, at) }
}

/// To a file of ours its first part alone: whoever writes goes on with the rest.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, parts: *const libc::iovec, count: c_int) -> ssize_t {
    if of_file(file).is_none() || count <= 0 {
        return length(kernel!(SYS_writev, file, parts, count));
    }
    // SAFETY: by the caller's promise.
    unsafe { write(file, (*parts).iov_base, (*parts).iov_len) }
}

fn sync(file: c_int, real: impl FnOnce() -> c_long) -> c_int {
    status(make(of_file(file).as_deref(), Change::Sync, real, |path| note("sync", &[path], &[], &[])))
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    sync(file, || kernel!(SYS_fsync, file))
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    sync(file, || kernel!(SYS_fdatasync, file))
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, size: off_t) -> c_int {
    let real = || kernel!(SYS_ftruncate, file, size);
    status(make(of_file(file).as_deref(), Change::Other, real, |path| note("size", &[path], &[size], &[])))
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate(file: c_int, size: off_t) -> c_int {
    ftruncate64(file, size)
}

/// Not for a file of ours: whoever copies goes on with `write`, which is seen.
#[unsafe(no_mangle)]
unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut off_t,
    to: c_int,
    to_at: *mut off_t,
    count: size_t,
    flags: c_uint,
) -> ssize_t {
    length(match of_file(to) {
        Some(_) => failed(libc::EINVAL),
        None => kernel!(SYS_copy_file_range, from, from_at, to, to_at, count, flags),
    })
}

/// Not for a file of ours, as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendfile64(to: c_int, from: c_int, at: *mut off_t, count: size_t) -> ssize_t {
    length(match of_file(to) {
        Some(_) => failed(libc::EINVAL),
        None => kernel!(SYS_sendfile, to, from, at, count),
    })
}
