//! `agent.toml` with the environment over it: lines `NAME=value` with a name of ours are variables.

use std::{collections::BTreeMap, fs, time::Duration};

use muster_agent::{
    config::{Config, Health},
    link::{LONGEST_PAUSE, Link, Outcome, SHORTEST_PAUSE},
};

use crate::given::directory;

const DAY: Duration = Duration::from_hours(24);

/// A configuration that is taken keeps its bounds, and makes an agent that neither spins nor falls silent.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let is_variable = |line: &&str| line.starts_with("MUSTER_AGENT_") && line.contains('=');
    let variables: BTreeMap<_, _> = text.lines().filter(is_variable).filter_map(|line| line.split_once('=')).collect();
    let file: Vec<_> = text.lines().filter(|line| !is_variable(line)).collect();
    let state = directory();
    fs::write(state.path().join("agent.toml"), file.join("\n")).expect("there is room");
    let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let Ok(config) = Config::load_with(state.path(), variable) else { return };

    assert!(config.wait_seconds <= 300);
    assert!((1..=1001).contains(&config.attempts()));
    let spans = [config.probation(), config.update_deadline(), config.contact(), config.drain()];
    assert!(spans.iter().all(|span| *span <= DAY), "{spans:?}");
    assert!((Duration::from_millis(100)..=DAY).contains(&config.health_timeout()));
    assert!((config.probation().as_secs_f64() - config.probation_seconds).abs() < 1e-6, "a span is what was written");
    breaks_within_bounds(&config);
    pauses_within_bounds(&config);
}

fn breaks_within_bounds(config: &Config) {
    let breaker = config.breaker(Health::Asked);
    assert!((1..=1000).contains(&breaker.failure_threshold) && (1..=1000).contains(&breaker.half_open_max_calls));
    assert!(breaker.open <= DAY && breaker.max_open <= DAY);
    assert_eq!(breaker.health_check.is_some(), config.resilience.health_check.enabled);
    assert_eq!(config.breaker(Health::NotAsked).health_check, None);
}

fn pauses_within_bounds(config: &Config) {
    let pacing = config.pacing();
    let (mut link, mut longest) = (Link::default(), Duration::ZERO);
    for random in [0.0, 0.5, 0.999_999, 0.1].into_iter().cycle().take(80) {
        let pause;
        (link, pause) = link.after(Outcome::Failed, pacing, random);
        assert!((SHORTEST_PAUSE..=pacing.max.max(SHORTEST_PAUSE)).contains(&pause), "{pause:?} {pacing:?}");
        longest = longest.max(pause);
    }
    let (_, held) = link.after(Outcome::Held { retry_after: Duration::MAX }, pacing, 0.5);
    assert!(held <= LONGEST_PAUSE + pacing.max.max(SHORTEST_PAUSE), "{held:?}");
    assert!(pacing.capped(Duration::ZERO).max <= pacing.max, "a server only shortens pauses");
}
