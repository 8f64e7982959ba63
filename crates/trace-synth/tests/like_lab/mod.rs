//! What the tests of `trace-synth like` measure with: a run of the tool, an
//! exact LRU cache, the moments of a trace.
#![allow(dead_code, reason = "each test crate uses a part")]

pub(crate) mod families;

use clap::Parser;
use std::io::Write as _;
use std::path::PathBuf;
use trace_core::{Reader, Request};
use trace_synth::{Args, run};

/// A trace, held.
pub(crate) struct Trace {
    pub(crate) requests: Vec<Request>,
    pub(crate) block_size: u64,
}

/// The published conversation trace, where `TRACE_DATA` says it is.
pub(crate) fn conversation_trace() -> Option<PathBuf> {
    let name = "conversation_trace.jsonl";
    match std::env::var_os("TRACE_DATA") {
        Some(folder) => Some(PathBuf::from(folder).join(name)),
        None => {
            // Past the capture of a test that passes, or nobody would see it.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED: set TRACE_DATA to the folder of {name}").unwrap();
            None
        }
    }
}

/// What `like` with `flags` writes after reading `source`.
pub(crate) fn like(source: &std::path::Path, flags: &str) -> Vec<u8> {
    let mut words = vec!["trace-synth", "like", source.to_str().unwrap()];
    words.extend(flags.split_whitespace());
    let mut bytes = Vec::new();
    run(&Args::try_parse_from(words).unwrap(), &mut bytes).unwrap();
    bytes
}

impl Trace {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let lines = Reader::new("trace", bytes);
        Self {
            requests: lines.map(|line| line.unwrap().request).collect(),
            block_size: 512,
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &[u64]> {
        self.requests
            .iter()
            .map(|request| request.hash_ids.as_deref().unwrap_or_default())
    }

    /// The hit rates of LRU caches of so many blocks, every id of every line
    /// touched in order, and that of one without end.
    pub(crate) fn lru(&self, capacities: &[usize]) -> (Vec<f64>, f64) {
        let touches: Vec<usize> = self.ids().flatten().map(|&id| id as usize).collect();
        let mut last = vec![None; touches.iter().max().map_or(0, |id| id + 1)];
        let mut recent = Recent::new(touches.len());
        let mut hits = vec![0_u64; capacities.len()];
        let mut known = 0_u64;
        for (now, &id) in touches.iter().enumerate() {
            if let Some(before) = last[id] {
                let others = recent.between(before + 1, now);
                recent.add(before, -1);
                known += 1;
                for (hit, &capacity) in hits.iter_mut().zip(capacities) {
                    *hit += u64::from(others < capacity);
                }
            }
            recent.add(now, 1);
            last[id] = Some(now);
        }
        let rate = |hits: u64| hits as f64 / touches.len() as f64;
        (hits.into_iter().map(rate).collect(), rate(known))
    }

    /// Input, context, unique and output lengths, as Dynamo's analyzer has
    /// them.
    pub(crate) fn lengths(&self) -> [Vec<f64>; 4] {
        let mut counts = Vec::new();
        for &id in self.ids().flatten() {
            if counts.len() <= id as usize {
                counts.resize(id as usize + 1, 0_u32);
            }
            counts[id as usize] += 1;
        }
        let mut all = [const { Vec::new() }; 4];
        for (request, ids) in self.requests.iter().zip(self.ids()) {
            let input = request.input_length.unwrap() as f64;
            let shared = ids.iter().filter(|&&id| counts[id as usize] > 1).count();
            let context = if shared == ids.len() {
                input
            } else {
                shared as f64 * self.block_size as f64
            };
            let output = request.output_length.unwrap_or_default() as f64;
            for (list, value) in all
                .iter_mut()
                .zip([input, context, input - context, output])
            {
                list.push(value);
            }
        }
        all
    }
}

/// Marks on a line, counted over any stretch (a Fenwick tree).
struct Recent(Vec<i32>);

impl Recent {
    fn new(length: usize) -> Self {
        Self(vec![0; length + 1])
    }

    fn add(&mut self, at: usize, change: i32) {
        let mut i = at + 1;
        while i < self.0.len() {
            self.0[i] += change;
            i += i & i.wrapping_neg();
        }
    }

    fn below(&self, end: usize) -> i32 {
        let (mut i, mut sum) = (end, 0);
        while i > 0 {
            sum += self.0[i];
            i &= i - 1;
        }
        sum
    }

    fn between(&self, begin: usize, end: usize) -> usize {
        (self.below(end) - self.below(begin)) as usize
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of the population.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    products.sum::<f64>() / a.len() as f64 / deviation(a) / deviation(b)
}

/// Longest stretch of lengths that `b` has from `a` as it stood there.
pub(crate) fn replayed(a: &Trace, b: &Trace) -> usize {
    let keys = |trace: &Trace| -> Vec<_> {
        let key = |request: &Request| (request.input_length, request.output_length);
        trace.requests.iter().map(key).collect()
    };
    let (a, b) = (keys(a), keys(b));
    let mut places = std::collections::HashMap::<_, Vec<usize>>::new();
    for (place, key) in a.iter().enumerate() {
        places.entry(key).or_default().push(place);
    }
    let mut longest = 0;
    for start in 0..b.len() {
        for &place in places.get(&b[start]).into_iter().flatten() {
            let same = a[place..].iter().zip(&b[start..]);
            longest = longest.max(same.take_while(|(a, b)| a == b).count());
        }
    }
    longest
}
