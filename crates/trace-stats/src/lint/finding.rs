//! One odd thing and its place.

use serde::Serialize;
use std::collections::BTreeMap;

/// What is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Times seem to be in another unit, or count from another moment.
    TimeUnit,
    /// Arrivals fall on the ticks of a coarse clock.
    QuantisedClock,
    /// A line arrives before the line above it.
    Order,
    /// hash_ids are not one per block of the prompt.
    BlockCount,
    /// Another block size would fit every line.
    BlockSize,
    /// An id occurs twice in one prompt.
    DuplicateId,
    /// An id follows different ids in different prompts.
    TwoParents,
    /// An id beyond 2^53, which jq and JavaScript cannot hold.
    LargeId,
    /// A prompt of no tokens.
    ZeroInput,
    /// A response of no tokens.
    ZeroOutput,
    /// A turn that does not go beyond the turn before it.
    ShortTurn,
}

/// One odd thing and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file it is in.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What it is.
    pub kind: Kind,
    /// The same in words.
    pub message: String,
}

/// What was found: of each kind the first few, and how many there are.
#[derive(Debug)]
pub struct Findings {
    limit: u64,
    counts: BTreeMap<Kind, u64>,
    listed: Vec<Finding>,
}

impl Kind {
    /// Its name in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimeUnit => "time_unit",
            Self::QuantisedClock => "quantised_clock",
            Self::Order => "order",
            Self::BlockCount => "block_count",
            Self::BlockSize => "block_size",
            Self::DuplicateId => "duplicate_id",
            Self::TwoParents => "two_parents",
            Self::LargeId => "large_id",
            Self::ZeroInput => "zero_input",
            Self::ZeroOutput => "zero_output",
            Self::ShortTurn => "short_turn",
        }
    }
}

impl Findings {
    /// Nothing yet; `limit` of each kind are listed, all if it is 0.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            counts: BTreeMap::new(),
            listed: Vec::new(),
        }
    }

    /// Take one in.
    pub fn add(&mut self, kind: Kind, file: &str, line: u64, message: impl FnOnce() -> String) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if self.limit == 0 || *count <= self.limit {
            self.listed.push(Finding {
                file: file.to_owned(),
                line,
                kind,
                message: message(),
            });
        }
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> &BTreeMap<Kind, u64> {
        &self.counts
    }

    /// Those that are listed, in the order they were found.
    pub fn listed(&self) -> &[Finding] {
        &self.listed
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}
