//! Progress lines of `fleet-update watch`: one line for each change between two polls.

use std::collections::BTreeMap;

use muster_schemas::{
    fleet_updates::{FleetUpdateHostState, FleetUpdateHostView, FleetUpdateState, FleetUpdateView},
    ids::HostId,
};

use super::show;
use crate::tables;

/// The state that the printed lines have told.
#[derive(Default)]
pub struct WatchLog {
    state: Option<FleetUpdateState>,
    wave: Option<u32>,
    waiting_on: Option<String>,
    revision: u64,
    hosts: BTreeMap<HostId, FleetUpdateHostState>,
}

impl WatchLog {
    /// The hosts whose state has changed. A host that still waits for its turn has not changed.
    pub fn changed<'a>(&self, hosts: &'a [FleetUpdateHostView]) -> Vec<&'a FleetUpdateHostView> {
        let printed = |host: &FleetUpdateHostView| self.hosts.get(&host.host_id).copied();
        let is_new = |host: &&FleetUpdateHostView| printed(host).unwrap_or(FleetUpdateHostState::Pending) != host.state;
        hosts.iter().filter(is_new).collect()
    }

    /// The lines to print, oldest change first.
    pub fn lines(
        &mut self,
        view: &FleetUpdateView,
        hosts: &[FleetUpdateHostView],
        names: &BTreeMap<HostId, String>,
    ) -> Vec<String> {
        // There are no hosts and no waves before planning has ended.
        if view.state == FleetUpdateState::Planning {
            return Vec::new();
        }
        let changed: Vec<FleetUpdateHostView> = self.changed(hosts).into_iter().cloned().collect();
        let mut lines = Vec::new();
        if self.state.is_none() {
            lines.push(head(view));
        }
        // The last hosts of a wave come before the next wave's line.
        let (earlier, current): (Vec<_>, Vec<_>) = changed.iter().partition(|host| host.wave < view.wave);
        lines.extend(earlier.into_iter().map(|host| line(host, names)));
        if self.wave != Some(view.wave) && view.state == FleetUpdateState::Running {
            lines.push(wave(view));
            self.wave = Some(view.wave);
        }
        lines.extend(current.into_iter().map(|host| line(host, names)));
        if self.state != Some(view.state) && view.state != FleetUpdateState::Running {
            lines.push(state_change(view));
        } else if self.state == Some(FleetUpdateState::Paused) && view.state == FleetUpdateState::Running {
            lines.push("resumed".into());
        } else if self.revision != view.revision && self.waiting_on != view.waiting_on {
            lines.extend(view.waiting_on.as_ref().map(|waiting_on| format!("  waiting: {waiting_on}")));
        }
        self.state = Some(view.state);
        self.revision = view.revision;
        self.waiting_on.clone_from(&view.waiting_on);
        self.hosts.extend(changed.iter().map(|host| (host.host_id, host.state)));
        lines.iter().map(|line| tables::printable(line)).collect()
    }
}

fn head(view: &FleetUpdateView) -> String {
    let hosts = tables::count(view.counts.total.into(), "host");
    let waves = tables::count(view.waves.len() as u64, "wave");
    format!("{} updates {hosts} to {} in {waves}, {} at a time", view.id, view.version, view.max_in_flight)
}

fn wave(view: &FleetUpdateView) -> String {
    let size = view.waves.get(view.wave as usize).copied().unwrap_or_default();
    let canary = if view.wave == 0 { " (canary)" } else { "" };
    format!("wave {} of {}{canary}: {}", view.wave + 1, view.waves.len(), tables::count(size.into(), "host"))
}

fn line(host: &FleetUpdateHostView, names: &BTreeMap<HostId, String>) -> String {
    let name = names.get(&host.host_id).cloned().unwrap_or_else(|| host.host_id.to_string());
    let why = host.reason.as_ref().or(host.waiting_on.as_ref());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    format!("  {name} {}{why}", show::host_state(host.state))
}

