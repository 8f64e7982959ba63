//! The curve file.
//!
//! ```json
//! {"version": 1, "duration_ms": 60000, "models": [
//!   {"name": "chat", "interpolation": "linear",
//!    "points": [{"t_ms": 0, "rate": 5}, {"t_ms": 60000, "rate": 50}]}]}
//! ```
//!
//! A rate is in requests per second and may be a fraction. Between points it
//! is a straight line (`linear`) or stays as the point before says (`step`);
//! before the first and after the last point it stays as that point says.
//! Without points it is zero. A model may say `arrival` (`poisson`, `constant`,
//! `gamma:CV`, `weibull:CV`), `input_length` and `output_length` (a number or
//! what the flags of that name take) and `prefixes` (what that flag takes, or
//! several in an array). The file may say a `seed`, a whole number, which
//! holds while `--seed` is 0. Fields not listed here are kept.

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::args::MAX_RATE;

/// Longest traffic: a century, in milliseconds.
const MOST_MS: f64 = 3.2e12;

/// A curve file: what every model is asked over the same stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Version of the format: 1.
    pub version: u32,
    /// How long the traffic lasts, in milliseconds.
    pub duration_ms: f64,
    /// One curve for each model.
    pub models: Vec<Model>,
    /// Fields that are not ours.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The traffic of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The model's name, for the field `model`.
    pub name: String,
    /// What the rate is between two points.
    pub interpolation: Interpolation,
    /// Points of the curve, in order of time.
    pub points: Vec<Point>,
    /// `arrival`, `input_length`, `output_length` and `prefixes`, and fields
    /// that are not ours.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What the rate is between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// On the straight line between them.
    Linear,
    /// As the earlier one says.
    Step,
}

/// The rate at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Milliseconds since the traffic began.
    pub t_ms: f64,
    /// Requests per second.
    pub rate: f64,
}

impl Curve {
    /// The curve that `text` spells, its points in order.
    ///
    /// # Errors
    /// JSON that is not a curve, a version that is not ours, a time or rate
    /// that cannot be, a model named twice.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let mut curve: Self =
            serde_json::from_str(text).map_err(|error| crate::json_error(name, &error))?;
        if let Err(reason) = curve.put_in_order() {
            bail!("{name}: {reason}");
        }
        Ok(curve)
    }

    /// Check the curve, and put its points in order of time.
    ///
    /// # Errors
    /// A version that is not ours, a time or rate that cannot be, a model
    /// named twice.
    pub fn put_in_order(&mut self) -> anyhow::Result<()> {
        self.check()?;
        for model in &mut self.models {
            model.points.sort_by(|a, b| a.t_ms.total_cmp(&b.t_ms));
        }
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.version == 1,
            "version {} of the curve format is not known; this tool knows 1",
            self.version
        );
        let possible = |number: f64| number.is_finite() && number >= 0.0;
        ensure!(
            possible(self.duration_ms) && self.duration_ms > 0.0,
            "duration_ms {} is not above 0",
            self.duration_ms
        );
        ensure!(
            self.duration_ms <= MOST_MS,
            "duration_ms {:e} is more than {MOST_MS:e}",
            self.duration_ms
        );
        for (i, model) in self.models.iter().enumerate() {
            let name = &model.name;
            ensure!(
                self.models[..i].iter().all(|other| other.name != *name),
                "model {name:?} is there twice"
            );
            for point in &model.points {
                ensure!(
                    possible(point.t_ms) && point.t_ms <= self.duration_ms,
                    "model {name:?}: t_ms {} is not within 0 and {}",
                    point.t_ms,
                    self.duration_ms
                );
                ensure!(
                    possible(point.rate),
                    "model {name:?}: rate {} is not 0 or more",
                    point.rate
                );
                ensure!(
                    point.rate <= MAX_RATE,
                    "model {name:?}: rate {:e} is more than {MAX_RATE:e}",
                    point.rate
                );
            }
        }
        Ok(())
    }
}

impl Model {
    /// The rate at `t_ms`, in requests per second.
    ///
    /// Points must be in order of time, as [`Curve::parse`] leaves them.
    pub fn rate(&self, t_ms: f64) -> f64 {
        let after = self.points.partition_point(|point| point.t_ms <= t_ms);
        match (
            after.checked_sub(1).map(|i| self.points[i]),
            self.points.get(after),
        ) {
            (None, None) => 0.0,
            (None, Some(first)) => first.rate,
            (Some(last), None) => last.rate,
            (Some(from), Some(_)) if self.interpolation == Interpolation::Step => from.rate,
            (Some(from), Some(to)) => {
                from.rate + (to.rate - from.rate) * (t_ms - from.t_ms) / (to.t_ms - from.t_ms)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: &str = r#"{"version":1,"duration_ms":100,"models":[{"name":"m","interpolation":"linear",
        "points":[{"t_ms":100,"rate":30},{"t_ms":50,"rate":10}],"input_length":"fixed:5"}],"drawn_by":"me"}"#;

    #[test]
    fn points_are_put_in_order_and_other_fields_kept() {
        let curve = Curve::parse("c", CURVE).unwrap();
        assert_eq!(curve.models[0].points[0].t_ms, 50.0);
        let text = serde_json::to_string(&curve).unwrap();
        assert!(
            text.contains("\"drawn_by\":\"me\"") && text.contains("\"input_length\":\"fixed:5\"")
        );
        assert_eq!(Curve::parse("c", &text).unwrap(), curve);
    }

    #[test]
    fn a_rate_is_between_its_points() {
        let mut model = Curve::parse("c", CURVE).unwrap().models.remove(0);
        assert_eq!(
            [0.0, 50.0, 75.0, 100.0, 200.0].map(|t| model.rate(t)),
            [10.0, 10.0, 20.0, 30.0, 30.0]
        );
        model.interpolation = Interpolation::Step;
        assert_eq!([75.0, 100.0].map(|t| model.rate(t)), [10.0, 30.0]);
        model.points.clear();
        assert_eq!(model.rate(75.0), 0.0);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let error = |from: &str, to: &str| {
            Curve::parse("c", &CURVE.replace(from, to))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("\"version\":1", "\"version\":2"),
            "c: version 2 of the curve format is not known; this tool knows 1"
        );
        assert_eq!(
            error("\"rate\":30", "\"rate\":-3"),
            "c: model \"m\": rate -3 is not 0 or more"
        );
        assert_eq!(
            error("\"t_ms\":100", "\"t_ms\":101"),
            "c: model \"m\": t_ms 101 is not within 0 and 100"
        );
        assert!(error("\"rate\":30", "\"rate\":\"x\"").starts_with("c:2:"));
    }
}
