//! The table of all levels: metrics × levels, sections apart.

use super::gauges::Gauge;
use crate::by::Change;
use crate::report::{self, Report};

/// Metrics of the report, and what FluxPerf calls them.
const METRICS: [(&str, &str); 5] = [
    ("ttft_ms", "TTFT (ms)"),
    ("itl_ms", "ITL (ms)"),
    ("latency_ms", "Latency (ms)"),
    ("input_tokens", "Input Length (tokens)"),
    ("output_tokens", "Output Length (tokens)"),
];
const FIGURES: [(&str, &str); 7] = [
    ("mean", "Avg"),
    ("p50", "P50"),
    ("p90", "P90"),
    ("p99", "P99"),
    ("min", "Min"),
    ("max", "Max"),
    ("std", "Stddev"),
];
const THROUGHPUT: [(&str, &str); 2] = [
    ("output_tps", "Token Throughput (tokens/sec)"),
    ("throughput_rps", "Request Throughput (requests/sec)"),
];
const GOODPUT: [(&str, &str); 4] = [
    ("good", "Requests Meeting SLO"),
    ("slo_attainment", "SLO Attainment"),
    ("goodput_rps", "Goodput (requests/sec)"),
    ("goodput_tps", "Goodput (tokens/sec)"),
];
const CHANGES: [(&str, &str); 10] = [
    ("ttft_ms.mean", "TTFT Avg"),
    ("ttft_ms.p50", "TTFT P50"),
    ("ttft_ms.p99", "TTFT P99"),
    ("itl_ms.mean", "ITL Avg"),
    ("itl_ms.p50", "ITL P50"),
    ("latency_ms.mean", "Latency Avg"),
    ("latency_ms.p50", "Latency P50"),
    ("output_tps", "Token Throughput"),
    ("throughput_rps", "Request Throughput"),
    ("goodput_rps", "Goodput (requests/sec)"),
];

/// The whole page; a column for each of `reports`, named by `columns`.
pub(super) fn page(
    columns: &[String],
    reports: &[Report],
    changes: &[Change],
    gauges: &[Gauge],
) -> anyhow::Result<Vec<u8>> {
    let mut page = Page {
        reports,
        writer: csv::Writer::from_writer(Vec::new()),
    };
    let names = columns.iter().map(String::as_str);
    page.writer
        .write_record(["Metric"].into_iter().chain(names))?;
    page.counts()?;
    for (metric, name) in METRICS {
        page.metric(metric, name)?;
    }
    page.scalars(&THROUGHPUT)?;
    page.scalars(&GOODPUT)?;
    for gauge in gauges {
        page.gauge(gauge)?;
    }
    if !changes.is_empty() {
        page.changes(changes)?;
    }
    Ok(page.writer.into_inner()?)
}

struct Page<'a> {
    reports: &'a [Report],
    writer: csv::Writer<Vec<u8>>,
}

impl Page<'_> {
    /// How much there was of each level.
    fn counts(&mut self) -> csv::Result<()> {
        self.row("Total Requests", |report| Some(report.requests as f64))?;
        self.row("Successful Requests", |report| report.number("succeeded"))?;
        self.row("Failed Requests", |report| report.number("failed"))?;
        self.row("Test Duration (sec)", |report| {
            report.duration_ms.map(|ms| ms / 1_000.0)
        })?;
        self.row("Average Input Tokens", |report| {
            report.figure("input_tokens", "mean")
        })?;
        self.row("Average Output Tokens", |report| {
            report.figure("output_tokens", "mean")
        })
    }

    /// The section of the metric that FluxPerf calls `name`.
    fn metric(&mut self, metric: &str, name: &str) -> csv::Result<()> {
        self.gap()?;
        for (figure, short) in FIGURES {
            self.row(&format!("{name} {short}"), |report| {
                report.figure(metric, figure)
            })?;
        }
        Ok(())
    }

    /// A section of single numbers, by what FluxPerf calls them.
    fn scalars(&mut self, section: &[(&str, &str)]) -> csv::Result<()> {
        self.gap()?;
        for (key, name) in section {
            self.row(name, |report| report.number(key))?;
        }
        Ok(())
    }

    /// The section of a series of telemetry.
    fn gauge(&mut self, (key, spreads): &Gauge) -> csv::Result<()> {
        self.gap()?;
        for (figure, short) in FIGURES {
            let name = format!("{} {short}", key.title());
            self.write(
                &name,
                spreads.iter().map(|spread| report::figure(spread, figure)),
            )?;
        }
        Ok(())
    }

    /// The section of what each round changed, in percent.
    fn changes(&mut self, changes: &[Change]) -> csv::Result<()> {
        self.gap()?;
        for (figure, name) in CHANGES {
            self.row(
                &format!("{name} Change From Previous Round (%)"),
                |report| change(changes, report, figure).map(|share| share * 100.0),
            )?;
        }
        Ok(())
    }

    fn row(&mut self, name: &str, of: impl Fn(&Report) -> Option<f64>) -> csv::Result<()> {
        let reports = self.reports;
        self.write(name, reports.iter().map(of))
    }

    /// A row of these cells, one for each level.
    fn write(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) -> csv::Result<()> {
        let cells = values.map(|value| value.map_or(String::new(), |value| value.to_string()));
        self.writer
            .write_record([name.to_owned()].into_iter().chain(cells))
    }

    /// A blank line.
    fn gap(&mut self) -> std::io::Result<()> {
        use std::io::Write;
        self.writer.flush()?;
        let mut page = std::mem::replace(&mut self.writer, csv::Writer::from_writer(Vec::new()))
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        page.write_all(b"\n")?;
        self.writer = csv::WriterBuilder::new().flexible(true).from_writer(page);
        Ok(())
    }
}

/// What the round of `report` added to the one before.
fn change(changes: &[Change], report: &Report, figure: &str) -> Option<f64> {
    let value = |name: &str| {
        let mut fields = report.by.iter();
        fields
            .find(|(field, _)| field == name)
            .map(|(_, v)| v.get())
    };
    let found = changes.iter().find(|change| {
        let same =
            |(name, of): &(String, Box<serde_json::value::RawValue>)| value(name) == Some(of.get());
        value("round") == Some(change.to.get()) && change.by.iter().all(same)
    })?;
    let mut figures = found.figures.iter();
    figures.find(|(name, _)| name == figure)?.1.change
}
