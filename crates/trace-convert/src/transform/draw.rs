//! So many requests at random, sessions kept whole.

use super::sample::{SampleBy, key};
use crate::record::Record;
use crate::report::Report;
use std::collections::BTreeMap;
use trace_core::Streams;

/// Keeps those whose keys are the least, where a key is random, and the same
/// for all turns of a session: each set of so many is as likely. Holds them.
pub(crate) struct Draw {
    streams: Streams,
    by: SampleBy,
    most: usize,
    number: u64,
    /// By key: the requests, each with its place.
    kept: BTreeMap<u64, Vec<(u64, Record)>>,
}

impl Draw {
    /// Keep at most this many.
    pub(crate) fn new(most: usize, by: SampleBy, seed: u64) -> Self {
        Self {
            streams: Streams::new(seed),
            by,
            most,
            number: 0,
            kept: BTreeMap::new(),
        }
    }

    /// Take the next request.
    pub(crate) fn push(&mut self, record: &mut Record, report: &mut Report) {
        self.number += 1;
        let key = key(self.streams, record, self.by, self.number);
        let full = self.kept.len() >= self.most && !self.kept.contains_key(&key);
        if full
            && self
                .kept
                .last_key_value()
                .is_none_or(|(last, _)| *last < key)
        {
            report.drop_request(NOT_DRAWN);
            return;
        }
        if full && let Some((_, out)) = self.kept.pop_last() {
            report.drop_requests(NOT_DRAWN, out.len() as u64);
        }
        let place = (self.number, std::mem::take(record));
        self.kept.entry(key).or_default().push(place);
    }

    /// Those that were drawn, in their order.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Record> + use<> {
        let mut all: Vec<_> = std::mem::take(&mut self.kept)
            .into_values()
            .flatten()
            .collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, record)| record)
    }
}

/// Why a request is not there.
const NOT_DRAWN: &str = "by --num-samples";

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    fn trace(number: usize) -> String {
        let line = |i| {
            format!(
                "{{\"input_length\":{},\"session_id\":{}}}\n",
                i + 1,
                i % 100
            )
        };
        (0..number).map(line).collect()
    }

    #[test]
    fn exactly_so_many_come_in_their_order_and_none_twice() {
        for number in [1, 7, 300, 400] {
            let flags = format!("--num-samples {number} --sample-by request");
            let out = convert(&flags, &trace(300));
            let lengths: Vec<u64> = out
                .lines()
                .map(|l| l[16..l.find(",\"s").unwrap()].parse().unwrap())
                .collect();
            assert_eq!(lengths.len(), number.min(300));
            assert!(lengths.is_sorted_by(|a, b| a < b));
            assert_eq!(out, convert(&flags, &trace(300)));
        }
        assert_ne!(
            convert("--num-samples 7", &trace(300)),
            convert("--num-samples 7 --seed 1", &trace(300))
        );
    }

    #[test]
    fn sessions_are_drawn_whole() {
        let (out, error, report) = convert_with("--num-samples 10", &trace(300));
        assert_eq!(error, None);
        let mut turns = std::collections::HashMap::new();
        for line in out.lines() {
            *turns.entry(line.split("session_id").nth(1)).or_insert(0) += 1;
        }
        assert_eq!(turns.len(), 10);
        assert!(turns.values().all(|turns| *turns == 3));
        assert_eq!(report.of(Kind::Dropped, "by --num-samples"), 270);
    }

    #[test]
    fn every_request_is_as_likely() {
        let mut drawn = [0_u32; 20];
        for seed in 0..400 {
            let flags = format!("--num-samples 5 --sample-by request --seed {seed}");
            for line in convert(&flags, &trace(20)).lines() {
                let length: usize = line[16..line.find(",\"s").unwrap()].parse().unwrap();
                drawn[length - 1] += 1;
            }
        }
        // Chi-square with 19 degrees of freedom exceeds 43.8 once in a thousand.
        let chi: f64 = drawn
            .iter()
            .map(|n| (f64::from(*n) - 100.0).powi(2) / 75.0)
            .sum();
        assert!(chi < 43.8, "{chi} {drawn:?}");
    }
}
