//! Environment variables of a program: what its account gives it, and what is set for it over that.

use std::{collections::BTreeMap, env, ffi::OsString, fs, io, path::Path};

use crate::sys::accounts::{self, Account};

/// A program's whole environment: what is `set` for it, over `HOME`, `USER`, `LOGNAME` and `SHELL` of the account that it runs
/// under, and a locale that every machine has. `PATH` is the agent's own.
pub fn of_account(account: Option<&Account>, set: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let mut environment = given(account.cloned().or_else(accounts::own), |name| env::var_os(name));
    environment.extend(set.iter().map(|(name, value)| (name.clone(), value.clone())));
    environment.insert("PATH".into(), env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    environment
}

/// What a program is given. An account that the machine's own file does not know may have its variables from who started the
/// agent.
fn given(account: Option<Account>, own: impl Fn(&str) -> Option<OsString>) -> BTreeMap<OsString, OsString> {
    let mut given: BTreeMap<OsString, OsString> = [("LANG".into(), "C.UTF-8".into())].into();
    if let Some(Account { name, home, shell, .. }) = account {
        let variables = [("HOME", home), ("USER", name.clone()), ("LOGNAME", name), ("SHELL", shell)];
        given.extend(variables.map(|(name, value)| (name.into(), value.into())));
    } else {
        let known = ["HOME", "USER", "LOGNAME", "SHELL"].into_iter().filter_map(|name| Some((name.into(), own(name)?)));
        given.extend(known);
        given.entry("HOME".into()).or_insert_with(|| "/".into());
        given.entry("SHELL".into()).or_insert_with(|| "/bin/sh".into());
    }
    given
}

/// Whether a program could be started in this directory.
pub fn check_directory(directory: &Path) -> io::Result<()> {
    if fs::metadata(directory)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(environment: &BTreeMap<OsString, OsString>, name: &str) -> Option<String> {
        environment.get(&OsString::from(name)).map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn a_program_gets_what_its_account_has_and_a_locale() {
        let backup = Account {
            name: "backup".into(),
            uid: 34,
            gid: 34,
            home: "/var/backups".into(),
            shell: "/usr/sbin/nologin".into(),
            groups: Vec::new(),
        };
        let given = given(Some(backup), |_| Some("of the agent".into()));
        let told = ["HOME", "USER", "LOGNAME", "SHELL", "LANG"].map(|name| text(&given, name).unwrap());
        assert_eq!(told, ["/var/backups", "backup", "backup", "/usr/sbin/nologin", "C.UTF-8"]);
    }

    #[test]
    fn an_unknown_account_has_what_the_agent_was_started_with_and_a_home_at_the_least() {
        let known = given(None, |name| (name == "USER").then(|| "4711".into()));
        let told = ["HOME", "USER", "LOGNAME", "SHELL"].map(|name| text(&known, name));
        assert_eq!(told, [Some("/".into()), Some("4711".into()), None, Some("/bin/sh".into())]);
    }

    #[test]
    fn what_is_set_goes_over_what_the_account_gives_but_for_the_path() {
        let set = ["HOME", "LANG", "PATH"].map(|name| (name.into(), "set".into()));
        let environment = of_account(None, &set.into());
        assert_eq!(["HOME", "LANG"].map(|name| text(&environment, name).unwrap()), ["set", "set"]);
        assert_ne!(text(&environment, "PATH").unwrap(), "set");
    }
}
