//! What a run would do, without doing it.

use crate::args::Args;
use crate::leg::Leg;
use crate::prepare::{Preparer, Source};
use anyhow::{Context, bail};
use std::io::{self, Write};
use trace_core::time::Micros;
use trace_core::{Outcome, Writer, cli};

/// Write every request of every run to `output` with its place and its time,
/// and tell how many there are and how fast they come.
///
/// # Errors
/// As the input has them, and an output that cannot be written.
pub(crate) fn run(
    args: &Args,
    preparer: &Preparer,
    mut source: Source,
    output: impl Write,
) -> anyhow::Result<u8> {
    let mut writer = Writer::new(output);
    for leg in Leg::all(args) {
        let mut preview = Preview::default();
        let mut written = Ok(());
        preparer.run(&mut source, &leg, |mut request, timing| {
            let at = timing.at.unwrap_or(timing.after);
            if args.load.duration.is_some_and(|until| at >= until) {
                preview.never += 1;
                return true;
            }
            preview.add(at, request.wire.len(), request.refused.is_some());
            let mut outcome = Outcome {
                seq: Some(request.seq),
                scheduled_ms: leg.is_open().then_some(at),
                error: request.refused.take(),
                ..Outcome::default()
            };
            leg.label.put_on(&mut outcome);
            outcome.append_to(&mut request.line);
            written = writer.write_bytes(&request.line);
            written.is_ok()
        })?;
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(cli::DONE),
            written => written.context("cannot write outcomes")?,
        }
        let words = leg.label.words();
        let colon = if words.is_empty() { "" } else { ": " };
        trace_core::say!("trace-send: {words}{colon}{}", preview.words(leg.is_open()));
    }
    match writer.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(cli::DONE),
        Err(error) => bail!("cannot write outcomes: {}", crate::connect::plain(&error)),
        Ok(()) => Ok(cli::DONE),
    }
}

/// A run in numbers.
#[derive(Debug, Default)]
struct Preview {
    requests: u64,
    refused: u64,
    never: u64,
    bytes: u64,
    first: Option<Micros>,
    last: Micros,
    /// The second that is counted, and how many it has.
    second: (u64, u64),
    peak: u64,
}

impl Preview {
    fn add(&mut self, at: Micros, bytes: usize, refused: bool) {
        self.requests += 1;
        self.refused += u64::from(refused);
        self.bytes += bytes as u64;
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
        let second = at.as_micros() / 1_000_000;
        self.second = match self.second {
            (now, count) if now == second => (now, count + 1),
            _ => (second, 1),
        };
        self.peak = self.peak.max(self.second.1);
    }

    fn words(&self, open: bool) -> String {
        let mut words = format!("nothing is sent: {} requests", self.requests);
        if open && self.requests > 0 {
            let first = self.first.unwrap_or_default();
            let span = self.last.saturating_sub(first).as_secs();
            words += &format!(
                " from {:.3} to {:.3} s, {:.1}/s on average, up to {} in a second",
                first.as_secs(),
                self.last.as_secs(),
                self.requests as f64 / span.max(1.0),
                self.peak
            );
        }
        words += &format!(", {} bytes to send", self.bytes);
        if self.refused > 0 {
            words += &format!(", {} that cannot be asked", self.refused);
        }
        if self.never > 0 {
            words += &format!(", {} after the end of --duration", self.never);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_tells_the_busiest_second() {
        let mut preview = Preview::default();
        for at in [0, 500, 1_000, 1_100, 1_900, 4_000] {
            preview.add(Micros::from_micros(at * 1_000), 10, false);
        }
        assert_eq!(
            preview.words(true),
            "nothing is sent: 6 requests from 0.000 to 4.000 s, 1.5/s on average, up to 3 in a second, 60 bytes to send"
        );
    }
}
