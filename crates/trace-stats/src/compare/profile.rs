//! What is kept of a trace to hold it against another one.

use super::correlation::Correlation;
use crate::cache::{Curve, Distances, Order, Rows};
use crate::input::each_line;
use crate::order::Prompt;
use crate::prefix::Prefixes;
use crate::tree::Tree;
use crate::workload::{Sessions, count_turn};
use trace_core::quantile::{Sample, Spread};
use trace_core::{Line, Micros, Outcome, Reader};

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

/// What is collected of a trace while it is read.
struct Collected {
    prefixes: Prefixes,
    tree: Tree,
    rows: Rows,
    distances: Distances,
    asked: Vec<Asked>,
    arrivals: Vec<Micros>,
}

impl Collected {
    fn new(block_size: u64) -> Self {
        Self {
            prefixes: Prefixes::new(block_size),
            tree: Tree::new(block_size),
            rows: Rows::new(block_size, false),
            distances: Distances::new(Order::Forward),
            asked: Vec::new(),
            arrivals: Vec::new(),
        }
    }

    /// Take the next request in the order a cache meets them.
    fn push(&mut self, prompt: &Prompt<'_>) -> anyhow::Result<()> {
        self.arrivals.extend(prompt.arrival);
        self.asked.push(Asked {
            input: prompt.input_length,
            output: prompt.output_length,
            has_ids: !prompt.ids.is_empty(),
        });
        if prompt.ids.is_empty() {
            return Ok(());
        }
        self.tree.begin(prompt);
        self.prefixes
            .push_watched(prompt.input_length, prompt.ids, &mut self.tree)?;
        self.tree.end(prompt);
        self.distances
            .push(&self.rows.row(prompt.input_length, prompt.ids)?);
        Ok(())
    }

    /// Milliseconds between arrivals, in their order.
    fn gaps(&self) -> Vec<f64> {
        let gaps = self.arrivals.windows(2);
        gaps.map(|pair| pair[1].saturating_sub(pair[0]).as_millis())
            .collect()
    }

    /// What each prompt shares with others and what it does not, where its length
    /// is known, and how lengths go together, in the order of [`PAIRS`].
    fn shared(&self) -> (Sample, Sample, [Correlation; PAIRS.len()]) {
        let [mut context, mut unique] = [const { Vec::new() }; 2];
        let mut correlations = [Correlation::default(); PAIRS.len()];
        let mut contexts = self.prefixes.contexts();
        for asked in &self.asked {
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
        (
            context.into_iter().collect(),
            unique.into_iter().collect(),
            correlations,
        )
    }

    fn finish(mut self, requests: u64, sessions: Sessions) -> Profile {
        self.arrivals.sort_unstable();
        let gaps = self.gaps();
        let (context, unique, mut correlations) = self.shared();
        correlations[4].extend(gaps.windows(2).map(|pair| (pair[0], pair[1])));
        let counted = |values: &mut dyn Iterator<Item = u64>| {
            values.map(|value| value as f64).collect::<Sample>()
        };
        let samples = [
            gaps.into_iter().collect(),
            counted(&mut self.asked.iter().filter_map(|asked| asked.input)),
            context,
            unique,
            counted(&mut self.asked.iter().filter_map(|asked| asked.output)),
            self.prefixes.hit_rates().clone(),
            counted(&mut sessions.into_values()),
            counted(&mut self.tree.conversations().iter().map(|&turns| turns.into())),
        ];
        let names = QUANTITIES.map(|(name, _)| name);
        let mut samples: Vec<(&str, Sample)> = names.into_iter().zip(samples).collect();
        for (_, sample) in &mut samples {
            sample.sorted();
        }
        let reuse = self.prefixes.finish();
        Profile {
            requests,
            arrivals: self.arrivals,
            samples,
            correlations: PAIRS
                .into_iter()
                .zip(correlations.map(|pair| pair.coefficient()))
                .collect(),
            curve: self.distances.curve(),
            hit_rates: [
                ("request_hit_rate", reuse.prefix_hit_rate.mean),
                ("block_hit_rate", reuse.block_hit_rate()),
                ("token_hit_rate", reuse.token_hit_rate()),
            ],
        }
    }
}

impl Profile {
    /// The profile of all requests of `input`, of blocks of `block_size` tokens;
    /// outcomes count as what they asked, in the order of their input.
    ///
    /// # Errors
    ///
    /// Those of reading; more rows or ids than can be numbered.
    pub fn read(input: &mut Reader<'_>, block_size: u64) -> anyhow::Result<Self> {
        Self::read_with(input, block_size, |_, _| {})
    }

    /// The same, and `see` sees every outcome as it is read, with its line.
    ///
    /// # Errors
    ///
    /// As [`Profile::read`].
    pub fn read_with(
        input: &mut Reader<'_>,
        block_size: u64,
        mut see: impl FnMut(&Line, &Outcome),
    ) -> anyhow::Result<Self> {
        let mut sessions = Sessions::default();
        let mut collected = Collected::new(block_size);
        let each = |line: &Line, outcome: Option<&Outcome>| {
            if let Some(outcome) = outcome {
                see(line, outcome);
            }
            if let Some(session) = &line.request.session_id {
                count_turn(&mut sessions, session);
            }
        };
        let requests = each_line(input, each, |prompt| collected.push(&prompt))?;
        Ok(collected.finish(requests, sessions))
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
