//! Watching a fleet update until it ends: long polls, one line per change, a progress bar on a terminal, an exit code.

use std::collections::{BTreeMap, btree_map::Entry};

use indicatif::ProgressBar;
use muster_schemas::{
    fleet_updates::{FleetUpdateHostView, FleetUpdateState, FleetUpdateView},
    hosts::HostView,
    ids::{FleetUpdateId, HostId},
    pages::Page,
};

use super::watch_log::WatchLog;
use crate::{
    client::Client,
    deadlines::Deadline,
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    progress, tables,
};

/// How long one long poll waits, in seconds. It is short because hosts can change without a new revision of the record.
const POLL_SECONDS: u64 = 15;

/// Watches a fleet update until it ends or the deadline has passed.
pub async fn watch(context: &Context, client: &Client, id: FleetUpdateId, deadline: Deadline) -> Result<Exit, Failure> {
    let path = ["fleet-updates", &id.to_string()];
    let mut answer = client.get(&path, &[]).await?;
    let mut screen = Screen::new(&answer.read()?);
    loop {
        let view: FleetUpdateView = answer.read()?;
        if !context.json {
            screen.update(client, &view).await?;
        }
        if let Some(exit) = exit_code(&view) {
            screen.close(&view);
            if context.json {
                output::line(&answer.body)?;
            }
            return Ok(exit);
        }
        let Some(wait) = deadline.next_poll(POLL_SECONDS) else {
            let again = format!("`muster fleet-update watch {id}` continues to watch it");
            return Err(Failure::TimedOut(format!("{id} did not end within the time limit and goes on; {again}")));
        };
        let query = [("revision", view.revision.to_string())];
        let polled = deadline.cut(client.poll_json(&path, &query, wait)).await;
        // Past the deadline, the last answer is all that is known.
        answer = polled.unwrap_or(Ok(answer))?;
    }
}

/// All hosts of a fleet update, in the order of their updates.
pub async fn hosts(client: &Client, id: FleetUpdateId) -> Result<Vec<FleetUpdateHostView>, Failure> {
    let (mut hosts, mut query) = (Vec::new(), vec![("limit", "200".to_owned())]);
    loop {
        let answer = client.get(&["fleet-updates", &id.to_string(), "hosts"], &query).await?;
        let page: Page<FleetUpdateHostView> = answer.read()?;
        hosts.extend(page.items);
        let Some(cursor) = page.next_cursor else { return Ok(hosts) };
        query.truncate(1);
        query.push(("cursor", cursor));
    }
}

/// The exit code for the state of a fleet update; `None` while it has not ended.
fn exit_code(view: &FleetUpdateView) -> Option<Exit> {
    match view.state {
        FleetUpdateState::Planning | FleetUpdateState::Running | FleetUpdateState::Paused => None,
        FleetUpdateState::Completed if view.counts.failed == 0 => Some(Exit::Succeeded),
        FleetUpdateState::Completed => Some(Exit::Failed),
        FleetUpdateState::Halted | FleetUpdateState::Cancelled => Some(Exit::Stopped),
    }
}

struct Screen {
    bar: ProgressBar,
    log: WatchLog,
    names: BTreeMap<HostId, String>,
}

impl Screen {
    fn new(view: &FleetUpdateView) -> Self {
        let bar = progress::hosts(view.counts.total.into());
        Self { bar, log: WatchLog::default(), names: BTreeMap::new() }
    }

    async fn update(&mut self, client: &Client, view: &FleetUpdateView) -> Result<(), Failure> {
        let planned = view.state != FleetUpdateState::Planning;
        let hosts = if planned { hosts(client, view.id).await? } else { Vec::new() };
        for host in self.log.changed(&hosts) {
            if let Entry::Vacant(unknown) = self.names.entry(host.host_id) {
                unknown.insert(name(client, host.host_id).await);
            }
        }
        for line in self.log.lines(view, &hosts, &self.names) {
            self.bar.suspend(|| output::line(&line))?;
        }
        let counts = &view.counts;
        self.bar.set_length(counts.total.into());
        self.bar.set_position((counts.succeeded + counts.failed + counts.skipped + counts.cancelled).into());
        self.bar.set_message(tables::printable(view.waiting_on.as_deref().unwrap_or_default()));
        Ok(())
    }

    fn close(&self, view: &FleetUpdateView) {
        if exit_code(view) == Some(Exit::Succeeded) { self.bar.finish_and_clear() } else { self.bar.abandon() }
    }
}

/// The name of a host, or its id if the host cannot be read.
async fn name(client: &Client, id: HostId) -> String {
    let answer = client.get(&["hosts", &id.to_string()], &[]).await;
    let host = answer.and_then(|answer| answer.read::<HostView>());
    host.map_or_else(|_| id.to_string(), |host| host.name)
}
