//! Ctrl-C and SIGTERM as a flag, so that what was started can be stopped in order.

use std::{
    process::Child,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::Result;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on both signals only raise the flag.
pub fn catch() -> Result {
    let failed = |error| format!("cannot listen for signals: {error}");
    let runtime = runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    drop(guard);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        INTERRUPTED.store(true, Ordering::SeqCst);
    });
    Ok(())
}

/// Whether somebody wants this to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Asks a process to end, unless it has.
pub fn terminate(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        // It may end in between: then there is nobody to ask.
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
}
