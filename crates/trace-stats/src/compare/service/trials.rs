//! What is found about runs of which the difference is known.

use super::{Contest, Run, Trial};
use crate::results::fixture::{failed, served};
use trace_core::{ErrorKind, Outcome};

fn run(outcomes: impl IntoIterator<Item = Outcome>) -> Run {
    let mut run = Run::default();
    outcomes
        .into_iter()
        .for_each(|outcome| run.push(0, &outcome));
    run
}

/// Requests of very different lengths, each by `more` slower.
fn answers(more: f64, numbered: bool) -> impl Iterator<Item = Outcome> {
    (0..200_u64).map(move |at| Outcome {
        seq: numbered.then_some(at),
        ..served(
            at as f64 * 10.0,
            at as f64 * 10.0,
            50.0 + (at * 37 % 101) as f64 + more,
            500.0,
        )
    })
}

fn contest(a: &Run, b: &Run) -> Contest {
    Contest::new(("a".to_owned(), a), ("b".to_owned(), b), (200, 0.95, 0))
}

fn ttft(contest: &Contest) -> &Trial {
    contest
        .metrics
        .iter()
        .find(|trial| trial.name == "ttft_ms")
        .unwrap()
}

fn difference(contest: &Contest, name: &str) -> Option<f64> {
    let found = contest.differences.iter().find(|known| known.name == name);
    found.unwrap_or_else(|| panic!("no {name}")).difference
}

#[test]
fn pairs_tell_what_the_whole_cannot() {
    let (a, b) = (run(answers(0.0, true)), run(answers(2.0, true)));
    let paired = contest(&a, &b);
    let trial = ttft(&paired);
    assert_eq!(
        (paired.pairs, trial.pairs, trial.test),
        (200, 200, "wilcoxon")
    );
    assert!(
        trial.p.unwrap() < 1e-9 && trial.effect == Some(1.0),
        "{trial:?}"
    );
    let (_, mean) = trial.shifts[0];
    let ends = [mean.low, mean.high].map(Option::unwrap);
    assert!(ends.iter().all(|end| (end - 2.0).abs() < 1e-9), "{mean:?}");
    let (a, b) = (run(answers(0.0, false)), run(answers(2.0, false)));
    let whole = contest(&a, &b);
    let trial = ttft(&whole);
    assert_eq!((whole.pairs, trial.test), (0, "mann-whitney"));
    assert!(trial.p.unwrap() > 0.3, "{trial:?}");
    let (_, mean) = trial.shifts[0];
    assert!(
        mean.low.unwrap() < 1.0 && mean.high.unwrap() > 3.0,
        "{mean:?}"
    );
}

#[test]
fn a_run_against_itself_is_no_different() {
    let a = run(answers(0.0, true));
    let same = contest(&a, &a);
    assert!(
        same.differences.iter().all(|d| d.difference == Some(0.0)),
        "{:?}",
        same.differences
    );
    assert_eq!((ttft(&same).p, same.failures.p), (None, 1.0));
}

#[test]
fn failures_are_slower_than_everything() {
    let failing = |every: u64| {
        let all = answers(0.0, true).enumerate();
        run(all.map(
            move |(at, outcome)| match (at as u64).is_multiple_of(every) {
                true => Outcome {
                    seq: outcome.seq,
                    ..failed(ErrorKind::Http)
                },
                false => outcome,
            },
        ))
    };
    let (a, b) = (run(answers(0.0, true)), failing(10));
    let worse = contest(&a, &b);
    let failures = worse.failures;
    assert_eq!(
        (failures.only_a, failures.only_b, failures.test),
        (Some(0), Some(20), "mcnemar")
    );
    assert!(failures.p < 1e-5);
    assert_eq!(difference(&worse, "error_rate.worse"), Some(0.1));
    assert_eq!(
        difference(&worse, "ttft_ms.p99.worse"),
        None,
        "infinitely worse"
    );
    assert_eq!(ttft(&worse).effect, Some(1.0));
    let both = contest(&failing(10), &failing(5));
    assert_eq!(difference(&both, "ttft_ms.p99"), Some(0.0), "both infinite");
    assert_eq!(difference(&both, "ttft_ms.p99.worse"), Some(0.0));
    let better = contest(&b, &a);
    assert_eq!(difference(&better, "ttft_ms.p99.worse"), Some(0.0));
    assert_eq!(difference(&better, "error_rate.worse"), Some(0.0));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (a, b) = (run(answers(0.0, false)), run(answers(2.0, false)));
    let json = || serde_json::to_string(&contest(&a, &b)).unwrap();
    assert_eq!(json(), json());
}
