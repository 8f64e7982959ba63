//! Lines per second read, passed on and written, on lines shaped like the
//! published conversation trace (24 ids a line, some 250 bytes).
//!
//! `cargo bench -p trace-core`

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use std::io::sink;
use trace_core::seed::{below, unit};
use trace_core::{BlockTable, Field, Line, Micros, Reader, Request, Streams, Writer};

fn main() {
    divan::main();
}

const LINES: usize = 20_000;

/// Requests of 1 to 47 blocks, `, ` between members as Python writes them.
fn trace() -> Vec<u8> {
    let mut random = Streams::new(0).stream("bench");
    let mut text = Vec::new();
    for i in 0..LINES {
        let blocks = 1 + below(&mut random, 47);
        let ids: Vec<u64> = (0..blocks).map(|b| i as u64 * 20 + b).collect();
        let line = format!(
            "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": {ids:?}}}\n",
            i * 300,
            blocks * 512,
            below(&mut random, 800)
        );
        text.extend_from_slice(line.as_bytes());
    }
    text
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let text = trace();
    bencher
        .counter(BytesCount::of_slice(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| {
            let mut reader = Reader::new("bench", &text[..]);
            let mut line = Line::default();
            let mut tokens = 0;
            while reader.read(&mut line).expect("the trace is valid") {
                tokens += line.request.input_length.unwrap_or(0);
            }
            tokens
        });
}

/// The floor: where the lines end, and nothing else.
#[divan::bench]
fn find_line_ends(bencher: Bencher<'_, '_>) {
    let text = trace();
    bencher
        .counter(BytesCount::of_slice(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| memchr::memchr_iter(b'\n', divan::black_box(&text)).count());
}

/// What a general reader costs: the same fields through serde_json.
#[divan::bench]
fn read_by_serde_json(bencher: Bencher<'_, '_>) {
    #[derive(serde::Deserialize)]
    struct Typed {
        timestamp: f64,
        input_length: u64,
        output_length: u64,
        hash_ids: Vec<u64>,
    }
    let text = trace();
    bencher
        .counter(BytesCount::of_slice(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| {
            let mut tokens = 0;
            for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
                let typed: Typed = serde_json::from_slice(line).expect("the trace is valid");
                divan::black_box((typed.timestamp, typed.output_length, typed.hash_ids.len()));
                tokens += typed.input_length;
            }
            tokens
        });
}

#[divan::bench]
fn pass_on_with_another_timestamp(bencher: Bencher<'_, '_>) {
    let text = trace();
    bencher
        .counter(BytesCount::of_slice(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| {
            let mut reader = Reader::new("bench", &text[..]);
            let mut writer = Writer::new(sink());
            let (mut line, mut millis) = (Line::default(), Vec::new());
            while reader.read(&mut line).expect("the trace is valid") {
                millis.clear();
                line.request
                    .timestamp
                    .unwrap_or(Micros::ZERO)
                    .push_millis(&mut millis);
                line.set(Field::Timestamp, &millis)
                    .expect("a number is a timestamp");
                writer.write_line(&line).expect("a sink takes all");
            }
        });
}

#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    let text = trace();
    let requests: Vec<Request> = Reader::new("bench", &text[..])
        .map(|line| line.expect("the trace is valid").request)
        .collect();
    bencher
        .counter(BytesCount::of_slice(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| {
            let mut writer = Writer::new(sink());
            for request in &requests {
                writer.write(request).expect("a sink takes all");
            }
        });
}

/// Blocks per second given their ids: 6 to a row, one of 10,000 first blocks.
#[divan::bench]
fn give_ids_to_blocks(bencher: Bencher<'_, '_>) {
    let mut random = Streams::new(0).stream("bench");
    let rows: Vec<[u32; 6]> = (0..200_000)
        .map(|_| [0; 6].map(|_: u32| (unit(&mut random) * 10_000.0) as u32))
        .collect();
    bencher.counter(ItemsCount::new(rows.len() * 6)).bench(|| {
        let mut table = BlockTable::new();
        let mut ids = Vec::new();
        for row in &rows {
            table.row(row, &mut ids);
        }
        table.len()
    });
}
