//! A network namespace, and work that is done inside it.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd},
    panic::resume_unwind,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use rustix::thread::{self as kernel, LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

/// A network of its own. It lives as long as this, and the last thread and process in it.
#[derive(Clone)]
pub struct Namespace(Arc<File>);

impl Namespace {
    /// One with nothing in it but a loopback interface.
    pub fn new() -> Self {
        let namespace = Self(Arc::new(thread::spawn(leave).join().unwrap()));
        namespace.run("ip link set lo up");
        namespace
    }

    /// By what others find it.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// Does something inside: sockets that are opened and processes that are started belong to it.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            self.enter().unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(enter).join().unwrap_or_else(|panic| resume_unwind(panic)))
    }

    /// The same, for as long as it takes.
    pub fn occupy(&self, work: impl FnOnce() + Send + 'static) {
        let namespace = self.clone();
        thread::spawn(move || {
            namespace.enter().unwrap();
            // A thread in there keeps it alive by itself.
            drop(namespace);
            work();
        });
    }

    /// Runs a program that must succeed; its words are separated by blanks.
    pub fn run(&self, line: &str) {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).stdin(Stdio::null());
        let output = self.inside(|| command.output()).unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?)
    }
}

/// Moves this thread into a network that nobody was in before.
#[expect(deprecated, reason = "its safe name is, because of another flag")]
fn leave() -> File {
    kernel::unshare(UnshareFlags::NEWNET).unwrap();
    File::open("/proc/thread-self/ns/net").unwrap()
}
