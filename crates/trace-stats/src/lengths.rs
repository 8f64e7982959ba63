//! Counts of whole numbers: lengths in tokens, gaps in microseconds.
//!
//! [`Values`] take any number and sort them; these are whole and mostly small,
//! and a table of counts does.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use trace_core::quantile::Values;

/// Lengths from here on go to the values: longer than most models read, and a
/// quarter of a second.
const TABLE: u64 = 1 << 18;

/// Gaps that go to the values before there is a table: a group of a few requests
/// needs none.
const FEW: u32 = 1 << 14;

/// Whole numbers, equal ones counted. A table of 4 bytes for each up to the
/// largest, and what [`Values`] take for those beyond 2^18.
#[derive(Debug, Clone)]
pub struct Lengths {
    counts: Vec<u32>,
    rest: Values,
    /// How many of the whole units are one unit of the values.
    per: f64,
    /// How many go to the values until the table begins.
    few: u32,
}

impl Lengths {
    /// None yet; quantiles are exact up to `limit` distinct lengths.
    pub fn new(limit: usize) -> Self {
        Self {
            counts: Vec::new(),
            rest: Values::new(limit),
            per: 1.0,
            few: 0,
        }
    }

    /// The same for microseconds, whose values are milliseconds.
    pub fn of_micros(limit: usize) -> Self {
        Self {
            per: 1_000.0,
            few: FEW,
            ..Self::new(limit)
        }
    }

    /// Move the lengths of `other` in.
    pub fn append(&mut self, other: Self) {
        self.rest.append(other.values());
    }

    /// Count one more of that length.
    #[inline]
    pub fn push(&mut self, tokens: u64) {
        if tokens >= TABLE || self.few > 0 {
            self.few = self.few.saturating_sub(1);
            self.rest.push(tokens as f64 / self.per);
            return;
        }
        let at = tokens as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        if self.counts[at] == u32::MAX {
            self.rest
                .push_times(tokens as f64 / self.per, u64::from(u32::MAX));
            self.counts[at] = 0;
        }
    }

    /// All of them.
    pub fn values(self) -> Values {
        let mut values = self.rest;
        let counts = (0u32..).zip(self.counts);
        let counts = counts.filter(|(_, count)| *count > 0);
        let value = |tokens: u32| f64::from(tokens) / self.per;
        let counts = counts.map(|(tokens, count)| (value(tokens), u64::from(count)));
        values.push_counted(counts.collect());
        values
    }
}

/// On a line, lengths are values like any other.
impl Serialize for Lengths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().values().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Lengths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            rest: Values::deserialize(deserializer)?,
            ..Self::new(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_at_the_end_of_the_table() {
        let mut lengths = Lengths::new(100);
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
        assert_eq!(lengths.values().ranked().distinct(), expected);
    }

    #[test]
    fn microseconds_are_milliseconds_before_and_in_the_table() {
        let mut gaps = Lengths::of_micros(10);
        (0..3 * FEW).for_each(|_| gaps.push(1_234));
        gaps.push(TABLE);
        assert!(gaps.counts[1_234] == 2 * FEW && gaps.few == 0);
        let expected = [(1.234, u64::from(3 * FEW)), (262.144, 1)];
        assert_eq!(gaps.values().ranked().distinct(), expected);
    }

    #[test]
    fn counts_outgrow_the_table() {
        let mut lengths = Lengths::new(100);
        lengths.push(3);
        lengths.counts[3] = u32::MAX - 1;
        lengths.push(3);
        lengths.push(3);
        assert_eq!(lengths.values().ranked().distinct(), [(3.0, 1 << 32)]);
    }
}
