use super::*;
use crate::tally::Tally;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome};

fn secs(seconds: f64) -> Micros {
    Micros::from_micros((seconds * 1e6) as u64)
}

fn watch(text: &str) -> Watch {
    Watch::new(vec![text.parse().unwrap()])
}

fn moment(now: f64, tally: &Tally, in_flight: usize) -> Moment<'_> {
    Moment {
        now: secs(now),
        tally,
        in_flight,
    }
}

#[test]
fn a_condition_waits_until_it_means_something() {
    let mut watch = watch("error_rate>0.1");
    let mut tally = Tally::default();
    let failed = Outcome {
        error: Some(Failure {
            kind: ErrorKind::Http,
            message: String::new(),
        }),
        ..Outcome::default()
    };
    for _ in 0..19 {
        tally.add(&failed, Micros::ZERO);
        assert_eq!(watch.look(moment(1.0, &tally, 0)), None);
    }
    tally.add(&failed, Micros::ZERO);
    let why = watch.look(moment(1.0, &tally, 0)).unwrap();
    assert_eq!(why, "--stop-on error_rate>0.1: it is 1.000");
}

#[test]
fn counts_fire_at_once() {
    let tally = Tally::default();
    assert!(
        watch("in_flight > 9")
            .look(moment(0.0, &tally, 10))
            .is_some()
    );
    assert!(
        watch("in_flight > 9")
            .look(moment(0.0, &tally, 9))
            .is_none()
    );
}

#[test]
fn any_quantile_of_any_time_may_be_a_condition() {
    let mut watch = watch("tpot_p95_ms>20");
    let mut tally = Tally::default();
    tally.watch(watch.metrics());
    for i in 0..20 {
        let outcome = Outcome {
            tpot_ms: Some(secs(if i < 17 { 0.01 } else { 0.03 })),
            ..Outcome::default()
        };
        tally.add(&outcome, Micros::ZERO);
    }
    let why = watch.look(moment(1.0, &tally, 0)).unwrap();
    assert_eq!(why, "--stop-on tpot_p95_ms>20: it is 30.000");
    for wrong in [
        "ttft_p0_ms>1",
        "ttft_p101_ms>1",
        "ttft_ms>1",
        "x>1",
        "errors",
        "errors>x",
        "rate=5",
    ] {
        assert!(wrong.parse::<Stop>().is_err(), "{wrong}");
    }
}

#[test]
fn a_rate_is_of_the_last_seconds() {
    let mut watch = watch("rate<5");
    let mut tally = Tally::default();
    for second in 0..20 {
        for _ in 0..if second < 10 { 10 } else { 2 } {
            tally.add(&Outcome::default(), secs(f64::from(second)));
        }
        let fired = watch.look(moment(f64::from(second), &tally, 0));
        assert_eq!(fired.is_some(), second > 12, "{second}: {fired:?}");
    }
}

/// When saturation fires where `rate` come each second, and `answered` of
/// those that came in all have ended by then, after `latency`.
fn fires(
    seconds: u32,
    rate: impl Fn(f64) -> f64,
    answered: impl Fn(f64) -> f64,
    latency: impl Fn(f64) -> f64,
) -> Option<u32> {
    let mut watch = watch("saturation");
    let mut tally = Tally::default();
    tally.watch(watch.metrics());
    let mut due = 0.0;
    (0..seconds).find(|&second| {
        let now = f64::from(second);
        due += rate(now);
        while (tally.ended as f64) < answered(now) {
            let outcome = Outcome {
                latency_ms: Some(secs(latency(now))),
                ..Outcome::default()
            };
            tally.add(&outcome, secs(now));
        }
        let flying = due as u64 - tally.ended;
        watch.look(moment(now, &tally, flying as usize)).is_some()
    })
}

#[test]
fn a_server_that_falls_behind_is_saturated() {
    // A hundred a second come, sixty go: what ends waited ever longer.
    let fired = fires(60, |_| 100.0, |now| 60.0 * now, |now| 0.4 * now);
    assert!(
        fired.is_some_and(|second| (15..40).contains(&second)),
        "{fired:?}"
    );
}

#[test]
fn a_wait_for_the_cap_that_grows_is_saturation() {
    let mut watch = watch("saturation>5");
    let mut tally = Tally::default();
    tally.watch(watch.metrics());
    let fired = (0..40).find(|&second| {
        let now = f64::from(second);
        // Ten in flight, and for the first ten seconds no wait.
        let outcome = Outcome {
            queue_ms: Some(secs((now - 10.0).max(0.0) * 0.3)),
            latency_ms: Some(secs(0.1)),
            ..Outcome::default()
        };
        (0..50).for_each(|_| tally.add(&outcome, secs(now)));
        watch.look(moment(now, &tally, 10)).is_some()
    });
    assert!(
        fired.is_some_and(|second| (16..22).contains(&second)),
        "{fired:?}"
    );
}

#[test]
fn slow_answers_and_a_rising_rate_are_no_saturation() {
    let slow = fires(
        200,
        |_| 100.0,
        |now| 100.0 * (now - 29.0).max(0.0),
        |_| 30.0,
    );
    assert_eq!(slow, None);
    let rising = fires(
        100,
        |now| now,
        |now| (now - 9.0).max(0.0) * (now - 8.0).max(0.0) / 2.0,
        |_| 10.0,
    );
    assert_eq!(rising, None);
    let burst = fires(
        60,
        |now| if now == 20.0 { 1_000.0 } else { 50.0 },
        |now| {
            (50.0 * now).min(1_000.0)
                + ((now - 20.0) * 300.0).clamp(0.0, 1_000.0)
                + (50.0 * (now - 20.0)).max(0.0)
        },
        |_| 0.1,
    );
    assert_eq!(burst, None);
}

#[test]
fn conditions_are_written_as_assertions_are() {
    let tally = Tally::default();
    let fires = |text: &str, in_flight| watch(text).look(moment(1.0, &tally, in_flight)).is_some();
    for (text, at_five, at_six) in [
        ("in_flight>5", false, true),
        ("in_flight >= 5", true, true),
        ("in_flight<6", true, false),
        ("in_flight<=6", true, true),
    ] {
        assert_eq!(
            (fires(text, 5), fires(text, 6)),
            (at_five, at_six),
            "{text}"
        );
    }
    let share: Stop = "error_rate>10%".parse().unwrap();
    assert!((share.limit - 0.1).abs() < 1e-12, "{}", share.limit);
    for wrong in ["errors=5", "errors>>5", "errors>=", "errors>5%", "x>1"] {
        assert!(wrong.parse::<Stop>().is_err(), "{wrong}");
    }
}
