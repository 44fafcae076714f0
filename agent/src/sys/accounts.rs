//! User accounts, as `/etc/passwd` and `/etc/group` have them.

use serde::{Deserialize, Serialize};

use super::machine::read;

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// Its home directory.
    pub home: String,
    /// Its shell.
    pub shell: String,
    /// The numbers of all its groups.
    pub groups: Vec<u32>,
}

impl Account {
    /// From now on this thread, and what it starts, may do what the account may, and nothing else: there is no way back.
    #[cfg(target_os = "linux")]
    pub fn assume(&self) -> std::io::Result<()> {
        use rustix::{
            process::{Gid, Uid, geteuid},
            thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
        };
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        if geteuid() == uid && !uid.is_root() {
            return Ok(());
        }
        let groups: Vec<_> = self.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

/// The account of this name.
pub fn named(name: &str) -> Option<Account> {
    let account = all(&read("/etc/passwd")).find(|account| account.name == name)?;
    let mut groups = groups_of(name, &read("/etc/group"));
    groups.push(account.gid);
    Some(Account { groups, ..account })
}

/// The groups that an account was added to, in the text of `/etc/group`.
fn groups_of(name: &str, group: &str) -> Vec<u32> {
    let of = |line: &str| {
        let fields: Vec<_> = line.split(':').collect();
        let [_, _, gid, members] = fields[..] else { return None };
        members.split(',').any(|member| member == name).then(|| gid.parse().ok())?
    };
    group.lines().filter_map(of).collect()
}

/// The account that this process runs under; `None` where the machine's file does not have it.
pub fn own() -> Option<Account> {
    #[cfg(unix)]
    {
        let uid = rustix::process::geteuid().as_raw();
        all(&read("/etc/passwd")).find(|account| account.uid == uid)
    }
    #[cfg(not(unix))]
    None
}

/// The accounts in the text of `/etc/passwd`. A line that is none is passed over, as the system does.
fn all(passwd: &str) -> impl Iterator<Item = Account> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
        let or = |text: &str, instead: &str| if text.is_empty() { instead.to_owned() } else { text.to_owned() };
        Some(Account {
            name: name.into(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            home: or(home, "/"),
            shell: or(shell, "/bin/sh"),
            groups: Vec::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_and_what_is_none_is_passed_over() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# a comment\n+nis\nbad:x:one:1:::\nbare:x:7:8:::\n";
        let found: Vec<_> =
            all(passwd).map(|Account { name, uid, gid, home, shell, .. }| (name, uid, gid, home, shell)).collect();
        let expected = [("root", 0, 0, "/root", "/bin/bash"), ("bare", 7, 8, "/", "/bin/sh")];
        assert_eq!(
            found,
            expected.map(|(name, uid, gid, home, shell)| (name.into(), uid, gid, home.into(), shell.into()))
        );
    }

    #[test]
    fn an_account_has_the_groups_that_it_was_added_to() {
        let group = "root:x:0:\nadm:x:4:syslog,deploy\ndeploy2:x:5:deploy2\nwww:x:33:deploy\nbroken\n";
        assert_eq!(groups_of("deploy", group), [4, 33]);
        assert_eq!(named("root").map(|root| root.uid), Some(0));
        assert_eq!(named("no such account"), None);
    }
}
