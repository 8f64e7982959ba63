//! What steps cost: times of tokens after the first, by what the steps between them did.

use anyhow::bail;

use super::overlap::Overlap;
use super::solve::trimmed;
use super::span::Span;
use super::{FEWEST, Part, Sample};

/// b, c, d, and a prompt token's share.
///
/// # Errors
/// Too few answers have two tokens.
pub(super) fn fit(samples: &[Sample], overlap: &Overlap) -> anyhow::Result<Part<4>> {
    let long: Vec<_> = samples.iter().filter(|one| one.output > 1.0).collect();
    if long.len() < FEWEST {
        bail!(
            "{} answers of two tokens or more, with times of first and last token; a fit needs {FEWEST}",
            long.len()
        );
    }
    let mut all = Vec::new();
    for sample in long {
        for span in sample.spans() {
            let (sequences, context) = beside(&span, overlap);
            let prefill = overlap.prefill(span.after_from, span.after_to);
            let row = [1.0, sequences, context, prefill / span.steps];
            all.push((row, (span.to - span.from) / span.steps));
        }
    }
    let spans = all.len();
    let (rows, tpot) = trimmed(all);
    let of = format!(
        "Time per output token, {} of {spans} spans of steps",
        rows.len()
    );
    Ok(Part::solve(of, &rows, &tpot))
}

/// Sequences that decoded in each step of a span on average, and their context.
fn beside(span: &Span, overlap: &Overlap) -> (f64, f64) {
    if span.middles.is_empty() {
        let during = overlap.during(span.from, span.to);
        let made = during.steps.max(1e-6);
        return (during.sequences / made, during.context / made);
    }
    let (mut sequences, mut context) = (0.0, 0.0);
    for moment in &span.middles {
        let (some, theirs) = overlap.at(*moment);
        sequences += some;
        context += theirs;
    }
    (sequences / span.steps, context / span.steps)
}
