//! What the requests of a report share, and what is wrong with how they say it.

use crate::cache::{CacheReport, Distances, Order, Rows};
use crate::flaw::{Flaw, Places};
use crate::order::{Held, Prompt};
use crate::prefix::{Prefixes, Reuse};
use crate::report::{Report, Value};
use crate::tree::{Shape, Tree};
use std::collections::BTreeMap;
use trace_core::{Line, Outcome, blocks_of};

/// What is collected about prefixes.
///
/// Requests are taken as they come; outcomes wait for the end, since they come
/// in the order they ended. Among outcomes, requests are thus taken first.
#[derive(Debug)]
pub struct Sharing {
    block_size: u64,
    prefixes: Prefixes,
    tree: Option<Tree>,
    cache: Option<(Rows, Distances)>,
    /// Of the rows that have ids, in the order the analyzer takes them.
    places: Places,
    held: Held,
    without_ids: u64,
    without_length: Flaw,
    too_few_ids: Flaw,
    too_many_ids: Flaw,
}

impl Sharing {
    /// Nothing collected yet, for blocks of `block_size` tokens.
    pub fn new(block_size: u64) -> Self {
        Self {
            block_size,
            prefixes: Prefixes::new(block_size),
            tree: None,
            cache: None,
            places: Places::default(),
            held: Held::default(),
            without_ids: 0,
            without_length: Flaw::default(),
            too_few_ids: Flaw::default(),
            too_many_ids: Flaw::default(),
        }
    }

    /// Also collect the shape of the tree.
    #[must_use]
    pub fn with_tree(self) -> Self {
        Self {
            tree: Some(Tree::new(self.block_size)),
            ..self
        }
    }

    /// Also measure what an LRU cache of any capacity would have had.
    #[must_use]
    pub fn with_cache(self) -> Self {
        Self {
            cache: Some((
                Rows::new(self.block_size, false),
                Distances::new(Order::Forward),
            )),
            ..self
        }
    }

    /// Take the next request.
    ///
    /// # Errors
    ///
    /// If there is more than can be numbered.
    pub fn push(&mut self, prompt: &Prompt<'_>) -> anyhow::Result<()> {
        if !prompt.ids.is_empty() {
            self.places.push(prompt.name, prompt.line);
            if let Some((rows, distances)) = &mut self.cache {
                distances.push(&rows.row(prompt.input_length, prompt.ids)?);
            }
        }
        match &mut self.tree {
            Some(tree) if !prompt.ids.is_empty() => {
                tree.begin(prompt);
                self.prefixes
                    .push_watched(prompt.input_length, prompt.ids, tree)?;
                tree.end(prompt);
                Ok(())
            }
            _ => self.prefixes.push(prompt.input_length, prompt.ids),
        }
    }

    /// Hold the request of an outcome until the end.
    ///
    /// # Errors
    ///
    /// If there is more than can be numbered.
    pub fn hold(&mut self, line: &Line, outcome: &Outcome) -> anyhow::Result<()> {
        self.held.push(line, outcome)
    }

    /// Count what does not fit together.
    pub fn check(&mut self, line: &Line) {
        let ids = line.request.hash_ids.as_deref().unwrap_or_default();
        if ids.is_empty() {
            self.without_ids += 1;
            return;
        }
        let place = || format!("{}:{}", line.name(), line.number());
        let Some(tokens) = line.request.input_length else {
            self.without_length.add(place);
            return;
        };
        let blocks = blocks_of(tokens, self.block_size);
        if (ids.len() as u64) < blocks {
            self.too_few_ids.add(place);
        } else if ids.len() as u64 > blocks {
            self.too_many_ids.add(place);
        }
    }

