//! Instants with several requests each, as a clock that ticks shows them.

use trace_core::seed::below;
use trace_core::{Random, Streams};

use super::source::Source;

/// When requests come.
pub struct Instants {
    /// Requests at each instant; empty if nothing has a timestamp.
    sizes: Vec<u32>,
    /// Between instants, µs.
    gaps: Vec<u64>,
    /// The current instant, µs; nothing before the first.
    now: Option<u64>,
    left: u32,
    size: Random,
    gap: Random,
}

impl Instants {
    /// Instants like those of `source`.
    pub fn of(source: &Source, streams: Streams) -> Self {
        let mut instants = Self {
            sizes: Vec::new(),
            gaps: Vec::new(),
            now: None,
            left: 0,
            size: streams.stream("like instant"),
            gap: streams.stream("like gap"),
        };
        let mut before = None;
        for entry in source.entries.iter().filter(|entry| entry.timed) {
            match before {
                Some(before) if before == entry.at => {
                    *instants.sizes.last_mut().expect("begun") += 1;
                }
                _ => {
                    instants.sizes.push(1);
                    instants.gaps.extend(before.map(|before| entry.at - before));
                }
            }
            before = Some(entry.at);
        }
        instants
    }

    /// When the next request comes, µs since the first; nothing if no request
    /// of the source has a timestamp.
    pub fn arrival(&mut self) -> Option<u64> {
        if self.sizes.is_empty() {
            return None;
        }
        if self.left == 0 {
            self.now = Some(match self.now {
                Some(now) if !self.gaps.is_empty() => {
                    now.saturating_add(pick(&mut self.gap, &self.gaps))
                }
                _ => 0,
            });
            self.left = pick(&mut self.size, &self.sizes);
        }
        self.left -= 1;
        self.now
    }
}

/// One of `among`, each equally likely.
pub fn pick<T: Copy>(random: &mut Random, among: &[T]) -> T {
    among[below(random, among.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Reader;

    #[test]
    fn instants_have_the_sizes_and_gaps_of_the_source() {
        let text: String = [0, 0, 0, 5, 5, 9]
            .map(|at| format!("{{\"timestamp\":{at},\"input_length\":1}}\n"))
            .concat();
        let mut reader = Reader::new("<stdin>", text.as_bytes());
        let source = Source::read(&mut reader, 512, false).unwrap().0;
        let mut instants = Instants::of(&source, Streams::new(0));
        assert_eq!(
            (&instants.sizes[..], &instants.gaps[..]),
            (&[3, 2, 1][..], &[5000, 4000][..])
        );
        let times: Vec<u64> = (0..100).filter_map(|_| instants.arrival()).collect();
        assert_eq!((times.len(), times[0]), (100, 0));
        let gap = |pair: &[u64]| [0, 4000, 5000].contains(&(pair[1] - pair[0]));
        assert!(times.windows(2).all(gap));
    }
}
