//! What is kept of a trace to hold it against another one.

use super::correlation::Correlation;
use crate::cache::{Curve, Distances, Order, Rows};
use crate::input::each_line;
use crate::order::Prompt;
use crate::prefix::Prefixes;
use crate::tree::Tree;
use hashbrown::HashMap;
use trace_core::quantile::{Sample, Spread};
use trace_core::{Micros, Reader, SessionId};

/// A trace in numbers, one of each quantity per request.
#[derive(Debug)]
pub struct Profile {
    /// Number of requests.
    pub requests: u64,
    /// Arrivals, sorted.
    pub arrivals: Vec<Micros>,
    /// Values of each quantity in [`QUANTITIES`], sorted.
    pub samples: Vec<(&'static str, Sample)>,
    /// Coefficients of the pairs in [`PAIRS`].
    pub correlations: Vec<(&'static str, Option<f64>)>,
    /// Hits of an LRU cache at every capacity.
    pub curve: Curve,
    /// Hits of an infinite cache: by request, by block, by token.
    pub hit_rates: [(&'static str, Option<f64>); 3],
}

/// The quantities whose distributions are compared, with their units.
pub const QUANTITIES: [(&str, &str); 8] = [
    ("gap_ms", "ms"),
    ("input_length", "tokens"),
    ("context_length", "tokens"),
    ("unique_prompt_length", "tokens"),
    ("output_length", "tokens"),
    ("prefix_hit_rate", "share"),
    ("session_turns", "requests"),
    ("conversation_turns", "requests"),
];

/// The pairs of quantities whose correlations are compared.
pub const PAIRS: [&str; 5] = [
    "context_unique",
    "input_output",
    "context_output",
    "unique_output",
    "gap_gap",
];

/// What one request says.
struct Asked {
    input: Option<u64>,
    output: Option<u64>,
    has_ids: bool,
}

impl Profile {
    /// The profile of all requests of `input`, of blocks of `block_size` tokens;
    /// outcomes count as what they asked, in the order of their input.
    ///
    /// # Errors
    ///
    /// Those of reading; more rows or ids than can be numbered.
    pub fn read(input: &mut Reader<'_>, block_size: u64) -> anyhow::Result<Self> {
        Self::read_with(input, block_size, |_| {})
    }

    /// The same, and `see` sees every outcome as it is read.
    ///
    /// # Errors
    ///
    /// As [`Profile::read`].
    pub fn read_with(
        input: &mut Reader<'_>,
        block_size: u64,
        mut see: impl FnMut(&trace_core::Outcome),
    ) -> anyhow::Result<Self> {
        let mut sessions: HashMap<SessionId, u64, foldhash::fast::FixedState> = HashMap::default();
        let mut prefixes = Prefixes::new(block_size);
        let mut tree = Tree::new(block_size);
        let mut rows = Rows::new(block_size, false);
        let mut distances = Distances::new(Order::Forward);
        let mut asked = Vec::new();
        let mut arrivals = Vec::new();
        let count_turn = |line: &trace_core::Line, outcome: Option<&trace_core::Outcome>| {
            if let Some(outcome) = outcome {
                see(outcome);
            }
            if let Some(session) = &line.request.session_id {
                match sessions.get_mut(session) {
                    Some(count) => *count += 1,
                    None => {
                        sessions.insert(session.clone(), 1);
                    }
                }
            }
        };
        let requests = each_line(input, count_turn, |prompt: Prompt<'_>| {
            arrivals.extend(prompt.arrival);
            asked.push(Asked {
                input: prompt.input_length,
                output: prompt.output_length,
                has_ids: !prompt.ids.is_empty(),
            });
            if prompt.ids.is_empty() {
                return Ok(());
            }
            tree.begin(&prompt);
            prefixes.push_watched(prompt.input_length, prompt.ids, &mut tree)?;
            tree.end(&prompt);
            distances.push(&rows.row(prompt.input_length, prompt.ids)?);
            Ok(())
        })?;
        arrivals.sort_unstable();
        let gaps = arrivals.windows(2);
        let gaps: Vec<f64> = gaps
            .map(|pair| pair[1].saturating_sub(pair[0]).as_millis())
            .collect();
        let [mut context, mut unique] = [const { Vec::new() }; 2];
        let mut correlations = [Correlation::default(); PAIRS.len()];
        correlations[4].extend(gaps.windows(2).map(|pair| (pair[0], pair[1])));
        let mut contexts = prefixes.contexts();
        for asked in &asked {
            let shared = if asked.has_ids {
                contexts.next().unwrap_or(0)
            } else {
                0
            };
            let Some(input) = asked.input else { continue };
            let (shared, input) = (shared as f64, input as f64);
            let rest = input - shared;
            context.push(shared);
            unique.push(rest);
            correlations[0].push(shared, rest);
            if let Some(output) = asked.output {
                let output = output as f64;
                correlations[1].push(input, output);
                correlations[2].push(shared, output);
                correlations[3].push(rest, output);
            }
        }
        drop(contexts);
        let counted = |values: &mut dyn Iterator<Item = u64>| {
            values.map(|value| value as f64).collect::<Sample>()
        };
        let samples = [
            gaps.into_iter().collect(),
            counted(&mut asked.iter().filter_map(|asked| asked.input)),
            context.into_iter().collect(),
            unique.into_iter().collect(),
            counted(&mut asked.iter().filter_map(|asked| asked.output)),
            prefixes.hit_rates().clone(),
            counted(&mut sessions.into_values()),
            counted(&mut tree.conversations().iter().map(|&turns| turns.into())),
        ];
        let names = QUANTITIES.map(|(name, _)| name);
        let mut samples: Vec<(&str, Sample)> = names.into_iter().zip(samples).collect();
        for (_, sample) in &mut samples {
            sample.sorted();
        }
        let reuse = prefixes.finish();
        Ok(Self {
            requests,
            arrivals,
            samples,
            correlations: PAIRS
                .into_iter()
                .zip(correlations.map(|pair| pair.coefficient()))
                .collect(),
            curve: distances.curve(),
            hit_rates: [
                ("request_hit_rate", reuse.prefix_hit_rate.mean),
                ("block_hit_rate", reuse.block_hit_rate()),
                ("token_hit_rate", reuse.token_hit_rate()),
            ],
        })
    }

    /// Last arrival − first arrival; none without arrivals.
    pub fn duration(&self) -> Option<Micros> {
        let (first, last) = (self.arrivals.first()?, self.arrivals.last()?);
        Some(last.saturating_sub(*first))
    }

    /// Arrivals per second between the first and the last.
    pub fn rate(&self) -> Option<f64> {
        let gaps = self.arrivals.len().saturating_sub(1);
        crate::workload::per_second(gaps as f64, self.duration()?)
    }

    /// The spread of each quantity.
    pub fn spreads(&mut self) -> Vec<(&'static str, Spread)> {
        let samples = self.samples.iter_mut();
        samples
            .map(|(name, sample)| (*name, sample.spread()))
            .collect()
    }
}
