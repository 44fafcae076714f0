//! Trusted proxies, as options.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::api::identity::addresses::TrustedProxies;

/// Which proxies are trusted.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// A proxy in front, as an address or a network: of its requests, `X-Forwarded-For` tells the caller's address (repeatable)
    #[arg(
        long = "trusted-proxy",
        env = "MUSTER_TRUSTED_PROXIES",
        value_name = "ADDRESS",
        value_delimiter = ',',
        value_parser = network
    )]
    trusted_proxies: Vec<IpNet>,
}

impl Options {
    /// Those.
    pub fn trusted(&self) -> TrustedProxies {
        TrustedProxies(self.trusted_proxies.clone())
    }
}

fn network(text: &str) -> Result<IpNet, &'static str> {
    let one = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| one()).map_err(|_| "must be an address such as 10.0.0.7, or a network such as 10.0.0.0/8")
}
