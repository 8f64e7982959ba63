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
//! which least squares solve, with no coefficient below zero: for [some steps](span::STEPS) at a time
//! where the gaps between tokens are known, for whole answers else. First tokens wait for other
//! prompts, for steps of others and for places in the batch, which outcomes do not tell apart; so
//! overhead is fitted to requests that had the engine for themselves, and not at all where there
//! are too few of those. a is from them or from the steps that computed prompts, whichever tell it
//! better.
//!
//! Batch and context rise and fall together, so a run tells what a step costs better than how that
//! falls to c and to d: the profile says how well, and where they cannot be told apart. Runs at
//! several rates, put together, tell more.

mod certainty;
mod overlap;
mod report;
mod solve;
mod span;
mod starts;
mod steps;
#[cfg(test)]
mod tests;

use std::io::Write;

use anyhow::Context;
use trace_core::cli::InputArgs;
use trace_core::{Line, Reader};

use crate::engine::Cost;
use certainty::Certainty;
use overlap::Overlap;
use solve::{Quality, least_squares};

/// A request that got its whole answer. Times in milliseconds since the first began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    pub(crate) sent: f64,
    pub(crate) first: f64,
    pub(crate) last: f64,
    pub(crate) input: f64,
    pub(crate) cached: f64,
    pub(crate) output: f64,
    /// From each token to the next; none where tokens came several at a time.
    pub(crate) gaps: Vec<f32>,
}

impl Sample {
    /// Prompt tokens that were computed.
    fn own(&self) -> f64 {
        self.input - self.cached
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub(crate) cost: Cost,
    samples: usize,
    steps: Part<4>,
    /// None where too few requests were alone.
    starts: Option<Part<2>>,
    /// Whether a is from the steps that computed prompts, and not from first tokens.
    from_steps: bool,
    /// Coefficients that the run says nothing of, and why.
    pub(crate) unknown: Vec<String>,
}

/// A least-squares problem, solved.
#[derive(Clone, Debug)]
struct Part<const N: usize> {
    /// What it was fitted to.
    of: String,
    coefficients: [f64; N],
    quality: Quality,
    certainty: Certainty<N>,
    /// Columns that do not vary.
    constant: [bool; N],
}

impl<const N: usize> Part<N> {
    fn solve(of: String, rows: &[[f64; N]], measured: &[f64]) -> Part<N> {
        let (coefficients, quality) = least_squares(rows, measured);
        Part {
            of,
            coefficients,
            quality,
            certainty: Certainty::of(rows, measured, &coefficients),
            constant: std::array::from_fn(|at| !solve::varies(rows, at)),
        }
    }

    /// Standard error of a coefficient, as a share of it; none where it is 0.
    fn doubt(&self, at: usize) -> Option<f64> {
        Some(self.certainty.errors[at]? / self.coefficients[at])
    }
}

/// Fewest requests that say anything.
const FEWEST: usize = 10;

/// Fit the outcomes in `path` and spell a profile. Says on `stderr` what they do not tell.
///
/// # Errors
/// They cannot be read, or too few of them are whole streams.
pub(crate) fn run(path: &str, mut stderr: impl Write) -> anyhow::Result<String> {
    let input = InputArgs {
        files: vec![path.into()],
        skip_invalid: false,
    };
    let samples = read(input.open()?)?;
    let fit = fit(&samples).with_context(|| path.to_owned())?;
    for why in &fit.unknown {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(stderr, "trace-mock: {path} does not tell {why}");
    }
    Ok(fit.yaml(path))
}

fn read(mut input: Reader<'_>) -> anyhow::Result<Vec<Sample>> {
    let (mut samples, mut line) = (Vec::new(), Line::default());
    let mut start = None;
    while input.read(&mut line)? {
        let Some(outcome) = line.outcome()? else {
            continue;
        };
        // The wall clock, where there is one: runs one after the other may be in one file.
        let sent = outcome.sent_unix_ms.or(outcome.sent_ms);
        let times = (sent, outcome.ttft_ms, outcome.last_token_ms);
        let input = outcome.input_tokens.or(line.request.input_length);
        let counts = input.zip(outcome.output_tokens.filter(|tokens| *tokens > 0));
        let ((Some(sent), Some(first), Some(last)), Some((input, output)), None) =
            (times, counts, &outcome.error)
        else {
            continue;
        };
        let sent = sent.as_millis() - *start.get_or_insert(sent.as_millis());
        let gaps = outcome.itl_ms.iter().flatten();
        let gaps: Vec<_> = gaps.map(|gap| gap.as_millis() as f32).collect();
        samples.push(Sample {
            sent,
            first: sent + first.as_millis(),
            last: sent + last.as_millis(),
            input: input as f64,
            cached: outcome.cached_tokens.unwrap_or(0) as f64,
            output: output as f64,
            gaps: if gaps.len() as u64 + 1 == output {
                gaps
            } else {
                Vec::new()
            },
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
    let steps = steps::fit(samples, &overlap)?;
    let starts = starts::fit(samples, &overlap);
    let mut unknown = Vec::new();
    if steps.constant[1] {
        unknown.push("c: the batch never changed".to_owned());
    }
    if steps.constant[2] {
        unknown.push("d: the context never changed".to_owned());
    }
    let by_starts = starts.as_ref().ok().and_then(|starts| starts.doubt(1));
    let by_steps = steps.doubt(3);
    let from_steps = by_steps.is_some_and(|doubt| by_starts.is_none_or(|other| doubt < other));
    let [step_ms, sequence_ms, context_token_ms, by_steps] = steps.coefficients;
    let [overhead_ms, by_starts] = match &starts {
        Ok(starts) => [starts.coefficients[0], starts.coefficients[1]],
        Err(_) => [0.0; 2],
    };
    match &starts {
        Err(shared) => unknown.push(shared.words(from_steps)),
        Ok(starts) if starts.constant[1] && !from_steps => {
            unknown.push("a: all prompts were of one length".to_owned());
        }
        Ok(_) => {}
    }
    Ok(Fit {
        cost: Cost {
            overhead_ms,
            prefill_token_ms: if from_steps { by_steps } else { by_starts },
            step_ms,
            sequence_ms,
            context_token_ms,
        },
        samples: samples.len(),
        steps,
        starts: starts.ok(),
        from_steps,
        unknown,
    })
}
