//! `test`: every test binary of the workspace, compiled once, those that wait beside those that compute.
//!
//! Cargo would run them one after the other, and an agent that waits for a time to pass leaves both cores idle meanwhile. So
//! cargo only builds, and what it has built is run here, in two lanes. No suite shares anything with another but the emulators
//! of services, where each test has a table and a bucket of its own.

mod binaries;
pub mod lanes;
pub mod suites;

use crate::{
    Result, Step, before,
    commands::{cargo, run},
    fleet, packages,
    services::Services,
    timetable::Timetable,
};

/// Every test of the workspace, real processes included; those that are wanted, if arguments say which.
pub fn test(arguments: &[String]) -> Result {
    let times = Timetable::start();
    let done = if arguments.is_empty() { every(&times) } else { some(arguments) };
    times.show();
    done
}

/// What tests of real processes start, of today and of before.
pub fn fleet() -> Result {
    fleet::TESTS.build()?;
    before::build()
}

/// All that tests are, compiled.
pub const BUILD: [Step; 3] = [
    ("binaries of fleets", || fleet::TESTS.build()),
    ("the release before", before::build),
    ("test binaries", || run(&mut binaries::build())),
];

/// Runs what was built.
pub fn run_all(times: &Timetable) -> Result {
    packages::provide();
    let services = times.step("services", Services::start)?;
    lanes::run(suites::all(&binaries::list()?, &services)?, times)?;
    // There is none in this workspace. One that is written is run.
    times.step("documentation tests", || run(&mut cargo(["test", "--quiet", "--workspace", "--doc"])))
}

fn every(times: &Timetable) -> Result {
    BUILD.into_iter().try_for_each(|(name, step)| times.step(name, step))?;
    run_all(times)
}

fn some(arguments: &[String]) -> Result {
    fleet()?;
    packages::provide();
    let services = Services::start()?;
    run(services.tell(cargo(["test", "--quiet", "--workspace"]).args(arguments)))
}
