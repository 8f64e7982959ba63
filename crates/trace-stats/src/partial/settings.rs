//! How a collection counts: what must agree for two of them to add up.

use crate::by::Buckets;
use crate::confidence::Level;
use crate::results::Rules;
use crate::steady::Windows;
use serde::{Deserialize, Serialize};
use trace_core::quantile::EXACT_VALUES;

/// What was counted, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Distinct values up to which quantiles are exact.
    pub exact_up_to: usize,
    /// The fields that groups are told apart by.
    pub by: Vec<String>,
    /// Where the buckets of those fields begin.
    pub buckets: Buckets,
    /// By what outcomes are judged.
    pub rules: Rules,
    /// Most groups there may be.
    #[serde(skip)]
    pub max_groups: usize,
    /// The level of intervals, if they are wanted.
    pub confidence: Option<Level>,
    /// Which requests count.
    pub window: Windows,
    /// Tokens of a block, if there are prefix statistics: never in a part.
    #[serde(skip)]
    pub block_size: Option<u64>,
    /// Whether the hit rate of a cache is measured: never in a part.
    #[serde(skip)]
    pub cache: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            exact_up_to: EXACT_VALUES,
            by: Vec::new(),
            buckets: Buckets::default(),
            rules: Rules::default(),
            max_groups: usize::MAX,
            confidence: None,
            window: Windows::All,
            block_size: None,
            cache: false,
        }
    }
}

impl Settings {
    /// Nothing, if collections of both add up.
    ///
    /// # Errors
    ///
    /// In words what differs.
    pub fn agree(&self, other: &Self) -> Result<(), String> {
        let [one, two] = [self, other].map(|settings| {
            serde_json::to_value(settings).expect("settings are numbers and texts")
        });
        let names = one.as_object().into_iter().flatten();
        for (name, expected) in names {
            if two.get(name) != Some(expected) {
                let found = two.get(name).unwrap_or(&serde_json::Value::Null);
                let flag = match name.as_str() {
                    "rules" => "slo or --successes-only".to_owned(),
                    name => name.replace('_', "-"),
                };
                return Err(format!(
                    "counted with --{flag} {found}, the parts before with {expected}: count all parts with the same flags"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let by = |field: &str| Settings {
            by: vec![field.to_owned()],
            ..Settings::default()
        };
        assert_eq!(by("model").agree(&by("model")), Ok(()));
        let error = by("model").agree(&by("stage")).unwrap_err();
        assert!(
            error.starts_with(r#"counted with --by ["stage"], the parts before with ["model"]"#),
            "{error}"
        );
    }
}
