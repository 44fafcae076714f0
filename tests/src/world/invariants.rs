//! What holds between records whenever nothing is under way, whatever has happened before.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::{
    enrollment_tokens::EnrollmentToken,
    fleet_updates::hosts::FleetUpdateHost,
    fleet_updates::{FleetUpdate, brings::releases::LOCK},
    hosts::Host,
    jobs::{Job, logs::LogPiece},
    mailboxes::Mailbox,
    releases::Release,
};
use muster_schemas::{access::Role, fleet_updates::FleetUpdateHostState, releases::ReleaseState};
use muster_server::{
    records,
    store::Versioned,
    store::{Consistency, Index, Item, Query, keys},
};
use serde::de::DeserializeOwned;

use super::World;

const ALL: usize = 100_000;

impl World {
    /// Mailboxes and jobs agree, logs are whole, slots have their jobs, whoever waits says for what, and no change is
    /// left over.
    pub async fn is_consistent(&self) {
        self.mailboxes_and_jobs_agree().await;
        self.fleet_updates_and_their_hosts_agree().await;
        self.seats_and_hosts_agree().await;
        for release in self.all::<Release>("releases").await {
            let waits = release.view(Role::Viewer, 1).waiting_on.is_some();
            assert_eq!(waits, release.state() == ReleaseState::Draft, "{}", release.manifest.version);
        }
        assert_eq!(self.outbox().await, Vec::<String>::new(), "changes are left over");
    }

    /// Changes that are still to happen.
    pub async fn outbox(&self) -> Vec<String> {
        let due = self.rows(Some(Index::Due), Query::all(keys::DUE, ALL)).await;
        let keys = due.into_iter().map(|item| item.key.partition);
        keys.filter(|partition| partition.starts_with("outbox#")).collect()
    }

