//! What has changed since the last command, by names instead of ids.

use muster_schemas::hosts::HostState;

use super::Script;

impl Script {
    /// What has changed, a line for each thing.
    pub async fn news(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        for (place, id) in self.jobs.iter().enumerate() {
            let job = self.world.sees_job(*id).await;
            let waits = job.waiting_on.map(|reason| format!(", waiting on {reason}")).unwrap_or_default();
            seen.push((format!("job {}", place + 1), format!("{}{waits}", word(job.state))));
        }
        for host in &self.hosts {
            let view = self.world.sees_host(host.id()).await;
            let reason = view.state_reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let state = if view.state == HostState::Active { String::new() } else { word(view.state) };
            seen.push((self.named(&host.id().to_string()), format!("{state}{reason}")));
        }
        if let Some(id) = self.fleet_update {
            for host in self.world.sees_fleet_update_hosts(id).await {
                let reason = host.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
                let name = format!("update of {}", self.named(&host.host_id.to_string()));
                let pending = word(host.state) == "pending" && reason.is_empty();
                seen.push((name, if pending { String::new() } else { format!("{}{reason}", word(host.state)) }));
            }
            let view = self.world.sees_fleet_update(id).await;
            let waits = view.waiting_on.map(|reason| format!(", waiting on {reason}")).unwrap_or_default();
            seen.push(("fleet update".into(), format!("{}{waits}", word(view.state))));
        }
        let mut news = Vec::new();
        for (name, now) in seen {
            let before = self.known.insert(name.clone(), now.clone()).unwrap_or_default();
            if before != now {
                let now = if now.is_empty() { "as it was".into() } else { now };
                news.push(self.named(&format!("{name}: {now}")));
            }
        }
        let alerts = self.world.alerts().await;
        for alert in alerts.iter().take(alerts.len() - self.alerts).rev() {
            news.push(self.named(&format!("alert {}: {}", alert.action, alert.detail)));
        }
        self.alerts = alerts.len();
        news
    }

    /// The hosts of the fleet update, each with why it waits.
    pub async fn table(&self) -> String {
        let hosts = self.world.sees_fleet_update_hosts(self.fleet_update.unwrap()).await;
        let lines = hosts.into_iter().map(|host| {
            let why = host.waiting_on.map(|reason| format!(", waiting on {reason}"));
            let why = why.or(host.reason.map(|reason| format!(", {reason}"))).unwrap_or_default();
            self.named(&format!("{}, wave {}: {}{why}", host.host_id, host.wave + 1, word(host.state)))
        });
        lines.collect::<Vec<_>>().join("\n  ")
    }

    /// The text with names instead of ids.
    pub fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, host) in self.hosts.iter().enumerate() {
            text = text.replace(&host.id().to_string(), &format!("host {}", place + 1));
        }
        for (place, job) in self.jobs.iter().enumerate() {
            text = text.replace(&job.to_string(), &format!("job {}", place + 1));
        }
        if let Some(id) = self.fleet_update {
            text = text.replace(&id.to_string(), "the fleet update");
        }
        let is_process = |word: &&str| word.starts_with("prc_");
        let process = text.split(' ').find(is_process).map(str::to_owned);
        process.map_or_else(|| text.clone(), |process| text.replace(&process, "prc_…"))
    }
}

fn word(state: impl serde::Serialize) -> String {
    serde_json::to_value(state).unwrap().as_str().unwrap().into()
}
