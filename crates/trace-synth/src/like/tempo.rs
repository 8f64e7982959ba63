//! Arrival times: runs of the source's gaps in a new order.
//!
//! Every gap of the source comes once per pass. Gaps that followed each other
//! stay together in runs, so that bursts stay bursts, and runs stay near
//! their old place, so that a rate that rises and falls does so again.

use trace_core::seed::below;
use trace_core::{Random, Streams};

use super::deck::shuffle_near;
use super::source::Source;

/// Gaps in a run, on average: bursts of the published traces are over after
/// some tens of requests, and a long run would be the source replayed.
const MEAN_RUN: u64 = 32;

/// Runs move by up to this many places. Farther, and the rate would change
/// less from minute to minute than in the source.
const REACH: u64 = 2;

/// Makes arrival times.
pub struct Tempo {
    /// From each arrival of the source to the next, µs; from the last as long
    /// as usual.
    gaps: Vec<u64>,
    streams: Streams,
    pass: u64,
    /// The gaps of this pass, in its order, and how many were used.
    order: Vec<u64>,
    used: usize,
    now: u64,
}

impl Tempo {
    /// Arrivals like those of `source`.
    pub fn new(source: &Source, streams: Streams) -> Self {
        let times: Vec<u64> = source
            .entries
            .iter()
            .filter(|entry| entry.timed)
            .map(|entry| entry.at)
            .collect();
        let mut gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.push(usual_gap(&gaps));
        Self {
            gaps,
            streams,
            pass: 0,
            order: Vec::new(),
            used: 0,
            now: 0,
        }
    }

    /// When the next request comes, µs since the first.
    pub fn arrival(&mut self) -> u64 {
        if self.used == self.order.len() {
            self.deal();
        }
        let arrival = self.now;
        self.now = arrival.saturating_add(self.order[self.used]);
        self.used += 1;
        arrival
    }

    fn deal(&mut self) {
        let mut random = self.streams.stream_of("like arrival", self.pass);
        self.pass += 1;
        self.used = 0;
        self.order.clear();
        let runs = runs(self.gaps.len(), &mut random);
        for run in shuffle_near(runs.len(), REACH, &mut random) {
            self.order
                .extend_from_slice(&self.gaps[runs[run as usize].clone()]);
        }
    }
}

/// The median of the gaps that are longer than nothing; 0 if none is. On a
/// clock that ticks, that is a tick.
pub fn usual_gap(gaps: &[u64]) -> u64 {
    let mut longer: Vec<u64> = gaps.iter().copied().filter(|&gap| gap > 0).collect();
    if longer.is_empty() {
        return 0;
    }
    let middle = longer.len() / 2;
    *longer.select_nth_unstable(middle).1
}

/// Cut the numbers below `count` into runs of random length.
fn runs(count: usize, random: &mut Random) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut begin = 0;
    for end in 1..=count {
        if end == count || below(random, MEAN_RUN) == 0 {
            runs.push(begin..end);
            begin = end;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_gap_of_a_ticking_clock_is_its_tick() {
        assert_eq!(usual_gap(&[0, 0, 3000, 0, 3000, 2999, 0, 3001]), 3000);
        assert_eq!(usual_gap(&[0, 0]), 0);
    }

    #[test]
    fn runs_are_all_there_is() {
        let mut random = Streams::new(1).stream("test");
        let runs = runs(10_000, &mut random);
        assert!((250..400).contains(&runs.len()), "{}", runs.len());
        assert!(runs.into_iter().flatten().eq(0..10_000));
    }
}