    /// Put what was found into `report`.
    ///
    /// # Errors
    ///
    /// Those of [`Sharing::push`].
    pub fn describe(mut self, report: &mut Report) -> anyhow::Result<()> {
        let held = std::mem::take(&mut self.held);
        held.release(|prompt| self.push(&prompt))?;
        let cache = self.cache.as_ref();
        report.cache = cache.map(|(rows, distances)| {
            CacheReport::lru(report.requests, self.block_size, rows, distances)
        });
        let reuse = self.prefixes.finish();
        if reuse.rows == 0 {
            return Ok(());
        }
        if self.without_ids > 0 {
            report.notes.push(format!(
                "{} of {} requests have no hash_ids: context 0, and no part in the hit rate",
                self.without_ids, report.requests
            ));
        }
        describe_reuse(report, &reuse, self.block_size, self.without_ids);
        if let Some(tree) = self.tree {
            describe_shape(report, &tree.finish());
        }
        let mut exceeding = Flaw {
            count: reuse.context_exceeds_input,
            ..Flaw::default()
        };
        let places = &self.places;
        exceeding
            .first
            .extend(reuse.first_exceeding.iter().map(|&row| places.place(row)));
        let block_size = self.block_size;
        let flaws = [
            (
                "too_few_ids",
                self.too_few_ids,
                format!("hash_ids × {block_size} do not cover input_length"),
            ),
            (
                "too_many_ids",
                self.too_many_ids,
                format!("more hash_ids than input_length / {block_size}"),
            ),
            (
                "without_input_length",
                self.without_length,
                "hash_ids without input_length".to_owned(),
            ),
            (
                "context_exceeds_input",
                exceeding,
                "context_length beyond input_length (a repeated block counts in full)".to_owned(),
            ),
        ];
        describe_flaws(report, flaws);
        Ok(())
    }
}

/// Put those of `flaws`, by name and in words, that there are into `report`.
fn describe_flaws(
    report: &mut Report,
    flaws: impl IntoIterator<Item = (&'static str, Flaw, String)>,
) {
    let mut found = BTreeMap::new();
    for (name, flaw, words) in flaws {
        if flaw.count > 0 {
            report.notes.push(format!("{words}: {}", flaw.in_words()));
            found.insert(name, flaw);
        }
    }
    if !found.is_empty() {
        report.scalars.push(("flaws", Value::Flaws(found)));
    }
}

fn describe_reuse(report: &mut Report, reuse: &Reuse, block_size: u64, without_ids: u64) {
    // Beside the lengths that context and rest add up to.
    let lengths = report
        .metrics
        .iter()
        .position(|(name, _)| *name == "output_length");
    let at = lengths.unwrap_or(report.metrics.len());
    report.metrics.splice(
        at..at,
        [
            ("context_length", reuse.context_length),
            ("unique_prompt_length", reuse.unique_prompt_length),
        ],
    );
    let after = (at + 3).min(report.metrics.len());
    report
        .metrics
        .insert(after, ("prefix_hit_rate", reuse.prefix_hit_rate));
    report.scalars.extend([
        ("block_size", Value::Count(block_size)),
        ("requests_without_ids", Value::Count(without_ids)),
        ("blocks", Value::Count(reuse.blocks)),
        ("distinct_ids", Value::Count(reuse.distinct_ids)),
        ("distinct_blocks", Value::Count(reuse.distinct_pairs)),
        ("repeated_blocks", Value::Count(reuse.repeated_pairs)),
        ("block_hit_rate", Value::Measure(reuse.block_hit_rate())),
        ("token_hit_rate", Value::Measure(reuse.token_hit_rate())),
        ("fully_repeated", Value::Count(reuse.repeated_rows)),
        ("unique_prefixes", Value::Count(reuse.distinct_prefixes)),
        ("prefix_groups", Value::Count(reuse.groups)),
        (
            "prefix_reuse_ratio",
            Value::Measure(reuse.prefix_reuse_ratio()),
        ),
    ]);
}

fn describe_shape(report: &mut Report, shape: &Shape) {
    report.metrics.extend([
        ("cached_prefix_length", shape.cached_prefix_length),
        ("shared_prefix_length", shape.shared_prefix_length),
        ("group_requests", shape.group_requests),
        ("group_depth", shape.group_depth),
        ("fan_out", shape.fan_out),
        ("conversation_turns", shape.conversation_turns),
        ("turn_gap_ms", shape.turn_gap),
        ("turn_growth", shape.turn_growth),
    ]);
    report.scalars.extend([
        ("roots", Value::Count(shape.roots)),
        ("forks", Value::Count(shape.fan_out.count)),
        (
            "conversations",
            Value::Count(shape.conversation_turns.count),
        ),
        ("continued_requests", Value::Count(shape.continued)),
    ]);
}
