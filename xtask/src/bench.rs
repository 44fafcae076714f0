//! `bench`: the figures that performance is judged by, as text on the terminal, as one table with verdicts, and in
//! `target/bench.json`.
//!
//! What is not measured here is said with where it is: the goals are counts of the costs tests, or need a machine of their own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    Result,
    commands::{cargo, run, say, target, typed},
    fleet,
};

/// Goals that other commands measure.
const ELSEWHERE: [(&str, &str); 7] = [
    ("P1, P8, P9", "MUSTER_COSTS=full cargo test --workspace --test costs -- --nocapture"),
    ("P4", "not measured: the processor time of a wake needs a generator on another machine"),
    ("P5", "instructions of a check-in: valgrind --tool=callgrind on the server, by hand"),
    ("P7", "not measured: the makespan of a fleet update of hosts on sockets"),
    ("P10", "cargo xtask lambda --measure"),
    ("P11", "cargo xtask simulate -- --herd 10000"),
    ("P13", "not measured: bytes on the wire of an idle agent"),
];

/// One figure of a program that measures.
struct Figure {
    goal: String,
    what: String,
    value: f64,
    unit: String,
    /// As `<= 3`; empty: it is told, and not judged.
    bound: String,
}

/// Builds, measures the store alone and the server from outside, and judges. In short it is done with few hosts and without
/// optimization, to see that it can be done: such figures judge nothing.
pub fn bench(short: bool) -> Result {
    let mut figures = Vec::new();
    if short {
        let server = fleet::TESTS.binary("muster-server");
        if !server.exists() {
            fleet::TESTS.build()?;
        }
        let folder = server.parent().ok_or("a fleet has a folder")?;
        let serve = ["test", "--quiet", "--workspace", "--bench", "serve", "--"];
        measure(cargo(serve).arg(folder).arg("--short"), &mut figures)?;
    } else {
        run(&mut cargo(["build", "--release", "--package", "muster-server", "--package", "muster-agent"]))?;
        let release = target().join("release");
        say("\n━━ the store, and the disk below it");
        let store = ["run", "--quiet", "--release", "--package", "muster-server", "--example", "store_bench", "--"];
        measure(cargo(store).arg(&release), &mut figures)?;
        say("\n━━ the server, from outside");
        let serve = ["bench", "--quiet", "--package", "muster-tests", "--bench", "serve", "--"];
        measure(cargo(serve).arg(&release), &mut figures)?;
    }
    say("\n━━ verdicts");
    for figure in &figures {
        say(&figure.line(short));
    }
    for (goal, place) in ELSEWHERE {
        say(&format!("{goal:<11} {place}"));
    }
    keep(&figures, short)
}

/// Runs a program that measures, shows what it says, and takes its figures.
fn measure(command: &mut Command, figures: &mut Vec<Figure>) -> Result {
    let name = typed(command);
    say(&format!("$ {name}"));
    let failed = |error| format!("cannot run {name}: {error}");
    let mut program = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    for line in program.stdout.take().into_iter().flat_map(|said| BufReader::new(said).lines()) {
        let line = line.map_err(|error| format!("what it says cannot be read: {error}"))?;
        match Figure::read(&line) {
            Some(figure) => figures.push(figure),
            None => say(&line),
        }
    }
    let status = program.wait().map_err(|error| format!("it cannot be waited for: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status}")) }
}

impl Figure {
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix("figure\t")?.split('\t');
        let mut next = || parts.next().map(str::to_owned);
        Some(Self { goal: next()?, what: next()?, value: next()?.parse().ok()?, unit: next()?, bound: next()? })
    }

    /// Whether it keeps its bound; `None`: it has none.
    fn holds(&self) -> Option<bool> {
        let (sign, bound) = self.bound.split_once(' ')?;
        let bound = bound.parse::<f64>().ok()?;
        Some(if sign == "<=" { self.value <= bound } else { self.value >= bound })
    }

    fn line(&self, short: bool) -> String {
        let Self { goal, what, value, unit, bound } = self;
        let verdict = match self.holds() {
            _ if short => "not judged",
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "",
        };
        format!("{goal:<5} {what:<48} {value:>10.2} {unit:<4} {bound:<7} {verdict}")
    }
}

fn keep(figures: &[Figure], short: bool) -> Result {
    let told = figures.iter().map(|figure| {
        let Figure { goal, what, value, unit, bound } = figure;
        let holds = figure.holds().filter(|_| !short);
        json!({ "goal": goal, "what": what, "value": value, "unit": unit, "bound": bound, "holds": holds })
    });
    let path = target().join("bench.json");
    let text = serde_json::to_string_pretty(&told.collect::<Vec<_>>()).map_err(|error| error.to_string())?;
    fs::write(&path, text + "\n").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    say(&format!("\nWritten to {}.", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_and_judged_by_its_bound() {
        let judged = |line: &str| Figure::read(line).map(|figure| figure.holds());
        assert_eq!(judged("figure\tP2\tmemory\t24.6\tKiB\t<= 3"), Some(Some(false)));
        assert_eq!(judged("figure\tP12\tcommits\t70.3\t×\t>= 50"), Some(Some(true)));
        assert_eq!(judged("figure\tP5\ttime\t63\tµs\t"), Some(None));
        assert_eq!(judged("hello 9000/s"), None);
    }
}
