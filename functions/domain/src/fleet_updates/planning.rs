//! Rollout planning: hosts are assigned to positions in pages, so that no step and no request grows with the fleet.
//!
//! Hosts that can be updated when they are planned are numbered from 0, the others from [`OTHERS`]; the former have their turns
//! first. So one pass over the hosts gives their order.

use std::collections::BTreeSet;

use muster_schemas::{
    fleet_updates::{FleetUpdateState, Share},
    hosts::Selector,
    ids::{FleetUpdateId, HostId},
};
use serde::{Deserialize, Serialize};

use super::{FleetUpdate, Plan, transition::Transition, waves};
use crate::{
    changes::{Effect, Note, Work},
    machine::Step,
    refused::Refused,
    words::counted,
};

/// The first position of the hosts that could not be updated when they were planned.
const OTHERS: u32 = 1 << 26;

/// The progress of planning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Planning {
    /// Which hosts take part.
    pub selection: Selection,
    /// The waves' sizes.
    pub waves: Vec<Share>,
    /// How many hosts may be in an unproven update at once.
    pub max_in_flight: Share,
    /// Where the next page of hosts begins. Absent: at the first host.
    pub from: Option<String>,
}

/// Which hosts take part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Selection {
    /// These hosts.
    Hosts(BTreeSet<HostId>),
    /// All hosts that match.
    Matching(Selector),
}

impl FleetUpdate {
    /// The position of the host whose turn is the `turn`th, from 0.
    pub fn position_of(&self, turn: u32) -> u32 {
        if turn < self.ready { turn } else { OTHERS + (turn - self.ready) }
    }

    /// The turn of a position, from 0.
    pub fn turn_of(&self, position: u32) -> u32 {
        if position < OTHERS { position } else { self.ready + (position - OTHERS) }
    }

    /// The wave of a turn, from 0.
    pub fn wave_of(&self, turn: u32) -> u32 {
        let ends = self.plan.waves.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        });
        super::count(ends.take_while(|end| *end <= turn).count())
    }

    /// The next free positions: of the hosts that can be updated now, and of the others.
    pub fn next_positions(&self) -> (u32, u32) {
        (self.ready, OTHERS + self.others)
    }

    pub(super) fn started(id: FleetUpdateId, plan: &Plan, planning: &Planning) -> Step<Self> {
        let state = Self {
            id,
            plan: plan.clone(),
            state: FleetUpdateState::Planning,
            planning: Some(planning.clone()),
            ready: 0,
            others: 0,
            wave: 0,
            proven_in_wave: Some(0),
            unlocked: false,
            next_turn: 0,
            requeued: BTreeSet::new(),
            deferred: BTreeSet::new(),
            slots: BTreeSet::new(),
            lost: BTreeSet::new(),
            to_recall: BTreeSet::new(),
            retriable: BTreeSet::new(),
            failed: 0,
            failures: 0,
            succeeded: 0,
            skipped: 0,
            taken_back: 0,
            last_success_at: None,
            halted_reason: None,
            paused_note: String::new(),
            ended_at: None,
        };
        let lock = state.lock();
        Step::to(state)
            .and(Effect::Lock(lock))
            .and(Note::new("fleet_update.started", id, plan.brings.rules().title()))
            .and(Effect::GoOn(Work::FleetUpdate(id)))
    }
}

impl Transition {
    pub(super) fn planned(
        &mut self,
        from: Option<&String>,
        (ready, others): (u32, u32),
        to: Option<&String>,
    ) -> Result<(), Refused> {
        let Some(planning) = self.next.planning.as_mut().filter(|planning| planning.from.as_ref() == from) else {
            return Err(Refused::wrong_state("planning has already moved on"));
        };
        self.next.ready += ready;
        self.next.others += others;
        planning.from = to.cloned();
        if to.is_some() {
            return Ok(());
        }
        let total = self.next.total();
        let planning = self.next.planning.take();
        if let Some(Planning { waves: shares, max_in_flight, .. }) = planning {
            self.next.plan.waves = waves(total, &shares);
            self.next.plan.max_in_flight = super::max_in_flight(total, max_in_flight);
        }
        self.next.state = FleetUpdateState::Running;
        let detail = format!("{} to {}", self.next.plan.brings.rules().title(), counted(total, "host"));
        self.effects.push(Note::new("fleet_update.planned", self.next.id, detail).by_the_server().into());
        Ok(())
    }
}
