//! Subreaper: orphans of what a process has started come to it, and whoever has ended is waited for.

use std::{collections::BTreeSet, time::Duration};

use super::{processes::children_of, signals};

/// How long a child that has ended may wait for whoever has started it.
const PATIENCE: Duration = Duration::from_secs(1);

/// From now on, what was started by processes that this one has started comes to this one when its parent ends.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // A kernel before 3.4 does not know it: then they go to process 1.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// How a child has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The child.
    pub pid: u32,
    /// Its exit code, unless a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// Blocks until a child has ended. `None`: there are no children.
pub fn wait_for_any() -> Option<Ended> {
    #[cfg(unix)]
    {
        use rustix::{
            io::Errno,
            process::{WaitOptions, wait},
        };
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) => {
                    let pid = u32::try_from(pid.as_raw_pid()).unwrap_or_default();
                    let (exit_code, signal) = (status.exit_status(), status.terminating_signal());
                    return Some(Ended { pid, exit_code, signal });
                }
                Ok(None) | Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
    #[cfg(not(unix))]
    None
}

/// Waits for orphans that came to this process, for as long as it lives: as process 1 it is who everybody expects to do so. A
/// child that this process has started itself is waited for sooner, by whoever has started it.
pub async fn reap_orphans() {
    let Ok(mut child_ended) = signals::children_that_end() else { return };
    loop {
        child_ended.next().await;
        tokio::time::sleep(PATIENCE).await;
        let before: BTreeSet<_> = ended_children();
        if before.is_empty() {
            continue;
        }
        tokio::time::sleep(PATIENCE).await;
        before.intersection(&ended_children()).copied().for_each(reap);
    }
}

fn ended_children() -> BTreeSet<u32> {
    children_of(std::process::id()).into_iter().filter(|child| child.is_zombie).map(|child| child.pid).collect()
}

/// Waits for a child that has ended.
pub fn reap(child: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
    }
    #[cfg(not(unix))]
    let _ = child;
}

/// Lets go of what this process would print to: what it has started goes on printing there.
pub fn close_output() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&nowhere)?;
        rustix::stdio::dup2_stderr(&nowhere)?;
    }
    Ok(())
}
