//! The report as Prometheus reads metrics: its text exposition format.
//!
//! A metric of the report is a summary: `_count` and `_sum` of the measured
//! values, and its quantiles, `+Inf` where they touch a failed request. Mean,
//! deviation and extremes are gauges beside it. Times are in seconds, the base
//! unit that Prometheus asks for, so `ttft_ms` is `trace_stats_ttft_seconds`.
//! The fields of `--by` are labels; series without them are about everything.

mod labels;

use crate::catalogue::catalogue;
use crate::report::{Report, Value, is_infinite};
use labels::{Labels, escaped, labels, with};
use std::collections::BTreeMap;
use std::fmt::Write;
use trace_core::quantile::Spread;

/// Metrics with the same name, and what they are.
#[derive(Debug)]
struct Family {
    kind: &'static str,
    about: String,
    /// Series, a line each.
    lines: String,
}

/// Families by name, in the order they are first met.
#[derive(Debug, Default)]
struct Page {
    names: Vec<String>,
    families: BTreeMap<String, Family>,
}

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut page = Page::default();
    for part in std::iter::once(report).chain(&report.groups) {
        page.push_report(part);
    }
    page.text()
}

impl Page {
    fn push_report(&mut self, report: &Report) {
        let labels = labels(report);
        let kind = with(&labels, "kind", report.kind.as_str());
        self.push(
            "info",
            "gauge",
            "What the lines are: a trace or outcomes.",
            &kind,
            1.0,
        );
        self.push_value("requests", Some(report.requests as f64), &labels);
        self.push_value("duration_ms", report.duration_ms, &labels);
        for (name, value) in &report.scalars {
            self.push_scalar(name, value, &labels);
        }
        for (name, spread) in &report.metrics {
            self.push_spread(name, spread, &labels);
        }
        self.push_objectives(report, &labels);
        self.push_assertions(report, &labels);
    }

    fn push_scalar(&mut self, name: &str, value: &Value, labels: &Labels) {
        match value {
            Value::Count(count) => self.push_value(name, Some(*count as f64), labels),
            Value::Measure(value) => self.push_value(name, *value, labels),
            Value::Verdict(verdict) => {
                let number = verdict.map(|yes| f64::from(u8::from(yes)));
                self.push_value(name, number, labels);
            }
            Value::Word(word) => {
                let labels = with(labels, "is", word);
                self.push_value(&format!("{name}_info"), Some(1.0), &labels);
            }
            Value::Counts(counts) => {
                for (key, count) in counts {
                    let labels = with(labels, "name", key);
                    self.push_value(name, Some(*count as f64), &labels);
                }
            }
            Value::Flaws(flaws) => {
                for (key, flaw) in flaws {
                    let labels = with(labels, "name", key);
                    self.push_value(name, Some(flaw.count as f64), &labels);
                }
            }
        }
    }

    /// One number of the report; nothing if it is undefined.
    fn push_value(&mut self, name: &str, value: Option<f64>, labels: &Labels) {
        let Some(value) = value else { return };
        let known = catalogue().scalars.get(name.trim_end_matches("_info"));
        let about = known.map_or("A number of the report.", |scalar| scalar.about.as_str());
        let (name, unit) = in_base_units(name);
        let about = in_words(about, unit);
        self.push(&name, "gauge", &about, labels, value / unit);
    }

    fn push_spread(&mut self, name: &str, spread: &Spread, labels: &Labels) {
        let known = catalogue().metrics.get(name);
        let about = known.map_or("A metric of the report.", String::as_str);
        let (base, unit) = in_base_units(name);
        let about = &in_words(about, unit);
        let family = self.family(&base, "summary", about);
        for (figure, value) in spread.figures() {
            let Some(percent) = figure.strip_prefix('p') else {
                continue;
            };
            let value = match value {
                Some(value) => value / unit,
                None if is_infinite(spread, figure) => f64::INFINITY,
                None => continue,
            };
            let quantile = format!("0.{}", percent.replace('.', ""));
            let quantile = quantile.trim_end_matches('0');
            let labels = with(labels, "quantile", quantile);
            family.push_line(&full(&base), &labels, value);
        }
        let sum = spread.mean.unwrap_or_default() * spread.count as f64 / unit;
        family.push_line(&format!("{}_sum", full(&base)), labels, sum);
        let count = spread.count as f64;
        family.push_line(&format!("{}_count", full(&base)), labels, count);
        let failed = Some(spread.censored as f64 * unit);
        for (part, words, value) in [
            ("mean", "Mean", spread.mean),
            ("std", "Population standard deviation", spread.std),
            ("min", "Least value", spread.min),
            ("max", "Greatest value", spread.max),
            (
                "censored",
                "Failed requests, infinite in quantiles,",
                failed,
            ),
        ] {
            let Some(value) = value else { continue };
            let about = format!("{words} of {}.", full(&base));
            let name = match (part, base.strip_suffix("_seconds")) {
                ("censored", Some(stem)) => format!("{stem}_censored"),
                (_, Some(stem)) => format!("{stem}_{part}_seconds"),
                _ => format!("{base}_{part}"),
            };
            self.push(&name, "gauge", &about, labels, value / unit);
        }
    }

