//! Run-length encoding of a set of positions: neighbors are stored as `[first, last]`. A fleet that is offline as a whole is
//! one run, where a number for each host would exceed the item-size limit.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Run {
    One(u32),
    Many(u32, u32),
}

/// See the module.
pub fn serialize<S: Serializer>(positions: &BTreeSet<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for position in positions.iter().copied() {
        match runs.last_mut().filter(|(_, last)| last.checked_add(1) == Some(position)) {
            Some((_, last)) => *last = position,
            None => runs.push((position, position)),
        }
    }
    let kept =
        runs.into_iter().map(|(first, last)| if first == last { Run::One(first) } else { Run::Many(first, last) });
    serializer.collect_seq(kept)
}

/// See the module.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<u32>, D::Error> {
    let kept = Vec::<Run>::deserialize(deserializer)?;
    let runs = kept.into_iter().map(|kept| match kept {
        Run::One(position) => position..=position,
        Run::Many(first, last) => first..=last,
    });
    Ok(runs.flatten().collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] BTreeSet<u32>);

    #[test]
    fn neighbours_are_kept_as_one_run_and_come_back() {
        let cases: [(&[u32], &str); 5] = [
            (&[], "[]"),
            (&[7], "[7]"),
            (&[0, 1], "[[0,1]]"),
            (&[0, 1, 2, 5, 7, 8], "[[0,2],5,[7,8]]"),
            (&[u32::MAX - 1, u32::MAX], "[[4294967294,4294967295]]"),
        ];
        for (positions, text) in cases {
            let holder = Holder(positions.iter().copied().collect());
            assert_eq!(serde_json::to_string(&holder).unwrap(), text);
            assert_eq!(serde_json::from_str::<Holder>(text).unwrap().0, holder.0);
        }
    }

    #[test]
    fn a_hundred_thousand_hosts_that_are_offline_fit_into_a_few_bytes() {
        let holder = Holder((0..100_000).collect());
        assert_eq!(serde_json::to_string(&holder).unwrap(), "[[0,99999]]");
    }

    #[test]
    fn a_list_without_runs_is_read_as_well() {
        assert_eq!(serde_json::from_str::<Holder>("[1,2,3]").unwrap().0, BTreeSet::from([1, 2, 3]));
    }
}
