//! What the test wants, and what has come of it: eight numbers in a file that everybody has mapped.

use std::{
    env,
    ffi::{CString, c_int},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::ffi::OsStringExt,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::kernel::{kernel, open};

/// The shared file.
#[repr(C)]
struct Shared {
    /// The number of the change that something happens to; 0 for none.
    at: AtomicU64,
    /// What happens to it: see [`Action`].
    action: AtomicU64,
    /// How many changes there were.
    count: AtomicU64,
    /// To how many of them something happened.
    struck: AtomicU64,
    /// Which file was written to last, and how often in a row.
    run_of: AtomicU64,
    run_length: AtomicU64,
    _room: [u64; 2],
}

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is made.
    Made,
    /// It is the last one.
    Killed,
    /// It fails.
    Fails(c_int),
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// More in a file.
    Write,
    /// A new name.
    Create,
    /// What was changed is to be on disk.
    Sync,
    /// What takes no room.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    KillGroup,
    KillProcess,
    InputOutputError,
    /// From this change on, until the test says otherwise.
    NoSpace,
    /// The same.
    NoSync,
    None,
}

impl From<u64> for Action {
    fn from(number: u64) -> Self {
        match number {
            1 => Self::KillGroup,
            2 => Self::KillProcess,
            3 => Self::InputOutputError,
            4 => Self::NoSpace,
            5 => Self::NoSync,
            _ => Self::None,
        }
    }
}

/// What becomes of this change.
pub fn fate(path: &[u8], change: Change) -> Fate {
    let Some(shared) = shared() else { return Fate::Made };
    let number = shared.count(path, change);
    let at = shared.at.load(SeqCst);
    let reached = at > 0 && shared.count.load(SeqCst) >= at;
    match Action::from(shared.action.load(SeqCst)) {
        Action::KillGroup | Action::KillProcess if number == Some(at) => Fate::Killed,
        Action::InputOutputError if number == Some(at) => shared.strike(libc::EIO),
        Action::NoSpace if reached && matches!(change, Change::Write | Change::Create) => shared.strike(libc::ENOSPC),
        Action::NoSync if reached && change == Change::Sync => shared.strike(libc::EIO),
        _ => Fate::Made,
    }
}

/// Ends this process, or with it every one of its group.
pub fn die() -> ! {
    let group = shared().is_none_or(|shared| {
        shared.struck.fetch_add(1, SeqCst);
        Action::from(shared.action.load(SeqCst)) == Action::KillGroup
    });
    let who = if group { 0 } else { kernel!(SYS_getpid) };
    kernel!(SYS_kill, who, libc::SIGKILL);
    loop {
        kernel!(SYS_pause);
    }
}

impl Shared {
    /// The number of this change. Of many writes to one file in a row only the first, second, fourth, eighth and so on have
    /// one: how many there are depends on how the network cuts a download.
    fn count(&self, path: &[u8], change: Change) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let run_of = if change == Change::Write { hasher.finish() } else { 0 };
        if self.run_of.swap(run_of, SeqCst) != run_of || run_of == 0 {
            self.run_length.store(0, SeqCst);
        }
        let length = self.run_length.fetch_add(1, SeqCst) + 1;
        length.is_power_of_two().then(|| self.count.fetch_add(1, SeqCst) + 1)
    }

    fn strike(&self, errno: c_int) -> Fate {
        self.struck.fetch_add(1, SeqCst);
        Fate::Fails(errno)
    }
}

fn shared() -> Option<&'static Shared> {
    static SHARED: OnceLock<Option<&Shared>> = OnceLock::new();
    *SHARED.get_or_init(|| map(&CString::new(env::var_os("MUSTER_FAULTS_CONTROL")?.into_vec()).ok()?))
}

fn map(path: &CString) -> Option<&'static Shared> {
    let file = open(path, libc::O_RDWR)?;
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new place for a file that is as long as `Shared`; it is never unmapped.
    let place = unsafe { libc::mmap(ptr::null_mut(), size_of::<Shared>(), rights, libc::MAP_SHARED, file, 0) };
    // SAFETY: the place is aligned to a page, lives as long as the process, and any bytes are numbers.
    (place != libc::MAP_FAILED).then(|| unsafe { &*place.cast::<Shared>() })
}
