//! Plans of fleet updates: the checks of a request, the hosts that it selects, and its dry run.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_domain::{
    fleet_updates::{
        self, Brings, MAX_FAILURES, MAX_IN_FLIGHT, Plan, Selection, best_case_seconds,
        brings::{Exclusion, Turn},
    },
    mailboxes::Mailbox,
    releases::Release,
    times::after,
    windows,
};
use muster_schemas::{
    fleet_updates::{FleetUpdatePlan, FleetUpdateRequest, PlannedHost, Share},
    hosts::HostState,
    problems::Problem,
};

use crate::{
    api::{
        checks::{check_labels, check_text},
        problem::Failure,
    },
    app::App,
    commit::Cause,
    records,
    store::Versioned,
    workers::fleet_updates::{stretch, turn_of},
};

/// The least time that a host needs to prove itself, in seconds: the default probation of the agent.
const PROBATION_SECONDS: u32 = 60;
/// How many hosts a request may name.
const MAX_HOST_IDS: usize = 1_000;
/// After how many hosts a dry run stops looking.
const MAX_DRY_RUN: usize = 5_000;

/// Whether a request keeps the rules; the version of the release that it asks for.
pub fn check(request: &FleetUpdateRequest) -> Result<&str, Failure> {
    let rule = "must name a release: a fleet update brings exactly one thing";
    let version = request.version.as_deref().ok_or_else(|| Problem::invalid("version", rule))?;
    let within = |field: &str, value: Option<u32>, least: u32, most: u32| match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(Failure::from(Problem::invalid(field, format_args!("must be {least} to {most}"))))
        }
        _ => Ok(()),
    };
    within("max_failures", request.max_failures, 1, MAX_FAILURES)?;
    within("soak_seconds", request.soak_seconds, 0, 7 * 86_400)?;
    within("host_time_limit_seconds", request.host_time_limit_seconds, 60, 86_400)?;
    within("deadline_seconds", request.deadline_seconds, 60, 30 * 86_400)?;
    if matches!(request.max_in_flight, Some(Share::Count(count)) if !(1..=MAX_IN_FLIGHT).contains(&count)) {
        let rule = format!("must be 1 to {MAX_IN_FLIGHT}; a share of more hosts means {MAX_IN_FLIGHT}");
        return Err(Problem::invalid("max_in_flight", rule).into());
    }
    let labels = request.selector.iter().flat_map(|selector| &selector.labels);
    check_labels(labels.map(|(key, value)| (key, Some(value))))?;
    if request.selector.as_ref().and_then(|selector| selector.os.as_ref()).is_some_and(|os| os.len() > 64) {
        return Err(Problem::invalid("selector.os", "must be at most 64 bytes").into());
    }
    let waves = request.waves.iter().flatten();
    if waves.clone().count() > 20 || waves.clone().any(|share| *share == Share::Count(0)) {
        return Err(Problem::invalid("waves", "must be at most 20 waves, each of at least 1 host").into());
    }
    if let Some(Err(field)) = request.maintenance_window.as_ref().map(windows::parse) {
        return Err(Problem::invalid(
            format!("maintenance_window.{field}"),
            "must be HH:MM; start and end must differ",
        )
        .into());
    }
    check_note(&request.note)?;
    Ok(version)
}

/// Which hosts are meant: at least one.
pub async fn selection(app: &App, request: &FleetUpdateRequest) -> Result<Selection, Failure> {
    let FleetUpdateRequest { host_ids, selector, .. } = request;
    if host_ids.is_empty() {
        let selection = Selection::Matching(selector.clone().unwrap_or_default());
        let mut from = None;
        loop {
            let (hosts, to) = stretch(app, &selection, from.as_ref()).await?;
            match to {
                _ if !hosts.is_empty() => return Ok(selection),
                None => return Err(Problem::invalid("selector", "matches no hosts").into()),
                to => from = to,
            }
        }
    }
    if selector.is_some() {
        return Err(Problem::invalid("host_ids", "give either host_ids or selector").into());
    }
    if host_ids.len() > MAX_HOST_IDS {
        let rule = format_args!("must be at most {MAX_HOST_IDS} hosts; a selector can match any number");
        return Err(Problem::invalid("host_ids", rule).into());
    }
    let mailboxes = host_ids.iter().copied().collect::<BTreeSet<_>>();
    let keys = mailboxes.iter().copied().map(records::mailboxes::key).collect::<Vec<_>>();
    let found = app.load_many::<Mailbox>(&keys).await?;
    let is_there = |found: &Option<Versioned<Mailbox>>| {
        found.as_ref().is_some_and(|mailbox| mailbox.record.state != HostState::Retired)
    };
    if let Some((unknown, _)) = mailboxes.iter().zip(&found).find(|(_, found)| !is_there(found)) {
        return Err(Problem::invalid("host_ids", format_args!("there is no host {unknown}")).into());
    }
    Ok(Selection::Hosts(mailboxes))
}

