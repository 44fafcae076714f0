//! Versions of the agent on this host: which one is committed, whose releases are believed, and how their bytes come.

pub mod download;
pub mod pointer;
pub mod trust;
