//! The cold start meter: how long a process takes from its start to its first `next`.

use std::time::Duration;

use serde_json::json;

use crate::{failure::Failure, function::Limits, process::Process, program::Program};

/// Starts so many processes, one after the other, and says how long each took. Each is killed before the next one starts.
pub async fn cold_starts(program: &Program, count: usize) -> Result<Vec<Duration>, Failure> {
    let patience = Limits::default().initialization;
    let mut durations = Vec::with_capacity(count);
    for _ in 0..count {
        let (_process, took) = Process::start(program, patience).await?;
        durations.push(took);
    }
    Ok(durations)
}

/// One line of JSON with what the durations come to, in milliseconds. Without any durations it says so with zeros.
pub fn summary(durations: &[Duration]) -> String {
    let mut sorted = durations.to_vec();
    sorted.sort();
    let at = |percent| milliseconds(percentile(&sorted, percent));
    json!({ "count": sorted.len(), "min_ms": at(0), "p50_ms": at(50), "p99_ms": at(99) }).to_string()
}

/// By nearest rank: the smallest one that so many percent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_by_nearest_rank() {
        let durations: Vec<_> = (1..=50).rev().map(Duration::from_millis).collect();
        assert_eq!(summary(&durations), r#"{"count":50,"min_ms":1.0,"p50_ms":25.0,"p99_ms":50.0}"#);
        assert_eq!(summary(&[]), r#"{"count":0,"min_ms":0.0,"p50_ms":0.0,"p99_ms":0.0}"#);
    }
}
