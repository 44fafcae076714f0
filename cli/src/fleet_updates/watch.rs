//! Watching a fleet update: long polls, a line per change, a bar where somebody looks, and a true exit code.

use std::collections::{BTreeMap, btree_map::Entry};

use indicatif::ProgressBar;
use muster_schemas::{
    fleet_updates::{FleetUpdateHostView, FleetUpdateState, FleetUpdateView},
    hosts::HostView,
    ids::{FleetUpdateId, HostId},
    pages::Page,
};

use super::watch_log::News;
use crate::{
    client::Client,
    deadlines::Patience,
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    progress,
};

/// How long one poll waits, in seconds. Hosts may change without the record's revision, so not too long.
const POLL_SECONDS: u64 = 15;

/// Watches until the end, or until patience ends.
pub async fn watch(context: &Context, client: &Client, id: FleetUpdateId, patience: Patience) -> Result<Exit, Failure> {
    let path = ["fleet-updates", &id.to_string()];
    let mut answer = client.get(&path, &[]).await?;
    let mut screen = Screen::new(&answer.read()?);
    loop {
        let view: FleetUpdateView = answer.read()?;
        if !context.json {
            screen.look(client, &view).await?;
        }
        if let Some(exit) = verdict(&view) {
            screen.close(&view);
            if context.json {
                output::line(&answer.body)?;
            }
            return Ok(exit);
        }
        let Some(wait) = patience.next_poll(POLL_SECONDS) else {
            let how = format!("{id} goes on; muster fleet-update watch {id} looks again");
            return Err(Failure::TimedOut(format!("it is not over within the time given: {how}")));
        };
        let query = [("revision", view.revision.to_string())];
        answer = client.poll_json(&path, &query, wait).await?;
    }
}

/// Every host of a fleet update, in its order.
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

/// What a state means to whoever waits; none: go on waiting.
fn verdict(view: &FleetUpdateView) -> Option<Exit> {
    match view.state {
        FleetUpdateState::Planning | FleetUpdateState::Running | FleetUpdateState::Paused => None,
        FleetUpdateState::Completed if view.counts.failed == 0 => Some(Exit::Succeeded),
        FleetUpdateState::Completed => Some(Exit::Failed),
        FleetUpdateState::Halted | FleetUpdateState::Cancelled => Some(Exit::Stopped),
    }
}

struct Screen {
    bar: ProgressBar,
    news: News,
    names: BTreeMap<HostId, String>,
}

impl Screen {
    fn new(view: &FleetUpdateView) -> Self {
        let bar = progress::hosts(view.counts.total.into());
        Self { bar, news: News::default(), names: BTreeMap::new() }
    }

    async fn look(&mut self, client: &Client, view: &FleetUpdateView) -> Result<(), Failure> {
        let planned = view.state != FleetUpdateState::Planning;
        let hosts = if planned { hosts(client, view.id).await? } else { Vec::new() };
        for host in self.news.about(&hosts) {
            if let Entry::Vacant(unknown) = self.names.entry(host.host_id) {
                unknown.insert(name(client, host.host_id).await);
            }
        }
        for line in self.news.tell(view, &hosts, &self.names) {
            self.bar.suspend(|| output::line(&line))?;
        }
        let counts = &view.counts;
        self.bar.set_length(counts.total.into());
        self.bar.set_position((counts.succeeded + counts.failed + counts.skipped + counts.cancelled).into());
        self.bar.set_message(view.waiting_on.clone().unwrap_or_default());
        Ok(())
    }

    fn close(&self, view: &FleetUpdateView) {
        if verdict(view) == Some(Exit::Succeeded) { self.bar.finish_and_clear() } else { self.bar.abandon() }
    }
}

/// What operators call a host; its id if they cannot be asked.
async fn name(client: &Client, id: HostId) -> String {
    let answer = client.get(&["hosts", &id.to_string()], &[]).await;
    let host = answer.and_then(|answer| answer.read::<HostView>());
    host.map_or_else(|_| id.to_string(), |host| host.name)
}
