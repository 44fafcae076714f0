//! Answers to a check-in, from a server in the hands of somebody else.

use std::{fs, sync::LazyLock, time::Duration};

use jiff::Timestamp;
use muster_agent::{
    clock::ServerClock,
    config::Config,
    jobs::intake::{Verdict, judge},
    journal::{
        Entry, Ledger,
        frames::{decode, encode},
    },
    link::{LONGEST_PAUSE, Link, Outcome, SHORTEST_PAUSE},
    policy::Policy,
};
use muster_schemas::{
    check_ins::CheckInResponse,
    commands::Command,
    jobs::{JobSpec, RunSpec},
};

use crate::given::{directory, noon};

/// By how much a sequence may be ahead of the highest one seen.
const LONGEST_LEAP: u64 = 1 << 32;

/// This host's own word: two programs, and a few variables.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let state = directory();
    let text = "[allow]\nrun = [\"/bin/true\", \"/usr/bin/uptime\"]\nworking_directories = [\"/srv\"]";
    fs::write(state.path().join("policy.toml"), text).expect("there is room");
    Policy::load(state.path()).expect("it is a policy")
});

/// No answer silences the agent or makes it spin, turns its clock into a fault, or starts what the host does not allow; and what
/// the journal has is never new again.
pub fn commands(bytes: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<CheckInResponse>(bytes) else { return };
    paces(&answer);
    let clock = ServerClock::by(|| Duration::from_secs(5));
    clock.learn(answer.server_time);
    let now = clock.now();
    assert_eq!(now, answer.server_time, "no time has passed");

    let mut ledger = Ledger::default();
    for command in answer.jobs {
        let verdict = judge(&ledger, &command, noon());
        if verdict == Verdict::New {
            is_new(&ledger, &command);
            runs_only_what_is_allowed(&command);
            journals(&mut ledger, command);
        }
    }
    for id in answer.cancel {
        ledger.apply(Entry::Cancelled { id, at: now });
        assert!(ledger.is_tombstone(id), "a late offer of it cannot run");
    }
}

fn paces(answer: &CheckInResponse) {
    let pacing = Config::default().pacing();
    let capped = pacing.capped(Duration::from_secs(answer.retry_cap_seconds.into()));
    assert!(capped.max <= pacing.max && capped.max >= Duration::from_secs(5));
    let next = Duration::from_secs(answer.next_check_in_seconds.into());
    for random in [0.0, 0.999_999] {
        let (_, pause) = Link::default().after(Outcome::Answered { next }, capped, random);
        assert!((SHORTEST_PAUSE..=LONGEST_PAUSE.mul_f64(1.1)).contains(&pause), "{pause:?}");
    }
}

fn is_new(ledger: &Ledger, command: &Command) {
    assert!(command.sequence > ledger.floor(), "a number at or below the floor may have run");
    assert!(command.sequence - ledger.floor() <= LONGEST_LEAP, "no server uses the numbers up");
    assert!(command.generation <= command.sequence);
    assert!(command.start_by >= noon(), "NoLateStart");
    assert!(!ledger.jobs().contains_key(&command.id) && !ledger.is_tombstone(command.id));
}

fn runs_only_what_is_allowed(command: &Command) {
    let Ok(spec) = JobSpec::from_parts(&command.kind, &command.spec) else { return };
    assert_eq!(spec.kind(), command.kind);
    if spec.rules().check().is_err() || POLICY.check(&spec).is_err() {
        return;
    }
    if let JobSpec::Run(RunSpec { argv, environment, working_directory, .. }) = &spec {
        assert!(["/bin/true", "/usr/bin/uptime"].contains(&argv[0].as_str()), "{argv:?}");
        assert!(argv.iter().chain(environment.values()).all(|text| !text.contains('\0')));
        let harmless = |name: &String| name == "LANG" || name == "TZ" || name.starts_with("LC_");
        assert!(environment.keys().all(harmless), "{environment:?}");
        assert!(working_directory.as_deref().is_none_or(|path| path == "/" || path == "/srv"));
    }
}

fn journals(ledger: &mut Ledger, command: Command) {
    let received = Entry::Received { command: Box::new(command.clone()) };
    let frame = encode(&received);
    assert_eq!(decode(&frame).0, std::slice::from_ref(&received), "what is journalled is what was offered");
    ledger.apply(received);
    assert_eq!(judge(ledger, &command, noon()), Verdict::Known);
    let other = Command { id: crate::given::other_job(), ..command.clone() };
    let again = judge(ledger, &other, Timestamp::UNIX_EPOCH);
    assert!(other.id == command.id || again != Verdict::New, "a sequence is used once");
}
