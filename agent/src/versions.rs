//! Installed versions of the agent: which one is committed, whose releases are trusted, and how they are downloaded.

pub mod download;
pub mod pointer;
pub mod trust;
