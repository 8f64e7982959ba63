//! Read samples, print each series.

use super::args::{TelemetryArgs, TelemetryFormat};
use super::lines::each_sample;
use super::series::{Key, Series, SeriesReport};
use crate::format::{plain, printable, rounded};
use anyhow::Context;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use trace_core::cli::{self, Progress};
use trace_core::quantile;
use trace_core::{Micros, Source};

/// Telemetry in numbers.
#[derive(Debug, Serialize)]
struct Telemetry {
    kind: &'static str,
    /// Samples that were counted.
    samples: u64,
    /// Samples outside of the window or of another name.
    left_out: u64,
    /// Lines that could not be read.
    skipped: u64,
    quantiles: &'static str,
    series: Vec<SeriesReport>,
}

/// Summarise what `args` name, on `output`. Gives the exit code.
///
/// # Errors
///
/// Those of reading and of writing.
pub fn run(
    args: &TelemetryArgs,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    args.input.outlast_interrupt()?;
    let telemetry = read(args, args.input.sources()?)?;
    if telemetry.skipped > 0 {
        writeln!(
            notes,
            "trace-stats: skipped {} invalid lines",
            telemetry.skipped
        )?;
    }
    if telemetry.samples == 0 {
        writeln!(notes, "trace-stats: no samples were left to count")?;
    }
    let page = match args.format {
        TelemetryFormat::Table => page(&telemetry).into_bytes(),
        TelemetryFormat::Json => {
            let mut json = serde_json::to_vec_pretty(&telemetry)?;
            json.push(b'\n');
            json
        }
    };
    let written = output.write_all(&page).and_then(|()| output.flush());
    written.context("cannot write the summary")?;
    Ok(cli::DONE)
}

fn read(args: &TelemetryArgs, sources: Vec<Source<'_>>) -> anyhow::Result<Telemetry> {
    let mut all: BTreeMap<Key, Series> = BTreeMap::new();
    let (mut samples, mut left_out, mut skipped) = (0, 0, 0);
    let mut progress = Progress::new("trace-stats: read", None);
    for source in sources {
        skipped += each_sample(source, args.input.skip_invalid, |sample| {
            let at = Micros::from_millis(sample.t_ms).unwrap_or_default();
            let named = args.name.is_empty() || args.name.iter().any(|n| sample.name.contains(n));
            if !named || args.window.is_some_and(|window| !window.holds(at)) {
                left_out += 1;
                return;
            }
            samples += 1;
            let series = all.entry(sample.key()).or_default();
            series.push(sample.t_ms, sample.value);
            if samples % 4096 == 0 {
                progress.set(samples, "samples");
            }
        })?;
    }
    progress.finish();
    Ok(Telemetry {
        kind: "telemetry",
        samples,
        left_out,
        skipped,
        quantiles: quantile::DEFINITION,
        series: all
            .into_iter()
            .map(|(key, series)| series.report(key))
            .collect(),
    })
}

/// The summary for people, the series of each source together.
fn page(telemetry: &Telemetry) -> String {
    let plural = if telemetry.samples == 1 { "" } else { "s" };
    let ends = telemetry.series.iter();
    let first = ends.clone().map(|series| series.first_ms).reduce(f64::min);
    let last = ends.map(|series| series.last_ms).reduce(f64::max);
    let mut page = format!("telemetry: {} sample{plural}", telemetry.samples);
    if let Some((first, last)) = first.zip(last) {
        let seconds = |ms: f64| rounded(ms / 1_000.0);
        page.push_str(&format!(
            ", {} s to {} s of the run",
            seconds(first),
            seconds(last)
        ));
    }
    page.push('\n');
    let mut sources: Vec<&str> = telemetry
        .series
        .iter()
        .map(|s| s.key.source.as_str())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        page.push_str(&format!("\n{}\n", printable(source)));
        let series = telemetry.series.iter().filter(|s| s.key.source == source);
        for line in table(series).lines() {
            page.push_str(line.trim_end());
            page.push('\n');
        }
    }
    page
}

fn table<'a>(all: impl Iterator<Item = &'a SeriesReport>) -> Table {
    let mut table = Table::new();
    table.set_header([
        "", "unit", "count", "mean", "min", "p50", "p90", "p99", "max", "last",
    ]);
    for series in all {
        let spread = &series.spread;
        let figure = |value: Option<f64>| value.map_or("-".to_owned(), rounded);
        table.add_row([
            printable(&series.key.title()),
            printable(&series.key.unit),
            spread.count.to_string(),
            figure(spread.mean),
            figure(spread.min),
            figure(spread.p50),
            figure(spread.p90),
            figure(spread.p99),
            figure(spread.max),
            rounded(series.last),
        ]);
    }
    plain(table, CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const LINES: &str = concat!(
        r#"{"t_ms":0,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":100,"unit":"W"}"#,
        "\n\n",
        r#"{"t_ms":2500,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":300,"unit":"W"}"#,
        "\n",
        r#"{"t_ms":1000,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":200,"unit":"W"}"#,
        "\n",
        r#"{"t_ms":1000,"unix_ms":5,"source":"http://a/metrics","name":"queue","labels":{},"value":0,"unit":""}"#,
        "\n",
    );

    fn of(flags: &[&str], text: &str) -> anyhow::Result<Telemetry> {
        let args = TelemetryArgs::parse_from([&["telemetry"], flags].concat());
        read(&args, vec![Source::stream("t", text.as_bytes())])
    }

    #[test]
    fn each_series_is_summarised_by_time() {
        let found = of(&[], LINES).unwrap();
        assert_eq!((found.samples, found.series.len()), (4, 2));
        let power = &found.series[0];
        assert_eq!(power.key.title(), r#"power{gpu="0"}"#);
        assert_eq!(
            (power.first_ms, power.last_ms, power.last),
            (0.0, 2500.0, 300.0)
        );
        assert_eq!(
            (power.spread.mean, power.spread.p50),
            (Some(200.0), Some(200.0))
        );
        let text = page(&found);
        assert!(
            text.starts_with(
                "telemetry: 4 samples, 0 s to 2.500 s of the run\n\nhttp://a/metrics\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn windows_and_names_choose() {
        let found = of(&["--window", "1s..2s", "--name", "pow"], LINES).unwrap();
        assert_eq!((found.samples, found.left_out), (1, 3));
        assert_eq!(found.series[0].last, 200.0);
    }

    #[test]
    fn what_is_no_telemetry_is_located() {
        let error = |text: &str| of(&[], text).unwrap_err().to_string();
        assert_eq!(
            error("\u{89}PNG\n"),
            "t:1:1: not a line of telemetry; trace-send --telemetry writes them"
        );
        let outcome = error("\n{\"input_length\":3}\n");
        assert!(
            outcome.starts_with("t:2:18: missing field `t_ms`, not a line of telemetry"),
            "{outcome}"
        );
        let late = error(&LINES.replace("\"t_ms\":0", "\"t_ms\":-1"));
        assert!(
            late.starts_with("t:1:1: t_ms and value are numbers"),
            "{late}"
        );
        let found = of(&["--skip-invalid"], "x\n").unwrap();
        assert_eq!((found.samples, found.skipped), (0, 1));
    }
}
