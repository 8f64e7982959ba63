//! Reads a trace or its outcomes and counts lines: what reading alone costs.
//!
//! `cargo run --release -p trace-core --example count -- FILE…`, or stdin.

use std::error::Error;
use trace_core::{Line, Reader, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let sources = match files.is_empty() {
        true => vec![Source::stdin()],
        false => files.into_iter().map(Source::file).collect(),
    };
    let mut reader = Reader::over(sources);
    let (mut line, mut outcome) = (Line::default(), None);
    let (mut lines, mut outcomes) = (0_u64, 0_u64);
    while reader.read_outcome(&mut line, &mut outcome)? {
        lines += 1;
        outcomes += u64::from(outcome.is_some());
    }
    println!("{lines} lines, {outcomes} of them outcomes");
    Ok(())
}
