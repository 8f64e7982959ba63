//! Some steps of an answer.

use super::Sample;

/// Steps that are looked at together: many enough that the moment at which a client sees a token
/// is known well beside them, few enough that the batch is the same.
pub(super) const STEPS: usize = 16;

/// Some steps of an answer, from the end of one to the end of another.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) steps: f64,
    /// Half a step later: first tokens of others that came with those at the ends are before it,
    /// whatever the clock says.
    pub(super) after_from: f64,
    pub(super) after_to: f64,
    /// The middle of each step, where they are known: a long one counts as much as a short one.
    pub(super) middles: Vec<f64>,
}

impl Sample {
    /// The steps behind its first token, [some](STEPS) at a time where its gaps are known.
    pub(super) fn spans(&self) -> Vec<Span> {
        if self.gaps.is_empty() {
            return vec![Span {
                from: self.first,
                to: self.last,
                steps: self.output - 1.0,
                after_from: self.first,
                after_to: self.last,
                middles: Vec::new(),
            }];
        }
        let mut at = self.first;
        let half = |gap: Option<&f32>| gap.map_or(0.0, |gap| f64::from(*gap) / 2.0);
        let chunks = self.gaps.chunks(STEPS).enumerate();
        let span = |(number, gaps): (usize, &[f32])| {
            let from = at;
            let mut middles = Vec::with_capacity(gaps.len());
            for gap in gaps {
                middles.push(at + f64::from(*gap) / 2.0);
                at += f64::from(*gap);
            }
            let behind = self.gaps.get(number * STEPS + gaps.len());
            Span {
                from,
                to: at,
                steps: gaps.len() as f64,
                after_from: from + half(gaps.first()),
                // Behind the last token a step is about as long as the one before.
                after_to: at + half(behind.or(gaps.last())),
                middles,
            }
        };
        chunks.map(span).collect()
    }
}
