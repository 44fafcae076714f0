//! What a fleet update shall do, from the command line.

use muster_schemas::{
    fleet_updates::{FleetUpdateRequest, MaintenanceWindow, OfflinePolicy, Percent, Share},
    hosts::Selector,
    ids::HostId,
};

use crate::{
    pairs::{self, Pair},
    times,
};

/// Which release, which hosts, how carefully.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The release to bring
    #[arg(long)]
    version: String,
    /// Only to this host (repeatable); every active host when neither this, --label nor --os is given
    #[arg(long, value_name = "ID", conflicts_with_all = ["label", "os"])]
    host: Vec<HostId>,
    /// Only to hosts with this label (repeatable: with all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// Only to hosts with this operating system
    #[arg(long)]
    os: Option<String>,
    /// Sizes of the waves, the canary first, such as 1,10%,50%; what is left over is the last (1 unless said otherwise)
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', value_parser = share)]
    waves: Vec<Share>,
    /// How many hosts may be in an unproven update at once, such as 5 or 10% (1 unless said otherwise)
    #[arg(long, value_name = "SIZE", value_parser = share)]
    max_in_flight: Option<Share>,
    /// How many failures halt it (1 unless said otherwise)
    #[arg(long, value_name = "NUMBER")]
    max_failures: Option<u32>,
    /// How long to watch a finished wave before the next (5m unless said otherwise)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    soak: Option<u32>,
    /// How long one host may take from the offer to the proof (20m unless said otherwise)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    host_time_limit: Option<u32>,
    /// What to do about offline hosts: skip, wait, fail or catch-up
    #[arg(long, value_name = "POLICY", value_parser = offline_policy, default_value = "skip")]
    offline: OfflinePolicy,
    /// Offer it only within these hours (UTC), such as 22:00-04:00
    #[arg(long, value_name = "HH:MM-HH:MM", value_parser = window)]
    window: Option<MaintenanceWindow>,
    /// After how long hosts are waited for no more (7d unless said otherwise)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    deadline: Option<u32>,
    /// Why, for people
    #[arg(long, default_value = "")]
    note: String,
}

impl From<Arguments> for FleetUpdateRequest {
    fn from(arguments: Arguments) -> Self {
        let Arguments { version, host, label, os, waves, max_in_flight, max_failures, soak, .. } = arguments;
        let Arguments { host_time_limit, offline, window, deadline, note, .. } = arguments;
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
    let (start, end) = ends.ok_or("must be two times of the day in UTC, such as 22:00-04:00")?;
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
    fn a_window_is_two_times_of_the_day() {
        assert_eq!(
            window("22:00-04:00").map(|window| (window.start, window.end)),
            Ok(("22:00".into(), "04:00".into()))
        );
        assert!(["", "22:00", "24:00-01:00", "1:00-2:00", "22-04"].into_iter().all(|text| window(text).is_err()));
    }
}
