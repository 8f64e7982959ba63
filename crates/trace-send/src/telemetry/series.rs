//! From one page of metrics to the next: counters become rates, histograms
//! quantiles of what was new.

use crate::exposition::{Kind, Labels, Page, Sample, quantile};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// The quantiles of histograms that are told.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.9, "0.9"), (0.99, "0.99")];

/// Which metrics are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    names: Vec<String>,
    /// Those of which a page had something.
    met: Vec<bool>,
}

impl Wanted {
    /// Those with one of these `names`; a name that ends in `*` is the
    /// beginning of several. All if there is none.
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            met: vec![false; names.len()],
        }
    }

    fn has(&mut self, family: &str, name: &str) -> bool {
        let mut has = self.names.is_empty();
        for (wanted, met) in self.names.iter().zip(&mut self.met) {
            if matches(wanted, family, name) {
                *met = true;
                has = true;
            }
        }
        has
    }

    /// Those of which no page had anything.
    pub(super) fn unmet(&self) -> Vec<&str> {
        let named = self.names.iter().zip(&self.met);
        let unmet = named.filter(|(_, met)| !**met);
        unmet.map(|(name, _)| name.as_str()).collect()
    }
}

fn matches(wanted: &str, family: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => family.starts_with(start),
        None => family == wanted || name == wanted,
    }
}

