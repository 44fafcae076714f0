//! The functions of the C library by which a program changes the disk.

mod contents;
mod names;

use std::ffi::{c_int, c_long};

use libc::ssize_t;

use crate::{
    control::{Change, Fate, die, fate},
    kernel::failed,
};

/// Makes a change that is whole or not at all, unless something happens to it, and notes it.
fn make(path: Option<&[u8]>, change: Change, call: impl FnOnce() -> c_long, noted: impl FnOnce(&[u8])) -> c_long {
    let Some(path) = path else { return call() };
    match fate(path, change) {
        Fate::Killed => die(),
        Fate::Fails(errno) => failed(errno),
        Fate::Made => {
            let made = call();
            if made >= 0 {
                noted(path);
            }
            made
        }
    }
}

/// The result of a call that says whether it was made.
fn status(made: c_long) -> c_int {
    c_int::try_from(made).unwrap_or(-1)
}

/// The result of a call that says how many bytes it moved.
fn length(made: c_long) -> ssize_t {
    ssize_t::try_from(made).unwrap_or(-1)
}
