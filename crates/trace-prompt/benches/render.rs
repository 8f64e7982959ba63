//! Bytes of prompt text per second.

use divan::counter::BytesCount;
use trace_prompt::Prompts;

fn main() {
    divan::main();
}

/// The mean prompt of the public conversation trace, 12,000 tokens.
#[divan::bench]
fn prompt(bencher: divan::Bencher<'_, '_>) {
    let prompts = Prompts::new(0);
    let ids: Vec<u64> = (0..24).collect();
    let mut text = String::new();
    prompts.render(&ids, 12_000, 0, &mut text);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        text.clear();
        prompts.render(divan::black_box(&ids), 12_000, 0, &mut text);
    });
}
