//! Commands that run beside others, and whatever they start.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Result, commands::typed};

/// A command that runs beside others. Dropped, it is ended.
pub struct Beside(Child);

impl Beside {
    /// Starts a command that writes to this file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let typed = typed(command);
        let failed = |error: io::Error| format!("cannot start {typed}: {error}");
        let file = File::create(log).map_err(failed)?;
        command.stdout(file.try_clone().map_err(failed)?).stderr(file).spawn().map(Self).map_err(failed)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// Ends a process with all that it has started. Gone already is gone as well.
pub fn end(child: &mut Child) {
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    let mut doomed = vec![child.id()];
    // Who is known to be doomed starts nobody whom a second look would not find.
    for _ in 0..2 {
        let parents = parents();
        let mut known = 0;
        while known < doomed.len() {
            let children = parents.iter().filter(|(_, parent)| *parent == doomed[known]).map(|(child, _)| *child);
            let new = children.filter(|child| !doomed.contains(child)).collect::<Vec<_>>();
            doomed.extend(new);
            known += 1;
        }
        for id in &doomed {
            let pid = i32::try_from(*id).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
    drop(child.wait());
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let parent = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name, in parentheses, may hold anything; behind it are the state and the parent.
        Some((id, text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?))
    };
    entries.filter_map(parent).collect()
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn what_a_process_has_started_ends_with_it() {
        let mut child = Command::new("sh").args(["-c", "sleep 600 & echo; wait"]).spawn().expect("there is a shell");
        let grandchild = loop {
            if let Some((grandchild, _)) = parents().into_iter().find(|(_, parent)| *parent == child.id()) {
                break grandchild;
            }
            thread::sleep(Duration::from_millis(1));
        };
        end(&mut child);
        let state = || fs::read_to_string(Path::new("/proc").join(grandchild.to_string()).join("stat"));
        let lives = || state().is_ok_and(|text| !text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
        while lives() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
