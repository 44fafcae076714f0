//! Fleet updates as text: tables, details, plans and counts.

use jiff::Timestamp;
use muster_schemas::fleet_updates::{
    Counts, FleetUpdateHostState, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateState, FleetUpdateView,
};

use crate::{
    tables::{self, Table},
    times,
};

/// A table of fleet updates.
pub fn table(fleet_updates: &[FleetUpdateView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "VERSION", "STATE", "WAVE", "HOSTS", "CREATED", "NOTE"]);
    for view in fleet_updates {
        table.row([
            view.id.to_string(),
            view.version.clone(),
            state(view.state).into(),
            format!("{}/{}", view.wave + 1, view.waves.len()),
            counts(&view.counts),
            times::ago(view.created_at, now),
            view.note.clone(),
        ]);
    }
    table.render("There are no fleet updates.")
}

/// All details of a fleet update.
pub fn details(view: &FleetUpdateView, now: Timestamp) -> String {
    let waves = view.waves.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    tables::facts(&[
        ("id", view.id.to_string()),
        ("version", view.version.clone()),
        ("state", state(view.state).into()),
        ("halted", view.halted_reason.clone().unwrap_or_default()),
        ("paused", view.paused_note.clone()),
        ("waiting on", view.waiting_on.clone().unwrap_or_default()),
        ("hosts", counts(&view.counts)),
        ("wave", format!("{} of {} (sizes {waves})", view.wave + 1, view.waves.len())),
        ("max in flight", view.max_in_flight.to_string()),
        ("failures", format!("{} (halts at {})", view.failures, view.max_failures)),
        ("soak", times::span(view.soak_seconds.into())),
        ("note", view.note.clone()),
        (
            "created",
            format!(
                "{} by {}",
                times::ago(view.created_at, now),
                tables::actor(&view.created_by, &view.created_by_name)
            ),
        ),
        ("ended", view.ended_at.map_or_else(String::new, |at| times::ago(at, now))),
    ])
}

/// A fleet update in one line.
pub fn summary(view: &FleetUpdateView) -> String {
    format!("{} to {} is {}: {}.\n", view.id, tables::printable(&view.version), state(view.state), counts(&view.counts))
}

/// A table of the hosts of a fleet update.
pub fn hosts(hosts: &[FleetUpdateHostView]) -> String {
    let mut table = Table::new(["HOST", "WAVE", "STATE", "TRIES", "WHY"]);
    for host in hosts {
        let why = host.reason.as_ref().or(host.waiting_on.as_ref());
        table.row([
            host.host_id.to_string(),
            (host.wave + 1).to_string(),
            host_state(host.state).into(),
            host.attempts.to_string(),
            why.cloned().unwrap_or_default(),
        ]);
    }
    table.render("There are no hosts.")
}

/// The plan of a fleet update: its waves and a summary.
pub fn plan(plan: &FleetUpdatePlan) -> String {
    let total = plan.waves.iter().map(Vec::len).sum::<usize>();
    let mut table = Table::new(["WAVE", "NAME", "VERSION", "STATE", "HOST"]);
    for (wave, hosts) in plan.waves.iter().enumerate() {
        for host in hosts {
            let wave = if wave == 0 { "1 (canary)".into() } else { (wave + 1).to_string() };
            let online = if host.online { "online" } else { "offline" };
            let version = host.version.clone().unwrap_or_default();
            table.row([wave, host.name.clone(), version, online.into(), host.host_id.to_string()]);
        }
    }
    let more = if plan.incomplete { "The plan is incomplete: there are more hosts than it shows.\n" } else { "" };
    format!(
        "{}\nUpdates {} to {} in {}, {} at a time. Shortest duration: {}. Already up to date: {}. Offline: {}.\n{more}",
        table.render("No host needs this release."),
        tables::count(total as u64, "host"),
        tables::printable(&plan.version),
        tables::count(plan.waves.len() as u64, "wave"),
        plan.max_in_flight,
        times::span(plan.best_case_seconds),
        plan.current.len(),
        plan.offline.len(),
    )
}

/// Counts in words, without the zeros.
pub fn counts(counts: &Counts) -> String {
    let Counts { total, pending, in_flight, succeeded, failed, skipped, cancelled } = *counts;
    let parts = [
        (succeeded, "succeeded"),
        (failed, "failed"),
        (in_flight, "in flight"),
        (pending, "pending"),
        (skipped, "skipped"),
        (cancelled, "cancelled"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts = parts.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>();
    if parts.is_empty() { "none".into() } else { format!("{} of {total}", parts.join(", ")) }
}

/// The state of a fleet update in words.
pub fn state(state: FleetUpdateState) -> &'static str {
    match state {
        FleetUpdateState::Planning => "planning",
        FleetUpdateState::Running => "running",
        FleetUpdateState::Paused => "paused",
        FleetUpdateState::Halted => "halted",
        FleetUpdateState::Completed => "completed",
        FleetUpdateState::Cancelled => "cancelled",
    }
}

/// The state of a host in a fleet update, in words.
pub fn host_state(state: FleetUpdateHostState) -> &'static str {
    match state {
        FleetUpdateHostState::Pending => "pending",
        FleetUpdateHostState::Offered => "offered",
        FleetUpdateHostState::Verifying => "verifying",
        FleetUpdateHostState::Lost => "lost",
        FleetUpdateHostState::Succeeded => "succeeded",
        FleetUpdateHostState::Failed => "failed",
        FleetUpdateHostState::Skipped => "skipped",
        FleetUpdateHostState::Cancelled => "cancelled",
    }
}
