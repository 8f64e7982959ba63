//! The file of one round of one level: details as they come, then the summary.

use super::detail::Detail;
use super::level::Level;
use crate::partial::Settings;
use crate::report::{Report, Value};
use crate::results::Duration;
use crate::slo::Slo;
use crate::summary::Summary;
use anyhow::Context;
use serde_json::{Value as Json, json};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use trace_core::quantile::{Spread, number};
use trace_core::{Line, Outcome, WholeFile};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct RoundFile {
    path: PathBuf,
    file: BufWriter<WholeFile>,
    summary: Summary,
    duration: Duration,
    details: u64,
}

impl RoundFile {
    /// Begin the file of `level` in `folder`.
    pub(super) fn create(
        folder: &Path,
        level: &Level,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let path = level.path(folder);
        let begin = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = BufWriter::new(WholeFile::create(&path)?);
            let (concurrency, round) = level.concurrency_and_round();
            let concurrency = Json::from(concurrency);
            write!(
                file,
                "{{\"concurrency\":{concurrency},\"round\":{round},\"detailed_results\":["
            )?;
            Ok::<_, std::io::Error>(file)
        };
        let file = begin().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path,
            file,
            summary: Summary::new(settings),
            duration: Duration::default(),
            details: 0,
        })
    }

    /// Take a request of the level.
    pub(super) fn push(
        &mut self,
        level: &Level,
        line: &Line,
        outcome: &Outcome,
        slo: Option<&Slo>,
    ) -> anyhow::Result<()> {
        self.summary.push(line, Some(outcome))?;
        self.duration.push(outcome, (None, None));
        let seq = outcome.seq.unwrap_or(self.details);
        let detail = Detail::new(level.request_id(seq), outcome, slo);
        let separator: &[u8] = if self.details == 0 { b"\n" } else { b",\n" };
        self.details += 1;
        let written = self.file.write_all(separator).and_then(|()| {
            serde_json::to_writer(&mut self.file, &detail).map_err(std::io::Error::from)
        });
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// From the first schedule to the last end of its requests.
    pub(super) fn duration(&self) -> Duration {
        self.duration
    }

    /// End the file, and give what its requests came to and the file, which has
    /// yet to be given its name.
    pub(super) fn end(mut self) -> anyhow::Result<(Report, (PathBuf, WholeFile))> {
        let report = self.summary.finish(None, None)?;
        let ended = write!(self.file, "\n],\"summary\":{}}}\n", summary(&report)).and_then(|()| {
            self.file
                .into_inner()
                .map_err(io::IntoInnerError::into_error)
        });
        let file = ended.with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok((report, (self.path, file)))
    }
}

/// The summary of a round.
fn summary(report: &Report) -> Json {
    let count = |name: &str| match report.scalar(name) {
        Some(Value::Count(count)) => Json::from(*count),
        _ => Json::Null,
    };
    let rate = |name: &str| match report.scalar(name) {
        Some(Value::Measure(value)) => figure(*value),
        _ => Json::Null,
    };
    json!({
        "total_requests": report.requests,
        "successful_requests": count("succeeded"),
        "failed_requests": count("failed"),
        "duration_seconds": figure(report.duration_ms.map(|ms| ms / 1_000.0)),
        "ttft_ms": spread(report.metric("ttft_ms")),
        "itl_ms": spread(report.metric("itl_ms")),
        "latency_ms": spread(report.metric("latency_ms")),
        "throughput": {
            "tokens_per_second": rate("output_tps"),
            "requests_per_second": rate("throughput_rps"),
        },
        "goodput": {
            "requests": count("good"),
            "attainment": rate("slo_attainment"),
            "requests_per_second": rate("goodput_rps"),
            "tokens_per_second": rate("goodput_tps"),
        },
        "tokens": {
            "input": count("total_input_tokens"),
            "output": count("total_output_tokens"),
            "cached": count("total_cached_tokens"),
        },
    })
}

fn spread(spread: Option<&Spread>) -> Json {
    let spread = spread.copied().unwrap_or_default();
    json!({
        "avg": figure(spread.mean),
        "p50": figure(spread.p50),
        "p90": figure(spread.p90),
        "p95": figure(spread.p95),
        "p99": figure(spread.p99),
        "min": figure(spread.min),
        "max": figure(spread.max),
        "stddev": figure(spread.std),
    })
}

fn figure(value: Option<f64>) -> Json {
    number(&value, serde_json::value::Serializer).expect("a number is JSON")
}