    /// Every record of a kind.
    pub async fn all<T: DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        let rows = self.rows(Some(Index::List), Query::all(kind, ALL)).await;
        rows.iter().map(|item| Versioned::read(item).unwrap().record).collect()
    }

    /// Every row, however many reads it takes.
    pub async fn rows(&self, index: Option<Index>, mut query: Query) -> Vec<Item> {
        let mut all = Vec::new();
        loop {
            let rows = match index {
                Some(index) => self.app.table.query_index(index, query.clone()).await.unwrap(),
                None => self.app.table.query(query.clone()).await.unwrap(),
            };
            all.extend(rows.items);
            query.cursor = rows.cursor;
            if query.cursor.is_none() {
                return all;
            }
        }
    }

    async fn mailboxes_and_jobs_agree(&self) {
        let mut open = BTreeMap::<_, BTreeSet<_>>::new();
        let mut sequences = BTreeSet::new();
        for job in self.all::<Job>("jobs").await {
            assert!(sequences.insert((job.host_id, job.sequence)), "{} has another job's sequence", job.id);
            assert_eq!(job.waiting_on(self.now()).is_none(), job.state.is_final(), "{} waits: {:?}", job.id, job.state);
            assert_eq!(job.ended_at.is_some(), job.state.is_final(), "{} ended: {:?}", job.id, job.state);
            if !job.state.is_final() {
                open.entry(job.host_id).or_default().insert(job.id);
            }
            self.log_is_whole(&job).await;
        }
        for host in self.all::<Host>("hosts").await {
            let mailbox =
                self.app.load::<Mailbox>(&records::mailboxes::key(host.id), Consistency::Strong).await.unwrap();
            let mailbox = mailbox.expect("every host has a mailbox").record;
            let listed = mailbox.open.iter().map(|job| job.id).collect::<BTreeSet<_>>();
            assert_eq!(listed, open.remove(&host.id).unwrap_or_default(), "open jobs of {}", host.name);
            assert!(sequences.iter().filter(|(of, _)| *of == host.id).all(|(_, used)| *used <= mailbox.sequence));
        }
        assert!(open.is_empty(), "jobs of nobody: {open:?}");
    }

    async fn log_is_whole(&self, job: &Job) {
        if job.log_erased.is_some() {
            return;
        }
        let query = Query {
            from: Some("log#".into()),
            to: Some("log$".into()),
            ..Query::all(records::jobs::key(job.id).partition, ALL)
        };
        let rows = self.rows(None, query).await;
        let mut kept = 0;
        for row in &rows {
            assert_eq!(row.key, records::jobs::log(job.id, kept), "a piece of log is missing");
            kept += Versioned::<LogPiece>::read(row).unwrap().record.text.len() as u64;
        }
        assert_eq!(kept, job.log_bytes, "the log of {}", job.id);
    }

    async fn fleet_updates_and_their_hosts_agree(&self) {
        let holder = self.app.load::<String>(&records::locks::key(LOCK), Consistency::Strong).await.unwrap();
        let mut active = Vec::new();
        for fleet_update in self.all::<FleetUpdate>("fleet-updates").await {
            assert!(fleet_update.slots.len() <= fleet_update.plan.max_in_flight as usize, "too many in flight");
            assert_eq!(fleet_update.waiting_on(self.now()).is_none(), fleet_update.ended_at.is_some());
            assert!(fleet_update.ended_at.is_none() || fleet_update.unlocked, "{} kept its lock", fleet_update.id);
            if !fleet_update.unlocked {
                active.push(fleet_update.id.to_string());
            }
            self.slots_and_hosts_agree(&fleet_update).await;
        }
        assert_eq!(
            holder.map(|holder| holder.record).into_iter().collect::<Vec<_>>(),
            active,
            "the lock and its holder"
        );
    }

    async fn slots_and_hosts_agree(&self, fleet_update: &FleetUpdate) {
        use FleetUpdateHostState::{Lost, Offered, Succeeded, Verifying};
        let first = records::fleet_update_hosts::key(fleet_update.id, 0);
        let query = Query { from: Some(first.sort), to: Some("host$".into()), ..Query::all(first.partition, ALL) };
        let rows = self.rows(None, query).await;
        let (mut slots, mut succeeded) = (fleet_update.slots.clone(), 0);
        for (turn, row) in (0..).zip(&rows) {
            let host = Versioned::<FleetUpdateHost>::read(row).unwrap().record;
            let view = fleet_update.host_view(&host, self.now());
            assert_eq!(view.position, turn, "turns are in the order of the records, without a gap");
            let says = view.waiting_on.as_ref().is_some_and(|reason| !reason.is_empty());
            assert_eq!(says, !view.state.is_final(), "what a host waits for: {view:?}");
            succeeded += u32::from(host.state == Succeeded);
            let position = host.place.position;
            assert_eq!(slots.remove(&position), host.slot.is_some(), "{host:?}");
            assert_eq!(host.slot.is_some(), matches!(host.state, Offered | Verifying | Lost), "{host:?}");
            assert_eq!(fleet_update.lost.contains(&position), host.state == Lost, "{host:?}");
            if let Some(slot) = host.slot {
                assert_eq!(host.job_id, Some(slot.expected.rules().job_id()), "slot of {}", host.host_id);
                let job = self
                    .app
                    .load::<Job>(&records::jobs::key(slot.expected.rules().job_id()), Consistency::Strong)
                    .await
                    .unwrap();
                assert_eq!(job.expect("no slot without a job").record.host_id, host.host_id);
            }
        }
        assert!(slots.is_empty(), "slots of nobody: {slots:?}");
        assert!(fleet_update.to_recall.is_subset(&fleet_update.slots), "{:?}", fleet_update.to_recall);
        let counts = fleet_update.counts();
        let sum =
            counts.pending + counts.in_flight + counts.succeeded + counts.failed + counts.skipped + counts.cancelled;
        assert_eq!((counts.total, sum), (u32::try_from(rows.len()).unwrap(), counts.total), "{counts:?}");
        assert_eq!(counts.succeeded, succeeded);
    }

    async fn seats_and_hosts_agree(&self) {
        let used = self.all::<EnrollmentToken>("tokens").await.iter().map(|token| token.used).sum::<u32>();
        assert_eq!(used as usize, self.all::<Host>("hosts").await.len(), "seats and hosts");
    }
}
