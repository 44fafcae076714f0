//! The agent's own processes against a scripted server: lost answers, kills, forged and broken releases.
#![cfg(unix)]

#[cfg(test)]
#[cfg(target_os = "linux")]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod namesakes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod world;