    fn push_objectives(&mut self, report: &Report, labels: &Labels) {
        let Some(slo) = &report.slo else { return };
        for (constraint, share) in slo.each() {
            let labels = with(labels, "objective", constraint.quantity.name());
            for (figure, value) in share.figures() {
                let about = "Of one objective alone: good requests, their share of the scheduled, their rate, and that of their tokens.";
                if let Some(value) = value {
                    self.push(
                        &format!("objective_{figure}"),
                        "gauge",
                        about,
                        &labels,
                        value,
                    );
                }
            }
        }
    }

    fn push_assertions(&mut self, report: &Report, labels: &Labels) {
        for judged in &report.assertions {
            let labels = with(labels, "assertion", &judged.assertion);
            let about = "Whether what was asserted holds.";
            let passed = f64::from(u8::from(judged.passed()));
            self.push("assertion_passed", "gauge", about, &labels, passed);
        }
    }

    fn push(&mut self, name: &str, kind: &'static str, about: &str, labels: &Labels, value: f64) {
        let series = full(name);
        self.family(name, kind, about)
            .push_line(&series, labels, value);
    }

    fn family(&mut self, name: &str, kind: &'static str, about: &str) -> &mut Family {
        let name = full(name);
        if !self.families.contains_key(&name) {
            self.names.push(name.clone());
        }
        self.families.entry(name).or_insert_with(|| Family {
            kind,
            about: about.to_owned(),
            lines: String::new(),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for name in &self.names {
            let family = &self.families[name];
            let about = family.about.replace('\\', "\\\\").replace('\n', "\\n");
            text.push_str(&format!(
                "# HELP {name} {about}\n# TYPE {name} {}\n{}",
                family.kind, family.lines
            ));
        }
        text
    }
}

impl Family {
    fn push_line(&mut self, name: &str, labels: &Labels, value: f64) {
        self.lines.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let opens = if index == 0 { '{' } else { ',' };
            let text = escaped(text);
            let written = write!(self.lines, "{opens}{label}=\"{text}\"");
            written.expect("a string takes everything");
        }
        if !labels.is_empty() {
            self.lines.push('}');
        }
        let value = match value {
            f64::INFINITY => "+Inf".to_owned(),
            value => value.to_string(),
        };
        self.lines.push_str(&format!(" {value}\n"));
    }
}

fn full(name: &str) -> String {
    format!("trace_stats_{name}")
}

/// The name with seconds for milliseconds, and how many of its own units are
/// one of those.
fn in_base_units(name: &str) -> (String, f64) {
    match name.strip_suffix("_ms") {
        Some(stem) => (format!("{stem}_seconds"), 1_000.0),
        None => (name.to_owned(), 1.0),
    }
}

/// What a metric is, in the unit in which it is given here.
fn in_words(about: &str, unit: f64) -> String {
    if unit == 1.0 {
        about.to_owned()
    } else {
        about
            .replace("milliseconds", "seconds")
            .replace("Milliseconds", "Seconds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;
    use trace_core::quantile::Sample;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut report = Report::new(Kind::Outcomes);
        report.requests = 3;
        let mut ttft: Sample = [100.0, 300.0].into_iter().collect();
        ttft.push_censored();
        report.metrics.push(("ttft_ms", ttft.spread()));
        insta::assert_snapshot!(page(&report), @r#"
        # HELP trace_stats_info What the lines are: a trace or outcomes.
        # TYPE trace_stats_info gauge
        trace_stats_info{kind="outcomes"} 1
        # HELP trace_stats_requests Number of lines.
        # TYPE trace_stats_requests gauge
        trace_stats_requests 3
        # HELP trace_stats_ttft_seconds Time to first token from sending, in seconds.
        # TYPE trace_stats_ttft_seconds summary
        trace_stats_ttft_seconds{quantile="0.25"} 0.2
        trace_stats_ttft_seconds{quantile="0.5"} 0.3
        trace_stats_ttft_seconds{quantile="0.75"} +Inf
        trace_stats_ttft_seconds{quantile="0.9"} +Inf
        trace_stats_ttft_seconds{quantile="0.95"} +Inf
        trace_stats_ttft_seconds{quantile="0.99"} +Inf
        trace_stats_ttft_seconds{quantile="0.999"} +Inf
        trace_stats_ttft_seconds_sum 0.4
        trace_stats_ttft_seconds_count 2
        # HELP trace_stats_ttft_mean_seconds Mean of trace_stats_ttft_seconds.
        # TYPE trace_stats_ttft_mean_seconds gauge
        trace_stats_ttft_mean_seconds 0.2
        # HELP trace_stats_ttft_std_seconds Population standard deviation of trace_stats_ttft_seconds.
        # TYPE trace_stats_ttft_std_seconds gauge
        trace_stats_ttft_std_seconds 0.1
        # HELP trace_stats_ttft_min_seconds Least value of trace_stats_ttft_seconds.
        # TYPE trace_stats_ttft_min_seconds gauge
        trace_stats_ttft_min_seconds 0.1
        # HELP trace_stats_ttft_max_seconds Greatest value of trace_stats_ttft_seconds.
        # TYPE trace_stats_ttft_max_seconds gauge
        trace_stats_ttft_max_seconds 0.3
        # HELP trace_stats_ttft_censored Failed requests, infinite in quantiles, of trace_stats_ttft_seconds.
        # TYPE trace_stats_ttft_censored gauge
        trace_stats_ttft_censored 1
        "#);
    }
}
