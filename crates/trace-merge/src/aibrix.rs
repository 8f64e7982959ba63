//! Workload files of AIBrix, merged and put in a row as its own tool does.
//!
//! A row is `{"timestamp": ms, "requests": [...]}`, one a line, in any order.
//! A merge makes one row of all rows with exactly the same timestamp, their
//! requests in the order of the files; other fields of the later rows are
//! dropped there, and here, but here that is said. Sessions are not renamed.
//! A concatenation moves a file by the timestamp in the *last line* of the
//! one before it, be that the latest or not. See `benchmarks/generator/
//! workload_generator/utility.py` of vllm-project/aibrix.

use crate::input::Input;
use crate::lines::Lines;
use crate::output::Output;
use crate::shift::Shift;
use crate::sort::Sorter;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use trace_core::{Error, LineError, Micros};

/// Merge the rows of all `inputs`, each moved in time.
///
/// Returns how many rows lost fields other than `requests`.
///
/// # Errors
/// A line that is no row, and whatever reading and writing gives.
pub(crate) fn merge(
    inputs: Vec<(Input<'_>, Shift)>,
    memory: u64,
    out: &mut Output<impl Write>,
) -> anyhow::Result<u64> {
    let mut sorter = Sorter::new(memory);
    for (input, shift) in inputs {
        let mut lines = input.open(1)?;
        let mut moved = Vec::new();
        while lines.advance()? {
            let row = Row::read(&lines)?;
            let time = row.moved(shift, &lines, &mut moved)?;
            sorter.push([time.as_micros()], &moved)?;
        }
    }
    let mut group = Group::default();
    sorter.drain(|[time], line| group.take(time, line, |row| out.write(row)))?;
    group.finish(|row| out.write(row))?;
    Ok(group.dropped)
}

/// Write the rows of `inputs` in turn, each moved by the last timestamp of
/// the one before it, and by `gap`.
///
/// # Errors
/// A line that is no row, and whatever reading and writing gives.
pub(crate) fn concat(
    inputs: Vec<(Input<'_>, Shift)>,
    gap: Micros,
    out: &mut Output<impl Write>,
) -> anyhow::Result<()> {
    let mut start = Micros::ZERO;
    let mut moved = Vec::new();
    for (input, shift) in inputs {
        let shift = shift.later(start);
        let mut lines = input.open(1)?;
        while lines.advance()? {
            let row = Row::read(&lines)?;
            start = row.moved(shift, &lines, &mut moved)? + gap;
            out.write(&moved)?;
        }
    }
    Ok(())
}

/// Say on stderr what a merge dropped.
pub(crate) fn report(dropped: u64) {
    if dropped > 0 {
        trace_core::say!(
            "trace-merge: {dropped} rows lost their fields other than requests to an earlier row of the same time, as in AIBrix"
        );
    }
}

/// One row: when, and where its values stand.
struct Row {
    time: Micros,
    timestamp: Range<usize>,
    requests: Range<usize>,
    others: usize,
}

impl Row {
    fn read(lines: &Lines<'_>) -> Result<Self, LineError> {
        Self::parse(lines.line()).map_err(|(column, reason)| LineError {
            name: lines.name().clone(),
            line: lines.number(),
            column,
            reason,
        })
    }

    fn parse(line: &[u8]) -> Result<Self, (usize, String)> {
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(line).map_err(|error| {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
                (error.column().max(1), reason)
            })?;
        let place = |name: &str| {
            let value = fields.get(name).ok_or_else(|| {
                let reason =
                    format!("no {name}: a row of an AIBrix workload has timestamp and requests");
                (1, reason)
            })?;
            let start = value.get().as_ptr() as usize - line.as_ptr() as usize;
            Ok(start..start + value.get().len())
        };
        let (timestamp, requests) = (place("timestamp")?, place("requests")?);
        let millis: Option<f64> = serde_json::from_slice(&line[timestamp.clone()]).ok();
        let time = millis.and_then(Micros::from_millis).ok_or_else(|| {
            (
                timestamp.start + 1,
                "expected milliseconds, 0 or more".to_owned(),
            )
        })?;
        if line[requests.start] != b'[' {
            return Err((
                requests.start + 1,
                "expected an array of requests".to_owned(),
            ));
        }
        Ok(Self {
            time,
            timestamp,
            requests,
            others: fields.len() - 2,
        })
    }

    /// Spell the row with its time moved, and tell where it went.
    fn moved(&self, shift: Shift, lines: &Lines<'_>, out: &mut Vec<u8>) -> Result<Micros, Error> {
        let line = lines.line();
        out.clear();
        if shift.is_none() {
            out.extend_from_slice(line);
            return Ok(self.time);
        }
        let time = shift.time(self.time).ok_or_else(|| LineError {
            name: lines.name().clone(),
            line: lines.number(),
            column: self.timestamp.start + 1,
            reason: format!(
                "timestamp {} would be moved before 0 or beyond 2^53 ms",
                self.time
            ),
        })?;
        out.extend_from_slice(&line[..self.timestamp.start]);
        time.push_millis(out);
        out.extend_from_slice(&line[self.timestamp.end..]);
        Ok(time)
    }
}

/// The rows of one time, as one.
#[derive(Default)]
struct Group {
    time: Option<u64>,
    /// The first row.
    row: Vec<u8>,
    /// Where the end of its requests is.
    end: usize,
    has_requests: bool,
    dropped: u64,
}

impl Group {
    fn take(
        &mut self,
        time: u64,
        line: &[u8],
        write: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let row = Row::parse(line).map_err(|(_, reason)| anyhow::Error::msg(reason))?;
        let requests = row.requests.start + 1..row.requests.end - 1;
        let has_requests = !line[requests.clone()].trim_ascii().is_empty();
        if self.time != Some(time) {
            self.finish(write)?;
            self.time = Some(time);
            self.row.clear();
            self.row.extend_from_slice(line);
            self.end = requests.end;
            self.has_requests = has_requests;
            return Ok(());
        }
        self.dropped += u64::from(row.others > 0);
        if has_requests {
            let between: &[u8] = if self.has_requests { b", " } else { b"" };
            let more = [between, line[requests].trim_ascii()].concat();
            self.row.splice(self.end..self.end, more.iter().copied());
            self.end += more.len();
            self.has_requests = true;
        }
        Ok(())
    }

    fn finish(&mut self, mut write: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        match self.time.take() {
            Some(_) => write(&self.row),
            None => Ok(()),
        }
    }
}
