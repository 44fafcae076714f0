//! User accounts, as `/etc/passwd` and `/etc/group` have them.

use super::machine::read;

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            all(passwd).map(|Account { name, uid, gid, home, shell }| (name, uid, gid, home, shell)).collect();
        let expected = [("root", 0, 0, "/root", "/bin/bash"), ("bare", 7, 8, "/", "/bin/sh")];
        assert_eq!(
            found,
            expected.map(|(name, uid, gid, home, shell)| (name.into(), uid, gid, home.into(), shell.into()))
        );
    }
}
