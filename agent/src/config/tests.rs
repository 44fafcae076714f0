use std::fs;

use super::*;

fn load(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("agent.toml"), text).unwrap();
    Config::load_with(state.path(), variable)
}

#[test]
fn without_a_file_everything_has_its_default() {
    let state = tempfile::tempdir().unwrap();
    assert_eq!(Config::load_with(state.path(), |_| None).unwrap(), Config::default());
}

#[test]
fn the_environment_is_stronger_than_the_file() {
    let variable = |name: &str| (name == "MUSTER_AGENT_PROBATION_SECONDS").then(|| "0.25".into());
    let config = load("probation_seconds = 5\nwait_seconds = 3", variable).unwrap();
    assert_eq!((config.probation(), config.wait_seconds), (Duration::from_millis(250), 3));
}

#[test]
fn a_typing_error_and_a_senseless_value_are_errors() {
    assert!(load("wait_second = 3", |_| None).is_err());
    assert!(load("probation_seconds = -1", |_| None).is_err());
    assert!(load("probation_seconds = nan", |_| None).is_err());
    let senseless = [
        ("retry", "multiplier = 0.5"),
        ("retry", "max_retries = -1"),
        ("retry", "max_retries = 1001"),
        ("retry", "jitter = \"some\""),
        ("retry", "max_delay_seconds = 86401"),
        ("circuit_breaker", "failure_threshold = 0"),
        ("circuit_breaker", "half_open_max_calls = 0"),
        ("circuit_breaker", "open_seconds = inf"),
        ("circuit_breaker", "open_second = 3"),
        ("health_check", "timeout_seconds = 0"),
        ("health_check", "interval_seconds = -1"),
        ("health_check", "enabled = 1"),
    ];
    for (section, line) in senseless {
        let failed = load(&format!("[resilience.{section}]\n{line}"), |_| None).unwrap_err();
        let name = line.split(' ').next().unwrap();
        assert!(crate::errors::chain(&failed).contains(name), "{line}: {failed}");
    }
}

#[test]
fn the_edges_of_what_can_be_configured_are_fine() {
    let edges = "[resilience.retry]\nmax_retries = 0\ninitial_delay_seconds = 86400\nmax_delay_seconds = 86400\n\
                 jitter = \"none\"\n[resilience.circuit_breaker]\nfailure_threshold = 1\nopen_seconds = 86400\n\
                 half_open_max_calls = 1\n[resilience.health_check]\nenabled = false\ninterval_seconds = 0";
    let config = load(edges, |_| None).unwrap();
    let breaker = config.breaker(Health::Asked);
    assert_eq!((config.attempts(), config.pacing().least, breaker.health_check), (1, 1.0, None));
    assert_eq!(breaker.max_open, Duration::from_hours(24));
    let none = load("[resilience.retry]\nmax_delay_seconds = 0\ninitial_delay_seconds = 0", |_| None).unwrap();
    let (_, pause) = crate::link::Link::default().after(crate::link::Outcome::Failed, none.pacing(), 0.0);
    assert!(!pause.is_zero(), "no setting makes an agent spin");
}

/// The file that remains in a state directory whose host has joined in this environment.
fn joined(before: &str, server: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("agent.toml");
    if !before.is_empty() {
        fs::write(&path, before).unwrap();
    }
    let variable = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
    let done = network::take_over_with(state.path(), server, variable).unwrap();
    (done, fs::read_to_string(path).unwrap_or_default())
}

#[test]
fn the_proxy_through_which_a_host_joins_is_kept_for_its_service() {
    let environment = [("https_proxy", "http://u:p\"w@proxy.example:3128"), ("NO_PROXY", "10.0.0.0/8,.inside")];
    let (done, text) = joined("wait_seconds = 7", "https://fleet.example", &environment);
    assert!(done);
    let config = load(&text, |_| None).unwrap();
    assert_eq!(config.wait_seconds, 7);
    assert_eq!(config.network.proxy.as_ref().unwrap().reveal(), environment[0].1);
    assert_eq!(config.network.no_proxy.as_deref(), Some("10.0.0.0/8,.inside"));
    assert!(config.network.proxy().unwrap().is_some());
    assert!(!format!("{config:?}").contains("p\\\"w"), "a password is not printed");
}

#[test]
fn what_a_file_says_of_the_network_already_is_left_as_it_is() {
    let environment = [("HTTPS_PROXY", "proxy.example:3128"), ("MUSTER_AGENT_CA_FILE", "/etc/ca.pem")];
    let own = "[network]\nca_file = \"/own.pem\"\n";
    assert_eq!(joined(own, "https://fleet.example", &environment), (false, own.into()));
    assert!(joined("", "https://fleet.example", &environment).1.contains("proxy = \"http://proxy.example:3128\""));
    let (_, local) = joined("", "http://127.0.0.1:8080", &environment);
    assert!(!local.contains("proxy =") && local.contains("/etc/ca.pem"), "{local}");
    assert_eq!(joined("", "https://fleet.example", &[]), (false, String::new()));
}

#[test]
fn a_network_setting_that_cannot_be_used_is_named_and_its_value_is_not_told() {
    for (line, name) in [
        ("proxy = \"proxy.example:3128:secret\"", "network.proxy"),
        ("proxy = \"ftp://u:secret@proxy.example\"", "network.proxy"),
        ("proxy = \"http://\"", "network.proxy"),
        ("no_proxy = \"secret.example\"", "network.no_proxy"),
        ("ca_file = \"\"", "network.ca_file"),
        ("prox = \"http://u:secret@proxy.example\"", "prox"),
        ("proxy = \"http://u:secret@proxy.example", "proxy"),
    ] {
        let failed = crate::errors::chain(&load(&format!("[network]\n{line}"), |_| None).unwrap_err());
        assert!(failed.contains(name) && !failed.contains("secret"), "{line}: {failed}");
    }
    assert!(load("[network]\nproxy = \"\"\nno_proxy = \"x\"", |_| None).unwrap().network.proxy().unwrap().is_none());
}

#[test]
fn authorities_are_named_in_either_place_and_the_environment_is_stronger() {
    let old = load("ca_file = \"/old.pem\"", |_| None).unwrap();
    assert_eq!(old.way().ca_file, Some("/old.pem".into()));
    let both = load("ca_file = \"/old.pem\"\n[network]\nca_file = \"/new.pem\"", |_| None).unwrap();
    assert_eq!(both.way().ca_file, Some("/new.pem".into()));
    let variable = |name: &str| (name == "MUSTER_AGENT_CA_FILE").then(|| "/set.pem".into());
    assert_eq!(load("[network]\nca_file = \"/new.pem\"", variable).unwrap().way().ca_file, Some("/set.pem".into()));
}
