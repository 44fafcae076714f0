//! Suites: a test binary in an environment. What waits and what computes, and what runs more than once.

use std::{collections::BTreeMap, process::Command};

use super::binaries::Binary;
use crate::{Result, services::Services};

/// What runs more than once: the target, what to call it then, and what its tests are told.
type Again = (&'static str, &'static str, (&'static str, &'static str));

/// On the embedded store with all others, and then on services.
const AGAIN: [Again; 5] = [
    ("api", "on DynamoDB", ("MUSTER_TEST_STORE", "dynamodb")),
    ("scenarios", "on DynamoDB", ("MUSTER_TEST_STORE", "dynamodb")),
    ("access", "on DynamoDB", ("MUSTER_TEST_STORE", "dynamodb")),
    ("fleet", "on DynamoDB and S3", ("MUSTER_TEST_BODY", "serve-services")),
    ("fleet", "as functions, on DynamoDB and S3", ("MUSTER_TEST_BODY", "functions")),
];

/// Real processes, which mostly wait: for probations, soaks, name servers, NATs. With how many of their tests at once.
const WAITING: [(&str, usize); 3] = [("fleet", 3), ("network", 2), ("starts", 2)];

/// Where those are that run more than once.
const PACKAGE: &str = "muster-tests";

/// A program to run to its end: a test binary in an environment, or a step beside others.
pub struct Suite {
    /// What people call it.
    pub name: String,
    /// What it does with its time.
    pub kind: Kind,
    /// How it is run.
    pub command: Command,
}

/// What a program does with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It tests, and computes.
    Computes,
    /// It tests, and mostly waits.
    Waits,
    /// Something else than Rust's tests.
    Step,
}

/// All of them, each lane in the order in which it is run.
pub fn all(binaries: &[Binary], services: &Services) -> Result<Vec<Suite>> {
    let ours: BTreeMap<_, _> =
        binaries.iter().filter(|binary| binary.package == PACKAGE).map(|binary| (&*binary.target, binary)).collect();
    let again = AGAIN.iter().map(|(target, place, told)| {
        let binary = ours.get(target).ok_or_else(|| format!("{PACKAGE} has no tests that are called {target}"))?;
        let mut suite = suite(binary, services);
        suite.name = format!("{} {place}", suite.name);
        suite.command.env(told.0, told.1);
        Ok(suite)
    });
    let again = again.collect::<Result<Vec<_>>>()?;
    Ok(binaries.iter().map(|binary| suite(binary, services)).chain(again).collect())
}

fn suite(binary: &Binary, services: &Services) -> Suite {
    let Binary { package, folder, target, program } = binary;
    let waiting = WAITING.iter().find(|(name, _)| package == PACKAGE && name == target);
    let mut command = Command::new(program);
    // As cargo does it.
    command.arg("--quiet").current_dir(folder).env("CARGO_MANIFEST_DIR", folder).env("CARGO_PKG_NAME", package);
    if let Some((_, threads)) = waiting {
        command.arg(format!("--test-threads={threads}"));
    }
    services.tell(&mut command);
    let kind = if waiting.is_some() { Kind::Waits } else { Kind::Computes };
    let name = if *target == package.replace('-', "_") { package.clone() } else { format!("{package} {target}") };
    Suite { name, kind, command }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(package: &str, target: &str) -> Binary {
        Binary { package: package.into(), folder: "/m".into(), target: target.into(), program: "/m/p".into() }
    }

    #[test]
    fn every_binary_is_run_and_some_of_them_again() {
        let binaries = ["access", "api", "costs", "fleet", "scenarios"].map(|target| binary(PACKAGE, target));
        let suites = all(&binaries, &Services::default()).expect("all are there");
        assert_eq!(suites.len(), binaries.len() + AGAIN.len());
        let of_fleet = |suite: &&Suite| suite.name.starts_with("muster-tests fleet");
        let bodies = suites.iter().filter(of_fleet).map(|suite| suite.kind).collect::<Vec<_>>();
        assert_eq!(bodies, [Kind::Waits; 3]);
    }

    #[test]
    fn one_that_is_missing_is_missed() {
        assert!(all(&[binary(PACKAGE, "api")], &Services::default()).is_err());
    }
}
