//! File systems: how large they are, asked where one that does not answer holds up nobody.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};
use tracing::warn;

/// How long a file system has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Size and free space of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// All of it.
    pub size_bytes: u64,
    /// What anybody may still use.
    pub free_bytes: u64,
}

/// What is known of the file systems, by the directory on which they are mounted.
pub type Sizes = BTreeMap<String, Size>;

/// Those that are being asked. One that has not answered is not asked again before it has: each holds a thread.
#[derive(Debug, Clone, Default)]
pub struct Disks {
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Disks {
    /// How large the file systems are that are mounted on these directories. What does not answer, and what is no directory, is
    /// left out.
    pub async fn sizes(&self, mounts: Vec<String>) -> Sizes {
        self.sizes_by(mounts, size).await
    }

    async fn sizes_by(&self, mounts: Vec<String>, ask: impl Fn(&str) -> Option<Size> + Copy + Send + 'static) -> Sizes {
        let mut left: VecDeque<_> = mounts.into_iter().filter(|mount| !self.is_asked(mount)).collect();
        let mut sizes = Sizes::new();
        while !left.is_empty() {
            let mut answers = self.ask(left.clone(), ask);
            // One thread asks one after the other. What holds it up is left to it, and the next one goes on.
            while let Some(mount) = left.pop_front() {
                match timeout(PATIENCE, answers.recv()).await {
                    Ok(Some(size)) => sizes.extend(size.map(|size| (mount, size))),
                    Ok(None) => return sizes,
                    Err(_) => {
                        warn!(
                            "The file system at {mount} does not answer: it is left out of what is told of this host"
                        );
                        break;
                    }
                }
            }
        }
        sizes
    }

    /// Asks in this order, on a thread that ends when nobody wants the answers any more.
    fn ask(
        &self,
        mounts: VecDeque<String>,
        ask: impl Fn(&str) -> Option<Size> + Send + 'static,
    ) -> mpsc::UnboundedReceiver<Option<Size>> {
        let (send, answers) = mpsc::unbounded_channel();
        let disks = self.clone();
        spawn_blocking(move || {
            for mount in mounts {
                disks.change(|asked| asked.insert(mount.clone()));
                let size = ask(&mount);
                disks.change(|asked| asked.remove(&mount));
                if send.send(size).is_err() {
                    return;
                }
            }
        });
        answers
    }

    fn is_asked(&self, mount: &str) -> bool {
        self.change(|asked| asked.contains(mount))
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        change(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn size(mount: &str) -> Option<Size> {
    if !fs::metadata(mount).is_ok_and(|found| found.is_dir()) {
        return None;
    }
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(mount).ok()?;
        Some(Size { size_bytes: found.f_blocks * found.f_frsize, free_bytes: found.f_bavail * found.f_frsize })
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn told(sizes: &Sizes) -> Vec<&str> {
        sizes.keys().map(String::as_str).collect()
    }

    #[tokio::test]
    async fn what_is_a_directory_has_a_size_and_what_is_none_is_left_out() {
        let sizes = Disks::default().sizes(named(&["/", "/etc/passwd", "/no/where"])).await;
        assert_eq!(told(&sizes), ["/"]);
        assert!(sizes["/"].size_bytes > 0 && sizes["/"].free_bytes <= sizes["/"].size_bytes);
    }

    #[tokio::test]
    async fn a_file_system_that_does_not_answer_is_left_out_and_not_asked_again_before_it_has() {
        static RELEASED: Mutex<bool> = Mutex::new(false);
        #[expect(clippy::unnecessary_wraps, reason = "another one may have no size")]
        fn ask(mount: &str) -> Option<Size> {
            while mount == "/hung" && !*RELEASED.lock().unwrap() {
                thread::sleep(Duration::from_millis(1));
            }
            Some(Size { size_bytes: 2, free_bytes: 1 })
        }
        let (disks, mounts) = (Disks::default(), named(&["/a", "/hung", "/z"]));
        assert_eq!(told(&disks.sizes_by(mounts.clone(), ask).await), ["/a", "/z"]);
        let asked_again = timeout(PATIENCE, disks.sizes_by(mounts.clone(), ask)).await;
        assert_eq!(told(&asked_again.expect("nobody waits for it again")), ["/a", "/z"]);
        *RELEASED.lock().unwrap() = true;
        while disks.is_asked("/hung") {
            tokio::task::yield_now().await;
        }
        assert_eq!(told(&disks.sizes_by(mounts, ask).await), ["/a", "/hung", "/z"]);
    }
}
