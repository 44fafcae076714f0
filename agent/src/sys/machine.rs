//! Machine information from the kernel and the distribution, read from files without running a command.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::files::{FileError, sha256_of};

/// Drawn by the kernel at each boot. Empty when the platform has none.
pub fn boot_id() -> String {
    read_line("/proc/sys/kernel/random/boot_id")
}

/// What asks this machine to restart: a program in a fixed place, and its arguments. `None` when none is known.
pub fn restarter() -> Option<(PathBuf, Vec<OsString>)> {
    let of_systemd = Path::new("/run/systemd/system").is_dir();
    let systemctl: &[&str] = if of_systemd { &["/usr/bin/systemctl", "/bin/systemctl"] } else { &[] };
    let plain: &[&str] = if cfg!(unix) { &["/usr/sbin/reboot", "/sbin/reboot"] } else { &[] };
    let known = systemctl.iter().map(|path| (path, vec!["reboot".into()]));
    let known = known.chain(plain.iter().map(|path| (path, Vec::new())));
    let mut there = known.map(|(path, arguments)| (PathBuf::from(path), arguments)).filter(|(path, _)| path.is_file());
    there.next()
}

/// Time since the machine was started, time asleep included; since this process asked first where that is unknown.
pub fn since_boot() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let seconds = read_line("/proc/uptime").split(' ').next().and_then(|text| text.parse().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_else(|| FIRST.elapsed())
}

/// The host's own name and its kernel's release.
pub fn names() -> (String, String) {
    #[cfg(unix)]
    {
        let system = rustix::system::uname();
        (system.nodename().to_string_lossy().into_owned(), system.release().to_string_lossy().into_owned())
    }
    #[cfg(not(unix))]
    (std::env::var("COMPUTERNAME").unwrap_or_default(), String::new())
}

/// The first line of a small file; empty when it cannot be read.
pub fn read_line(path: &str) -> String {
    read(path).lines().next().unwrap_or_default().trim().into()
}

/// A small file as text; empty when it cannot be read.
pub fn read(path: &str) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// SHA-256 of the file that this process runs.
pub fn own_sha256() -> Result<String, FileError> {
    sha256_of(&own_executable()).map(|(sha256, _)| sha256)
}

/// The file this process runs. On Linux it can be read and started even after it was replaced or removed.
pub fn own_executable() -> PathBuf {
    if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe().unwrap_or_default() }
}
