//! Client addresses: where a request comes from. It is the peer of the connection, or what a proxy says in `X-Forwarded-For`,
//! which counts only if the operators have named that proxy: anybody can write the header.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, request::Parts};
use ipnet::IpNet;

/// Where a request comes from. Whoever takes the request from outside puts it into the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Where this request comes from, if that is known.
pub fn of(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ClientAddress>().map(|address| address.0)
}

/// The addresses that count as one caller: an IPv6 network of one customer has as many addresses as it likes.
pub fn group(address: IpAddr) -> String {
    match address {
        IpAddr::V4(_) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{:x}::/56", d & 0xff00)
        }
    }
}

/// The proxies whose word about a caller's address is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Where a request of this peer comes from: the last address that no trusted proxy has. Each proxy adds the address of
    /// its own caller at the end, so what stands before was written by somebody who is not trusted.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer.to_canonical();
        if !self.trust(client) {
            return ClientAddress(client);
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        // A line that is no text is not passed over: what a proxy has added at its end counts.
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        let hops = lines.flat_map(|line| line.rsplit(',').map(str::to_owned).collect::<Vec<_>>());
        for hop in hops {
            let Some(address) = address(hop.trim()) else { break };
            client = address.to_canonical();
            if !self.trust(client) {
                break;
            }
        }
        ClientAddress(client)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&'static str]) -> String {
        let networks = trusted.iter().map(|network| network.parse().expect("it is a network")).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        TrustedProxies(networks).client(peer.parse().expect("it is an address"), &headers).0.to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed_where_a_request_comes_from() {
        assert_eq!(client(&[], "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn what_a_caller_has_written_before_the_proxys_own_word_does_not_count() {
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["1.1.1.1", "203.0.113.9, 10.9.9.9"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.9, nonsense"]), "10.1.2.3");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        assert_eq!(client(&["::1/128"], "::1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client(&["::1/128"], "::1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client(&["::1/128"], "::1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(client(&["127.0.0.1/32"], "::ffff:127.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one_caller() {
        let group = |text: &str| group(text.parse().expect("it is an address"));
        assert_eq!(group("2001:db8:1:2f01::1"), group("2001:db8:1:2fff:9::"));
        assert_ne!(group("2001:db8:1:2f01::1"), group("2001:db8:1:3001::1"));
        assert_ne!(group("203.0.113.9"), group("203.0.113.10"));
    }
}
