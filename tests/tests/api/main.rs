//! Every noun by its routes: what comes of one act, and what must hold whatever happens.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod actions;
mod api_keys;
mod audit;
mod before;
mod certificates;
mod check_ins;
mod dropped;
mod enrollment;
mod fleet_updates;
mod fuzz;
mod health;
mod hosts;
mod install;
mod installations;
mod interleavings;
mod jobs;
mod limits;
mod load;
mod logs;
mod looks;
mod openapi;
mod outcomes;
mod overview;
mod pages;
mod problems;
mod releases;
mod results;
mod retention;
mod secrets;
mod sign_ins;
mod storage;
mod ticks;
mod tokens;
