//! How a round differs from the round before.

use crate::report::{self, InOrder, Report, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use trace_core::quantile::number;

/// The metrics of outcomes that are compared, here each by these figures.
pub(crate) const METRICS: [&str; 6] = [
    "ttft_ms",
    "itl_ms",
    "tpot_ms",
    "latency_ms",
    "user_ttft_ms",
    "user_latency_ms",
];
const FIGURES: [&str; 4] = ["mean", "p50", "p90", "p99"];
const SCALARS: [&str; 7] = [
    "error_rate",
    "throughput_rps",
    "output_tps",
    "cached_share",
    "slo_attainment",
    "goodput_rps",
    "goodput_tps",
];

/// How a group differs from the same group in the round before.
#[derive(Debug)]
pub struct Change {
    /// The other fields and values that both have in common.
    pub by: Vec<(String, Box<RawValue>)>,
    /// The round before.
    pub from: Box<RawValue>,
    /// The round after.
    pub to: Box<RawValue>,
    /// Figures by name, as `ttft_ms.p50`.
    pub figures: Vec<(String, Difference)>,
}

/// Two values of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// In the round before; infinite for a quantile that touches a failure,
    /// which JSON has as `null`.
    #[serde(serialize_with = "number")]
    pub from: Option<f64>,
    /// In the round after, likewise.
    #[serde(serialize_with = "number")]
    pub to: Option<f64>,
    /// What was added, as a share of the value before.
    #[serde(serialize_with = "number")]
    pub change: Option<f64>,
}

impl Difference {
    /// Whether either round has a value.
    pub fn is_told(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn new(from: Option<f64>, to: Option<f64>) -> Self {
        let change = from.zip(to).and_then(|(from, to)| {
            let added = (to - from) / from;
            added.is_finite().then_some(added)
        });
        Self { from, to, change }
    }
}

/// The changes from round to round, of groups in the order of their values.
pub fn changes(groups: &[Report]) -> Vec<Change> {
    let later = groups.iter().enumerate();
    let changes = later.filter_map(|(index, after)| {
        let earlier = groups[..index].iter().rev();
        let before = earlier.clone().find(|before| {
            round(before).is_some() && round(before) != round(after) && others(before, after)
        })?;
        Change::between(before, after)
    });
    changes.collect()
}

fn round(report: &Report) -> Option<&str> {
    let mut fields = report.by.iter();
    let found = fields.find(|(name, value)| name == "round" && value.get() != "null");
    found.map(|(_, value)| value.get())
}

/// Whether two groups have all in common, but their rounds.
fn others(a: &Report, b: &Report) -> bool {
    let mut pairs = a.by.iter().zip(&b.by);
    pairs.all(|(a, b)| a.0 == "round" || a.1.get() == b.1.get())
}

impl Change {
    fn between(before: &Report, after: &Report) -> Option<Self> {
        let of = |report: &Report| {
            let mut fields = report.by.iter();
            let found = fields.find(|(name, value)| name == "round" && value.get() != "null");
            found.map(|(_, value)| value.clone())
        };
        let others = after.by.iter().filter(|(name, _)| name != "round");
        Some(Self {
            by: others.cloned().collect(),
            from: of(before)?,
            to: of(after)?,
            figures: figures(before, after),
        })
    }
}

fn figures(before: &Report, after: &Report) -> Vec<(String, Difference)> {
    let mut all = Vec::new();
    for name in METRICS {
        let (Some(a), Some(b)) = (before.metric(name), after.metric(name)) else {
            continue;
        };
        for figure in FIGURES {
            let difference = Difference::new(report::figure(a, figure), report::figure(b, figure));
            all.push((format!("{name}.{figure}"), difference));
        }
    }
    for name in SCALARS {
        if let (Some(Value::Measure(a)), Some(Value::Measure(b))) =
            (before.scalar(name), after.scalar(name))
        {
            all.push((name.to_owned(), Difference::new(*a, *b)));
        }
    }
    all
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("by", &InOrder(&self.by))?;
        object.serialize_entry("from", &self.from)?;
        object.serialize_entry("to", &self.to)?;
        object.serialize_entry("figures", &InOrder(&self.figures))?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;

    fn group(concurrency: &str, round: &str, rate: f64) -> Report {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let mut report = Report::new(Kind::Outcomes);
        report.by = vec![
            ("concurrency".to_owned(), raw(concurrency)),
            ("round".to_owned(), raw(round)),
        ];
        report
            .scalars
            .push(("throughput_rps", Value::Measure(Some(rate))));
        report
    }

    #[test]
    fn each_round_is_compared_with_the_one_before() {
        let groups = [
            group("4", "1", 10.0),
            group("4", "2", 15.0),
            group("4", "3", 30.0),
            group("8", "1", 1.0),
            group("8", "null", 2.0),
        ];
        let found: Vec<_> = changes(&groups)
            .iter()
            .map(|change| {
                let (from, to) = (change.from.get(), change.to.get());
                (format!("{from}→{to}"), change.figures[0].1.change)
            })
            .collect();
        assert_eq!(
            found,
            [("1→2".to_owned(), Some(0.5)), ("2→3".to_owned(), Some(1.0)),]
        );
    }

    #[test]
    fn nothing_grows_from_nothing() {
        assert_eq!(Difference::new(Some(0.0), Some(1.0)).change, None);
        assert_eq!(Difference::new(None, Some(1.0)).change, None);
    }
}
