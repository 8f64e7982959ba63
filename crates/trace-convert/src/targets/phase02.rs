//! The benchmark CSV of Phase 02, from outcomes: `benchmark_results.csv`.
//!
//! | column | what it holds |
//! |---|---|
//! | `seq` | number of the request, from 1: our `seq` + 1, else the row's |
//! | `input_tokens` | `input_tokens`, else `input_length` |
//! | `output_tokens` | `output_tokens`; 0 for a request that failed without any |
//! | `total_tokens` | the sum of both |
//! | `latency` | `latency_ms`, in seconds |
//! | `ttft` | `ttft_ms` in seconds; the latency when there was no token |
//! | `tpot` | latency ÷ output tokens, first token included; 0 without output. With `--tpot standard` `tpot_ms` in seconds, empty for fewer than 2 tokens |
//! | `throughput_tps` | output tokens ÷ latency |
//! | `tokens_per_sec` | total tokens ÷ latency |
//! | `status` | HTTP status; `error` when no complete answer came; empty for a success of a tool that tells none |
//! | `gpu_memory_mb` | `gpu_memory_mb`; empty when it was not measured |
//!
//! Rows stand in the order of the input, which is that of completion. A row
//! of status `error` has zeros for `output_tokens`, `ttft` and all that is
//! divided, as Phase 02 has it, but every column of the others: there, one
//! failure lost the file. A value nobody measured is an empty cell, and
//! counted. Lines end in LF, as everywhere in these tools.

use crate::format::{Encode, Out, Target};
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::Context;
use std::fmt::Display;
use trace_core::{ErrorKind, Micros, Outcome};

/// The Phase-02 benchmark CSV.
pub(crate) static TARGET: Target = Target {
    name: "phase02",
    about: "outcomes as the Phase-02 benchmark CSV, in seconds",
    encoder: |args, _| {
        Ok(Box::new(Phase02 {
            tpot: args.tpot,
            rows: 0,
        }))
    },
};

/// What the column `tpot` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tpot {
    /// Latency divided by output tokens, so the time to the first is in it
    Phase02,
    /// The time between the first and the last token divided by the tokens
    /// after the first
    Standard,
}

const HEADER: &str = "seq,input_tokens,output_tokens,total_tokens,latency,ttft,tpot,throughput_tps,tokens_per_sec,status,gpu_memory_mb";

struct Phase02 {
    tpot: Tpot,
    rows: u64,
}

impl Encode for Phase02 {
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        let outcome = record.outcome()?.ok_or_else(|| {
            record.error(
                "a request that was not sent: phase02 holds outcomes, such as trace-send writes",
            )
        })?;
        if self.rows == 0 {
            out.write_bytes(HEADER.as_bytes()).context("cannot write")?;
        }
        self.rows += 1;
        let row = self.row(&outcome, record.request().input_length, report);
        out.write_bytes(row.as_bytes()).context("cannot write")?;
        Ok(true)
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &mut Report) -> anyhow::Result<()> {
        if self.rows == 0 {
            out.write_bytes(HEADER.as_bytes()).context("cannot write")?;
        }
        Ok(())
    }
}

impl Phase02 {
    fn row(&self, outcome: &Outcome, asked: Option<u64>, report: &mut Report) -> String {
        let cells = Cells::of(outcome, asked);
        cells.note(report);
        report.count(
            Kind::Noted,
            "rows without gpu_memory_mb",
            u64::from(outcome.gpu_memory_mb.is_none()),
        );
        let total = cells.total();
        let status = outcome.status.map(|status| status.to_string());
        let seq = outcome.seq.map_or(self.rows, |seq| seq.saturating_add(1));
        format!(
            "{seq},{},{},{},{},{},{},{},{},{},{}",
            cell(cells.input),
            cell(cells.output),
            cell(total),
            cell(cells.latency.map(Micros::as_secs)),
            cell(cells.ttft(outcome).map(Micros::as_secs)),
            cell(cells.tpot(outcome, self.tpot)),
            cell(cells.per_second(cells.output)),
            cell(cells.per_second(total)),
            if cells.broken {
                "error".to_owned()
            } else {
                cell(status)
            },
            cell(outcome.gpu_memory_mb),
        )
    }
}

/// What the cells of a row are made of.
struct Cells {
    input: Option<u64>,
    output: Option<u64>,
    latency: Option<Micros>,
    /// Whether no complete answer came.
    broken: bool,
}

