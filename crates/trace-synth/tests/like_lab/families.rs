//! Traces of the kinds that servers see, made here.

use std::io::Write;
use trace_core::seed::{below, unit};
use trace_core::{BlockTable, Random, Streams};

/// Tokens per block.
const BLOCK: u64 = 512;

/// A trace in the making.
struct Maker {
    random: Random,
    rows: Vec<(f64, u64, u64, Vec<u64>)>,
    contents: u64,
}

impl Maker {
    fn new(name: &str) -> Self {
        Self {
            random: Streams::new(20).stream(name),
            rows: Vec::new(),
            contents: 0,
        }
    }

    /// An exponential number.
    fn pause(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - unit(&mut self.random))
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + below(&mut self.random, most - least + 1)
    }

    /// Blocks that nobody had before.
    fn fresh(&mut self, count: u64) -> impl Iterator<Item = u64> + use<> {
        self.contents += count;
        self.contents - count..self.contents
    }

    /// A request for a prompt of these contents, the last block partly full.
    fn ask(&mut self, seconds: f64, contents: &[u64]) {
        let last = self.between(1, BLOCK);
        let output = 20 + self.pause(200.0) as u64;
        let input = (contents.len() as u64 - 1) * BLOCK + last;
        self.rows.push((seconds, input, output, contents.to_vec()));
    }

    fn finish(mut self) -> Vec<u8> {
        self.rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut table = BlockTable::new();
        let (mut ids, mut text) = (Vec::new(), Vec::new());
        for (seconds, input, output, contents) in &self.rows {
            table.row(contents, &mut ids);
            let millis = (seconds * 1000.0) as u64;
            writeln!(
                text,
                "{{\"timestamp\":{millis},\"input_length\":{input},\"output_length\":{output},\"hash_ids\":{ids:?}}}"
            )
            .unwrap();
        }
        text
    }
}

/// People chat behind one system prompt; each turn extends the last.
pub(crate) fn chat() -> Vec<u8> {
    let mut maker = Maker::new("chat");
    let system: Vec<u64> = maker.fresh(2).collect();
    let mut start = 0.0;
    for _ in 0..1500 {
        start += maker.pause(2.4);
        let (mut at, mut prompt) = (start, system.clone());
        loop {
            let more = maker.between(1, 6);
            prompt.extend(maker.fresh(more));
            maker.ask(at, &prompt);
            at += 10.0 + maker.pause(90.0);
            if at > 3600.0 || unit(&mut maker.random) < 0.4 {
                break;
            }
        }
    }
    maker.finish()
}

/// Agents with one of three sets of tools work step by step, some steps being
/// tried several times at once.
pub(crate) fn agents() -> Vec<u8> {
    let mut maker = Maker::new("agents");
    let tools: Vec<Vec<u64>> = (0..3).map(|_| maker.fresh(8).collect()).collect();
    let mut start = 0.0;
    for _ in 0..120 {
        start += maker.pause(25.0);
        let which = maker.between(0, 2) as usize;
        let (mut at, mut prompt) = (start, tools[which].clone());
        for _ in 0..maker.between(5, 60) {
            prompt.extend(maker.fresh(1));
            for _ in 0..maker.between(1, 10).saturating_sub(7) {
                let mut side = prompt.clone();
                side.extend(maker.fresh(2));
                maker.ask(at + 0.1, &side);
            }
            maker.ask(at, &prompt);
            at += 1.0 + maker.pause(8.0);
        }
    }
    maker.finish()
}

/// Single questions behind one of 25 system prompts, a few of them popular.
pub(crate) fn system_prompts() -> Vec<u8> {
    let mut maker = Maker::new("system prompts");
    let mut prompts: Vec<Vec<u64>> = Vec::new();
    for _ in 0..25 {
        let length = maker.between(2, 20);
        prompts.push(maker.fresh(length).collect());
    }
    let mut at = 0.0;
    for _ in 0..6000 {
        at += maker.pause(0.6);
        let rank = (libm::pow(25.0, unit(&mut maker.random)) - 1.0) as usize;
        let mut prompt = prompts[rank.min(24)].clone();
        let own = maker.between(1, 6);
        prompt.extend(maker.fresh(own));
        maker.ask(at, &prompt);
    }
    maker.finish()
}

/// Contents drawn from a small pool, block by block.
pub(crate) fn uniform() -> Vec<u8> {
    let mut maker = Maker::new("uniform");
    let mut at = 0.0;
    for _ in 0..6000 {
        at += maker.pause(0.5);
        let blocks = maker.between(1, 12);
        let prompt: Vec<u64> = (0..blocks).map(|_| maker.between(0, 39)).collect();
        maker.ask(at, &prompt);
    }
    maker.finish()
}

/// Long documents, each asked about for some minutes.
pub(crate) fn documents() -> Vec<u8> {
    let mut maker = Maker::new("documents");
    let mut start = 0.0;
    for _ in 0..400 {
        start += maker.pause(9.0);
        let length = maker.between(10, 40);
        let document: Vec<u64> = maker.fresh(length).collect();
        let mut at = start;
        for _ in 0..maker.between(1, 25) {
            let mut prompt = document.clone();
            prompt.extend(maker.fresh(1));
            maker.ask(at, &prompt);
            at += maker.pause(12.0);
        }
    }
    maker.finish()
}

/// Chat whose rate doubles and falls, with prompts that get longer.
pub(crate) fn rising() -> Vec<u8> {
    let mut maker = Maker::new("rising");
    let system: Vec<u64> = maker.fresh(1).collect();
    let mut start: f64 = 0.0;
    while start < 3600.0 {
        let hour = start / 3600.0;
        start += maker.pause(4.0 / (1.0 + 3.0 * hour));
        let (mut at, mut prompt) = (start, system.clone());
        let turns = maker.between(1, 4);
        for _ in 0..turns {
            let more = 1 + (hour * maker.between(0, 12) as f64) as u64;
            prompt.extend(maker.fresh(more));
            if at < 3600.0 {
                maker.ask(at, &prompt);
            }
            at += maker.pause(60.0);
        }
    }
    maker.finish()
}

/// All of them, with their names.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("chat", chat()),
        ("agents", agents()),
        ("system prompts", system_prompts()),
        ("uniform", uniform()),
        ("documents", documents()),
        ("rising", rising()),
    ]
}
