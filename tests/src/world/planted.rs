//! Fleets of a size that nobody can enroll in a test.

use muster_domain::{
    enrollment_tokens::EnrollmentToken, hosts::Host as Record, mailboxes::Mailbox, retention::Retention,
};
use muster_schemas::ids::HostId;
use muster_server::{
    commit::put,
    records::{self, Record as _},
    store::{Consistency, Expect, Table as _, Write},
};

use super::{Host, World};

impl World {
    /// More hosts like this one, heard from just now or never again; nobody speaks for them.
    pub async fn plants(&self, like: &Host, count: u32, online: impl Fn(u32) -> bool) {
        let seen = self.sees_host(like.id()).await;
        let mut writes = vec![self.seats(count).await];
        for number in 1..=count {
            let id = HostId::new(self.now(), number.into());
            let record = Record {
                id,
                public_key: like.public_key(),
                name: format!("planted_{number}"),
                is_named: Some(true),
                labels: seen.labels.clone(),
                facts: seen.facts.clone(),
                agent: seen.agent.clone(),
                upstreams: Vec::new(),
                enrolled_at: self.now(),
            };
            let last_seen_at = online(number).then_some(self.now());
            let mailbox = Mailbox { last_seen_at, ..Mailbox::new(id, &record.public_key) };
            writes.push(put(
                records::hosts::key(id),
                1,
                record.found_by(&Retention::default()),
                &record,
                Expect::Absent,
            ));
            writes.push(put(
                records::mailboxes::key(id),
                1,
                mailbox.found_by(&Retention::default()),
                &mailbox,
                Expect::Absent,
            ));
            if writes.len() >= 90 {
                self.table.commit(std::mem::take(&mut writes), rand::random()).await.unwrap();
            }
        }
        if !writes.is_empty() {
            self.table.commit(writes, rand::random()).await.unwrap();
        }
    }

    /// A token by which so many have joined.
    async fn seats(&self, count: u32) -> Write {
        let key = records::enrollment_tokens::key(self.token(1).await.view.id);
        let found = self.app.load::<EnrollmentToken>(&key, Consistency::Strong).await.unwrap().unwrap();
        let token = EnrollmentToken { seats: count, used: count, ..found.record };
        put(key, found.revision + 1, token.found_by(&Retention::default()), &token, Expect::Revision(found.revision))
    }
}
