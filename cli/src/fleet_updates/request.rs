//! Arguments of `fleet-update plan` and `start`: release, hosts, waves, canary, soak, failure threshold, maintenance window.

use muster_schemas::{
    fleet_updates::{FleetUpdateRequest, MaintenanceWindow, OfflinePolicy, Percent, Share},
    hosts::Selector,
    ids::HostId,
};

use crate::{
    pairs::{self, Pair},
    times,
};

/// Arguments of `fleet-update plan` and `fleet-update start`.
#[derive(Debug, clap::Args)]
pub struct StartArguments {
    /// Version of the release to update to
    #[arg(long)]
    version: String,
    /// Update only this host (repeatable); without this, --label and --os, every active host is updated
    #[arg(long, value_name = "ID", conflicts_with_all = ["label", "os"])]
    host: Vec<HostId>,
    /// Update only hosts with this label (repeatable: hosts that have all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// Update only hosts with this operating system: linux or windows
    #[arg(long)]
    os: Option<String>,
    /// Sizes of the waves, such as 1,10%,50%; the first is the canary, and a last wave takes the rest (default: 1)
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', value_parser = share)]
    waves: Vec<Share>,
    /// How many hosts may be updating at once, such as 5 or 10% (default: 1)
    #[arg(long, value_name = "SIZE", value_parser = share)]
    max_in_flight: Option<Share>,
    /// How many failed hosts halt the fleet update (default: 1)
    #[arg(long, value_name = "NUMBER")]
    max_failures: Option<u32>,
    /// How long a finished wave soaks before the next one starts (default: 5m)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    soak: Option<u32>,
    /// How long one host may take from the offer until its update is verified (default: 20m)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    host_time_limit: Option<u32>,
    /// What to do about offline hosts: skip, wait, fail or catch-up
    #[arg(long, value_name = "POLICY", value_parser = offline_policy, default_value = "skip")]
    offline: OfflinePolicy,
    /// Maintenance window: offer the release only between these times (UTC), such as 22:00-04:00
    #[arg(long, value_name = "HH:MM-HH:MM", value_parser = window)]
    window: Option<MaintenanceWindow>,
    /// How long to wait for hosts at most (default: 7d)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    deadline: Option<u32>,
    /// Note that tells people what the fleet update is for
    #[arg(long, default_value = "")]
    note: String,
}

impl From<StartArguments> for FleetUpdateRequest {
    fn from(arguments: StartArguments) -> Self {
        let StartArguments { version, host, label, os, waves, max_in_flight, max_failures, soak, .. } = arguments;
        let StartArguments { host_time_limit, offline, window, deadline, note, .. } = arguments;
        let selector = || Selector { labels: pairs::map(&label), os: os.clone() };
        Self {
            version: Some(version),
            host_ids: host,
            selector: (!label.is_empty() || os.is_some()).then(selector),
            waves: (!waves.is_empty()).then_some(waves),
            max_in_flight,
            max_failures,
            soak_seconds: soak,
            host_time_limit_seconds: host_time_limit,
            offline_policy: offline,
            maintenance_window: window,
            deadline_seconds: deadline,
            note,
        }
    }
}

fn share(text: &str) -> Result<Share, String> {
    let percent = || Percent::try_from(text.to_owned()).map(Share::Percent).map_err(String::from);
    text.parse().ok().filter(|count| *count > 0).map(Share::Count).map_or_else(percent, Ok)
}

fn offline_policy(text: &str) -> Result<OfflinePolicy, String> {
    match text {
        "skip" => Ok(OfflinePolicy::Skip),
        "wait" => Ok(OfflinePolicy::Wait),
        "fail" => Ok(OfflinePolicy::Fail),
        "catch-up" => Ok(OfflinePolicy::CatchUp),
        _ => Err("must be skip, wait, fail or catch-up".into()),
    }
}

fn window(text: &str) -> Result<MaintenanceWindow, String> {
    let time = |text: &str| jiff::civil::Time::strptime("%H:%M", text).is_ok() && text.len() == 5;
    let ends = text.split_once('-').filter(|(start, end)| time(start) && time(end));
    let (start, end) = ends.ok_or("must be two times of day in UTC, such as 22:00-04:00")?;
    Ok(MaintenanceWindow { start: start.into(), end: end.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_count_or_a_percentage() {
        let json = |text| share(text).map(|share| serde_json::to_string(&share).unwrap());
        assert_eq!([json("5"), json("10%")], [Ok("5".into()), Ok("\"10%\"".into())]);
        assert!(["0", "-1", "0%", "101%", "x", ""].into_iter().all(|text| share(text).is_err()));
    }

    #[test]
    fn a_maintenance_window_is_two_times_of_day() {
        assert_eq!(
            window("22:00-04:00").map(|window| (window.start, window.end)),
            Ok(("22:00".into(), "04:00".into()))
        );
        assert!(["", "22:00", "24:00-01:00", "1:00-2:00", "22-04"].into_iter().all(|text| window(text).is_err()));
    }
}
