//! The figures of a metric that a table for people has columns for.

use std::str::FromStr;
use trace_core::quantile::Spread;

/// A quantile of the report, by the name of its figure: `p99.9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile(&'static str);

/// The figures that a table has columns for, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<&'static str>);

impl Default for Columns {
    /// What a page of 100 characters holds.
    fn default() -> Self {
        Self::of(&["p50", "p90", "p95", "p99"].map(Quantile))
    }
}

impl Columns {
    /// Mean, deviation and extremes, and those quantiles; the usual ones if
    /// there are none.
    pub fn of(quantiles: &[Quantile]) -> Self {
        if quantiles.is_empty() {
            return Self::default();
        }
        let quantiles = quantiles.iter().map(|quantile| quantile.0);
        Self(
            ["mean", "std", "min"]
                .into_iter()
                .chain(quantiles)
                .chain(["max"])
                .collect(),
        )
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// The names of those that have an interval: the mean and the quantiles.
    pub(super) fn estimated(&self) -> Vec<&'static str> {
        let estimated = |name: &&str| name.starts_with('p') || *name == "mean";
        self.names().filter(estimated).collect()
    }

    /// The figures of `spread`, by name.
    pub(super) fn figures(
        &self,
        spread: &Spread,
    ) -> impl Iterator<Item = (&'static str, Option<f64>)> {
        let figures = spread.figures();
        self.names().map(move |wanted| {
            let found = figures.into_iter().find(|(name, _)| *name == wanted);
            found.expect("every column is a figure")
        })
    }
}

impl FromStr for Quantile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known: Vec<&'static str> = Spread::default()
            .figures()
            .map(|(name, _)| name)
            .into_iter()
            .filter(|name| name.starts_with('p'))
            .collect();
        let plain = text.trim().trim_start_matches('p');
        let found = known.iter().find(|name| name[1..] == *plain);
        found.map(|name| Self(name)).ok_or_else(|| {
            let all: Vec<&str> = known.iter().map(|name| &name[1..]).collect();
            format!("the report has the quantiles {}", all.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_named_in_percent() {
        assert_eq!("99.9".parse(), Ok(Quantile("p99.9")));
        assert_eq!("p50".parse(), Ok(Quantile("p50")));
        assert_eq!(
            "98".parse::<Quantile>().unwrap_err(),
            "the report has the quantiles 25, 50, 75, 90, 95, 99, 99.9"
        );
    }

    #[test]
    fn what_was_asked_for_stands_in_its_order() {
        let columns = Columns::of(&[Quantile("p99.9"), Quantile("p50")]);
        let names: Vec<&str> = columns.names().collect();
        assert_eq!(names, ["mean", "std", "min", "p99.9", "p50", "max"]);
        assert_eq!(columns.estimated(), ["mean", "p99.9", "p50"]);
        assert_eq!(Columns::of(&[]), Columns::default());
    }
}
