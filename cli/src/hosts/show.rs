//! Hosts as text: the table of `hosts` and the details of `host`.

use jiff::Timestamp;
use muster_schemas::{
    hosts::{HostState, HostView},
    upstreams::{BreakerState, Upstream},
};

use crate::{
    pairs,
    tables::{self, Table},
    times,
};

/// A list of hosts.
pub fn table(hosts: &[HostView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "STATE", "VERSION", "OS", "LAST SEEN", "LABELS"]);
    for host in hosts {
        let mut version = host.agent.as_ref().map(|agent| agent.version.clone()).unwrap_or_default();
        if host.update_available {
            version.push_str(" (behind)");
        }
        table.row([
            host.id.to_string(),
            name(host),
            presence(host).into(),
            version,
            host.facts.os.clone(),
            seen(host, now),
            pairs::text(&host.labels),
        ]);
    }
    table.render("There are no hosts. To add one, run `muster token create`.")
}

/// The name of a host, with its own name for itself where that is another.
fn name(host: &HostView) -> String {
    let HostView { name, facts, .. } = host;
    if facts.hostname.is_empty() || facts.hostname == *name {
        name.clone()
    } else {
        format!("{name} ({})", facts.hostname)
    }
}

/// The state that matters most: quarantined or retired, else online or offline.
fn presence(host: &HostView) -> &'static str {
    match host.state {
        HostState::Quarantined => "quarantined",
        HostState::Retired => "retired",
        HostState::Active if host.online => "online",
        HostState::Active => "offline",
    }
}

/// When a host was last seen: a connected one is there now.
fn seen(host: &HostView, now: Timestamp) -> String {
    if host.connected { "connected".into() } else { times::ago_or_dash(host.last_seen_at, now) }
}

/// The labels of a host in one line.
pub fn labels(host: &HostView) -> String {
    if host.labels.is_empty() { "no labels".into() } else { tables::printable(&pairs::text(&host.labels)) }
}

/// The health of the connection from an agent to an upstream, in a few words.
fn upstream(upstream: &Upstream, now: Timestamp) -> String {
    let Upstream { name, breaker, failures, opened: _, last_failure, last_outage, spooled_bytes } = upstream;
    let breaker = match breaker {
        BreakerState::Closed => "ok",
        BreakerState::Open => "circuit breaker open",
        BreakerState::HalfOpen => "circuit breaker half-open",
        BreakerState::Unknown => "unknown",
    };
    let failed = last_failure.as_ref().map_or_else(String::new, |failure| {
        let (calls, ago) = (tables::count(*failures, "failed call"), times::ago(failure.at, now));
        format!(", {calls}, the last {ago}: {}", failure.reason)
    });
    let recovered =
        last_outage.as_ref().map_or_else(String::new, |outage| format!(", recovered after {} s", outage.seconds));
    let spooled = Some(spooled_bytes).filter(|bytes| **bytes > 0);
    let spooled = spooled.map_or_else(String::new, |bytes| format!(", {bytes} bytes of output not uploaded yet"));
    format!("{name}: {breaker}{failed}{recovered}{spooled}")
}

/// All details of a host.
pub fn details(host: &HostView, now: Timestamp) -> String {
    let facts = &host.facts;
    let agent = host.agent.as_ref();
    let last_update = agent.and_then(|agent| agent.last_update.as_ref()).map(|update| {
        let outcome = serde_json::to_value(update.outcome).ok();
        let outcome = outcome.and_then(|outcome| outcome.as_str().map(String::from)).unwrap_or_default();
        let reason = if update.reason.is_empty() { String::new() } else { format!(": {}", update.reason) };
        format!("to {}: {}{reason}", update.to, outcome.replace('_', " "))
    });
    let mut state = presence(host).to_owned();
    state.extend(host.state_reason.iter().flat_map(|reason| [": ", reason.as_str()]).map(String::from));
    let version = agent.map(|agent| {
        let committed = if agent.committed { "" } else { " (on probation)" };
        format!("{}{committed}", agent.version)
    });
    let memory = format!("{} MiB", facts.memory_bytes / (1 << 20));
    tables::facts(&[
        ("id", host.id.to_string()),
        ("name", host.name.clone()),
        ("hostname", facts.hostname.clone()),
        ("state", state),
        ("last seen", seen(host, now)),
        ("enrolled", host.enrolled_at.to_string()),
        ("labels", pairs::text(&host.labels)),
        ("agent", version.unwrap_or_default()),
        ("behind", if host.update_available { "a newer release is available".into() } else { String::new() }),
        ("last update", last_update.unwrap_or_default()),
        ("system", format!("{} {} ({})", facts.os, facts.architecture, facts.os_version)),
        ("kernel", facts.kernel.clone()),
        ("addresses", facts.ip_addresses.join(", ")),
        ("processors", facts.cpu_count.to_string()),
        ("memory", memory),
        ("allows", facts.capabilities.join(", ")),
        ("upstreams", host.upstreams.iter().map(|way| upstream(way, now)).collect::<Vec<_>>().join("; ")),
        ("open jobs", host.open_jobs.to_string()),
    ])
}
