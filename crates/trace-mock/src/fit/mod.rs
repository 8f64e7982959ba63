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
//! falls to c and to d: the profile says how well, and where they cannot be told apart. Runs at
//! several rates, put together, tell more.

mod certainty;
mod overlap;
mod report;
mod solve;
#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use trace_core::cli::InputArgs;
use trace_core::{Line, Reader};

use crate::engine::Cost;
use certainty::Certainty;
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
    /// Of overhead, a, what others' prompts add, and what steps of others do.
    first_certainty: Certainty<4>,
    /// Of b, c, d, and what prompts among the steps add.
    next_certainty: Certainty<4>,
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
    let overlap = Overlap::of(samples);
    let next = Part::of_steps(samples, &overlap)?;
    let first = Part::of_starts(samples, &overlap, next.coefficients);
    let [step_ms, sequence_ms, context_token_ms, _] = next.coefficients;
    let [overhead_ms, prefill_token_ms, ..] = first.coefficients;
    Ok(Fit {
        cost: Cost {
            overhead_ms,
            prefill_token_ms,
            step_ms,
            sequence_ms,
            context_token_ms,
        },
        samples: samples.len(),
        unknown: [next.unknown, first.unknown].concat(),
        first: first.quality,
        next: next.quality,
        first_certainty: first.certainty,
        next_certainty: next.certainty,
    })
}

/// One of the two least-squares problems, solved.
struct Part {
    coefficients: [f64; 4],
    quality: Quality,
    certainty: Certainty<4>,
    unknown: Vec<&'static str>,
}

impl Part {
    /// Times of tokens after the first, by what the steps between them did: b, c, d, and a prompt
    /// token's share.
    fn of_steps(samples: &[Sample], overlap: &Overlap) -> anyhow::Result<Part> {
        let long = samples.iter().filter(|sample| sample.output > 1.0);
        let row = |sample: &Sample| {
            let steps = sample.output - 1.0;
            let during = overlap.during(sample.first, sample.last);
            let made = during.steps.max(1e-6);
            let row = [
                1.0,
                during.sequences / made,
                during.context / made,
                during.prefill / steps,
            ];
            (row, (sample.last - sample.first) / steps)
        };
        let (rows, tpot): (Vec<_>, Vec<_>) = long.map(row).unzip();
        if rows.len() < FEWEST {
            bail!(
                "{} answers of two tokens or more, with times of first and last token; a fit needs {FEWEST}",
                rows.len()
            );
        }
        let (coefficients, quality) = least_squares(&rows, &tpot);
        let names = [
            (1, "c: the batch never changed"),
            (2, "d: the context never changed"),
        ];
        let constant = names.iter().filter(|(at, _)| !solve::varies(&rows, *at));
        Ok(Part {
            coefficients,
            quality,
            certainty: Certainty::of(&rows, &tpot, &coefficients),
            unknown: constant.map(|(_, why)| *why).collect(),
        })
    }

    /// Times of first tokens by their prompts, the prompts before those, and the steps of others,
    /// which cost what `steps` says: overhead, a, and the shares of both.
    fn of_starts(samples: &[Sample], overlap: &Overlap, steps: [f64; 4]) -> Part {
        let [b, c, d, _] = steps;
        let row = |sample: &Sample| {
            let own = sample.input - sample.cached;
            let meanwhile = overlap.during(sample.sent, sample.first).prefill;
            let (sequences, context) = overlap.at(sample.sent);
            let step = if sequences > 0.5 {
                b + c * sequences + d * context
            } else {
                0.0
            };
            let row = [1.0, own, meanwhile - own, step];
            (row, sample.first - sample.sent)
        };
        let (rows, ttft): (Vec<_>, Vec<_>) = samples.iter().map(row).unzip();
        let (coefficients, quality, kept) = solve::lower_half(&rows, &ttft);
        let half: Vec<_> = kept.iter().map(|at| rows[*at]).collect();
        let times: Vec<_> = kept.iter().map(|at| ttft[*at]).collect();
        let one_length = !solve::varies(&rows, 1);
        Part {
            coefficients,
            quality,
            certainty: Certainty::of(&half, &times, &coefficients),
            unknown: one_length
                .then_some("a: all prompts were of one length")
                .into_iter()
                .collect(),
        }
    }
}