fn state_change(view: &FleetUpdateView) -> String {
    let reason = view.halted_reason.as_ref().filter(|_| view.state == FleetUpdateState::Halted);
    let reason = reason.or(view.waiting_on.as_ref()).map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{reason} ({})", show::state(view.state), show::counts(&view.counts))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const AT: &str = "2026-01-01T00:00:00Z";

    fn view(state: &str, wave: u32, revision: u64, more: &Value) -> FleetUpdateView {
        let mut view = json!({
            "id": "fup_00000000000000000000000001", "version": "1.1.0", "manifest_sha256": "", "state": state,
            "wave": wave, "waves": [1, 2], "max_in_flight": 1, "max_failures": 1, "failures": 0, "soak_seconds": 5,
            "in_flight": [], "counts": { "total": 3, "pending": 0, "in_flight": 0, "succeeded": 2, "failed": 1,
            "skipped": 0, "cancelled": 0 }, "note": "", "created_by": "user:ada", "created_at": AT, "revision": revision,
        });
        view.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        serde_json::from_value(view).unwrap()
    }

    fn host(number: u32, wave: u32, state: &str, reason: Option<&str>) -> FleetUpdateHostView {
        serde_json::from_value(json!({
            "host_id": format!("host_{number:026}"), "position": number, "wave": wave, "state": state, "reason": reason,
            "attempts": 1,
        }))
        .unwrap()
    }

    fn names(hosts: &[FleetUpdateHostView]) -> BTreeMap<HostId, String> {
        hosts.iter().map(|host| (host.host_id, format!("web-{}", host.position))).collect()
    }

    #[test]
    fn each_change_is_printed_once_and_in_its_order() {
        let (mut log, none) = (WatchLog::default(), json!({}));
        let polls = [
            (view("running", 0, 1, &none), vec![host(1, 0, "offered", None), host(2, 1, "pending", None)]),
            (view("running", 0, 2, &none), vec![host(1, 0, "verifying", None), host(2, 1, "pending", None)]),
            (view("running", 0, 2, &none), vec![host(1, 0, "verifying", None), host(2, 1, "pending", None)]),
            (
                view("running", 0, 3, &json!({ "waiting_on": "the soak of wave 1 to end, 5 s left" })),
                vec![host(1, 0, "succeeded", None), host(2, 1, "pending", None)],
            ),
            (view("running", 1, 4, &none), vec![host(1, 0, "succeeded", None), host(2, 1, "offered", None)]),
            (
                view("halted", 1, 5, &json!({ "halted_reason": "1 failure" })),
                vec![host(1, 0, "succeeded", None), host(2, 1, "failed", Some("rolled back: it crashed"))],
            ),
        ];
        let lines = polls.iter().flat_map(|(view, hosts)| log.lines(view, hosts, &names(hosts))).collect::<Vec<_>>();
        insta::assert_snapshot!(lines.join("\n"), @r"
        fup_00000000000000000000000001 updates 3 hosts to 1.1.0 in 2 waves, 1 at a time
        wave 1 of 2 (canary): 1 host
          web-1 offered
          web-1 verifying
          web-1 succeeded
          waiting: the soak of wave 1 to end, 5 s left
        wave 2 of 2: 2 hosts
          web-2 offered
          web-2 failed: rolled back: it crashed
        halted: 1 failure (2 succeeded, 1 failed of 3)
        ");
    }

    #[test]
    fn the_end_of_a_wave_comes_before_the_next_one() {
        let (mut log, none) = (WatchLog::default(), json!({}));
        let hosts = [host(1, 0, "succeeded", None), host(2, 1, "offered", None)];
        log.lines(&view("running", 0, 1, &none), &[host(1, 0, "offered", None)], &names(&hosts));
        let lines = log.lines(&view("running", 1, 2, &none), &hosts, &names(&hosts));
        assert_eq!(lines, ["  web-1 succeeded", "wave 2 of 2: 2 hosts", "  web-2 offered"]);
    }
}
