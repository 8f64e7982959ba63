//! The coefficients of an engine from a measured run: outcomes → [`Cost`].
//!
//! From when each request decoded follows how many decoded beside it, with how much context, and
//! how many prompt tokens were computed meanwhile. The time a request took for each token after
//! its first is then linear in what the engine did:
//!
//! ```text
//! tpot = b + c · batch + d · context + a · prompt tokens per step
//! ```
//!
//! which least squares solve, with no coefficient below zero. First tokens wait for other prompts,
//! for steps of others, and in queues that outcomes do not tell apart; so overhead and a are fitted
//! to the quicker half of them, repeatedly, until the half stays the same.
//!
//! Batch and context rise and fall together, so a run tells what a step costs better than how that
//! falls to c and to d. Runs at several rates, put together, tell more.

mod overlap;
mod solve;

use std::fmt::Write as _;

use anyhow::{Context, bail};
use trace_core::cli::InputArgs;
use trace_core::{Line, Reader};

use crate::engine::Cost;
use overlap::Overlap;
use solve::{Quality, least_squares};

/// A request that got its whole answer. Times in milliseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) sent: f64,
    pub(crate) first: f64,
    pub(crate) last: f64,
    pub(crate) input: f64,
    pub(crate) cached: f64,
    pub(crate) output: f64,
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub(crate) cost: Cost,
    samples: usize,
    first: Quality,
    next: Quality,
    /// Coefficients that the run says nothing of, and why.
    unknown: Vec<&'static str>,
}

/// Fewest requests that say anything.
const FEWEST: usize = 10;

/// Fit the outcomes in `path` and spell a profile.
///
/// # Errors
/// They cannot be read, or too few of them are whole streams.
pub(crate) fn run(path: &str) -> anyhow::Result<String> {
    let input = InputArgs {
        files: vec![path.into()],
        skip_invalid: false,
    };
    let samples = read(input.open()?)?;
    let fit = fit(&samples).with_context(|| path.to_owned())?;
    Ok(fit.yaml(path))
}

fn read(mut input: Reader<'_>) -> anyhow::Result<Vec<Sample>> {
    let (mut samples, mut line) = (Vec::new(), Line::default());
    while input.read(&mut line)? {
        let Some(outcome) = line.outcome()? else {
            continue;
        };
        let times = (outcome.sent_ms, outcome.ttft_ms, outcome.last_token_ms);
        let input = outcome.input_tokens.or(line.request.input_length);
        let counts = input.zip(outcome.output_tokens.filter(|tokens| *tokens > 0));
        let ((Some(sent), Some(first), Some(last)), Some((input, output)), None) =
            (times, counts, &outcome.error)
        else {
            continue;
        };
        let sent = sent.as_millis();
        samples.push(Sample {
            sent,
            first: sent + first.as_millis(),
            last: sent + last.as_millis(),
            input: input as f64,
            cached: outcome.cached_tokens.unwrap_or(0) as f64,
            output: output as f64,
        });
    }
    Ok(samples)
}

/// The coefficients that explain `samples` best.
///
/// # Errors
/// There are too few of them.
pub(crate) fn fit(samples: &[Sample]) -> anyhow::Result<Fit> {
    let long: Vec<_> = samples
        .iter()
        .filter(|sample| sample.output > 1.0)
        .collect();
    if long.len() < FEWEST {
        bail!(
            "{} answers of two tokens or more, with times of first and last token; a fit needs {FEWEST}",
            long.len()
        );
    }
    let overlap = Overlap::of(samples);
    let mut rows = Vec::with_capacity(long.len());
    let mut tpot = Vec::with_capacity(long.len());
    for sample in &long {
        let steps = sample.output - 1.0;
        let span = sample.last - sample.first;
        let during = overlap.during(sample.first, sample.last);
        let made = during.steps.max(1e-6);
        let row = [
            1.0,
            during.sequences / made,
            during.context / made,
            during.prefill / steps,
        ];
        rows.push(row);
        tpot.push(span / steps);
    }
    let ([b, c, d, _], next) = least_squares(&rows, &tpot);
    let mut unknown = Vec::new();
    for (at, name) in [
        (1, "c: the batch never changed"),
        (2, "d: the context never changed"),
    ] {
        if !solve::varies(&rows, at) {
            unknown.push(name);
        }
    }
    // Besides its own prompt, a first token waits for those before it, and for steps of others.
    let row = |sample: &Sample| {
        let own = sample.input - sample.cached;
        let meanwhile = overlap.during(sample.sent, sample.first).prefill;
        let (sequences, context) = overlap.at(sample.sent);
        let step = if sequences > 0.5 {
            b + c * sequences + d * context
        } else {
            0.0
        };
        [1.0, own, meanwhile - own, step]
    };
    let rows: Vec<_> = samples.iter().map(row).collect();
    if !solve::varies(&rows, 1) {
        unknown.push("a: all prompts were of one length");
    }
    let ttft: Vec<_> = samples
        .iter()
        .map(|sample| sample.first - sample.sent)
        .collect();
    let ([overhead, a, ..], first) = solve::lower_half(&rows, &ttft);
    Ok(Fit {
        cost: Cost {
            overhead_ms: overhead,
            prefill_token_ms: a,
            step_ms: b,
            sequence_ms: c,
            context_token_ms: d,
        },
        samples: samples.len(),
        first,
        next,
        unknown,
    })
}

impl Fit {
    /// A profile, with how well it fits in its comments.
    pub(crate) fn yaml(&self, name: &str) -> String {
        let Fit {
            cost, first, next, ..
        } = self;
        let mut out = String::new();
        let _ = writeln!(out, "# Fitted to {} answers of {name}.", self.samples);
        let _ = writeln!(
            out,
            "# Time to first token, the quicker half of {}: {first}.",
            self.samples
        );
        let _ = writeln!(out, "# Time per output token: {next}.");
        for why in &self.unknown {
            let _ = writeln!(out, "# Not to be told from this run: {why}.");
        }
        let _ = writeln!(out, "costs:");
        for (name, value) in [
            ("overhead_ms", cost.overhead_ms),
            ("prefill_token_ms", cost.prefill_token_ms),
            ("step_ms", cost.step_ms),
            ("sequence_ms", cost.sequence_ms),
            ("context_token_ms", cost.context_token_ms),
        ] {
            let _ = writeln!(out, "  {name}: {value:.9}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
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
}
