//! Which block sizes the rows of a trace allow.

/// The block sizes for which every row so far has ⌈length / size⌉ ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    least: u64,
    most: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            least: 1,
            most: u64::MAX,
        }
    }
}

impl Sizes {
    /// Take in a row of `ids` ids for a prompt of `tokens` tokens, both more
    /// than 0.
    pub fn push(&mut self, tokens: u64, ids: u64) {
        // ids − 1 < tokens / size ≤ ids
        self.least = self.least.max(tokens.div_ceil(ids));
        if ids > 1 {
            self.most = self.most.min((tokens - 1) / (ids - 1));
        }
    }

    /// The one that was probably meant: the power of two that is possible, if
    /// one is and other sizes are not.
    pub fn likely(&self) -> Option<u64> {
        if self.most == u64::MAX {
            return None;
        }
        let power = self.least.checked_next_power_of_two();
        power.filter(|power| *power <= self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_size_fits_contradictions_and_any_size_fits_single_blocks() {
        let mut sizes = Sizes::default();
        sizes.push(5, 1);
        assert_eq!(sizes.likely(), None);
        sizes.push(100, 7);
        assert_eq!(sizes.likely(), Some(16));
        sizes.push(100, 2);
        assert_eq!(sizes.likely(), None);
    }

    proptest! {
        #[test]
        fn the_size_that_made_the_rows_fits(
            rows in prop::collection::vec(1u64..5_000, 30..60), size in 1u64..600,
        ) {
            let mut sizes = Sizes::default();
            for &tokens in &rows {
                sizes.push(tokens, tokens.div_ceil(size));
            }
            prop_assert!(sizes.least <= size && size <= sizes.most);
            let likely = sizes.likely().unwrap_or(size);
            prop_assert!(rows.iter().all(|tokens| tokens.div_ceil(likely) == tokens.div_ceil(size)));
        }
    }
}
