//! The costs of simulated engines, found again.

use std::time::Duration;

use trace_core::Streams;
use trace_core::seed::unit;

use super::*;
use crate::engine::{Engine, Event, Jitter, Job, Limits};
use crate::profile::Profile;

/// Requests at `rate` per second through an engine, as a client would have measured them.
fn measured(cost: Cost, rate: f64, jitter: Jitter) -> Vec<Sample> {
    run_through(Limits::default(), cost, rate, jitter, 1_000)
}

/// The same of `count` requests, through an engine with these limits. Every third prompt begins
/// with one that all of them know.
fn run_through(limits: Limits, cost: Cost, rate: f64, jitter: Jitter, count: u64) -> Vec<Sample> {
    let mut engine = Engine::new(limits, cost, jitter, 1);
    let mut random = Streams::new(5).stream("test");
    let (mut now, mut jobs, mut events) = (Duration::ZERO, Vec::new(), Vec::<Event>::new());
    for id in 0..count {
        now += Duration::from_secs_f64(-libm::log(1.0 - unit(&mut random)) / rate);
        let input = 100 + (unit(&mut random) * 6_000.0) as u64;
        let output = 20 + (unit(&mut random) * 200.0) as u64;
        while engine.advance(now, &mut events) {}
        let known = if id % 3 == 0 { input / 32 } else { 0 };
        let job = Job {
            id,
            input,
            output,
            width: 1,
            blocks: (0..known).collect(),
            ..Job::default()
        };
        engine.submit(now, job);
        jobs.push((now, input, output));
    }
    while let Some(next) = engine.next() {
        engine.advance(next, &mut events);
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let mut tokens = vec![Vec::new(); jobs.len()];
    let mut cached = vec![0; jobs.len()];
    for event in &events {
        tokens[event.id as usize].push(ms(event.at));
        cached[event.id as usize] = event.cached;
    }
    let samples = jobs.into_iter().zip(tokens).zip(cached);
    samples
        .map(|(((sent, input, output), tokens), cached)| Sample {
            sent: ms(sent),
            first: tokens[0],
            last: tokens[tokens.len() - 1],
            input: input as f64,
            cached: cached as f64,
            output: output as f64,
            gaps: tokens
                .windows(2)
                .map(|two| (two[1] - two[0]) as f32)
                .collect(),
        })
        .collect()
}

fn close(name: &str, got: f64, truth: f64, within: f64) {
    assert!(
        (got / truth - 1.0).abs() < within,
        "{name}: {got}, not {truth}"
    );
}

const TRUTH: &str = "overhead=5ms,a=33us,b=8ms,c=100us,d=200ns";

/// Whether all costs of `fit` are those of `truth`, to this share.
fn recovered(name: &str, fit: &Fit, truth: Cost, within: f64) {
    let close = |what: &str, got, truth| close(&format!("{name}: {what}"), got, truth, within);
    close("a", fit.cost.prefill_token_ms, truth.prefill_token_ms);
    close("b", fit.cost.step_ms, truth.step_ms);
    close("c", fit.cost.sequence_ms, truth.sequence_ms);
    close("d", fit.cost.context_token_ms, truth.context_token_ms);
    assert!(fit.steps.quality.r_squared > 0.9, "{name}: {:?}", fit.steps);
}

#[test]
fn the_costs_of_a_simulated_engine_are_found_again() {
    let truth: Cost = TRUTH.parse().unwrap();
    for rate in [0.5, 3.0, 5.0] {
        let fit = fit(&measured(truth, rate, Jitter::None)).unwrap();
        recovered(&format!("{rate}/s"), &fit, truth, 0.05);
        if fit.unknown.is_empty() {
            close("overhead", fit.cost.overhead_ms, truth.overhead_ms, 0.01);
        }
        assert!(fit.unknown.is_empty() || rate > 1.0, "{:?}", fit.unknown);
    }
    let faster = truth.times(0.1);
    let fit = super::fit(&measured(faster, 30.0, Jitter::None)).unwrap();
    recovered("at ten times the speed", &fit, faster, 0.05);
}

#[test]
fn they_are_found_where_times_scatter() {
    let truth: Cost = TRUTH.parse().unwrap();
    for jitter in [Jitter::Lognormal(0.05), Jitter::Uniform(0.2)] {
        let fit = fit(&measured(truth, 3.0, jitter)).unwrap();
        recovered(&format!("{jitter:?}"), &fit, truth, 0.15);
    }
}

#[test]
fn they_are_found_where_requests_wait_for_a_place_now_and_then() {
    let truth: Cost = TRUTH.parse().unwrap();
    let limits = Limits {
        sequences: 6,
        ..Limits::default()
    };
    let fit = fit(&run_through(limits, truth, 3.0, Jitter::None, 1_000)).unwrap();
    recovered("queue", &fit, truth, 0.05);
}

#[test]
fn of_a_run_that_only_waited_no_overhead_is_made_up() {
    let truth: Cost = TRUTH.parse().unwrap();
    let limits = Limits {
        sequences: 4,
        ..Limits::default()
    };
    let fit = fit(&run_through(limits, truth, 1_000.0, Jitter::None, 200)).unwrap();
    let [why] = &fit.unknown[..] else {
        panic!("{:?}", fit.unknown);
    };
    assert!(
        why.starts_with("overhead: 1 requests were alone")
            && why.contains("of which 4 were taken while ")
            && why.contains("trace-send --concurrency 1"),
        "{why}"
    );
    let yaml = fit.yaml("run.jsonl");
    assert!(
        yaml.contains("  # overhead_ms: not told by this run\n"),
        "{yaml}"
    );
    // Steps that computed prompts still tell what a prompt costs.
    close("a", fit.cost.prefill_token_ms, truth.prefill_token_ms, 0.05);
    Profile::parse("fit", &yaml).unwrap();
}

#[test]
fn a_fit_is_a_profile() {
    let truth: Cost = "overhead=5ms,a=33us,b=8ms".parse().unwrap();
    let fit = fit(&measured(truth, 2.0, Jitter::None)).unwrap();
    let yaml = fit.yaml("run.jsonl");
    let cost = Profile::parse("fit", &yaml).unwrap().cost().unwrap();
    assert!((cost.step_ms - fit.cost.step_ms).abs() < 1e-8, "{yaml}");
    assert!(yaml.contains("R² "), "{yaml}");
}

#[test]
fn a_fit_is_as_the_schema_says() {
    let schema = include_str!("../../../../schemas/profile.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let truth: Cost = "overhead=5ms,a=33us,b=8ms".parse().unwrap();
    let yaml = fit(&measured(truth, 2.0, Jitter::None))
        .unwrap()
        .yaml("run.jsonl");
    let json: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert!(validator.is_valid(&json), "{yaml}");
}

#[test]
fn what_a_run_does_not_tell_is_said() {
    // One at a time, all alike.
    let alone = |number: f64| Sample {
        sent: number * 1_000.0,
        first: number * 1_000.0 + 50.0,
        last: number * 1_000.0 + 140.0,
        input: 100.0,
        output: 10.0,
        ..Sample::default()
    };
    let samples: Vec<_> = (0..20).map(|number| alone(f64::from(number))).collect();
    let fit = fit(&samples).unwrap();
    assert_eq!(fit.unknown.len(), 3, "{:?}", fit.unknown);
    close("b", fit.cost.step_ms, 10.0, 1e-6);
    close("overhead", fit.cost.overhead_ms, 50.0, 1e-6);
    assert!(
        super::fit(&samples[..9])
            .unwrap_err()
            .to_string()
            .contains("a fit needs 10")
    );
}

#[test]
fn times_that_no_costs_explain_are_said_to_be_such() {
    let mut random = Streams::new(5).stream("test");
    let mut sample = |number: f64| Sample {
        sent: number * 1_000.0,
        first: number * 1_000.0 + 50.0,
        last: number * 1_000.0 + 50.0 + 100.0 * unit(&mut random),
        input: 100.0 + number,
        output: 10.0,
        ..Sample::default()
    };
    let samples: Vec<_> = (0..50).map(|number| sample(f64::from(number))).collect();
    let yaml = fit(&samples).unwrap().yaml("run.jsonl");
    assert!(yaml.contains("explain the times poorly"), "{yaml}");
    let truth: Cost = TRUTH.parse().unwrap();
    let yaml = fit(&measured(truth, 3.0, Jitter::None))
        .unwrap()
        .yaml("run.jsonl");
    assert!(!yaml.contains("poorly"), "{yaml}");
}

#[test]
fn a_fit_says_where_two_costs_cannot_be_told_apart() {
    // The context is always a thousand times the batch, but for a trace of noise.
    let samples: Vec<_> = (0..400)
        .filter_map(|number| {
            let (wave, of) = (number / 8, number % 8);
            let size = 1 + wave % 8;
            let sent = f64::from(wave) * 10_000.0;
            let tpot = 8.0 + 0.3 * f64::from(size) + 0.01 * f64::from((number * 7) % 5);
            (of < size).then_some(Sample {
                sent,
                first: sent + 50.0,
                last: sent + 50.0 + 50.0 * tpot,
                input: 1_000.0,
                output: 51.0,
                ..Sample::default()
            })
        })
        .collect();
    let yaml = fit(&samples).unwrap().yaml("run.jsonl");
    assert!(
        yaml.contains("c and d cannot be told apart") || yaml.contains("came out below 0"),
        "{yaml}"
    );
    let truth: Cost = "overhead=5ms,a=33us,b=8ms,c=100us,d=200ns".parse().unwrap();
    let yaml = fit(&measured(truth, 5.0, Jitter::None))
        .unwrap()
        .yaml("run.jsonl");
    assert!(
        yaml.contains("condition number ") && yaml.contains(" # b ± "),
        "{yaml}"
    );
}
