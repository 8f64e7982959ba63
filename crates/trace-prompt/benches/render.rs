//! Bytes of prompt text per second, and of prompt text read back.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use trace_prompt::{Prompts, Recover, Tokenizer};

fn main() {
    divan::main();
}

/// The mean prompt of the public conversation trace, 12,000 tokens.
const TOKENS: u64 = 12_000;

fn prompt() -> (Prompts, Vec<u64>, String) {
    let prompts = Prompts::with(&Tokenizer::o200k(), 0).expect("the embedded one has words");
    let ids: Vec<u64> = (0..24).collect();
    let mut text = String::new();
    prompts.render(&ids, TOKENS, 0, &mut text);
    (prompts, ids, text)
}

/// Blocks seen before: there is no cache, so no other figure.
#[divan::bench]
fn render(bencher: Bencher<'_, '_>) {
    let (prompts, ids, mut text) = prompt();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        text.clear();
        prompts.render(divan::black_box(&ids), TOKENS, 0, &mut text);
    });
}

/// Blocks never seen before.
#[divan::bench]
fn render_fresh_ids(bencher: Bencher<'_, '_>) {
    let (prompts, mut ids, mut text) = prompt();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        text.clear();
        ids.iter_mut().for_each(|id| *id += 24);
        prompts.render(&ids, TOKENS, 0, &mut text);
    });
}

#[divan::bench]
fn render_token_ids(bencher: Bencher<'_, '_>) {
    let (prompts, ids, _) = prompt();
    let mut tokens = Vec::new();
    bencher.counter(ItemsCount::new(TOKENS)).bench_local(|| {
        tokens.clear();
        prompts.render_tokens(divan::black_box(&ids), TOKENS, 0, &mut tokens)
    });
}

/// The block hashing alone.
#[divan::bench]
fn recover_from_tokens(bencher: Bencher<'_, '_>) {
    let (prompts, _, text) = prompt();
    let (mut tokens, mut ids) = (Vec::new(), Vec::new());
    prompts
        .tokenizer()
        .encode(&text, &mut tokens)
        .expect("the embedded ones encode all");
    let mut recover = Recover::new(512);
    bencher
        .counter(ItemsCount::new(tokens.len()))
        .bench_local(|| recover.tokens(divan::black_box(&tokens), &mut ids));
}

/// Encoding and hashing.
#[divan::bench]
fn recover_from_text(bencher: Bencher<'_, '_>) {
    let (prompts, _, text) = prompt();
    let mut ids = Vec::new();
    let mut recover = Recover::new(512);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| recover.text(prompts.tokenizer(), divan::black_box(&text), &mut ids));
}
