//! The server of Muster: stateless handlers over a key-value table and an object store.
//!
//! A request goes `api` → `advance` → the decisions of `muster-domain` → `store`. Imports point down, and nobody climbs:
//! aws ◀ store, blobs; budgets, clock, held, memory, places, polls, recent, turns ◀ app ◀ advance, effects ◀ api, tick ◀ roles.

pub mod advance;
pub mod api;
pub mod app;
#[cfg(feature = "services")]
pub mod aws;
pub mod blobs;
mod budgets;
pub mod clock;
pub mod commit;
pub mod effects;
pub mod errors;
pub mod held;
pub mod logs;
pub mod memory;
pub mod places;
pub mod polls;
pub mod presence;
pub mod recent;
pub mod records;
pub mod roles;
pub mod store;
pub mod tick;
pub mod turns;
pub mod verified;
pub mod version;
mod workers;
