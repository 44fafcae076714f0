//! Host facts (inventory), read from files without running a command.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_schemas::{
    envelopes::sha256_hex,
    jobs::SECRET_ENVIRONMENT,
    reports::{Disk, Facts},
};
use serde_json::{Value, json};

use crate::{
    sys::{
        disks::{Size, Sizes},
        machine::{names, read, read_line, since_boot},
    },
    version::{ARCHITECTURE, OS, VERSION},
};

/// So many addresses and so many disks are told; a container host can have thousands of either.
const LIST_LIMIT: usize = 128;

/// Where the file systems are mounted of which the facts tell, if they answer.
pub fn mounts() -> Vec<String> {
    mounted(&read("/proc/self/mounts")).map(|(_, mount)| mount).take(LIST_LIMIT).collect()
}

/// The facts as they are now, with the kinds of jobs that this host allows, and of the file systems those that have answered.
pub fn gather(capabilities: &[String], sizes: &Sizes) -> Facts {
    let (hostname, kernel) = names();
    Facts {
        hostname,
        os: OS.into(),
        os_version: os_version(&read("/etc/os-release")),
        architecture: ARCHITECTURE.into(),
        kernel,
        ip_addresses: ip_addresses(&read("/proc/net/fib_trie"), &read("/proc/net/if_inet6")),
        machine_id_sha256: machine_id_sha256(&read_line("/etc/machine-id")),
        booted_at: booted_at(&read("/proc/stat")),
        cpu_count: cpu_count(),
        memory_bytes: memory_bytes(&read("/proc/meminfo"), "MemTotal:"),
        disks: disks(&read("/proc/self/mounts"), sizes),
        capabilities: able(capabilities),
    }
}

/// What the policy allows, and what this agent can do beyond what agents of before could.
fn able(allowed: &[String]) -> Vec<String> {
    let beyond = allowed.iter().any(|kind| kind == "run").then(|| SECRET_ENVIRONMENT.to_owned());
    allowed.iter().cloned().chain(beyond).collect()
}

/// Facts in full, with what changes all the time: the result of `inspect`.
pub fn inspect(capabilities: &[String], sizes: &Sizes) -> Value {
    let facts = gather(capabilities, sizes);
    let free = |disk: &Disk| {
        let Size { size_bytes, free_bytes } = *sizes.get(&disk.mount)?;
        Some(json!({ "mount": disk.mount, "size_bytes": size_bytes, "free_bytes": free_bytes }))
    };
    let disks: Vec<_> = facts.disks.iter().filter_map(free).collect();
    json!({
        "facts": facts,
        "agent_version": VERSION,
        "uptime_seconds": since_boot().as_secs(),
        "load_average": read_line("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        "memory_available_bytes": memory_bytes(&read("/proc/meminfo"), "MemAvailable:"),
        "disks": disks,
    })
}

fn os_version(release: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    value("PRETTY_NAME").or_else(|| value("NAME")).unwrap_or_default()
}

/// Local addresses: IPv4 from the routing trie, IPv6 from the list of interfaces. Loopback and link-local are left out.
fn ip_addresses(fib_trie: &str, if_inet6: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut address = "";
    for line in fib_trie.lines().map(str::trim) {
        match line.strip_prefix("|-- ") {
            Some(next) => address = next,
            None if line == "/32 host LOCAL" && !address.starts_with("127.") => {
                found.insert(address.to_owned());
            }
            None => {}
        }
    }
    let global = |line: &str| {
        let digits = u128::from_str_radix(line.split(' ').next()?, 16).ok()?;
        let address = std::net::Ipv6Addr::from(digits);
        (!address.is_loopback() && !address.is_unicast_link_local()).then(|| address.to_string())
    };
    found.extend(if_inet6.lines().filter_map(global));
    found.into_iter().take(LIST_LIMIT).collect()
}

fn machine_id_sha256(machine_id: &str) -> String {
    if machine_id.is_empty() { String::new() } else { sha256_hex(machine_id.as_bytes()) }
}

/// By the kernel's own record, which does not drift between two readings.
fn booted_at(stat: &str) -> Option<Timestamp> {
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    // The kernel derives it from clocks that are set: a minute's difference is no change.
    Timestamp::from_second(seconds).ok()?.round(jiff::Unit::Minute).ok()
}

fn cpu_count() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

fn memory_bytes(meminfo: &str, key: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0_u64) * 1024
}

/// File systems on a device: the device, and where it is mounted.
fn mounted(mounts: &str) -> impl Iterator<Item = (&str, String)> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.next()?, fields.next()?.replace("\\040", " ")))
    });
    mounted.filter(|(device, mount)| (device.starts_with("/dev/") && !device.starts_with("/dev/loop")) || mount == "/")
}

/// Those that have answered, each device once.
fn disks(mounts: &str, sizes: &Sizes) -> Vec<Disk> {
    let mut devices = BTreeSet::new();
    let answered = mounted(mounts).filter_map(|(device, mount)| {
        let size_bytes = sizes.get(&mount)?.size_bytes;
        devices.insert(device).then_some(Disk { mount, size_bytes })
    });
    answered.take(LIST_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_named_as_it_names_itself() {
        assert_eq!(
            os_version("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(os_version(""), "");
    }

    #[test]
    fn local_addresses_are_told_without_loopback_and_link_local() {
        let trie = "  +-- 10.0.0.0/8\n     |-- 10.1.2.3\n        /32 host LOCAL\n     |-- 10.1.2.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        let six = "00000000000000000000000000000001 01 80 10 80 lo\nfe800000000000000000000000000001 02 40 20 80 eth0\n20010db8000000000000000000000005 02 40 00 80 eth0\n";
        assert_eq!(ip_addresses(trie, six), ["10.1.2.3", "2001:db8::5"]);
    }

    #[test]
    fn facts_gathered_twice_have_the_same_digest() {
        let sizes = Sizes::new();
        assert_eq!(gather(&[], &sizes).digest(), gather(&[], &sizes).digest());
        assert!(inspect(&[], &sizes).to_string().len() < 64 * 1024);
    }

    #[test]
    fn each_device_is_told_once_if_it_answers_and_a_file_is_no_disk() {
        let mounts = "/dev/sda1 /etc/hosts ext4 rw 0 0\n/dev/sda1 /srv/my\\040data ext4 rw 0 0\n/dev/sda1 /again ext4 rw 0 0\n\
                      /dev/sdb /hung ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/loop0 /snap squashfs ro 0 0\noverlay / overlay rw 0 0\n";
        let asked: Vec<_> = mounted(mounts).map(|(_, mount)| mount).collect();
        assert_eq!(asked, ["/etc/hosts", "/srv/my data", "/again", "/hung", "/"]);
        let size = |bytes| Size { size_bytes: bytes, free_bytes: 0 };
        let sizes = [("/srv/my data", size(7)), ("/again", size(7)), ("/", size(9))];
        let found = disks(mounts, &sizes.map(|(mount, size)| (mount.to_owned(), size)).into());
        let found: Vec<_> = found.iter().map(|disk| (disk.mount.as_str(), disk.size_bytes)).collect();
        assert_eq!(found, [("/srv/my data", 7), ("/", 9)]);
    }

    #[test]
    fn memory_and_boot_time_are_read_from_the_kernels_files() {
        assert_eq!(memory_bytes("MemTotal:       16384 kB\nMemFree: 1 kB\n", "MemTotal:"), 16_777_216);
        assert_eq!(booted_at("cpu 1\nbtime 1700000000\n").map(Timestamp::as_second), Some(1_699_999_980));
    }
}
