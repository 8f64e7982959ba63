//! Prometheus' text format: what a `/metrics` page says, as numbers.

use std::collections::HashMap;

/// Labels with their values, in the order they are written.
pub type Labels = Vec<(String, String)>;

/// A number on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name, with `_bucket`, `_sum` and the like.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// The number.
    pub value: f64,
}

/// What a family of samples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A level.
    Gauge,
    /// A count that only grows.
    Counter,
    /// Counts by size.
    Histogram,
    /// Quantiles, which are levels, beside a sum and a count.
    Summary,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// What it says of its families.
    pub kinds: HashMap<String, Kind>,
    /// Its samples, in order.
    pub samples: Vec<Sample>,
}

impl Page {
    /// Read a page. Lines that are not understood are left out: pages carry
    /// what exporters invent.
    pub fn parse(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                page.comment(comment);
            } else if let Some(sample) = sample(line) {
                page.samples.push(sample);
            }
        }
        page
    }

    fn comment(&mut self, comment: &str) {
        let mut words = comment.split_whitespace();
        if words.next() != Some("TYPE") {
            return;
        }
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            return;
        };
        let kind = match kind {
            "counter" => Kind::Counter,
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            _ => Kind::Gauge,
        };
        self.kinds.insert(name.to_owned(), kind);
    }

    /// The family of a sample called `name`, and what that sample is: never a
    /// summary, whose quantiles are levels and whose sum and count are counters.
    pub fn family<'a>(&self, name: &'a str) -> (&'a str, Kind) {
        if let Some(&kind) = self.kinds.get(name) {
            return match kind {
                Kind::Summary => (name, Kind::Gauge),
                kind => (name, kind),
            };
        }
        for (suffix, declared, kind) in [
            ("_bucket", Kind::Histogram, Kind::Histogram),
            ("_sum", Kind::Histogram, Kind::Histogram),
            ("_count", Kind::Histogram, Kind::Histogram),
            ("_sum", Kind::Summary, Kind::Counter),
            ("_count", Kind::Summary, Kind::Counter),
            // OpenMetrics declares a counter without its suffix.
            ("_total", Kind::Counter, Kind::Counter),
        ] {
            if let Some(base) = name.strip_suffix(suffix)
                && self.kinds.get(base) == Some(&declared)
            {
                return (base, kind);
            }
        }
        (name, Kind::Gauge)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Vec::new(), rest),
    };
    // A time may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then(|| Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// The labels in `text` up to the closing brace, and what follows it.
fn labels(mut text: &str) -> Option<(Labels, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([' ', ',']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once('=')?;
        let rest = rest.trim_start().strip_prefix('"')?;
        let mut value = String::new();
        let mut escaped = false;
        let mut end = None;
        for (at, c) in rest.char_indices() {
            match c {
                'n' if escaped => value.push('\n'),
                _ if escaped => value.push(c),
                '\\' => {
                    escaped = true;
                    continue;
                }
                '"' => {
                    end = Some(at);
                    break;
                }
                _ => value.push(c),
            }
            escaped = false;
        }
        labels.push((name.trim().to_owned(), value));
        text = &rest[end? + 1..];
    }
}

/// The `q` quantile of counts by upper bound, cumulative and in order, as
/// Prometheus has it: linear within a bucket, and never beyond the largest
/// finite bound. `None` where nothing was counted.
pub fn quantile(buckets: &[(f64, f64)], q: f64) -> Option<f64> {
    let total = buckets.last()?.1;
    if total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let at = buckets.iter().position(|&(_, count)| count >= rank)?;
    let (upper, count) = buckets[at];
    let (lower, before) = match at.checked_sub(1) {
        Some(below) => buckets[below],
        None => (0.0_f64.min(upper), 0.0),
    };
    if upper.is_infinite() {
        return Some(lower);
    }
    let inside = count - before;
    let share = if inside > 0.0 {
        (rank - before) / inside
    } else {
        1.0
    };
    Some(lower + (upper - lower) * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = "# HELP vllm:running Requests.\n# TYPE vllm:running gauge\nvllm:running{model=\"a,\\\"b\\\"}\",x=\"\"} 3.0\n# TYPE tokens counter\ntokens_total 7 1700000000\nodd line\n# TYPE ttft histogram\nttft_bucket{le=\"0.1\"} 1\nttft_bucket{le=\"+Inf\"} 4\n";

    #[test]
    fn a_page_is_its_samples() {
        let page = Page::parse(PAGE);
        assert_eq!(page.samples.len(), 4);
        assert_eq!(
            page.samples[0].labels[0],
            ("model".into(), "a,\"b\"}".into())
        );
        assert_eq!(page.samples[1].value, 7.0);
        assert_eq!(page.family("tokens_total"), ("tokens", Kind::Counter));
        assert_eq!(page.family("ttft_bucket"), ("ttft", Kind::Histogram));
        assert_eq!(page.family("vllm:running"), ("vllm:running", Kind::Gauge));
    }

    #[test]
    fn a_summary_is_levels_and_two_counters() {
        let page = Page::parse("# TYPE s summary\ns{quantile=\"0.5\"} 2\ns_sum 9\ns_count 4\n");
        assert_eq!(page.family("s"), ("s", Kind::Gauge));
        assert_eq!(page.family("s_sum"), ("s", Kind::Counter));
        assert_eq!(page.family("s_count"), ("s", Kind::Counter));
    }

    #[test]
    fn quantiles_are_linear_within_a_bucket() {
        let buckets = [(1.0, 10.0), (2.0, 20.0), (f64::INFINITY, 21.0)];
        assert_eq!(quantile(&buckets, 10.5 / 21.0), Some(1.05));
        assert_eq!(quantile(&buckets, 1.0), Some(2.0));
        assert_eq!(quantile(&buckets, 0.0), Some(0.0));
        assert_eq!(quantile(&[(1.0, 0.0)], 0.5), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_page(text in "[a-z{}\"=\\\\,# \n0-9.+]{0,200}") {
            let _ = Page::parse(&text);
        }
    }
}
