//! What the demo started and must stop: in reverse order, asked first, and never left behind.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    commands::{short, typed},
    signals,
};

/// How long a process may take to end after it was asked.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long between two looks.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Processes that run beside the story.
#[derive(Default)]
pub struct Processes {
    running: Vec<(String, Child)>,
}

impl Processes {
    /// Starts one with its output in a file. Ctrl-C does not reach it: it is stopped in its turn.
    pub fn start(&mut self, name: &str, command: &mut Command, log: &Path) -> Result {
        let failed = |error| format!("cannot write {}: {error}", short(log));
        let out = File::create(log).map_err(failed)?;
        let error = out.try_clone().map_err(failed)?;
        let command = command.stdin(Stdio::null()).stdout(out).stderr(error).process_group(0);
        let child = command.spawn().map_err(|error| format!("cannot start {}: {error}", typed(command)))?;
        self.running.push((name.into(), child));
        Ok(())
    }

    /// Fails when one has ended by itself, or when somebody wants the demo to end.
    pub fn check(&mut self) -> Result {
        if signals::interrupted() {
            return Err("interrupted".into());
        }
        for (name, child) in &mut self.running {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("{name} ended with {status}"));
            }
        }
        Ok(())
    }

    /// Waits until something is so; what for is said when it does not happen in time.
    pub fn wait_until(&mut self, what: &str, limit: Duration, mut so: impl FnMut() -> Result<bool>) -> Result {
        let deadline = Instant::now() + limit;
        while !so()? {
            self.check()?;
            if Instant::now() > deadline {
                return Err(format!("waited {} s in vain: {what}", limit.as_secs()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Asks every process to end, the last started first, and sees to it that it does.
    pub fn stop(&mut self) {
        let (mut server, hosts) = (Vec::new(), self.running.split_off(self.running.len().min(1)));
        server.append(&mut self.running);
        // The hosts together, then the server: an agent says goodbye to a server that is there.
        for mut group in [hosts, server] {
            for (_, child) in &mut group {
                signals::terminate(child);
            }
            let deadline = Instant::now() + PATIENCE;
            for (_, child) in &mut group {
                while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                    thread::sleep(PAUSE);
                }
                drop(child.kill());
                drop(child.wait());
            }
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.stop();
    }
}
