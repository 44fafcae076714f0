//! What must hold whatever bytes come. Each target feeds them to the real parser and to the decision behind it, and
//! asserts more than that nothing panics.
//!
//! ```sh
//! cargo test -p muster-fuzz                # every input of the corpora, and mutations of them with a fixed seed
//! cargo xtask fuzz --seconds 60 journal    # the fuzzer itself, on nightly: it looks for new ones
//! ```
//!
//! Inputs are texts as people write them (JSON, TOML, lines), so that a corpus can be read and [`mutate`] can change what
//! stands behind a parser instead of breaking the syntax. What a fuzzer cannot guess, a checksum or a signature, the target
//! adds by itself. `corpus/TARGET/` begins with the golden samples and with edges; a file there named `failed-…` once
//! broke something.

mod check_in;
mod commands;
mod config;
mod cursor;
mod envelope;
mod events;
mod fleet_update;
mod given;
mod journal;
mod manifest;
mod messages;
mod mutation;
mod outbox;
mod pointer;
mod policy;
mod root;
mod spool;

pub use self::{
    check_in::check_in,
    commands::commands,
    config::config,
    cursor::cursor,
    envelope::envelope,
    events::events,
    fleet_update::fleet_update,
    given::known_signed,
    journal::journal,
    manifest::manifest,
    messages::messages,
    mutation::mutate,
    outbox::outbox,
    pointer::pointer,
    policy::policy,
    root::{root, roots},
    spool::spool,
};

/// Something that takes any bytes, and panics where what must hold does not.
pub type Target = fn(&[u8]);

/// Every target with its name, which is its corpus' as well.
pub const TARGETS: [(&str, Target); 15] = [
    ("check_in", check_in),
    ("commands", commands),
    ("config", config),
    ("cursor", cursor),
    ("envelope", envelope),
    ("events", events),
    ("fleet_update", fleet_update),
    ("journal", journal),
    ("manifest", manifest),
    ("messages", messages),
    ("outbox", outbox),
    ("pointer", pointer),
    ("policy", policy),
    ("root", root),
    ("spool", spool),
];
