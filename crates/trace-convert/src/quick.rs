//! The quick way through a trace of ours when only times decide.
//!
//! A time window, a number of requests, zero and shift need the timestamp of
//! a line and nothing else of it, so nothing else is parsed: such a line is
//! passed over, or copied, or copied with another number in that place. Lines
//! that keep their bytes are written in one piece as long as they stand next to
//! each other.
//!
//! The timestamp is found where it nearly always stands, first in the object,
//! and where it spells a plain number. Any other line is read in full by the
//! usual reader, so what is kept is the same; but a flaw behind the
//! timestamp of a quickly read line is left for the next reader to find.

use crate::args::Args;
use crate::format::Out;
use crate::input::Opened;
use crate::lines::waiting;
use crate::report::Report;
use crate::transform::Fate;
use crate::transform::keep::{OUTSIDE, SKIPPED, Span, TimeWindow};
use crate::transform::pace::Pace;
use anyhow::Context;
use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;
use trace_core::{Line, LineError, MAX_LINE_BYTES, Micros};

/// What it does, over all inputs of a run.
pub(crate) struct Quick {
    window: TimeWindow,
    span: Span,
    pace: Pace,
    over: bool,
    written: u64,
    outside: u64,
    skipped: u64,
}

/// Written in one piece once this much is waiting.
const BATCH_BYTES: usize = 256 * 1024;

impl Quick {
    /// The quick way to do what `args` ask, if there is one.
    pub(crate) fn for_args(args: &Args) -> Option<Self> {
        args.decides_by_time_only().then(|| Self {
            window: TimeWindow::new(args.from_time, args.to_time),
            span: Span::new(args.skip, args.limit),
            pace: args.pace(),
            over: args.limit == Some(0),
            written: 0,
            outside: 0,
            skipped: 0,
        })
    }

    /// Whether nothing more will be written.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Copy what is kept of `input` to `output`.
    ///
    /// # Errors
    /// A line that is no request, where one had to be read in full; files that
    /// cannot be read on, and writing.
    pub(crate) fn copy(
        &mut self,
        input: Opened,
        output: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let mut out = Vec::with_capacity(BATCH_BYTES * 2);
        let copied = self.copy_lines(input, &mut out, output, report);
        let sent = send(&mut out, output);
        report.written += std::mem::take(&mut self.written);
        report.drop_requests(OUTSIDE, std::mem::take(&mut self.outside));
        report.drop_requests(SKIPPED, std::mem::take(&mut self.skipped));
        copied?;
        sent
    }

    fn copy_lines(
        &mut self,
        input: Opened,
        out: &mut Vec<u8>,
        output: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let Opened {
            name, mut bytes, ..
        } = input;
        let mut number = 0;
        let mut broken = Vec::new();
        while !self.over {
            let chunk = waiting(&mut bytes, &name, number + 1)?;
            if chunk.is_empty() {
                if !broken.is_empty() {
                    self.line(&broken, &name, &mut number, out, report)?;
                }
                return Ok(());
            }
            let used = chunk.len();
            let mut start = 0;
            // A line that began in the chunk before.
            if !broken.is_empty() {
                match memchr::memchr(b'\n', chunk) {
                    Some(end) => {
                        broken.extend_from_slice(&chunk[..end]);
                        self.line(&broken, &name, &mut number, out, report)?;
                        broken.clear();
                        start = end + 1;
                    }
                    None => {
                        broken.extend_from_slice(chunk);
                        start = used;
                        if broken.len() > MAX_LINE_BYTES {
                            return Err(overlong(&name, number + 1).into());
                        }
                    }
                }
            }
            while start < used && !self.over {
                let Some(length) = memchr::memchr(b'\n', &chunk[start..]) else {
                    broken.extend_from_slice(&chunk[start..]);
                    break;
                };
                let line = &chunk[start..start + length];
                start += length + 1;
                self.line(line, &name, &mut number, out, report)?;
            }
            bytes.consume(used);
            if out.len() >= BATCH_BYTES {
                send(out, output)?;
            }
        }
        Ok(())
    }

