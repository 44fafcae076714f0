//! Configuration: `agent.toml` in the state directory, overridden by `MUSTER_AGENT_…`. Every setting has a default; an unknown
//! key is an error.

mod network;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

pub use self::network::{Network, NetworkError, take_over};
use crate::{breaker::Settings, errors::TomlError, followed::Followed, link::Pacing, sys::texts::TextFile};

/// The settings of the agent. Spans are in seconds and may have a fraction.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long the server may hold a check-in, in seconds.
    pub wait_seconds: u16,
    /// How long a new version must live before it may be committed.
    pub probation_seconds: f64,
    /// How long a new version has from its start to its commit.
    pub update_deadline_seconds: f64,
    /// How long the old version has to be answered by the server when it is back because the new one was not. If it is not
    /// either, nothing is concluded.
    pub contact_seconds: f64,
    /// How long running jobs may take to end before an update restarts the agent: as long as any job may run, unless it is set.
    pub drain_seconds: f64,
    /// Below this many bytes per second a download is given up.
    pub minimum_download_bytes_per_second: u64,
    /// The same as `ca_file` in `[network]`, where it was before there was that section.
    pub ca_file: Option<PathBuf>,
    /// The way to the server.
    pub network: Network,
    /// How the agent behaves when the server does not.
    pub resilience: Resilience,
}

/// The section `[resilience]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resilience {
    /// The section `[resilience.retry]`.
    pub retry: Retry,
    /// The section `[resilience.circuit_breaker]`.
    pub circuit_breaker: CircuitBreaker,
    /// The section `[resilience.health_check]`.
    pub health_check: HealthCheck,
}

/// The section `[resilience.retry]`: pauses between attempts, with full jitter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// The longest first pause.
    pub initial_delay_seconds: f64,
    /// The longest pause.
    pub max_delay_seconds: f64,
    /// The factor between two pauses.
    pub multiplier: f64,
    /// How pauses are drawn.
    pub jitter: Jitter,
    /// How often one operation is tried again: a download, a manifest. Check-ins and results never give up.
    pub max_retries: u32,
}

/// How a pause is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// From none at all to the longest.
    Full,
    /// From half of the longest to the longest.
    Equal,
    /// Always the longest. Hosts that lost the server together come back together.
    None,
}

/// The section `[resilience.circuit_breaker]`: when the server is left alone for a while.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CircuitBreaker {
    /// So many failures in a row open the circuit.
    pub failure_threshold: u32,
    /// How long it is open at first; doubled by each probe that fails, up to the longest pause of `[resilience.retry]`.
    pub open_seconds: f64,
    /// So many calls are let through at once while it is half-open, and so many successes close it.
    pub half_open_max_calls: u32,
}

/// The section `[resilience.health_check]`: what an open circuit is tried with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthCheck {
    /// Whether the server is asked for its health before anything else.
    pub enabled: bool,
    /// The least between two such questions.
    pub interval_seconds: f64,
    /// How long the answer may take.
    pub timeout_seconds: f64,
}

/// Whether an upstream has a health that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has.
    Asked,
    /// It has none.
    NotAsked,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            wait_seconds: 280,
            probation_seconds: 60.0,
            update_deadline_seconds: 600.0,
            contact_seconds: 60.0,
            drain_seconds: 86_400.0,
            minimum_download_bytes_per_second: 1024,
            ca_file: None,
            network: Network::default(),
            resilience: Resilience::default(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial_delay_seconds: 5.0,
            max_delay_seconds: 300.0,
            multiplier: 2.0,
            jitter: Jitter::Full,
            max_retries: 7,
        }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { failure_threshold: 5, open_seconds: 30.0, half_open_max_calls: 3 }
    }
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { enabled: true, interval_seconds: 30.0, timeout_seconds: 5.0 }
    }
}

