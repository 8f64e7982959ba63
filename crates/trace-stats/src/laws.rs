//! What is true of every report on a run, whatever the run.

use crate::report::{Report, Value};
use crate::{Args, summarize};
use clap::Parser;
use proptest::prelude::*;
use trace_core::Reader;

fn report(flags: &[&str], text: &str) -> Report {
    let args = Args::parse_from([&["trace-stats", "--no-prefix"], flags].concat());
    summarize(&args, &mut Reader::new("t", text.as_bytes())).unwrap()
}

fn count(report: &Report, name: &str) -> u64 {
    match report.scalar(name) {
        Some(Value::Count(count)) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

fn measure(report: &Report, name: &str) -> Option<f64> {
    match report.scalar(name) {
        Some(Value::Measure(value)) => *value,
        other => panic!("{name}: {other:?}"),
    }
}

/// The time to the first token of a request, in microseconds.
type Run = Vec<(String, u64)>;

prop_compose! {
    /// Answers of two tokens or more, so that each has every time.
    fn run()(
        requests in prop::collection::vec(
            (0u64..500_000, 0u64..4_000, 1u64..200_000, 0u64..900_000, 2u64..60, 0u8..8, 0u8..3),
            1..40,
        )
    ) -> Run {
        let mut clock = 0;
        let requests = requests.into_iter().map(|(gap, late, ttft, rest, tokens, fate, model)| {
            clock += gap;
            let ms = |micros: u64| micros as f64 / 1e3;
            let error = match fate {
                0 => r#","error":{"kind":"timeout","message":""}"#,
                1 => r#","error":{"kind":"cancelled","message":""}"#,
                _ => "",
            };
            let line = format!(
                concat!(
                    r#"{{"timestamp":{0},"input_length":7,"model":"m{1}","scheduled_ms":{0},"due_ms":{0},"#,
                    r#""sent_ms":{2},"ttft_ms":{3},"latency_ms":{4},"input_tokens":7,"output_tokens":{5}{6}}}"#,
                    "\n"
                ),
                ms(clock), model, ms(clock + late), ms(ttft), ms(ttft + rest), tokens, error,
            );
            (line, ttft)
        });
        requests.collect()
    }
}

fn text(run: &Run) -> String {
    run.iter().map(|(line, _)| line.as_str()).collect()
}

/// `--slo ttft_ms=…`, of so many microseconds.
fn bound(micros: u64) -> String {
    format!("ttft_ms={}", micros as f64 / 1e3)
}

const SENT: [&str; 2] = ["--slo-clock", "sent"];
const SUMS: [&str; 6] = [
    "succeeded",
    "failed",
    "good",
    "total_input_tokens",
    "total_output_tokens",
    "total_cached_tokens",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn goodput_is_a_part_of_throughput(run in run(), limit in 0u64..300_000, end in 0u64..900_000) {
        let limits = [bound(limit), format!("latency_ms={}", end as f64 / 1e3)];
        let report = report(&["--slo", &limits[0], "--slo", &limits[1]], &text(&run));
        let attained = report.slo.as_ref().unwrap();
        let (good, succeeded) = (count(&report, "good"), count(&report, "succeeded"));
        prop_assert!(good <= succeeded);
        for (_, share) in attained.each() {
            prop_assert!(good <= share.good && share.good <= succeeded);
        }
        prop_assert!(measure(&report, "goodput_rps") <= measure(&report, "throughput_rps"));
        prop_assert!(measure(&report, "goodput_tps") <= measure(&report, "output_tps"));
        if let Some(share) = measure(&report, "slo_attainment") {
            let answered = 1.0 - measure(&report, "error_rate").unwrap();
            prop_assert!((0.0..=answered + 1e-12).contains(&share), "{} of {}", share, answered);
        }
    }

    #[test]
    fn a_looser_bound_is_kept_at_least_as_often(run in run(), a in 0u64..300_000, b in 0u64..300_000) {
        let text = text(&run);
        let good = |micros| count(&report(&["--slo", &bound(micros)], &text), "good");
        prop_assert!(good(a.min(b)) <= good(a.max(b)));
    }

    #[test]
    fn a_bound_admits_itself_and_nothing_above(run in run(), which in any::<prop::sample::Index>()) {
        let (line, ttft) = which.get(&run);
        let good = |micros| {
            let bound = bound(micros);
            count(&report(&[&["--slo", &bound], &SENT[..]].concat(), line), "good")
        };
        prop_assert_eq!(good(*ttft), u64::from(!line.contains("error")));
        prop_assert_eq!(good(ttft - 1), 0);
    }

    #[test]
    fn groups_add_up_to_the_whole(run in run(), limit in 0u64..300_000) {
        let report = report(&["--by", "model", "--slo", &bound(limit)], &text(&run));
        let sum = |of: &dyn Fn(&Report) -> u64| report.groups.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(&|group| group.requests), report.requests);
        for name in SUMS {
            prop_assert_eq!(sum(&|group| count(group, name)), count(&report, name), "{}", name);
        }
        for (metric, spread) in &report.metrics {
            // Of n arrivals there are n − 1 gaps, which groups part.
            if *metric != "gap_ms" {
                let of = |group: &Report| group.metric(metric).map_or(0, |spread| spread.count);
                prop_assert_eq!(sum(&of), spread.count, "{}", metric);
                let of = |group: &Report| group.metric(metric).map_or(0, |spread| spread.censored);
                prop_assert_eq!(sum(&of), spread.censored, "{}", metric);
            }
        }
    }

    #[test]
    fn quantiles_rise_and_failures_only_raise_them(run in run()) {
        let text = text(&run);
        let all = report(&[], &text);
        let answered = report(&["--successes-only"], &text);
        for (name, spread) in &all.metrics {
            let rising = [spread.min, spread.p50, spread.p90, spread.p99, spread.p99_9];
            let rising: Vec<f64> = rising.map(|value| value.unwrap_or(f64::INFINITY)).to_vec();
            prop_assert!(rising.is_sorted(), "{}: {:?}", name, rising);
            if let Some(other) = answered.metric(name) {
                let p99 = |spread: &trace_core::quantile::Spread| spread.p99.unwrap_or(f64::INFINITY);
                prop_assert!(p99(other) <= p99(spread), "{}", name);
            }
        }
    }
}
