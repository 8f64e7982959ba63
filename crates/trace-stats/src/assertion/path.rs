//! The way to a number of a report.

use crate::catalogue::{Shape, catalogue};
use crate::report::{Report, Value, is_infinite};
use crate::slo::Quantity;
use crate::suggest::suggest;
use std::str::FromStr;
use trace_core::ErrorKind;
use trace_core::quantile::Spread;

/// The way to a number of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Path {
    /// `ttft_ms.p99`
    Figure {
        /// The metric.
        metric: String,
        /// Its figure.
        figure: &'static str,
    },
    /// `error_rate`
    Scalar(String),
    /// `errors.http`
    Count {
        /// What is counted.
        counts: String,
        /// By which name.
        key: String,
    },
    /// `slo.ttft_ms.attainment`
    Slo {
        /// The constraint.
        constraint: &'static str,
        /// Its figure.
        figure: &'static str,
    },
}

/// What stands at the end of the way.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A number; infinite for a quantile that touches a failed request.
    Number(f64),
    /// Nothing, and why.
    Undefined(String),
}

/// Figures of a metric.
const FIGURES: [&str; 13] = [
    "count", "censored", "mean", "std", "min", "p25", "p50", "p75", "p90", "p95", "p99", "p99.9",
    "max",
];
/// Figures of a constraint.
const SHARES: [&str; 4] = ["good", "attainment", "goodput_rps", "goodput_tps"];

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let catalogue = catalogue();
        let (head, rest) = match text.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (text, None),
        };
        if let (true, Some(rest)) = (head == "slo", rest) {
            return constraint(rest);
        }
        if catalogue.metrics.contains_key(head) {
            return figure(head, rest);
        }
        match (catalogue.scalars.get(head).map(|scalar| scalar.shape), rest) {
            (Some(Shape::Number), None) => Ok(Self::Scalar(head.to_owned())),
            (Some(Shape::Number), Some(_)) => Err(format!("{head} is one number, without figures")),
            (Some(Shape::Counts), Some(key)) => count(head, key),
            (Some(Shape::Counts), None) => {
                Err(format!("{head} are several; name one, such as {head}.http"))
            }
            (Some(Shape::Word), _) => Err(format!("{head} is a word, not a number")),
            (None, _) => {
                let metrics = catalogue.metrics.keys();
                let known = metrics.chain(catalogue.scalars.keys());
                let hint = suggest(head, known.map(String::as_str));
                Err(format!(
                    "a report has no {head:?}{hint} (trace-stats --format json prints every name)"
                ))
            }
        }
    }
}

fn figure(metric: &str, figure: Option<&str>) -> Result<Path, String> {
    let Some(figure) = figure else {
        return Err(format!(
            "{metric} has many values; name a figure, such as {metric}.p99"
        ));
    };
    Ok(Path::Figure {
        metric: metric.to_owned(),
        figure: one_of(&FIGURES, figure, metric)?,
    })
}

fn count(counts: &str, key: &str) -> Result<Path, String> {
    let kinds = ErrorKind::ALL.map(ErrorKind::as_str);
    if matches!(counts, "errors" | "unserved") {
        one_of(&kinds, key, counts)?;
    }
    Ok(Path::Count {
        counts: counts.to_owned(),
        key: key.to_owned(),
    })
}

fn constraint(text: &str) -> Result<Path, String> {
    let (name, figure) = text
        .split_once('.')
        .ok_or_else(|| format!("expected a figure of the objective, as slo.{text}.attainment"))?;
    Ok(Path::Slo {
        constraint: name.parse::<Quantity>()?.name(),
        figure: one_of(&SHARES, figure, name)?,
    })
}

fn one_of(known: &[&'static str], name: &str, of: &str) -> Result<&'static str, String> {
    let found = known.iter().find(|known| **known == name);
    found.copied().ok_or_else(|| {
        let hint = suggest(name, known.iter().copied());
        format!("{of} has no {name:?}{hint}; there are {}", known.join(", "))
    })
}

impl Path {
    /// What stands there in `report`.
    pub fn find(&self, report: &Report) -> Found {
        match self {
            Self::Figure { metric, figure } => match report.metric(metric) {
                Some(spread) => of_spread(spread, figure),
                None => undefined(format!("no request has {metric}")),
            },
            Self::Scalar(name) => of_scalar(report, name),
            Self::Count { counts, key } => match report.scalar(counts) {
                Some(Value::Counts(counts)) => {
                    Found::Number(counts.get(key).copied().unwrap_or_default() as f64)
                }
                Some(Value::Flaws(flaws)) => {
                    Found::Number(flaws.get(key.as_str()).map_or(0, |flaw| flaw.count) as f64)
                }
                _ => undefined(format!("a report on {} has none", of_what(report))),
            },
            Self::Slo { constraint, figure } => of_slo(report, constraint, figure),
        }
    }
}

fn undefined(why: String) -> Found {
    Found::Undefined(why)
}

fn of_what(report: &Report) -> &'static str {
    match report.kind.as_str() {
        "trace" => "requests without outcomes",
        _ => "outcomes",
    }
}

fn of_spread(spread: &Spread, figure: &str) -> Found {
    let found = match figure {
        "count" => Some(spread.count as f64),
        "censored" => Some(spread.censored as f64),
        _ => {
            let mut figures = spread.figures().into_iter();
            figures
                .find(|(name, _)| *name == figure)
                .and_then(|(_, v)| v)
        }
    };
    match found {
        Some(value) => Found::Number(value),
        None if is_infinite(spread, figure) => Found::Number(f64::INFINITY),
        None => undefined("no request has a value".to_owned()),
    }
}

fn of_scalar(report: &Report, name: &str) -> Found {
    let value = match (name, report.scalar(name)) {
        ("requests", _) => Some(report.requests as f64),
        ("duration_ms", _) => report.duration_ms,
        (_, Some(Value::Count(count))) => Some(*count as f64),
        (_, Some(Value::Measure(value))) => *value,
        (_, Some(Value::Verdict(verdict))) => verdict.map(|yes| f64::from(u8::from(yes))),
        _ => return undefined(format!("a report on {} has none", of_what(report))),
    };
    value.map_or_else(|| undefined("it is undefined".to_owned()), Found::Number)
}

fn of_slo(report: &Report, constraint: &str, figure: &str) -> Found {
    let Some(slo) = &report.slo else {
        return undefined("there are no objectives; --slo sets them".to_owned());
    };
    let mut each = slo.each();
    let Some((_, share)) = each.find(|(known, _)| known.quantity.name() == constraint) else {
        return undefined(format!("{constraint} is none of the objectives"));
    };
    let mut figures = share.figures().into_iter();
    let value = figures
        .find(|(name, _)| *name == figure)
        .and_then(|(_, v)| v);
    value.map_or_else(|| undefined("it is undefined".to_owned()), Found::Number)
}
