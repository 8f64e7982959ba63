//! Lines in any order, put in order, in memory that is bounded.

use crate::spool::Spool;

/// A stable external sort: lines of equal keys stay in the order in which
/// they came.
///
/// Lines are collected up to `memory` bytes, sorted, and written to a
/// [`Spool`] as one run; at the end the runs are merged. What fits in memory
/// needs no file.
pub(crate) struct Sorter<const N: usize> {
    memory: usize,
    bytes: Vec<u8>,
    /// Key, and where the line begins and how long it is.
    lines: Vec<([u64; N], usize, usize)>,
    spool: Spool<N>,
}

impl<const N: usize> Sorter<N> {
    /// A sorter that keeps up to `memory` bytes.
    pub(crate) fn new(memory: u64) -> Self {
        Self {
            memory: usize::try_from(memory).unwrap_or(usize::MAX),
            bytes: Vec::new(),
            lines: Vec::new(),
            spool: Spool::default(),
        }
    }

    /// Take in a line.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(crate) fn push(&mut self, key: [u64; N], line: &[u8]) -> anyhow::Result<()> {
        let entry = size_of::<([u64; N], usize, usize)>();
        let used = self.bytes.len() + entry * self.lines.len();
        if !self.lines.is_empty() && used + line.len() + entry > self.memory {
            self.spill()?;
        }
        self.lines.push((key, self.bytes.len(), line.len()));
        self.bytes.extend_from_slice(line);
        Ok(())
    }

    fn spill(&mut self) -> anyhow::Result<()> {
        self.lines.sort_by_key(|&(key, _, _)| key);
        self.spool.begin();
        for &(key, start, length) in &self.lines {
            self.spool.push(key, &self.bytes[start..start + length])?;
        }
        self.lines.clear();
        self.bytes.clear();
        Ok(())
    }

    /// Give `sink` all lines in order.
    ///
    /// # Errors
    /// When a temporary file cannot be written or read, and what the sink
    /// gives.
    pub(crate) fn drain(
        mut self,
        mut sink: impl FnMut([u64; N], &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if !self.spool.is_empty() {
            self.spill()?;
            // The runs need the memory now.
            self.bytes = Vec::new();
            self.lines = Vec::new();
            return self.spool.drain(sink);
        }
        self.lines.sort_by_key(|&(key, _, _)| key);
        self.lines
            .iter()
            .try_for_each(|&(key, start, length)| sink(key, &self.bytes[start..start + length]))
    }
}

/// The memory a flag names: `256M`, `1G`; a bare number is bytes.
///
/// # Errors
/// One line that says what would have been understood.
pub(crate) fn parse_memory(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| format!("{text:?} is no size of memory: write 256M or 1G"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn memory_takes_units() {
        assert_eq!(parse_memory("64"), Ok(64));
        assert_eq!(parse_memory("256M"), Ok(256 << 20));
        assert_eq!(parse_memory("1GiB"), Ok(1 << 30));
        for bad in ["", "M", "-1", "1T", "0", "99999999999G"] {
            assert!(parse_memory(bad).unwrap_err().contains("256M"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_stable_sort_in_any_memory(keys in proptest::collection::vec((0..4_u64, 0..4_u64), 0..200), memory in 1..4_000_u64) {
            let mut sorter = Sorter::new(memory);
            let mut expected = Vec::new();
            for (number, &(a, b)) in keys.iter().enumerate() {
                let line = "x".repeat(number % 70) + &number.to_string();
                sorter.push([a, b], line.as_bytes()).unwrap();
                expected.push(([a, b], line));
            }
            expected.sort_by_key(|&(key, _)| key);
            let mut sorted = Vec::new();
            sorter.drain(|key, line| {
                sorted.push((key, String::from_utf8(line.to_vec())?));
                Ok(())
            }).unwrap();
            prop_assert_eq!(sorted, expected);
        }
    }
}