/// A name, labels, a value and its unit.
pub(super) type Value = (String, Labels, f64, &'static str);

/// A series: its name and its labels.
type Key = (String, Labels);

/// Counts by upper bound.
type Buckets = Vec<(f64, f64)>;

/// What is known from the page before.
#[derive(Debug, Default)]
pub(super) struct Series {
    counters: HashMap<Key, f64>,
    histograms: HashMap<Key, Buckets>,
    last: Option<Instant>,
    /// When there was a growth to tell, for the last time.
    grown: Option<Instant>,
}

impl Series {
    /// What `page` says at `now`, as far as it is `wanted`.
    pub(super) fn update(&mut self, page: &Page, wanted: &mut Wanted, now: Instant) -> Vec<Value> {
        let passed = self.last.map(|last| (now - last).as_secs_f64());
        self.grown = passed.map(|_| now);
        self.last = Some(now);
        let mut values = Vec::new();
        let mut histograms: BTreeMap<Key, Buckets> = BTreeMap::new();
        for sample in &page.samples {
            let (family, kind) = page.family(&sample.name);
            if !wanted.has(family, &sample.name) || !sample.value.is_finite() {
                continue;
            }
            match kind {
                Kind::Gauge | Kind::Summary => {
                    values.push((sample.name.clone(), sample.labels.clone(), sample.value, ""));
                }
                Kind::Counter => values.extend(self.rate(sample, passed)),
                Kind::Histogram if sample.name.ends_with("_bucket") => {
                    if let Some((key, bound)) = bucket(family, sample) {
                        histograms
                            .entry(key)
                            .or_default()
                            .push((bound, sample.value));
                    }
                }
                // Sum and count say less than the quantiles.
                Kind::Histogram => {}
            }
        }
        for (key, mut buckets) in histograms {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            values.extend(self.quantiles(key, buckets));
        }
        values
    }

    /// When growths were told for the last time.
    pub(super) fn grown(&self) -> Option<Instant> {
        self.grown
    }

    fn rate(&mut self, sample: &Sample, passed: Option<f64>) -> Option<Value> {
        let key = (sample.name.clone(), sample.labels.clone());
        let before = self.counters.insert(key, sample.value)?;
        // A server that started again counts from zero.
        let grown = if sample.value < before {
            sample.value
        } else {
            sample.value - before
        };
        let passed = passed.filter(|&passed| passed > 0.0)?;
        Some((
            sample.name.clone(),
            sample.labels.clone(),
            grown / passed,
            "1/s",
        ))
    }

    fn quantiles(&mut self, key: Key, buckets: Buckets) -> Vec<Value> {
        let before = self.histograms.get(&key);
        let before = before.filter(|before| before.len() == buckets.len());
        let Some(before) = before.cloned() else {
            self.histograms.insert(key, buckets);
            return Vec::new();
        };
        let restarted = buckets
            .iter()
            .zip(&before)
            .any(|(now, before)| now.1 < before.1);
        let new: Buckets = buckets
            .iter()
            .zip(&before)
            .map(|(now, before)| (now.0, if restarted { now.1 } else { now.1 - before.1 }))
            .collect();
        self.histograms.insert(key.clone(), buckets);
        let (name, labels) = key;
        let told = QUANTILES.iter().filter_map(|&(q, words)| {
            let mut labels = labels.clone();
            labels.push(("quantile".to_owned(), words.to_owned()));
            Some((name.clone(), labels, quantile(&new, q)?, ""))
        });
        told.collect()
    }
}

/// The series of a bucket, and its upper bound.
fn bucket(family: &str, sample: &Sample) -> Option<(Key, f64)> {
    let is_bound = |label: &&(String, String)| label.0 == "le";
    let bound = sample.labels.iter().find(is_bound)?.1.parse().ok()?;
    let labels = sample.labels.iter().filter(|label| label.0 != "le");
    Some(((family.to_owned(), labels.cloned().collect()), bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn page(tokens: u32, small: u32, all: u32) -> Page {
        Page::parse(&format!(
            "# TYPE g gauge\ng{{m=\"x\"}} 5\n# TYPE tokens counter\ntokens_total {tokens}\n# TYPE t histogram\nt_bucket{{m=\"x\",le=\"1\"}} {small}\nt_bucket{{m=\"x\",le=\"+Inf\"}} {all}\nt_sum 9\nt_count {all}\n"
        ))
    }

    fn values(values: Vec<Value>) -> Vec<(String, f64, &'static str)> {
        let short = |(name, labels, value, unit): Value| {
            let q = labels.iter().find(|label| label.0 == "quantile");
            (
                q.map_or(name.clone(), |q| format!("{name} {}", q.1)),
                value,
                unit,
            )
        };
        values.into_iter().map(short).collect()
    }

    #[test]
    fn counters_are_rates_and_histograms_are_of_what_is_new() {
        let mut series = Series::default();
        let begun = Instant::now();
        let mut all = Wanted::default();
        let first = values(series.update(&page(100, 1_000, 1_000), &mut all, begun));
        assert_eq!(first, [("g".to_owned(), 5.0, "")]);
        let later = begun + Duration::from_secs(2);
        let second = values(series.update(&page(150, 1_010, 1_010), &mut all, later));
        let expected = [
            ("g", 5.0, ""),
            ("tokens_total", 25.0, "1/s"),
            ("t 0.5", 0.5, ""),
            ("t 0.9", 0.9, ""),
            ("t 0.99", 0.99, ""),
        ];
        let expected = expected.map(|(name, value, unit)| (name.to_owned(), value, unit));
        assert_eq!(second, expected);
        let restarted = later + Duration::from_secs(1);
        let third = values(series.update(&page(7, 2, 2), &mut all, restarted));
        assert_eq!(third[1], ("tokens_total".to_owned(), 7.0, "1/s"));
    }

    #[test]
    fn only_what_is_wanted_is_told() {
        let mut series = Series::default();
        let mut wanted = Wanted::new(&["g".to_owned(), "tok*".to_owned()]);
        let begun = Instant::now();
        series.update(&page(1, 1, 1), &mut wanted, begun);
        let told = series.update(&page(2, 2, 2), &mut wanted, begun + Duration::from_secs(1));
        let names: Vec<_> = told.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["g", "tokens_total"]);
        assert!(wanted.unmet().is_empty());
        let mut wanted = Wanted::new(&["g".to_owned(), "nope".to_owned()]);
        series.update(&page(3, 3, 3), &mut wanted, begun);
        assert_eq!(wanted.unmet(), ["nope"]);
    }
}