    /// Decide about one line, and append it to `out` if it is kept.
    fn line(
        &mut self,
        line: &[u8],
        name: &Arc<str>,
        number: &mut u64,
        out: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<(), LineError> {
        *number += 1;
        let (place, timestamp) = match timestamp(line) {
            Some((place, time)) => (place, Some(time)),
            None => {
                let mark: &[u8] = if *number == 1 { b"\xef\xbb\xbf" } else { b"" };
                let line = line.strip_prefix(mark).unwrap_or(line);
                if line.trim_ascii().is_empty() {
                    return Ok(());
                }
                return self.thorough(line, name, *number, out, report);
            }
        };
        report.read += 1;
        if !self.decide(timestamp) {
            return Ok(());
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let time = timestamp.unwrap_or_default();
        let placed = if self.pace.is_idle() {
            time
        } else {
            self.pace.place(time, report)
        };
        if placed == time {
            out.extend_from_slice(line);
        } else {
            out.extend_from_slice(&line[..place.start]);
            placed.push_millis(out);
            out.extend_from_slice(&line[place.end..]);
        }
        out.push(b'\n');
        Ok(())
    }

    /// The same for a line that has to be read in full.
    fn thorough(
        &mut self,
        line: &[u8],
        name: &Arc<str>,
        number: u64,
        out: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<(), LineError> {
        let error = |column, reason: &str| LineError {
            name: name.clone(),
            line: number,
            column,
            reason: reason.to_owned(),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text =
            std::str::from_utf8(line).map_err(|bad| error(bad.valid_up_to() + 1, "not UTF-8"))?;
        let mut read = Line::parse(name, text).map_err(|bad| LineError {
            line: number,
            ..bad
        })?;
        report.read += 1;
        let timestamp = read.request.timestamp;
        if !self.decide(timestamp) {
            return Ok(());
        }
        if let Some(time) = timestamp {
            let placed = self.pace.place(time, report);
            if placed != time {
                let mut millis = Vec::new();
                placed.push_millis(&mut millis);
                let set = read.set(trace_core::Field::Timestamp, &millis);
                set.map_err(|bad| LineError {
                    line: number,
                    ..bad
                })?;
            }
        }
        out.extend_from_slice(read.bytes());
        out.push(b'\n');
        Ok(())
    }

    fn decide(&mut self, timestamp: Option<Micros>) -> bool {
        if !self.window.keeps(timestamp) {
            self.outside += 1;
            return false;
        }
        match self.span.next() {
            Fate::Dropped => {
                self.skipped += 1;
                return false;
            }
            Fate::Last => self.over = true,
            Fate::Kept => {}
        }
        self.written += 1;
        true
    }
}

/// Write whole lines.
fn send(lines: &mut Vec<u8>, output: &mut Out<'_>) -> anyhow::Result<()> {
    // The writer ends what it is given with LF itself.
    let sent = match lines.split_last() {
        Some((_, but_the_end)) => output.write_bytes(but_the_end),
        None => Ok(()),
    };
    lines.clear();
    sent.context("cannot write")
}

fn overlong(name: &Arc<str>, line: u64) -> LineError {
    LineError {
        name: name.clone(),
        line,
        column: MAX_LINE_BYTES + 1,
        reason: format!("line longer than {} MiB", MAX_LINE_BYTES >> 20),
    }
}

/// The timestamp of a line that begins with it, and its place.
///
/// Up to 15 digits and three decimals, which an integer holds exactly; the
/// line must end like an object.
fn timestamp(line: &[u8]) -> Option<(Range<usize>, Micros)> {
    const KEY: &[u8] = b"{\"timestamp\":";
    let rest = line.strip_prefix(KEY)?;
    let mut at = KEY.len() + usize::from(rest.first() == Some(&b' '));
    let start = at;
    let mut number = 0_u64;
    while let Some(digit @ b'0'..=b'9') = line.get(at) {
        number = number * 10 + u64::from(digit - b'0');
        at += 1;
        if at - start > 12 {
            return None;
        }
    }
    if at == start || (line[start] == b'0' && at > start + 1) {
        return None;
    }
    let mut micros = number * 1_000;
    if line.get(at) == Some(&b'.') {
        at += 1;
        let mut unit = 100;
        let from = at;
        while let Some(digit @ b'0'..=b'9') = line.get(at) {
            micros += u64::from(digit - b'0') * unit;
            unit /= 10;
            at += 1;
        }
        if !(1..=3).contains(&(at - from)) {
            return None;
        }
    }
    // A member follows, and the object ends where the line does.
    let ends = line.last() == Some(&b'}') || line.ends_with(b"}\r");
    (line.get(at) == Some(&b',') && ends).then_some((start..at, Micros::from_micros(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::convert_with;
    use proptest::prelude::*;

    #[test]
    fn only_the_usual_beginning_is_read_quickly() {
        let at = |line: &str| timestamp(line.as_bytes()).map(|(_, time)| time.as_micros());
        assert_eq!(at(r#"{"timestamp": 27482, "x":1}"#), Some(27_482_000));
        assert_eq!(at(r#"{"timestamp":0.125,"x":1}"#), Some(125));
        for other in [
            r#"{"timestamp": 1e3,"x":1}"#,
            r#"{"timestamp":01,"x":1}"#,
            r#"{"timestamp":-1,"x":1}"#,
            r#"{"timestamp":null,"x":1}"#,
            r#"{"timestamp":1.2345,"x":1}"#,
            r#"{"timestamp":1234567890123,"x":1}"#,
            r#"{"timestamp":1}"#,
            r#"{"timestamp":1,"x":1"#,
            r#"{"x":1,"timestamp":1}"#,
            "",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
    }

    fn line() -> impl Strategy<Value = String> {
        let time = prop_oneof![
            Just("null".to_owned()),
            "[0-9]{1,4}",
            "[1-9][0-9]{0,3}\\.[0-9]{1,5}",
            "[1-9]e[0-3]"
        ];
        let space = prop_oneof![Just(""), Just(" "), Just("  ")];
        (time, space, 0..3_u8, any::<bool>()).prop_map(|(time, space, kind, cr)| {
            let end = if cr { "\r" } else { "" };
            match kind {
                0 => format!("{{\"timestamp\":{space}{time},{space}\"input_length\": 3}}{end}"),
                1 => format!("{{\"input_length\":3,\"timestamp\":{space}{time}}}{end}"),
                _ => format!("{space}{end}"),
            }
        })
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same(
            lines in proptest::collection::vec(line(), 0..30),
            flags in prop_oneof![
                Just("--from-time 1 --to-time 4"),
                Just("--to-time 1 --zero --skip 1"),
                Just("--from-time 500ms --zero --limit 3"),
                Just("--shift -1s --limit 9"),
                Just("--skip 2 --shift 10"),
            ],
        ) {
            // A trace is no trace of ours without one line of ours.
            let text = format!("{{\"timestamp\":900,\"input_length\":1}}\n{}\n", lines.join("\n"));
            let (quick, quick_error, quick_report) = convert_with(flags, &text);
            // A condition that always holds takes the usual way.
            let (usual, usual_error, usual_report) = convert_with(&format!("{flags} --where input_length!=0"), &text);
            prop_assert_eq!(quick, usual);
            prop_assert_eq!(quick_error, usual_error);
            prop_assert_eq!(quick_report.to_json(), usual_report.to_json());
        }
    }
}
