//! A random part of the requests, sessions kept whole.

use super::{Fate, Transform};
use crate::record::Record;
use crate::report::Report;
use trace_core::{Random, SessionId, Streams, seed};

/// What is kept or dropped as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SampleBy {
    /// A session with all its turns; a request without a session alone
    Session,
    /// Every request alone
    Request,
}

/// Keeps each session with the same probability. Which ones depends on the
/// seed and the session's id only, so two parts of a trace agree.
pub(crate) struct Sample {
    streams: Streams,
    probability: f64,
    by: SampleBy,
    number: u64,
}

impl Sample {
    /// Keep with this probability.
    pub(crate) fn new(probability: f64, by: SampleBy, seed: u64) -> Self {
        Self {
            streams: Streams::new(seed),
            probability,
            by,
            number: 0,
        }
    }
}

impl Transform for Sample {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        self.number += 1;
        let mut random = stream(self.streams, record, self.by, self.number);
        if seed::unit(&mut random) < self.probability {
            return Ok(Fate::Kept);
        }
        report.drop_request("by --sample");
        Ok(Fate::Dropped)
    }
}

/// The randomness of request `number`, or of its session.
fn stream(streams: Streams, record: &Record, by: SampleBy, number: u64) -> Random {
    let session = record.request().session_id.as_ref();
    match session.filter(|_| by == SampleBy::Session) {
        Some(SessionId::Number(number)) => streams.stream_of("sample session", *number as u64),
        Some(SessionId::Text(text)) => streams.stream_of("sample session named", seed::fnv1a(text)),
        None => streams.stream_of("sample request", number),
    }
}

/// A random number of request `number`, or of its session.
pub(super) fn key(streams: Streams, record: &Record, by: SampleBy, number: u64) -> u64 {
    seed::below(&mut stream(streams, record, by, number), u64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;
    use std::collections::HashMap;

    fn trace() -> String {
        (0..3_000)
            .map(|i| {
                format!(
                    "{{\"input_length\":{i},\"session_id\":\"s{}\"}}\n",
                    i % 1_000
                )
            })
            .collect()
    }

    #[test]
    fn sessions_stay_whole() {
        let out = convert("--sample 0.3", &trace());
        let mut turns: HashMap<&str, u32> = HashMap::new();
        for line in out.lines() {
            *turns
                .entry(line.split("session_id").nth(1).unwrap())
                .or_default() += 1;
        }
        assert!(turns.values().all(|&turns| turns == 3));
        // Four standard deviations of a binomial of 1,000 at 0.3.
        assert!((242..358).contains(&turns.len()), "{}", turns.len());
    }

    #[test]
    fn requests_are_drawn_alone_when_asked() {
        let out = convert("--sample 0.3 --sample-by request", &trace());
        assert!((800..1_000).contains(&out.lines().count()));
        assert_ne!(
            out,
            convert("--sample 0.3 --sample-by request --seed 1", &trace())
        );
        assert_eq!(out, convert("--sample 0.3 --sample-by request", &trace()));
    }
}