/// The waves that are asked for.
pub fn waves(request: &FleetUpdateRequest) -> Vec<Share> {
    request.waves.clone().unwrap_or_else(|| vec![Share::Count(1)])
}

/// How many hosts may be in an unproven update at once, as asked for.
pub fn max_in_flight(request: &FleetUpdateRequest) -> Share {
    request.max_in_flight.unwrap_or(Share::Count(1))
}

/// The plan that is asked for, before its hosts are known.
pub fn plan(now: Timestamp, request: &FleetUpdateRequest, brings: Brings, cause: Cause) -> Plan {
    let Cause { actor: created_by, name: created_by_name, .. } = cause;
    Plan {
        brings,
        waves: Vec::new(),
        max_in_flight: 0,
        max_failures: request.max_failures.unwrap_or(1),
        soak_seconds: request.soak_seconds.unwrap_or(300),
        host_time_limit_seconds: request.host_time_limit_seconds.unwrap_or(1_200),
        offline_policy: request.offline_policy,
        maintenance_window: request.maintenance_window.clone(),
        deadline_at: after(now, request.deadline_seconds.unwrap_or(7 * 86_400)),
        note: request.note.clone(),
        created_by,
        created_by_name,
        created_at: now,
    }
}

/// The dry run: the plan that would result now.
pub async fn planned(
    app: &App,
    request: &FleetUpdateRequest,
    release: &Release,
    selection: &Selection,
) -> Result<FleetUpdatePlan, Failure> {
    let (mut ready, mut others, mut current) = (Vec::new(), Vec::new(), Vec::new());
    let mut from = None;
    loop {
        let (hosts, to) = stretch(app, selection, from.as_ref()).await?;
        for (host, mailbox) in hosts {
            let turn = turn_of(app, &host, &mailbox, release);
            current.extend(matches!(turn, Turn::LeaveOut(Exclusion::HasIt(_))).then_some(host.id));
            let list = if matches!(turn, Turn::Offer(_)) { &mut ready } else { &mut others };
            list.push(PlannedHost {
                host_id: host.id,
                name: host.name,
                version: host.agent.map(|agent| agent.version),
                online: app.is_online(&mailbox),
            });
        }
        from = to;
        if from.is_none() || ready.len() + others.len() >= MAX_DRY_RUN {
            break;
        }
    }
    let total = u32::try_from(ready.len() + others.len()).unwrap_or(u32::MAX);
    let sizes = fleet_updates::waves(total, &waves(request));
    let mut hosts = ready.into_iter().chain(others);
    let waves = sizes.iter().map(|size| hosts.by_ref().take(*size as usize).collect()).collect::<Vec<Vec<_>>>();
    let max_in_flight = fleet_updates::max_in_flight(total, max_in_flight(request));
    let soak_seconds = request.soak_seconds.unwrap_or(300);
    Ok(FleetUpdatePlan {
        version: release.manifest.version.clone(),
        current,
        offline: waves.iter().flatten().filter(|host| !host.online).map(|host| host.host_id).collect(),
        best_case_seconds: best_case_seconds(&sizes, max_in_flight, PROBATION_SECONDS, soak_seconds),
        waves,
        max_in_flight,
        incomplete: from.is_some(),
    })
}

/// Whether a note is short enough.
pub fn check_note(note: &str) -> Result<(), Failure> {
    check_text("note", note, 1_024)
}
