//! Gaps between chunks, and between tokens.

use super::{Quantity, Recorder};
use crate::confidence::Repeated;
use crate::lengths::Lengths;
use serde::{Deserialize, Serialize};
use trace_core::quantile::Values;
use trace_core::{Outcome, TokenSource};

/// What a gap of `itl_ms` is the gap of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapUnit {
    /// A token, in every request.
    Token,
    /// A chunk, in every request: how many tokens one has is unknown.
    Chunk,
    /// A token in some requests and a chunk in the others.
    Mixed,
}

impl GapUnit {
    /// Its name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Chunk => "chunk",
            Self::Mixed => "mixed",
        }
    }
}

/// Gaps between chunks, pooled over requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gaps {
    /// A gap per chunk that is also a gap per token, or is taken for one.
    both: Lengths,
    /// The others, as a gap per chunk and as gaps per token.
    chunks: Lengths,
    tokens: Values,
    /// Requests whose tokens per chunk are known, and unknown.
    known: u64,
    unknown: u64,
}

impl Gaps {
    /// None yet; exact up to `limit` distinct ones.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            both: Lengths::of_micros(limit),
            chunks: Lengths::of_micros(limit),
            tokens: Values::new(limit),
            known: 0,
            unknown: 0,
        }
    }

    pub(super) fn push(&mut self, outcome: &Outcome) {
        let Some(gaps) = outcome.itl_ms.as_deref().filter(|gaps| !gaps.is_empty()) else {
            return;
        };
        let tokens = tokens_per_chunk(outcome);
        match tokens {
            Some(_) => self.known += 1,
            None => self.unknown += 1,
        }
        let Some(tokens) = tokens.filter(|&tokens| tokens > 1) else {
            gaps.iter().for_each(|gap| self.both.push(gap.as_micros()));
            return;
        };
        for gap in gaps {
            self.chunks.push(gap.as_micros());
            let each = gap.as_millis() / tokens as f64;
            self.tokens.push_times(each, tokens);
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.both.append(other.both);
        self.chunks.append(other.chunks);
        self.tokens.append(other.tokens);
        self.known += other.known;
        self.unknown += other.unknown;
    }

    /// What a gap is the gap of, if there are any.
    pub(super) fn unit(&self) -> Option<GapUnit> {
        match (self.known, self.unknown) {
            (0, 0) => None,
            (_, 0) => Some(GapUnit::Token),
            (0, _) => Some(GapUnit::Chunk),
            _ => Some(GapUnit::Mixed),
        }
    }

    /// Requests in whose gaps a chunk stands for a token.
    pub(super) fn per_chunk(&self) -> u64 {
        self.unknown
    }

    pub(super) fn describe(self, figures: &mut Recorder<'_>) {
        let both = self.both.values();
        let (mut tokens, mut chunks) = (both.clone(), both);
        tokens.append(self.tokens);
        chunks.append(self.chunks.values());
        figures.record("itl_ms", &mut tokens, Quantity::Itl);
        figures.record("icl_ms", &mut chunks, Quantity::Icl);
    }
}

/// Each gap of `outcome` as gaps of so many `tokens`.
pub(super) fn repeated(outcome: &Outcome, tokens: u64) -> impl Iterator<Item = Repeated> + '_ {
    let gaps = outcome.itl_ms.iter().flatten();
    gaps.map(move |gap| Repeated {
        value: gap.as_millis() / tokens as f64,
        times: tokens,
        sum: gap.as_micros(),
    })
}

/// Tokens in each chunk of an answer, if that is known.
///
/// Known is only how many there are of either. If the tokens divide evenly,
/// each chunk is taken to have its part: certain for one token a chunk, and
/// how servers stream that decode several tokens a step. Otherwise some chunks
/// hold more than others (text held back until a character is complete), or
/// some tokens were never streamed (hidden reasoning), and any division would
/// be invented.
pub(crate) fn tokens_per_chunk(outcome: &Outcome) -> Option<u64> {
    if outcome.token_source == Some(TokenSource::Chunks) {
        return None;
    }
    let gaps = outcome.itl_ms.as_ref().map(|gaps| gaps.len() as u64 + 1);
    let chunks = outcome.chunks.or(gaps)?;
    let tokens = outcome.output_tokens?;
    (chunks > 0 && tokens > 0 && tokens.is_multiple_of(chunks)).then(|| tokens / chunks)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{metric, service, streamed};
    use super::*;

    #[test]
    fn a_chunk_of_two_tokens_gives_two_gaps() {
        let service = service(&[streamed(6, &[10.0, 30.0])]);
        let itl = metric(&service, "itl_ms").unwrap();
        assert_eq!((itl.count, itl.min, itl.max), (4, Some(5.0), Some(15.0)));
        let icl = metric(&service, "icl_ms").unwrap();
        assert_eq!((icl.count, icl.min, icl.max), (2, Some(10.0), Some(30.0)));
        assert_eq!(service.gap_unit, Some(GapUnit::Token));
    }

    #[test]
    fn tokens_that_do_not_divide_are_counted_per_chunk_and_it_says_so() {
        let uneven = service(&[streamed(7, &[10.0, 30.0])]);
        assert_eq!(uneven.gap_unit, Some(GapUnit::Chunk));
        assert_eq!(metric(&uneven, "itl_ms"), metric(&uneven, "icl_ms"));
        let mixed = service(&[streamed(7, &[10.0, 30.0]), streamed(3, &[1.0, 1.0])]);
        assert_eq!((mixed.gap_unit, mixed.per_chunk), (Some(GapUnit::Mixed), 1));
        let counted = Outcome {
            token_source: Some(TokenSource::Chunks),
            ..streamed(3, &[1.0, 1.0])
        };
        let counted = service(&[counted]);
        assert_eq!(counted.gap_unit, Some(GapUnit::Chunk));
        assert_eq!(counted.chunk_counted, 1);
    }

    #[test]
    fn zero_gaps_are_gaps() {
        let service = service(&[streamed(3, &[0.0, 0.0])]);
        assert_eq!(metric(&service, "itl_ms").unwrap().max, Some(0.0));
    }
}
