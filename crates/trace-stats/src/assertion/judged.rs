//! An assertion, and whether it holds.

use crate::format::rounded;
use serde::ser::{Serialize, SerializeMap, Serializer};
use trace_core::quantile::number;

/// An assertion, and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// As it was typed.
    pub assertion: String,
    pub(super) outcome: Outcome,
}

/// Whether an assertion holds, and what of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It holds of that value.
    Passed(f64),
    /// It does not.
    Failed {
        /// The value, infinite if it touches failed requests.
        value: f64,
        /// Value − bound.
        excess: f64,
        /// Its size as a share of the bound.
        relative: Option<f64>,
    },
    /// There is no value, and why.
    Undefined(String),
}

impl Judged {
    /// Whether it holds.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed(_))
    }

    /// What was asserted, what was found, and by how much it failed.
    pub fn in_words(&self) -> String {
        let found = match &self.outcome {
            Outcome::Passed(value) => format!("it is {}", in_figures(*value)),
            Outcome::Undefined(why) => why.clone(),
            Outcome::Failed { value, .. } if value.is_infinite() => {
                "it is infinite, failed requests reach it".to_owned()
            }
            Outcome::Failed {
                value,
                excess,
                relative,
            } => format!("it is {}, {}", in_figures(*value), by(*excess, *relative)),
        };
        format!("{}: {found}", self.assertion)
    }
}

fn in_figures(value: f64) -> String {
    if value.is_infinite() {
        return "infinite".to_owned();
    }
    rounded(value)
}

/// `50 too much (33.3%)`
fn by(excess: f64, relative: Option<f64>) -> String {
    if excess == 0.0 {
        return "the bound itself".to_owned();
    }
    let side = if excess > 0.0 { "much" } else { "little" };
    let share = relative.map_or(String::new(), |share| {
        let percent = (share * 1_000.0).round() / 10.0;
        format!(" ({percent}%)")
    });
    format!("{} too {side}{share}", rounded(excess.abs()))
}

impl Serialize for Judged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, excess) = match &self.outcome {
            Outcome::Passed(value) => (Some(*value), None),
            Outcome::Failed { value, excess, .. } => (Some(*value), Some(*excess)),
            Outcome::Undefined(_) => (None, None),
        };
        let finite = |value: Option<f64>| Figure(value.filter(|value| value.is_finite()));
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("assertion", &self.assertion)?;
        object.serialize_entry("passed", &self.passed())?;
        object.serialize_entry("value", &finite(value))?;
        if !self.passed() {
            object.serialize_entry("excess", &finite(excess))?;
        }
        object.serialize_entry("words", &self.in_words())?;
        object.end()
    }
}

/// Whole numbers without a fraction, and undefined as `null`.
#[derive(serde::Serialize)]
struct Figure(#[serde(serialize_with = "number")] Option<f64>);
