//! The costs of simulated engines, found again.

use std::time::Duration;

use trace_core::Streams;
use trace_core::seed::unit;

use super::*;
use crate::engine::{Engine, Event, Jitter, Job, Limits, Load};
use crate::profile::Profile;

/// Requests at `rate` per second through an engine, as a client would have measured them.
fn measured(cost: Cost, rate: f64, jitter: Jitter) -> Vec<Sample> {
    let mut engine = Engine::new(Limits::default(), cost, jitter, 1);
    let mut random = Streams::new(5).stream("test");
    let (mut now, mut jobs, mut events) = (Duration::ZERO, Vec::new(), Vec::<Event>::new());
    for id in 0..1_000 {
        now += Duration::from_secs_f64(-libm::log(1.0 - unit(&mut random)) / rate);
        let input = 100 + (unit(&mut random) * 6_000.0) as u64;
        let output = 20 + (unit(&mut random) * 200.0) as u64;
        while engine.advance(now, &mut events) {}
        engine.submit(
            now,
            Job {
                id,
                input,
                output,
                width: 1,
                ..Job::default()
            },
        );
        jobs.push((now, input, output));
    }
    while let Some(next) = engine.next() {
        engine.advance(next, &mut events);
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let mut times = vec![(Duration::MAX, Duration::ZERO); jobs.len()];
    for event in &events {
        let (first, last) = &mut times[event.id as usize];
        *first = (*first).min(event.at);
        *last = (*last).max(event.at);
    }
    jobs.iter()
        .zip(times)
        .map(|((sent, input, output), (first, last))| Sample {
            sent: ms(*sent),
            first: ms(first),
            last: ms(last),
            input: *input as f64,
            cached: 0.0,
            output: *output as f64,
        })
        .collect()
}

fn close(name: &str, got: f64, truth: f64, within: f64) {
    assert!(
        (got / truth - 1.0).abs() < within,
        "{name}: {got}, not {truth}"
    );
}

#[test]
fn the_costs_of_a_simulated_engine_are_found_again() {
    let truth: Cost = "overhead=5ms,a=33us,b=8ms,c=100us,d=200ns".parse().unwrap();
    for jitter in [Jitter::None, Jitter::Lognormal(0.05)] {
        let fit = fit(&measured(truth, 5.0, jitter)).unwrap();
        close("b", fit.cost.step_ms, truth.step_ms, 0.1);
        close("a", fit.cost.prefill_token_ms, truth.prefill_token_ms, 0.1);
        for (sequences, each) in [(1, 500), (4, 2_000), (16, 3_000)] {
            let load = Load {
                sequences,
                context: sequences * each,
                ..Load::default()
            };
            let step = |cost: Cost| cost.step(load).as_secs_f64();
            close("step", step(fit.cost), step(truth), 0.07);
        }
        assert!(fit.next.r_squared > 0.9, "{:?}", fit.next);
    }
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
        cached: 0.0,
        output: 10.0,
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
                cached: 0.0,
                output: 51.0,
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
