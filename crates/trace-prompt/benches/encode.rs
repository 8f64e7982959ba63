//! Encoding, against tiktoken's own code; and what unpacking a vocabulary takes.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use std::time::Instant;
use tiktoken_rs::CoreBPE;
use trace_prompt::Tokenizer;

/// English, Rust, and a little of many scripts.
const TEXTS: [&str; 3] = ["english", "code", "scripts"];

fn main() {
    for tokenizer in [Tokenizer::o200k(), Tokenizer::cl100k()] {
        let start = Instant::now();
        let count = tokenizer.count("the first text");
        trace_core::say!(
            "{tokenizer:?}: {:?} to unpack and count {count:?}",
            start.elapsed()
        );
    }
    divan::main();
}

fn text(name: &str) -> String {
    match name {
        "english" => include_str!("../../../LICENSE").repeat(8),
        "code" => include_str!("../src/prompts.rs").repeat(8),
        _ => "中文和日本語のテキスト, ещё немного текста, वह हिन्दी है, كلمات عربية, \u{1f468}\u{200d}\u{1f469} naïve façade № 1234567. "
            .repeat(600),
    }
}

#[divan::bench(args = TEXTS)]
fn o200k(bencher: Bencher<'_, '_>, name: &str) {
    encode(bencher, name, &Tokenizer::o200k());
}

#[divan::bench(args = TEXTS)]
fn o200k_of_tiktoken(bencher: Bencher<'_, '_>, name: &str) {
    encode_theirs(bencher, name, tiktoken_rs::o200k_base_singleton());
}

#[divan::bench(args = TEXTS)]
fn cl100k(bencher: Bencher<'_, '_>, name: &str) {
    encode(bencher, name, &Tokenizer::cl100k());
}

#[divan::bench(args = TEXTS)]
fn cl100k_of_tiktoken(bencher: Bencher<'_, '_>, name: &str) {
    encode_theirs(bencher, name, tiktoken_rs::cl100k_base_singleton());
}

/// One piece without end: the worst case for merging.
#[divan::bench(args = [1_000, 100_000])]
fn one_long_word(bencher: Bencher<'_, '_>, length: usize) {
    let (text, tokenizer) = ("ab".repeat(length / 2), Tokenizer::o200k());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| tokenizer.count(black_box(&text)));
}

fn encode(bencher: Bencher<'_, '_>, name: &str, tokenizer: &Tokenizer) {
    let (text, mut tokens) = (text(name), Vec::new());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        tokens.clear();
        tokenizer.encode(black_box(&text), &mut tokens)
    });
}

fn encode_theirs(bencher: Bencher<'_, '_>, name: &str, tokenizer: &CoreBPE) {
    let text = text(name);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| tokenizer.encode_ordinary(black_box(&text)));
}
