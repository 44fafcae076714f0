use proptest::prelude::*;

use super::*;

const SETTINGS: Settings = Settings {
    failure_threshold: 5,
    open: Duration::from_secs(30),
    max_open: Duration::from_mins(5),
    half_open_max_calls: 3,
    health_check: Some(Duration::from_secs(30)),
};
const WITHOUT_HEALTH: Settings = Settings { health_check: None, ..SETTINGS };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn entered(breaker: &mut Breaker, now: u64) -> Generation {
    match breaker.enter(at(now), &SETTINGS).0 {
        Entry::Pass(generation) | Entry::Probe(generation) => generation,
        Entry::Wait(_) => panic!("nobody is let through at {now} s"),
    }
}

/// One call, without jitter.
fn call(breaker: &mut Breaker, now: u64, end: End) -> Option<Change> {
    let generation = entered(breaker, now);
    breaker.end(generation, end, at(now), &SETTINGS, 0.0)
}

/// Open from 0 to 30 s.
fn open() -> Breaker {
    let mut breaker = Breaker::default();
    let changes = [0; 5].map(|now| call(&mut breaker, now, End::Failed));
    assert_eq!(changes, [None, None, None, None, Some(Change::Opened { span: at(30) })]);
    breaker
}

#[test]
fn five_failures_in_a_row_open_it_and_a_success_between_them_does_not_count() {
    let mut breaker = Breaker::default();
    for _ in 0..10 {
        for _ in 0..4 {
            assert_eq!(call(&mut breaker, 0, End::Failed), None);
        }
        assert_eq!(call(&mut breaker, 0, End::Succeeded), None);
    }
    assert!(breaker.is_closed());
    assert_eq!(open().enter(at(0), &SETTINGS).0, Entry::Wait(at(30)));
}

#[test]
fn while_it_is_open_nobody_calls_and_afterwards_one_asks_for_its_health() {
    let mut breaker = open();
    assert_eq!(breaker.enter(at(29), &SETTINGS).0, Entry::Wait(at(1)));
    assert!(matches!(breaker.enter(at(30), &SETTINGS).0, Entry::Probe(_)));
    assert_eq!(breaker.enter(at(30), &SETTINGS).0, Entry::Wait(FULL), "one is enough");
}

#[test]
fn each_probe_that_fails_doubles_the_span_up_to_the_longest() {
    let mut breaker = open();
    let mut now = 30;
    let mut spans = Vec::new();
    for _ in 0..5 {
        // Each fourth is a real call.
        let Some(Change::Opened { span }) = call(&mut breaker, now, End::Failed) else { panic!("it must stay open") };
        spans.push(span.as_secs());
        now += span.as_secs() + 1;
    }
    assert_eq!(spans, [60, 120, 200, 200, 200], "300 with the jitter");
}

#[test]
fn a_health_that_cannot_be_asked_for_locks_nobody_out() {
    let mut breaker = open();
    let mut entries = Vec::new();
    for round in 1..=8 {
        let (entry, _) = breaker.enter(at(1_000 * round), &SETTINGS);
        let (Entry::Probe(generation) | Entry::Pass(generation)) = entry else { panic!("its span is over") };
        entries.push(matches!(entry, Entry::Pass(_)));
        breaker.end(generation, End::Failed, at(1_000 * round), &SETTINGS, 0.0);
    }
    assert_eq!(entries, [false, false, false, true, false, false, false, true]);
}

#[test]
fn after_its_span_it_is_not_shut_any_more_whoever_asks() {
    let mut breaker = open();
    assert_eq!([0, 29, 30, 99].map(|now| breaker.is_shut(at(now))), [true, true, false, false]);
    let probe = entered(&mut breaker, 30);
    assert!(breaker.is_shut(at(30)), "while somebody asks for its health");
    breaker.end(probe, End::Succeeded, at(31), &SETTINGS, 0.0);
    assert!(!breaker.is_shut(at(31)));
}

#[test]
fn a_probe_that_is_given_up_leaves_the_next_one_to_ask() {
    let mut breaker = open();
    assert_eq!(call(&mut breaker, 30, End::GivenUp), None);
    assert!(matches!(breaker.enter(at(30), &SETTINGS).0, Entry::Probe(_)));
}

