//! The router between the hosts and the server: a NAT that lets nothing in, and whatever can go wrong on the way.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use super::namespace::Namespace;

/// Where the router is, as the server sees it.
pub const OUTSIDE: &str = "203.0.113.1";

/// Hosts may begin to talk to port 443 of others; nobody may begin to talk to them.
const RULES: &str = r#"
table inet firewall {
  chain faults { }
  chain forward {
    type filter hook forward priority filter; policy drop;
    jump faults
    ct state established,related accept
    iifname "lan*" oifname "wan" tcp dport 443 accept
    reject with icmpx type admin-prohibited
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "lo" accept
    iifname "lan*" accept
  }
}
table ip nat {
  chain inward { type nat hook prerouting priority dstnat; }
  chain outward { type nat hook postrouting priority srcnat; }
}
"#;

/// What happens to what the router forwards.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing comes through, and nobody is told.
    Blackhole,
    /// A host that sends anything is told that there is no such connection.
    Resets,
    /// Requests come through, answers do not.
    AnswersLost,
    /// So many packets in a hundred are lost.
    Loss(u8),
    /// What belongs to no connection is dropped in silence, as strict firewalls do, when it comes from this line.
    StrangersDropped(u8),
}

/// The router.
pub struct Router {
    /// Its own network.
    pub network: Namespace,
}

impl Router {
    /// A router with this network on its outer side.
    pub fn new(server: &Namespace) -> Self {
        let router = Self { network: Namespace::new() };
        router.network.run(&format!("ip link add wan type veth peer name uplink netns {}", server.path()));
        router.raise("wan", &[&format!("{OUTSIDE}/24"), "2001:db8::1/64"]);
        router.network.inside(|| {
            for family in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                fs::write(format!("/proc/sys/net/{family}"), "1").unwrap();
            }
        });
        router.nft(RULES);
        router.masquerade("20000-29999");
        router
    }

    /// The network of a host at the end of a line of its own.
    pub fn attach(&self, line: u8) -> Namespace {
        let host = Namespace::new();
        self.network.run(&format!("ip link add lan{line} type veth peer name uplink netns {}", host.path()));
        self.raise(&format!("lan{line}"), &[&format!("{}/24", inside(line)), &format!("fd77:{line}::1/64")]);
        raise(&host, "uplink", &[&format!("10.77.{line}.2/24"), &format!("fd77:{line}::2/64")]);
        host.run(&format!("ip route add default via {}", inside(line)));
        host.run(&format!("ip route add default via fd77:{line}::1"));
        host
    }

    /// From now on this goes wrong.
    pub fn suffers(&self, fault: Fault) {
        let rule = match fault {
            Fault::Blackhole => "drop".into(),
            Fault::Resets => "iifname \"lan*\" meta l4proto tcp reject with tcp reset".into(),
            Fault::AnswersLost => "iifname wan drop".into(),
            Fault::Loss(percent) => format!("numgen random mod 100 < {percent} drop"),
            Fault::StrangersDropped(line) => format!("iifname lan{line} ct state new tcp flags & syn == 0 drop"),
        };
        self.nft(&format!("flush chain inet firewall faults\nadd rule inet firewall faults {rule}\n"));
    }

    /// Nothing goes wrong any more.
    pub fn heals(&self) {
        self.nft("flush chain inet firewall faults\n");
    }

    /// The NAT forgets every connection, and has other ports for those to come.
    pub fn forgets(&self) {
        self.masquerade("30000-39999");
        self.network.run("conntrack --flush");
    }

    /// What goes to the server's port goes to this one of the router's own instead.
    pub fn intercepts(&self, port: u16) {
        self.nft(&format!("add rule ip nat inward iifname \"lan*\" tcp dport 443 redirect to :{port}\n"));
    }

    /// Everything goes to whom it is for again.
    pub fn intercepts_nothing(&self) {
        self.nft("flush chain ip nat inward\n");
    }

    /// This line is slow, both ways.
    pub fn narrows(&self, line: u8, kilobits_per_second: u32) {
        for interface in [&format!("lan{line}"), "wan"] {
            let rate = format!("rate {kilobits_per_second}kbit burst 3000 latency 1s");
            self.network.run(&format!("tc qdisc replace dev {interface} root tbf {rate}"));
        }
    }

    fn masquerade(&self, ports: &str) {
        self.nft(&format!(
            "flush chain ip nat outward\nadd rule ip nat outward oifname wan meta l4proto tcp masquerade to :{ports}\n"
        ));
    }

    fn raise(&self, interface: &str, addresses: &[&str]) {
        raise(&self.network, interface, addresses);
    }

    /// All of it at once, or nothing.
    fn nft(&self, rules: &str) {
        let mut command = Command::new("nft");
        command.args(["-f", "-"]).stdin(Stdio::piped());
        let mut nft = self.network.inside(|| command.spawn()).unwrap();
        nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success(), "{rules}");
    }
}

/// Where the router is, as the host on this line sees it.
pub fn inside(line: u8) -> String {
    format!("10.77.{line}.1")
}

/// Gives an interface its addresses. Nobody else could have them: no looking for duplicates.
pub fn raise(network: &Namespace, interface: &str, addresses: &[&str]) {
    network.run(&format!("ip link set {interface} up"));
    for address in addresses {
        let more = if address.contains(':') { " nodad" } else { "" };
        network.run(&format!("ip address add {address} dev {interface}{more}"));
    }
}