/// Why the configuration is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is not a valid configuration")]
    Parse {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: TomlError,
    },
    /// A value that makes no sense.
    #[error("{name} must be {rule}")]
    Invalid {
        /// The key or variable.
        name: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

impl Config {
    /// The configuration of a state directory, with this process's environment over it.
    pub fn load(state: &Path) -> Result<Self, ConfigError> {
        Self::load_with(state, |name| std::env::var(name).ok())
    }

    /// The same, with the environment as an argument.
    pub fn load_with(state: &Path, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let path = path(state);
        Self::read(&path, &TextFile::read(&path), variable)
    }

    /// The same, to be followed. It has to be right at first: nobody knows what was meant.
    pub fn follow(state: &Path) -> Result<Followed<Self>, ConfigError> {
        Self::follow_with(state, |name| std::env::var(name).ok())
    }

    /// The same, with the environment as an argument.
    pub fn follow_with(state: &Path, variable: impl Fn(&str) -> Option<String>) -> Result<Followed<Self>, ConfigError> {
        let path = path(state);
        let seen = TextFile::read(&path);
        let config = Self::read(&path, &seen, variable)?;
        Ok(Followed::new(path, seen, Ok(config), Self::default))
    }

    /// What a file says that was read, with this process's environment over it.
    pub fn read_again(path: &Path, file: &TextFile) -> Result<Self, ConfigError> {
        Self::read(path, file, |name| std::env::var(name).ok())
    }

    fn read(path: &Path, file: &TextFile, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let path = || path.display().to_string();
        let text = file.text().map_err(|source| ConfigError::Read { path: path(), source })?;
        let mut config: Self = toml::from_str(text)
            .map_err(|error| ConfigError::Parse { path: path(), source: TomlError::new(text, &error) })?;
        config.override_from(variable)?;
        config.check()?;
        Ok(config)
    }

    /// The way to the server, as this configuration has it in either place.
    pub fn way(&self) -> Network {
        let ca_file = self.network.ca_file.clone().or_else(|| self.ca_file.clone());
        Network { ca_file, ..self.network.clone() }
    }

    /// How pauses between attempts grow.
    pub fn pacing(&self) -> Pacing {
        let Retry { initial_delay_seconds, max_delay_seconds, multiplier, jitter, .. } = self.resilience.retry;
        let least = match jitter {
            Jitter::Full => 0.0,
            Jitter::Equal => 0.5,
            Jitter::None => 1.0,
        };
        Pacing { initial: span(initial_delay_seconds), max: span(max_delay_seconds), multiplier, least }
    }

    /// How an upstream is left alone when it does not answer.
    pub fn breaker(&self, health: Health) -> Settings {
        let CircuitBreaker { failure_threshold, open_seconds, half_open_max_calls } = self.resilience.circuit_breaker;
        let HealthCheck { enabled, interval_seconds, .. } = self.resilience.health_check;
        Settings {
            failure_threshold,
            open: span(open_seconds),
            max_open: self.pacing().max,
            half_open_max_calls,
            health_check: (enabled && health == Health::Asked).then(|| span(interval_seconds)),
        }
    }

    /// How long the server's health may take to come.
    pub fn health_timeout(&self) -> Duration {
        span(self.resilience.health_check.timeout_seconds)
    }

    /// How often one operation is tried.
    pub fn attempts(&self) -> u32 {
        self.resilience.retry.max_retries.saturating_add(1)
    }

    /// How long a new version must live before it may be committed.
    pub fn probation(&self) -> Duration {
        span(self.probation_seconds)
    }

    /// How long a new version has from its start to its commit.
    pub fn update_deadline(&self) -> Duration {
        span(self.update_deadline_seconds)
    }

    /// How long the old version has to be answered by the server after a roll-back.
    pub fn contact(&self) -> Duration {
        span(self.contact_seconds)
    }

    /// How long running jobs may take to end before an update restarts the agent.
    pub fn drain(&self) -> Duration {
        span(self.drain_seconds)
    }

    fn override_from(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let Self { wait_seconds, probation_seconds, update_deadline_seconds, contact_seconds, drain_seconds, .. } =
            self;
        let Retry { initial_delay_seconds, max_delay_seconds, .. } = &mut self.resilience.retry;
        let CircuitBreaker { open_seconds, .. } = &mut self.resilience.circuit_breaker;
        let spans = [
            ("MUSTER_AGENT_PROBATION_SECONDS", probation_seconds),
            ("MUSTER_AGENT_UPDATE_DEADLINE_SECONDS", update_deadline_seconds),
            ("MUSTER_AGENT_CONTACT_SECONDS", contact_seconds),
            ("MUSTER_AGENT_DRAIN_SECONDS", drain_seconds),
            ("MUSTER_AGENT_INITIAL_DELAY_SECONDS", initial_delay_seconds),
            ("MUSTER_AGENT_MAX_DELAY_SECONDS", max_delay_seconds),
            ("MUSTER_AGENT_OPEN_SECONDS", open_seconds),
        ];
        for (name, value) in spans {
            if let Some(text) = variable(name) {
                *value = text.parse().map_err(|_| ConfigError::Invalid { name, rule: "a number of seconds" })?;
            }
        }
        let name = "MUSTER_AGENT_WAIT_SECONDS";
        if let Some(text) = variable(name) {
            *wait_seconds = text.parse().map_err(|_| ConfigError::Invalid { name, rule: "whole seconds" })?;
        }
        if let Some(path) = variable("MUSTER_AGENT_CA_FILE") {
            self.network.ca_file = Some(path.into());
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Retry { initial_delay_seconds, max_delay_seconds, multiplier, max_retries, .. } = self.resilience.retry;
        let CircuitBreaker { failure_threshold, open_seconds, half_open_max_calls } = self.resilience.circuit_breaker;
        let HealthCheck { interval_seconds, timeout_seconds, .. } = self.resilience.health_check;
        let spans = [
            ("probation_seconds", self.probation_seconds),
            ("update_deadline_seconds", self.update_deadline_seconds),
            ("contact_seconds", self.contact_seconds),
            ("drain_seconds", self.drain_seconds),
            ("initial_delay_seconds", initial_delay_seconds),
            ("max_delay_seconds", max_delay_seconds),
            ("open_seconds", open_seconds),
            ("interval_seconds", interval_seconds),
            ("timeout_seconds", timeout_seconds),
        ];
        for (name, value) in spans {
            if !(0.0..=86_400.0).contains(&value) {
                return Err(ConfigError::Invalid { name, rule: "from 0 to 86400" });
            }
        }
        if !(1.0..=10.0).contains(&multiplier) {
            return Err(ConfigError::Invalid { name: "multiplier", rule: "from 1 to 10" });
        }
        if max_retries > 1000 {
            return Err(ConfigError::Invalid { name: "max_retries", rule: "at most 1000" });
        }
        for (name, count) in [("failure_threshold", failure_threshold), ("half_open_max_calls", half_open_max_calls)] {
            if !(1..=1000).contains(&count) {
                return Err(ConfigError::Invalid { name, rule: "from 1 to 1000" });
            }
        }
        if timeout_seconds < 0.1 {
            return Err(ConfigError::Invalid { name: "timeout_seconds", rule: "at least 0.1" });
        }
        if self.wait_seconds > 300 {
            return Err(ConfigError::Invalid { name: "wait_seconds", rule: "at most 300" });
        }
        self.network.check().map_err(|NetworkError { name, rule }| ConfigError::Invalid { name, rule })
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("agent.toml")
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
