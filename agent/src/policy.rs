//! `policy.toml`: what this host lets the server do. It is the host's own word, and it is an allow-list.
//!
//! ```toml
//! [allow]
//! run = ["/usr/bin/uptime"]   # or "*"; absent: nothing
//! environment = ["LANG", "LC_*", "TZ"]   # what a job may set for a listed program; these unless it says otherwise
//! working_directories = ["/srv/www"]     # where a listed program may run, beside "/"
//! inspect = true
//! self_update = true
//! ```

use std::{fs, io, path::Path};

use muster_schemas::jobs::{JobSpec, RunSpec};
use serde::Deserialize;

/// What this host allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    allow: Allow,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Allow {
    run: Programs,
    environment: Vec<String>,
    working_directories: Vec<String>,
    inspect: bool,
    self_update: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Programs {
    Every(Star),
    Listed(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
enum Star {
    #[serde(rename = "*")]
    Star,
}

impl Default for Allow {
    fn default() -> Self {
        Self {
            run: Programs::Listed(Vec::new()),
            environment: ["LANG", "LC_*", "TZ"].map(Into::into).into(),
            working_directories: Vec::new(),
            inspect: true,
            self_update: true,
        }
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
    Parse(#[source] Box<toml::de::Error>),
}

impl Policy {
    /// The policy in a state directory; without a file, programs are not run and the rest is allowed.
    pub fn load(state: &Path) -> Result<Self, PolicyError> {
        match fs::read_to_string(state.join("policy.toml")) {
            Ok(text) => toml::from_str(&text).map_err(|error| PolicyError::Parse(Box::new(error))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(PolicyError::Read(error)),
        }
    }

    /// A policy that allows nothing: what holds while the file cannot be read.
    pub fn nothing() -> Self {
        Self { allow: Allow { inspect: false, self_update: false, ..Allow::default() } }
    }

    /// Whether this may be done here, or which rule says no.
    pub fn check(&self, spec: &JobSpec) -> Result<(), String> {
        match spec {
            JobSpec::Run(run) => self.check_run(run),
            JobSpec::Inspect(_) if self.allow.inspect => Ok(()),
            // It changes nothing on the host, and only how soon the agent asks again.
            JobSpec::ResetBreakers(_) => Ok(()),
            JobSpec::SelfUpdate(_) if self.allow.self_update => Ok(()),
            JobSpec::Inspect(_) | JobSpec::SelfUpdate(_) => {
                Err(format!("this host's policy does not allow {}", spec.kind()))
            }
        }
    }

    /// The kinds that are allowed at all, in order.
    pub fn capabilities(&self) -> Vec<String> {
        let Allow { run, inspect, self_update, environment: _, working_directories: _ } = &self.allow;
        let runs = !matches!(run, Programs::Listed(listed) if listed.is_empty());
        let kinds = [("inspect", *inspect), ("run", runs), ("self_update", *self_update)];
        kinds.iter().filter(|(_, allowed)| *allowed).map(|(kind, _)| (*kind).into()).collect()
    }

    /// The policy in a few words, for `status`.
    pub fn summary(&self) -> String {
        let run = match &self.allow.run {
            Programs::Every(Star::Star) => "every program".into(),
            Programs::Listed(listed) if listed.is_empty() => "no program".into(),
            Programs::Listed(listed) => listed.join(", "),
        };
        format!("run: {run}; inspect: {}; self_update: {}", self.allow.inspect, self.allow.self_update)
    }

    fn check_run(&self, run: &RunSpec) -> Result<(), String> {
        let program = run.argv.first().map_or("", String::as_str);
        match &self.allow.run {
            Programs::Every(Star::Star) => Ok(()),
            Programs::Listed(listed) if !listed.iter().any(|allowed| allowed == program) => {
                Err(format!("this host's policy does not allow to run {program:?}"))
            }
            Programs::Listed(_) => self.check_surroundings(run),
        }
    }

    /// An allowed program that its surroundings make load foreign code is another program, and the ways to do that are
    /// beyond counting: what is not named is not allowed.
    fn check_surroundings(&self, run: &RunSpec) -> Result<(), String> {
        let Allow { environment, working_directories, .. } = &self.allow;
        let is_named = |name: &String| environment.iter().any(|pattern| matches(pattern, name));
        if let Some(name) = run.environment.keys().find(|name| !is_named(name)) {
            return Err(format!("this host's policy does not allow to set {name:?}"));
        }
        match run.working_directory.as_deref() {
            None | Some("/") => Ok(()),
            Some(directory) if working_directories.iter().any(|allowed| allowed == directory) => Ok(()),
            Some(directory) => Err(format!("this host's policy does not allow to run anything in {directory:?}")),
        }
    }
}

/// Whether a name is what the pattern says: the same, or with the same beginning when the pattern ends with `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use muster_schemas::jobs::{InspectSpec, SelfUpdateSpec};

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
            working_directory: None,
            output_limit_bytes: None,
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
    fn without_a_file_nothing_is_run_and_the_rest_is_allowed() {
        let state = tempfile::tempdir().unwrap();
        let policy = Policy::load(state.path()).unwrap();
        assert!(policy.check(&run("/bin/true")).is_err());
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
    fn what_is_switched_off_is_refused() {
        let policy = policy("[allow]\ninspect = false\nself_update = false").unwrap();
        assert!(policy.check(&JobSpec::Inspect(InspectSpec {})).is_err());
        assert!(policy.check(&update()).is_err());
        assert!(policy.capabilities().is_empty());
    }

    #[test]
    fn a_typing_error_is_an_error() {
        for text in ["[allow]\nruns = []", "[alow]", "[allow]\nrun = \"all\"", "[allow]\ninspect = 1"] {
            assert!(policy(text).is_err(), "{text}");
        }
    }
}
