//! When the chunks with output came.

use crate::time::Micros;

/// When the chunks with output came.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    pub(super) count: u64,
    pub(super) first: Option<Micros>,
    pub(super) first_content: Option<Micros>,
    pub(super) last: Option<Micros>,
    /// Between them, if that is wanted.
    pub(super) gaps: Option<Vec<Micros>>,
}

impl Chunks {
    pub(super) fn add(&mut self, content: bool, now: Micros) {
        self.count += 1;
        if let (Some(gaps), Some(last)) = (&mut self.gaps, self.last) {
            gaps.push(now.saturating_sub(last));
        }
        self.first.get_or_insert(now);
        self.last = Some(now);
        if content {
            self.first_content.get_or_insert(now);
        }
    }
}

/// The mean time of a token after the first of `tokens`.
pub(super) fn per_token(
    first: Option<Micros>,
    last: Option<Micros>,
    tokens: Option<u64>,
) -> Option<Micros> {
    let gaps = tokens?.checked_sub(1).filter(|&gaps| gaps > 0)?;
    let span = last?.saturating_sub(first?).as_micros();
    Some(Micros::from_micros((span + gaps / 2) / gaps))
}
