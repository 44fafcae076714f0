//! Journal frames: one entry per line, after a checksum of sixteen digits of its SHA-256.

use muster_schemas::envelopes::sha256_hex;
use serde::Serialize;

use super::ledger::Entry;

const CHECKSUM_DIGITS: usize = 16;

/// The damage of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    None,
    /// The last line is cut off: the write was never acknowledged.
    TornTail,
    /// A whole line is not what was written.
    Corrupt,
}

/// One entry as a line.
pub fn encode(entry: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(entry).expect("an entry has no map with other keys than texts");
    format!("{} {json}\n", &sha256_hex(json.as_bytes())[..CHECKSUM_DIGITS]).into_bytes()
}

/// Entries as lines.
pub fn encode_all(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(encode).collect()
}

/// Every entry that can be read, in order, what is wrong with the rest, and how many bytes the whole lines have.
pub fn decode(bytes: &[u8]) -> (Vec<Entry>, Damage, u64) {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines: Vec<_> = bytes[..whole].split_inclusive(|byte| *byte == b'\n').collect();
    let entries: Vec<_> = lines.iter().filter_map(|line| decode_line(line)).collect();
    let damage = if entries.len() < lines.len() {
        Damage::Corrupt
    } else if whole < bytes.len() {
        Damage::TornTail
    } else {
        Damage::None
    };
    (entries, damage, whole as u64)
}

fn decode_line(line: &[u8]) -> Option<Entry> {
    // A genuine line that is not understood was written by a newer agent.
    genuine(line).map(|json| serde_json::from_str(json).unwrap_or(Entry::Unknown))
}

/// The entry of a whole line, if its checksum is right.
pub fn genuine(line: &[u8]) -> Option<&str> {
    let (checksum, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    (checksum == &sha256_hex(json.as_bytes())[..CHECKSUM_DIGITS]).then_some(json)
}
