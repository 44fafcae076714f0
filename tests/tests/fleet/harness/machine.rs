//! A machine that is no host yet: a folder, and one who may do everything in it.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use muster_schemas::ids::HostId;
use tempfile::TempDir;

use super::process::Process;

/// A machine.
pub struct Machine(TempDir);

impl Machine {
    /// One on which nothing is installed.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let sudo = folder.path().join("sudo");
        fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n").unwrap();
        fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// Types the line that installs the agent, with more at its end: what it says, or what it complains about.
    pub fn types(&self, line: &str, more: &[&str]) -> Result<String, String> {
        let folder = self.folder().display();
        let line = format!("{line} --prefix {folder}/usr --state {folder}/state --no-service {}", more.join(" "));
        let path = format!("{folder}:{}", env::var("PATH").unwrap());
        let output =
            Command::new("sh").args(["-c", &line]).env("PATH", path).current_dir(self.folder()).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// Does what the line has said in the end.
    pub fn becomes_host(&self, said: &str) -> (HostId, Process) {
        let id = said.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let words = said.lines().find_map(|line| line.strip_prefix("To run it: ")).unwrap().split(' ');
        let words = words.collect::<Vec<_>>();
        let agent = self.programs().join("muster-agent");
        assert_eq!(Path::new(words[0]), agent);
        (id, Process::start(&agent, &words[1..], self.folder(), &self.folder().join("agent.log"), &[]))
    }

    /// Where the agent goes.
    pub fn programs(&self) -> PathBuf {
        self.folder().join("usr/bin")
    }

    /// Where the agent keeps everything.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }
}
