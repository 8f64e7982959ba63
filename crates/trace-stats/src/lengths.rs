//! Counts of lengths in tokens, without hashing.
//!
//! A [`Tally`] counts any value and pays with a look-up in a hash map for each;
//! lengths are whole and mostly small, and a table of counts does.

use trace_core::quantile::Tally;

/// Lengths from here on go to a tally: longer than most models read.
const TABLE: u64 = 1 << 18;

/// Lengths in tokens, equal ones counted. A table of 4 bytes for each length
/// up to the longest, and an entry of a tally for each beyond 2^18.
#[derive(Debug, Clone, Default)]
pub struct Lengths {
    counts: Vec<u32>,
    rest: Tally,
}

impl Lengths {
    /// Count one more of that length.
    pub fn push(&mut self, tokens: u64) {
        if tokens >= TABLE {
            self.rest.push(tokens as f64);
            return;
        }
        let at = tokens as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        if self.counts[at] == u32::MAX {
            self.rest.push_times(tokens as f64, u64::from(u32::MAX));
            self.counts[at] = 0;
        }
    }

    /// All of them.
    pub fn tally(self) -> Tally {
        let mut tally = self.rest;
        for (tokens, count) in (0u32..).zip(self.counts) {
            if count > 0 {
                tally.push_times(f64::from(tokens), count.into());
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_at_the_end_of_the_table() {
        let mut lengths = Lengths::default();
        for tokens in [0, 5, 5, TABLE - 1, TABLE, u64::MAX] {
            lengths.push(tokens);
        }
        let expected = [
            (0.0, 1),
            (5.0, 2),
            (262_143.0, 1),
            (262_144.0, 1),
            (u64::MAX as f64, 1),
        ];
        assert_eq!(lengths.tally().sorted(), expected);
    }

    #[test]
    fn counts_outgrow_the_table() {
        let mut lengths = Lengths::default();
        lengths.push(3);
        lengths.counts[3] = u32::MAX - 1;
        lengths.push(3);
        lengths.push(3);
        assert_eq!(lengths.tally().sorted(), [(3.0, 1 << 32)]);
    }
}
