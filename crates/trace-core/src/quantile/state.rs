//! Values on a line, so that parts of a run can be counted apart.

use super::Values;
use super::sketch::SketchState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// [`Values`] on a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    limit: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    censored: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<Exactly>,
    /// How often each occurs; left out if each does once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sketch: Option<SketchState>,
}

/// A number that is read to the last digit: serde_json's own way, which is
/// quicker, may be off by one in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Exactly(pub(super) f64);

impl<'de> Deserialize<'de> for Exactly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let number = json.get().parse();
        number.map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut settled = self.clone();
        settled.settle();
        let once = settled.counted.iter().all(|(_, times)| *times == 1);
        let counts = settled.counted.iter().map(|(_, times)| *times);
        let state = State {
            limit: settled.limit,
            censored: (settled.censored > 0).then_some(settled.censored),
            values: settled
                .counted
                .iter()
                .map(|(value, _)| Exactly(*value))
                .collect(),
            counts: if once { Vec::new() } else { counts.collect() },
            sketch: settled.sketch.as_deref().map(Into::into),
        };
        state.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = State::deserialize(deserializer)?;
        state.read().map_err(serde::de::Error::custom)
    }
}

impl State {
    fn read(self) -> Result<Values, String> {
        let ascending = self.values.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let finite = self.values.iter().all(|value| value.0.is_finite());
        if !ascending || !finite {
            return Err("values are not in order".to_owned());
        }
        let counts = if self.counts.is_empty() {
            vec![1; self.values.len()]
        } else {
            self.counts
        };
        let total = counts
            .iter()
            .try_fold(0_u64, |sum, &count| sum.checked_add(count));
        // Sums of some thousand lines must not overflow either.
        let total = total.filter(|&total| total < 1 << 53);
        if counts.len() != self.values.len() || counts.contains(&0) || total.is_none() {
            return Err("each value has a count of 1 or more".to_owned());
        }
        let mut values = Values::new(self.limit);
        values.censored = self.censored.unwrap_or(0);
        match self.sketch {
            Some(_) if !counts.is_empty() => return Err("both values and a sketch".to_owned()),
            Some(sketch) => values.sketch = Some(Box::new(sketch.try_into()?)),
            None => {
                let numbers = self.values.into_iter().map(|value| value.0);
                values.merge(numbers.zip(counts).collect());
            }
        }
        Ok(values)
    }
}
