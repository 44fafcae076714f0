//! Durations and ages as text, such as `1h 30m` and `2h ago`.

use jiff::{SignedDuration, Timestamp};

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Parses a duration such as `90s`, `20m`, `1h30m` or `7d` into seconds. Units go from large to small, each at most once.
pub fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is not a duration such as 90s, 20m, 1h30m or 7d");
    let (mut total, mut rest, mut units) = (0_u64, text, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letter = rest[digits..].chars().next().ok_or_else(wrong)?;
        let position = units.iter().position(|(unit, _)| *unit == letter).ok_or_else(wrong)?;
        total = number.checked_mul(units[position].1).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        units = &units[position + 1..];
        rest = &rest[digits + letter.len_utf8()..];
    }
    u32::try_from(total).ok().filter(|_| !text.is_empty()).ok_or_else(wrong)
}

/// Parses a time: RFC 3339, such as `2026-03-01T12:00:00Z`, or a duration, which means so long ago.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    moment_before(text, Timestamp::now())
}

fn moment_before(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is neither a time such as 2026-03-01T12:00:00Z nor a span such as 2h");
    let ago = |seconds: u32| now.checked_sub(SignedDuration::from_secs(seconds.into())).ok();
    text.parse().or_else(|_| seconds(text).ok().and_then(ago).ok_or_else(wrong))
}

/// A moment to the second, in UTC: `2026-03-01 12:00:00Z`.
pub fn at(moment: Timestamp) -> String {
    moment.strftime("%F %TZ").to_string()
}

/// A duration in its two largest units: `1h 30m`.
pub fn span(seconds: u64) -> String {
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// How long ago a moment was, or how far ahead it is, in one unit: `2h ago`, `in 3d`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let difference = now.as_second() - at.as_second();
    let amount = difference.unsigned_abs();
    let unit = UNITS.into_iter().find(|(_, size)| amount >= *size);
    let text = unit.map_or_else(|| "0s".into(), |(unit, size)| format!("{}{unit}", amount / size));
    if difference < 0 { format!("in {text}") } else { format!("{text} ago") }
}

/// Like `ago`; a dash if it has not happened.
pub fn ago_or_dash(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".into(), |at| ago(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_any_mix_of_units_from_large_to_small() {
        for (text, expected) in [("0s", 0), ("90s", 90), ("20m", 1_200), ("1h30m", 5_400), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_and_anything_else_is_refused() {
        for text in ["", "90", "s", "1h2h", "5s1m", "1.5h", "-1s", "1 h", "9999999d", "18446744073709551616s", "1ü"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-03-01T12:00:00Z", "2026-03-01 12:00:00Z"),
            ("2026-03-01T14:00:00+02:00", "2026-03-01 12:00:00Z"),
            ("24h", "2026-03-01 12:00:00Z"),
            ("90s", "2026-03-02 11:58:30Z"),
        ] {
            assert_eq!(moment_before(text, now).map(at), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "yesterday", "2026-03-01", "12"] {
            assert!(moment_before(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_and_ages_are_shown_short() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!([span(0), span(61), span(90_061)], ["0s", "1m 1s", "1d 1h"]);
        assert_eq!([ago(at(0), at(0)), ago(at(0), at(7_300)), ago(at(90), at(0))], ["0s ago", "2h ago", "in 1m"]);
    }
}
