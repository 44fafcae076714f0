//! Host policy (`policy.toml`): an allow-list of the jobs that this host accepts.
//!
//! ```toml
//! [allow]
//! run = ["/usr/bin/uptime"]   # or "*"; absent: nothing
//! environment = ["LANG", "LC_*", "TZ"]   # what a job may set for a listed program; these unless it says otherwise
//! working_directories = ["/srv/www"]     # where a listed program may run, beside "/"
//! run_as = ["deploy"]       # accounts that a program may run under, the first one if its job names none; absent: the agent's
//! inspect = true
//! self_update = true
//! reboot = true             # absent: false
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use muster_schemas::jobs::JobSpec;
use serde::Deserialize;

use crate::{
    errors::{TomlError, chain},
    followed::Followed,
    runners::{Section, inspect, reboot, run, self_update},
    sys::texts::{TextFile, Writers},
};

/// The policy of this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    allow: Allow,
}

/// A kind's section stands in the kind's own file; that of `run` has four keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Allow {
    run: run::Programs,
    environment: run::Environment,
    working_directories: Vec<String>,
    run_as: Vec<String>,
    inspect: inspect::Allowed,
    self_update: self_update::Allowed,
    reboot: reboot::Allowed,
}

impl Allow {
    fn run(&self) -> run::Allowed<'_> {
        let Self { run: programs, environment, working_directories, run_as, .. } = self;
        run::Allowed { programs, environment, working_directories, run_as }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file is there and cannot be read.
    #[error("cannot read policy.toml")]
    Read(#[source] io::Error),
    /// The file is not a policy.
    #[error("policy.toml is not valid")]
    Parse(#[source] TomlError),
    /// It says what everybody on this machine wants it to say.
    #[error("policy.toml or its directory can be changed by everybody on this machine: chmod o-w both")]
    Open,
}

impl Policy {
    /// The policy in a state directory; without a file, nothing is allowed that may do harm.
    pub fn load(state: &Path) -> Result<Self, PolicyError> {
        Self::read(&TextFile::read(&path(state)))
    }

    /// The same, to be followed. While the file is of no use from the beginning, nothing is allowed.
    pub fn follow(state: &Path) -> Followed<Self> {
        let path = path(state);
        let seen = TextFile::read(&path);
        let read = Self::read(&seen).map_err(|failed| chain(&failed));
        Followed::new(path, seen, read, Self::nothing)
    }

    /// What a file says that was read.
    pub fn read(file: &TextFile) -> Result<Self, PolicyError> {
        let text = file.text().map_err(PolicyError::Read)?;
        if file.writers == Writers::Everybody {
            return Err(PolicyError::Open);
        }
        toml::from_str(text).map_err(|error| PolicyError::Parse(TomlError::new(text, &error)))
    }

    /// A policy that allows nothing: what holds while the file cannot be read.
    pub fn nothing() -> Self {
        let allow = Allow {
            run: run::Programs::default(),
            environment: run::Environment::default(),
            working_directories: Vec::new(),
            run_as: Vec::new(),
            inspect: inspect::Allowed::OFF,
            self_update: self_update::Allowed::OFF,
            reboot: reboot::Allowed::OFF,
        };
        Self { allow }
    }

    /// Whether this may be done here, or which rule says no.
    pub fn check(&self, spec: &JobSpec) -> Result<(), String> {
        match spec {
            JobSpec::Run(spec) => self.allow.run().allows(spec),
            JobSpec::Inspect(spec) => self.allow.inspect.allows(spec),
            JobSpec::ResetBreakers(_) => Ok(()),
            JobSpec::SelfUpdate(spec) => self.allow.self_update.allows(spec),
            JobSpec::Reboot(spec) => self.allow.reboot.allows(spec),
        }
    }

    /// The account that programs run under if their jobs name none; `None`: the agent's.
    pub fn account(&self) -> Option<String> {
        self.allow.run().account()
    }

    /// The kinds that are allowed at all, in order. Those that need nobody's leave are not named.
    pub fn capabilities(&self) -> Vec<String> {
        let allowed = self.rows().into_iter().filter(|row| row.lets_something);
        let mut kinds = allowed.map(|row| row.kind.to_owned()).collect::<Vec<_>>();
        kinds.sort_unstable();
        kinds
    }

    /// The policy in a few words, for `status`.
    pub fn summary(&self) -> String {
        self.rows().map(|Row { kind, in_words, .. }| format!("{kind}: {in_words}")).join("; ")
    }

    /// Each kind that needs leave.
    fn rows(&self) -> [Row; 4] {
        [
            Row::new("run", &self.allow.run()),
            Row::new("inspect", &self.allow.inspect),
            Row::new("self_update", &self.allow.self_update),
            Row::new("reboot", &self.allow.reboot),
        ]
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("policy.toml")
}

/// The policy for a kind.
struct Row {
    kind: &'static str,
    lets_something: bool,
    in_words: String,
}

impl Row {
    fn new(kind: &'static str, section: &impl Section) -> Self {
        Self { kind, lets_something: section.lets_something(), in_words: section.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use muster_schemas::jobs::{InspectSpec, KINDS, RebootSpec, RunSpec, SelfUpdateSpec};

    use super::*;

    fn policy(text: &str) -> Result<Policy, PolicyError> {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("policy.toml"), text).unwrap();
        Policy::load(state.path())
    }

    fn run(program: &str) -> JobSpec {
        JobSpec::Run(RunSpec {
            argv: vec![program.into()],
            environment: [].into(),
            secret_environment: [].into(),
            working_directory: None,
            output_limit_bytes: None,
            stop_grace_seconds: None,
            run_as: None,
        })
    }

    fn with_variable(program: &str, name: &str) -> JobSpec {
        let JobSpec::Run(mut spec) = run(program) else { unreachable!() };
        spec.environment.insert(name.into(), "x".into());
        JobSpec::Run(spec)
    }

    fn in_directory(program: &str, directory: &str) -> JobSpec {
        let JobSpec::Run(mut spec) = run(program) else { unreachable!() };
        spec.working_directory = Some(directory.into());
        JobSpec::Run(spec)
    }

    fn update() -> JobSpec {
        JobSpec::SelfUpdate(SelfUpdateSpec { version: "1".into(), manifest_sha256: String::new() })
    }

    #[test]
    fn without_a_file_nothing_is_run_or_rebooted_and_the_rest_is_allowed() {
        let state = tempfile::tempdir().unwrap();
        let policy = Policy::load(state.path()).unwrap();
        assert!(policy.check(&run("/bin/true")).is_err());
        assert!(policy.check(&JobSpec::Reboot(RebootSpec {})).is_err());
        assert!(policy.check(&JobSpec::Inspect(InspectSpec {})).is_ok());
        assert!(policy.check(&update()).is_ok());
        assert_eq!(policy.capabilities(), ["inspect", "self_update"]);
    }

    #[test]
    fn a_list_allows_what_it_names_and_nothing_like_it() {
        let policy = policy("[allow]\nrun = [\"/usr/bin/uptime\"]").unwrap();
        assert!(policy.check(&run("/usr/bin/uptime")).is_ok());
        for other in
            ["/usr/bin/uptime2", "/usr/bin/../bin/uptime", "uptime", "/usr/bin/uptime ", "//usr/bin/uptime", ""]
        {
            assert!(policy.check(&run(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn a_listed_program_gets_no_variable_that_is_not_named() {
        let listed = policy("[allow]\nrun = [\"/bin/date\"]").unwrap();
        for name in ["TZ", "LANG", "LC_ALL"] {
            assert_eq!(listed.check(&with_variable("/bin/date", name)), Ok(()));
        }
        for name in ["LD_PRELOAD", "PYTHONWARNINGS", "GIT_SSH_COMMAND", "JAVA_TOOL_OPTIONS", "TZDIR", "lang", ""] {
            let refused = listed.check(&with_variable("/bin/date", name)).unwrap_err();
            assert!(refused.contains(&format!("{name:?}")), "{refused}");
        }
    }

    #[test]
    fn the_host_says_which_variables_a_listed_program_may_get() {
        let own = policy("[allow]\nrun = [\"/bin/date\"]\nenvironment = [\"BACKUP_*\"]").unwrap();
        assert!(own.check(&with_variable("/bin/date", "BACKUP_SET")).is_ok());
        assert!(own.check(&with_variable("/bin/date", "TZ")).is_err());
        let every = policy("[allow]\nrun = \"*\"").unwrap();
        assert!(every.check(&with_variable("/bin/date", "LD_PRELOAD")).is_ok());
    }

    #[test]
    fn a_listed_program_runs_only_where_the_host_says() {
        let listed = policy("[allow]\nrun = [\"/bin/ls\"]\nworking_directories = [\"/srv/www\"]").unwrap();
        for (directory, allowed) in [("/", true), ("/srv/www", true), ("/srv/www/x", false), ("/srv", false)] {
            assert_eq!(listed.check(&in_directory("/bin/ls", directory)).is_ok(), allowed, "{directory}");
        }
        let every = policy("[allow]\nrun = \"*\"").unwrap();
        assert!(every.check(&in_directory("/bin/ls", "/tmp")).is_ok());
    }

    #[test]
    fn a_program_runs_under_accounts_that_the_host_names_and_under_the_first_if_its_job_names_none() {
        let as_account = |account: &str| {
            let JobSpec::Run(spec) = run("/bin/id") else { unreachable!() };
            JobSpec::Run(RunSpec { run_as: Some(account.into()), ..spec })
        };
        let every = policy("[allow]\nrun = \"*\"").unwrap();
        assert!(every.check(&as_account("deploy")).unwrap_err().contains("\"deploy\""));
        assert_eq!(every.account(), None);
        let named = policy("[allow]\nrun = \"*\"\nrun_as = [\"deploy\", \"www-data\"]").unwrap();
        assert_eq!(named.check(&as_account("www-data")), Ok(()));
        assert!(named.check(&as_account("root")).is_err());
        assert_eq!(named.account().as_deref(), Some("deploy"));
    }

    #[test]
    fn what_is_switched_off_is_refused() {
        let policy = policy("[allow]\ninspect = false\nself_update = false").unwrap();
        assert!(policy.check(&JobSpec::Inspect(InspectSpec {})).is_err());
        assert!(policy.check(&update()).is_err());
        assert!(policy.capabilities().is_empty());
    }

    #[test]
    fn every_kind_but_the_one_without_a_section_is_told_of() {
        let policy = policy("[allow]\nrun = \"*\"\nreboot = true").unwrap();
        let mut kinds =
            KINDS.map(|kind| kind.name).into_iter().filter(|kind| *kind != "reset_breakers").collect::<Vec<_>>();
        kinds.sort_unstable();
        assert_eq!(policy.capabilities(), kinds);
        assert_eq!(policy.summary(), "run: every program; inspect: true; self_update: true; reboot: true");
        assert!(Policy::nothing().capabilities().is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn a_policy_that_everybody_may_write_is_none() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("policy.toml");
        fs::write(&path, "[allow]\nrun = \"*\"").unwrap();
        let told = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            Policy::load(state.path()).map_err(|failed| chain(&failed))
        };
        assert!(told(&path, 0o666).unwrap_err().contains("can be changed by everybody"));
        assert!(told(&path, 0o644).is_ok());
        assert!(told(state.path(), 0o777).unwrap_err().contains("can be changed by everybody"));
        assert!(told(state.path(), 0o700).is_ok());
    }

    #[test]
    fn a_typing_error_is_an_error() {
        for text in ["[allow]\nruns = []", "[alow]", "[allow]\nrun = \"all\"", "[allow]\ninspect = 1"] {
            assert!(policy(text).is_err(), "{text}");
        }
    }
}
