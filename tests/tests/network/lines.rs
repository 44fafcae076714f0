//! Lines that are slow or bad: it takes longer, and all of it arrives.

use std::time::{Duration, Instant};

use crate::harness::{router::Fault, world::World};

/// How many lines a job prints, of 41 bytes each: 270 KB, more than is sent at once.
const LINES: usize = 6600;

#[test]
fn a_long_log_is_complete_after_a_line_of_64_kilobits_a_second() {
    let Some(world) = World::start() else { return };
    let took = prints_all_of_it(&world, |world| world.router.narrows(1, 64));
    assert!(took > Duration::from_secs(1), "the line was good");
}

#[test]
fn a_long_log_is_complete_after_a_line_that_loses_every_fifth_packet() {
    let Some(world) = World::start() else { return };
    prints_all_of_it(&world, |world| world.router.suffers(Fault::Loss(20)));
}

fn prints_all_of_it(world: &World, deteriorates: impl FnOnce(&World)) -> Duration {
    let host = world.host();
    deteriorates(world);
    let asked = Instant::now();
    let job = world.operator.run(&host, &format!("seq --format=%040.0f {LINES}"));
    world.operator.succeeds(job);
    eprintln!("It took {:?}.", asked.elapsed());
    let printed = (1..=LINES).fold(String::new(), |log, number| log + &format!("{number:040}\n"));
    assert!(world.operator.log(job) == printed, "the log is another one than was printed");
    asked.elapsed()
}
