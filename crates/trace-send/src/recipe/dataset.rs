//! FluxPerf's datasets, read as `trace-convert` reads them.
//!
//! An entry is a prompt or a session; a line of a trace is a prompt or a turn.
//! FluxPerf counts entries and we count lines, so the numbers are worked out
//! once the file is read.

use anyhow::{Context, bail};
use clap::Parser;
use trace_convert::{Input, Report};
use trace_core::{Line, Reader, SessionId};

/// A file of prompts, and how much of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dataset {
    /// Where it lies.
    pub(super) path: String,
    /// Entries for each level; all of them if nothing is said.
    pub(super) entries: Vec<u64>,
    /// Longer prompts are left out.
    pub(super) most_tokens: Option<u64>,
}

/// A dataset as a trace.
#[derive(Debug)]
pub(super) struct Read {
    /// Its lines.
    pub(super) trace: Vec<u8>,
    /// What the stage is told of them.
    pub(super) arguments: Vec<String>,
}

impl Dataset {
    /// Look whether it is there.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn find(&self) -> anyhow::Result<()> {
        let found = std::fs::metadata(&self.path);
        found.with_context(|| format!("dataset {}", self.path))?;
        Ok(())
    }

    /// Read it whole: it is sent once for each level and round.
    ///
    /// # Errors
    /// A file that cannot be read or is none that is known.
    pub(super) fn read(&self) -> anyhow::Result<Read> {
        let bytes = std::fs::read(&self.path).with_context(|| format!("dataset {}", self.path))?;
        let mut words = vec!["trace-convert".to_owned()];
        if let Some(most) = self.most_tokens {
            words.push(format!("--max-input-length={most}"));
        }
        let args = trace_convert::Args::try_parse_from(words)?;
        let (mut trace, mut report) = (Vec::new(), Report::default());
        let input = vec![Input::text(&self.path, bytes)];
        trace_convert::run(&args, input, &mut trace, &mut report)
            .with_context(|| format!("dataset {}", self.path))?;
        if let Some(line) = report.line() {
            trace_core::say!("trace-send: dataset {}: {line}", self.path);
        }
        let ends = ends(&trace)?;
        if ends.is_empty() {
            bail!("dataset {}: there are no prompts in it", self.path);
        }
        let requests: Vec<_> = self
            .entries
            .iter()
            .map(|&count| lines(&ends, count))
            .collect();
        let few = self
            .entries
            .iter()
            .max()
            .filter(|&&most| most > ends.len() as u64);
        if let Some(most) = few {
            trace_core::say!(
                "trace-send: dataset {}: {most} entries are wanted, all {} are sent",
                self.path,
                ends.len()
            );
        }
        let requests: Vec<_> = requests.iter().map(u64::to_string).collect();
        let wanted = (!requests.is_empty()).then(|| format!("--requests={}", requests.join(",")));
        Ok(Read {
            trace,
            arguments: wanted.into_iter().collect(),
        })
    }
}

/// Lines of the first `entries` entries, which end at `ends`.
fn lines(ends: &[u64], entries: u64) -> u64 {
    let last = usize::try_from(entries)
        .unwrap_or(usize::MAX)
        .min(ends.len());
    last.checked_sub(1).map_or(0, |last| ends[last])
}

/// After how many lines each entry ends: a session's turns are one.
fn ends(trace: &[u8]) -> anyhow::Result<Vec<u64>> {
    let mut reader = Reader::new("the dataset", trace);
    let (mut line, mut count) = (Line::default(), 0);
    let mut ends: Vec<u64> = Vec::new();
    let mut last: Option<SessionId> = None;
    while reader.read(&mut line)? {
        count += 1;
        let session = line.request.session_id.clone();
        match ends.last_mut() {
            Some(end) if session.is_some() && session == last => *end = count,
            _ => ends.push(count),
        }
        last = session;
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_prompt_or_all_turns_of_a_session() {
        let line = |session: &str| format!("{{\"input_length\":1{session}}}\n");
        let trace = [
            line(",\"session_id\":\"a\""),
            line(",\"session_id\":\"a\""),
            line(""),
            line(""),
            line(",\"session_id\":\"b\""),
        ];
        let ends = ends(trace.concat().as_bytes()).unwrap();
        assert_eq!(ends, [2, 3, 4, 5]);
        assert_eq!([0, 1, 2, 9].map(|count| lines(&ends, count)), [0, 2, 3, 5]);
    }
}