impl Cells {
    fn of(outcome: &Outcome, asked: Option<u64>) -> Self {
        // An answer that was complete, though not a good one, is a row like
        // the others; what raised an exception there is an error here.
        let kind = outcome.error.as_ref().map(|failure| failure.kind);
        let complete = matches!(
            kind,
            None | Some(ErrorKind::Http | ErrorKind::Content | ErrorKind::Empty)
        );
        let broken = !complete || (kind.is_some() && outcome.status.is_none());
        Self {
            input: outcome.input_tokens.or(asked),
            output: match kind {
                Some(_) if broken => Some(0),
                // As documented above: a failure without tokens has none.
                Some(_) => Some(outcome.output_tokens.unwrap_or(0)),
                None => outcome.output_tokens,
            },
            latency: outcome.latency_ms,
            broken,
        }
    }

    /// Count what is odd about the row.
    fn note(&self, report: &mut Report) {
        let empty = self.input.is_none() || self.output.is_none() || self.latency.is_none();
        report.count(
            Kind::Noted,
            "rows with empty cells, as nobody measured the tokens or the latency",
            u64::from(empty),
        );
        report.count(Kind::Noted, "rows of status error", u64::from(self.broken));
    }

    fn total(&self) -> Option<u64> {
        let both = self.input.zip(self.output);
        both.map(|(input, output)| input.saturating_add(output))
    }

    fn ttft(&self, outcome: &Outcome) -> Option<Micros> {
        if self.broken {
            return Some(Micros::ZERO);
        }
        outcome.ttft_ms.or(self.latency)
    }

    fn tpot(&self, outcome: &Outcome, tpot: Tpot) -> Option<f64> {
        match (tpot, self.output) {
            _ if self.broken => Some(0.0),
            (Tpot::Standard, _) => standard(outcome),
            (Tpot::Phase02, Some(0)) => Some(0.0),
            (Tpot::Phase02, Some(output)) => Some(self.latency?.as_secs() / output as f64),
            (Tpot::Phase02, None) => None,
        }
    }

    fn per_second(&self, tokens: Option<u64>) -> Option<f64> {
        if self.broken {
            return Some(0.0);
        }
        let (tokens, latency) = (tokens?, self.latency?);
        Some(if latency == Micros::ZERO {
            0.0
        } else {
            tokens as f64 / latency.as_secs()
        })
    }
}

/// Seconds per token after the first.
fn standard(outcome: &Outcome) -> Option<f64> {
    if let Some(tpot) = outcome.tpot_ms {
        return Some(tpot.as_secs());
    }
    let tokens = outcome.output_tokens.filter(|tokens| *tokens > 1)?;
    let span = outcome.last_token_ms?.saturating_sub(outcome.ttft_ms?);
    Some(span.as_secs() / (tokens - 1) as f64)
}

fn cell(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    const RUN: &str = concat!(
        r#"{"timestamp":0,"input_length":7,"seq":1,"ttft_ms":100,"last_token_ms":480,"latency_ms":500,"tpot_ms":95,"input_tokens":8,"output_tokens":5,"status":200,"gpu_memory_mb":12.5}"#,
        "\n",
        r#"{"timestamp":0,"input_length":7,"seq":0,"latency_ms":250,"status":500,"error":{"kind":"http","message":"500"}}"#,
        "\n",
        r#"{"timestamp":0,"input_length":7,"seq":2,"latency_ms":1000,"error":{"kind":"timeout","message":"late"}}"#,
        "\n",
    );

    #[test]
    fn columns_and_formulas_are_those_of_phase_02() {
        let expected = "\
seq,input_tokens,output_tokens,total_tokens,latency,ttft,tpot,throughput_tps,tokens_per_sec,status,gpu_memory_mb
2,8,5,13,0.5,0.1,0.1,10,26,200,12.5
1,7,0,7,0.25,0.25,0,0,28,500,
3,7,0,7,1,0,0,0,0,error,
";
        let (out, error, report) = convert_with("--to phase02", RUN);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Noted, "rows of status error"), 1);
        assert_eq!(report.of(Kind::Noted, "rows without gpu"), 2);
    }

    #[test]
    fn the_standard_tpot_leaves_the_first_token_out() {
        let out = convert("--to phase02 --tpot standard", RUN);
        assert!(
            out.contains("\n2,8,5,13,0.5,0.1,0.095,10,26,200,12.5\n"),
            "{out}"
        );
        assert!(out.contains("\n1,7,0,7,0.25,0.25,,0,28,500,\n"), "{out}");
    }

    #[test]
    fn a_request_that_was_never_sent_is_refused() {
        let (_, error, _) = convert_with("--to phase02", "{\"input_length\":1}\n");
        assert!(
            error
                .unwrap()
                .starts_with("in:1:1: a request that was not sent")
        );
    }

    #[test]
    fn nothing_is_a_table_without_rows() {
        assert_eq!(convert("--to phase02", "").lines().count(), 1);
    }
}
