//! Control groups (cgroup v2): a group for each job, which the kernel ends as a whole, whatever its processes have done to get
//! away. Where the agent may make none, the shims' process trees have to do.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::machine::read;

const TRIES: u32 = 50;
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// The group below which an agent makes those of its jobs.
#[derive(Debug, Clone)]
pub struct Cgroup {
    parent: PathBuf,
    prefix: String,
}

impl Cgroup {
    /// The group that this process is in, if others can be made below it. `mark` is that of the agent's state directory: other
    /// agents may be in the same group.
    pub fn own(mark: &str) -> Option<Self> {
        let parent = own(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))?;
        let prefix = format!("muster-{}-", mark.replace(['/', ':'], "-"));
        let found = Self { parent, prefix };
        let trial = found.of_job("trial");
        fs::create_dir(&trial).ok()?;
        let can_kill = trial.join("cgroup.kill").exists();
        fs::remove_dir(&trial).ok()?;
        can_kill.then_some(found)
    }

    /// Where the group of a job is.
    pub fn of_job(&self, job: &str) -> PathBuf {
        self.parent.join(format!("{}{job}", self.prefix))
    }

    /// Ends the groups of an agent before this one.
    pub fn remove_left_behind(&self) {
        let all = fs::read_dir(&self.parent).into_iter().flatten().flatten();
        for group in all.filter(|group| group.file_name().to_string_lossy().starts_with(&self.prefix)) {
            remove(&group.path());
        }
    }
}

/// Where the group of a process is in the file system, by its mounts and its membership.
fn own(mountinfo: &str, cgroup: &str) -> Option<PathBuf> {
    let path = Path::new(cgroup.lines().find_map(|line| line.strip_prefix("0::"))?);
    mountinfo.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = path.strip_prefix(root).ok()?;
        let is_plain = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        (kind.starts_with("cgroup2 ") && is_plain).then(|| Path::new(point).join(below))
    })
}

/// Makes a group and puts this process into it, for what it starts next. Gives the way back.
pub fn enter(group: &Path) -> io::Result<()> {
    fs::create_dir(group)?;
    join(group).inspect_err(|_| drop(fs::remove_dir(group)))
}

/// Puts this process into the group above.
pub fn leave(group: &Path) -> io::Result<()> {
    group.parent().map_or(Ok(()), join)
}

fn join(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), "0")
}

/// Kills every process in a group.
pub fn kill(group: &Path) {
    // It may be gone.
    let _ = fs::write(group.join("cgroup.kill"), "1");
}

/// Kills every process in a group and removes it. A process in the middle of a call that cannot be ended holds it back.
pub fn remove(group: &Path) {
    for _ in 0..TRIES {
        kill(group);
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => thread::sleep(LOOK_AGAIN),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_below_the_mount_that_shows_it() {
        let mounts = "24 1 0:21 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let found = |cgroup| own(mounts, cgroup);
        let unit = Some("/sys/fs/cgroup/system.slice/muster-agent.service".into());
        assert_eq!(found("1:cpu:/x\n0::/system.slice/muster-agent.service\n"), unit);
        assert_eq!(found("0::/\n"), Some("/sys/fs/cgroup/".into()));
        assert_eq!(found("0::/../outside\n"), None, "it is not below what is mounted here");
        assert_eq!(found("1:cpu:/x\n"), None);
        let bound = "30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
        assert_eq!(own(bound, "0::/docker/1/jobs\n"), Some("/sys/fs/cgroup/jobs".into()));
        assert_eq!(own(bound, "0::/docker/2\n"), None);
    }
}
