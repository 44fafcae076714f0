//! Roles: what a process of this binary does.

pub mod serve;
pub mod tls;
