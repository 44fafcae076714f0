//! The rules of Muster, explored state by state: the machines of `muster_domain` themselves, in every order in which hosts,
//! ticks and operators can come to them. A model of the rules could be right where the rules are wrong.

pub mod commands;
pub mod fleet_updates;
