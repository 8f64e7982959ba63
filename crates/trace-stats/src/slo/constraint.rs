//! A bound on one quantity.

use super::quantity::{Quantity, Reading};
use super::{Clock, Slo};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use trace_core::Outcome;

/// A bound, or two, on one quantity; a value on the bound is within.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// What is bounded.
    pub quantity: Quantity,
    /// The greatest value that is good.
    pub max: Option<f64>,
    /// The least value that is good.
    pub min: Option<f64>,
}

/// Bounds as they are written, before it is known of what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limits {
    /// A bare number: the bound on the side that is worse.
    Bound(f64),
    /// Sides by name.
    Sides {
        /// The greatest value that is good.
        max: Option<f64>,
        /// The least value that is good.
        min: Option<f64>,
    },
}

impl Constraint {
    /// `limits` on that quantity.
    pub fn new(quantity: Quantity, limits: Limits) -> Self {
        let (max, min) = match limits {
            Limits::Sides { max, min } => (max, min),
            Limits::Bound(bound) if quantity.is_better_high() => (None, Some(bound)),
            Limits::Bound(bound) => (Some(bound), None),
        };
        Self { quantity, max, min }
    }

    /// Whether the request of `outcome`, which was answered, keeps it; unknown
    /// if the outcome does not tell.
    pub fn admits(&self, outcome: &Outcome, clock: Clock) -> Option<bool> {
        match self.quantity.of(outcome, clock) {
            Reading::Value(value) => Some(
                self.max.is_none_or(|max| value <= max) && self.min.is_none_or(|min| value >= min),
            ),
            Reading::Vacuous => Some(true),
            Reading::Untold => None,
        }
    }
}

impl Slo {
    /// Put `constraint` in place of the one on the same quantity, or beside the
    /// others.
    pub fn set(&mut self, constraint: Constraint) {
        let same = |known: &&mut Constraint| known.quantity == constraint.quantity;
        match self.constraints.iter_mut().find(same) {
            Some(known) => *known = constraint,
            None => self.constraints.push(constraint),
        }
    }
}

impl FromStr for Constraint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, bound) = text
            .split_once('=')
            .ok_or_else(|| "expected NAME=VALUE, such as ttft_ms=500".to_owned())?;
        let quantity = name.trim().parse()?;
        let number = bound.trim().parse::<f64>();
        let bound = number
            .map_err(|_| format!("the bound {:?} is not a number", bound.trim()))
            .and_then(bound_of)?;
        Ok(Self::new(quantity, Limits::Bound(bound)))
    }
}

/// `number` as a bound.
fn bound_of(number: f64) -> Result<f64, String> {
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(format!(
            "a bound is a number, 0 or more, in the unit that the name says, not {number}"
        ))
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitsVisitor)
    }
}

struct LimitsVisitor;

impl<'de> Visitor<'de> for LimitsVisitor {
    type Value = Limits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or {max: NUMBER} or {min: NUMBER}")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Limits, E> {
        bound_of(number).map(Limits::Bound).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Limits, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Limits, E> {
        self.visit_f64(number as f64)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
        let (mut max, mut min) = (None, None);
        while let Some((side, number)) = map.next_entry::<String, f64>()? {
            let bound = bound_of(number).map_err(de::Error::custom)?;
            match side.as_str() {
                "max" => max = Some(bound),
                "min" => min = Some(bound),
                _ => return Err(de::Error::unknown_field(&side, &["max", "min"])),
            }
        }
        if max.is_none() && min.is_none() {
            return Err(de::Error::custom("neither max nor min is given"));
        }
        Ok(Limits::Sides { max, min })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::served;

    fn constraint(text: &str) -> Constraint {
        text.parse().unwrap()
    }

    #[test]
    fn a_value_on_the_bound_is_good() {
        let outcome = served(0.0, 0.0, 500.0, 900.0);
        let admits = |text| constraint(text).admits(&outcome, Clock::Sent);
        assert_eq!(admits("ttft_ms=500"), Some(true));
        assert_eq!(admits("ttft_ms=499.999"), Some(false));
        assert_eq!(admits("queue_ms=0"), Some(true));
        assert_eq!(admits("tpot_ms=5"), None);
    }

    #[test]
    fn throughput_is_bounded_from_below() {
        let outcome = Outcome {
            output_tokens: Some(9),
            ..served(0.0, 0.0, 500.0, 900.0)
        };
        let admits = |text| constraint(text).admits(&outcome, Clock::Sent);
        assert_eq!(admits("output_token_throughput=10"), Some(true));
        assert_eq!(admits("output_token_throughput=10.1"), Some(false));
    }

    #[test]
    fn what_is_no_bound_is_refused() {
        let error = |text: &str| text.parse::<Constraint>().unwrap_err();
        assert!(error("ttft_ms").contains("NAME=VALUE"));
        assert!(error("ttft_ms=fast").contains("\"fast\" is not a number"));
        for bound in ["-1", "nan", "inf"] {
            assert!(error(&format!("ttft_ms={bound}")).contains("0 or more"));
        }
    }
}