#[test]
fn half_open_it_lets_three_through_at_once_and_three_successes_close_it() {
    let mut breaker = open();
    assert_eq!(call(&mut breaker, 30, End::Succeeded), Some(Change::HalfOpened));
    let first = [(); 3].map(|()| entered(&mut breaker, 30));
    assert_eq!(breaker.enter(at(30), &SETTINGS).0, Entry::Wait(FULL));
    let mut end = |generation, end| breaker.end(generation, end, at(31), &SETTINGS, 0.0);
    assert_eq!(end(first[0], End::Succeeded), None);
    assert_eq!(end(first[1], End::Succeeded), Some(Change::Closed), "its health was the first success");
    assert_eq!(end(first[2], End::Failed), None, "of an earlier generation");
    assert!(breaker.is_closed());
}

#[test]
fn half_open_one_failure_opens_it_again_for_longer() {
    let mut breaker = open();
    call(&mut breaker, 30, End::Succeeded);
    assert_eq!(call(&mut breaker, 31, End::Failed), Some(Change::Opened { span: at(60) }));
    assert_eq!(breaker.enter(at(90), &SETTINGS).0, Entry::Wait(at(1)));
}

#[test]
fn a_place_is_given_back_when_its_call_is_given_up() {
    let mut breaker = open();
    call(&mut breaker, 30, End::Succeeded);
    for _ in 0..10 {
        assert_eq!(call(&mut breaker, 31, End::GivenUp), None);
    }
    assert!(matches!(breaker.enter(at(31), &SETTINGS).0, Entry::Pass(_)));
}

#[test]
fn what_was_asked_before_it_opened_neither_closes_it_nor_keeps_it_open() {
    let mut breaker = Breaker::default();
    let slow = [(); 2].map(|()| entered(&mut breaker, 0));
    for _ in 0..5 {
        call(&mut breaker, 0, End::Failed);
    }
    assert_eq!(breaker.end(slow[0], End::Succeeded, at(1), &SETTINGS, 0.0), None);
    assert!(breaker.is_shut(at(1)));
    call(&mut breaker, 30, End::Succeeded);
    assert_eq!(breaker.end(slow[1], End::Failed, at(31), &SETTINGS, 0.0), None);
    assert!(!breaker.is_shut(at(31)));
}

#[test]
fn without_a_health_check_time_alone_half_opens_it() {
    let mut breaker = open();
    assert_eq!(breaker.enter(at(29), &WITHOUT_HEALTH), (Entry::Wait(at(1)), None));
    let (entry, change) = breaker.enter(at(30), &WITHOUT_HEALTH);
    assert!(matches!(entry, Entry::Pass(_)));
    assert_eq!(change, Some(Change::HalfOpened));
}

#[test]
fn a_reset_closes_it_at_once() {
    let mut breaker = open();
    assert_eq!(breaker.reset(), Some(Change::Closed));
    assert_eq!(breaker.reset(), None);
    assert!(matches!(breaker.enter(at(0), &SETTINGS).0, Entry::Pass(_)));
}

#[test]
fn the_jitter_makes_a_span_longer_by_less_than_a_half() {
    let mut breaker = Breaker::default();
    let settings = Settings { failure_threshold: 1, ..SETTINGS };
    let generation = entered(&mut breaker, 0);
    let change = breaker.end(generation, End::Failed, at(0), &settings, 0.999);
    let Some(Change::Opened { span }) = change else { panic!("one failure is enough") };
    assert!(span > at(44) && span < at(45), "{span:?}");
}

proptest! {
    /// Whatever happens, a breaker lets somebody through again within its longest span, and never more at once than it may.
    #[test]
    fn it_never_shuts_for_good(steps in prop::collection::vec((0..4_u8, 0..400_u64, 0.0..1.0), 1..200)) {
        let (mut breaker, mut now, mut calls) = (Breaker::default(), 0, Vec::new());
        for (step, pause, random) in steps {
            now += pause;
            match step {
                0 => match breaker.enter(at(now), &SETTINGS).0 {
                    Entry::Pass(generation) | Entry::Probe(generation) => calls.push(generation),
                    Entry::Wait(span) => prop_assert!(span <= SETTINGS.max_open),
                },
                _ => if let Some(generation) = calls.pop() {
                    let end = [End::Succeeded, End::Failed, End::GivenUp][usize::from(step - 1)];
                    breaker.end(generation, end, at(now), &SETTINGS, random);
                },
            }
        }
        for generation in calls {
            breaker.end(generation, End::GivenUp, at(now), &SETTINGS, 0.0);
        }
        prop_assert!(!matches!(breaker.enter(at(now) + SETTINGS.max_open, &SETTINGS).0, Entry::Wait(_)));
    }
}
