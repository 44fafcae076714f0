//! Documentation tests: the commands of the documents are run, their settings are compared with the programs', and what they
//! name exists.
//!
//! A block of shell in a document is run as it stands, in a scratch folder with real programs, unless its fence says what
//! it requires (` ```sh requires=aws `): then each of its commands is shown to its program together with `--help`, which
//! refuses an unknown subcommand, flag or value and does nothing else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod commands;
mod pages;
mod programs;
mod references;
mod settings;
mod shell;
