//! What a step takes.

use std::str::FromStr;
use std::time::Duration;

/// The coefficients of an engine, in milliseconds. See the [module](super) for what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// From a request's arrival until the engine may take it: tokenizing, checks, hand-over.
    pub overhead_ms: f64,
    /// a: of each prompt token that is not cached.
    pub prefill_token_ms: f64,
    /// b: of each step that decodes.
    pub step_ms: f64,
    /// c: of each sequence that decodes in a step.
    pub sequence_ms: f64,
    /// d: of each token of context of the sequences that decode in a step.
    pub context_token_ms: f64,
}

/// The work of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Prompt tokens that are computed.
    pub prefill_tokens: u64,
    /// Sequences that decode a token.
    pub sequences: u64,
    /// Tokens that those sequences look back on, in sum.
    pub context: u64,
}

impl Load {
    /// Tokens that are computed.
    pub(super) fn tokens(self) -> u64 {
        self.prefill_tokens + self.sequences
    }

    /// This and that.
    pub(super) fn and(self, that: Load) -> Load {
        Load {
            prefill_tokens: self.prefill_tokens + that.prefill_tokens,
            sequences: self.sequences + that.sequences,
            context: self.context + that.context,
        }
    }

    /// This without that, which is in it.
    pub(super) fn without(self, that: Load) -> Load {
        Load {
            prefill_tokens: self.prefill_tokens - that.prefill_tokens,
            sequences: self.sequences - that.sequences,
            context: self.context - that.context,
        }
    }
}

impl Cost {
    /// What a step with this load takes.
    pub fn step(&self, load: Load) -> Duration {
        let mut ms = self.prefill_token_ms * load.prefill_tokens as f64;
        if load.sequences > 0 {
            ms += self.step_ms
                + self.sequence_ms * load.sequences as f64
                + self.context_token_ms * load.context as f64;
        }
        millis(ms)
    }

    /// The overhead of a request.
    pub fn overhead(&self) -> Duration {
        millis(self.overhead_ms)
    }

    /// Every coefficient times `factor`.
    #[must_use]
    pub fn times(&self, factor: f64) -> Cost {
        Cost {
            overhead_ms: self.overhead_ms * factor,
            prefill_token_ms: self.prefill_token_ms * factor,
            step_ms: self.step_ms * factor,
            sequence_ms: self.sequence_ms * factor,
            context_token_ms: self.context_token_ms * factor,
        }
    }

    /// Whether every coefficient is a time: finite and not negative.
    ///
    /// # Errors
    /// The name of one that is not.
    pub fn check(&self) -> Result<(), String> {
        let all = [
            ("overhead_ms", self.overhead_ms),
            ("prefill_token_ms", self.prefill_token_ms),
            ("step_ms", self.step_ms),
            ("sequence_ms", self.sequence_ms),
            ("context_token_ms", self.context_token_ms),
        ];
        for (name, value) in all {
            if !(0.0..=MOST_MS).contains(&value) {
                return Err(format!("{name} is {value}, not 0 to {MOST_MS} ms"));
            }
        }
        Ok(())
    }
}

/// An hour: more is a slip of the unit.
const MOST_MS: f64 = 3_600_000.0;

/// `ms` as a duration to the nanosecond; what is beyond all time is its end.
pub(super) fn millis(ms: f64) -> Duration {
    // The cast saturates.
    Duration::from_nanos((ms * 1e6).round() as u64)
}

impl FromStr for Cost {
    type Err = String;

    /// `overhead=5ms,a=33us,b=6ms,c=20us,d=40ns`, any of them, in any order.
    fn from_str(text: &str) -> Result<Cost, String> {
        let mut cost = Cost::default();
        for part in text.split(',') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} is not NAME=TIME, such as a=33us"))?;
            let place = match name {
                "overhead" => &mut cost.overhead_ms,
                "a" => &mut cost.prefill_token_ms,
                "b" => &mut cost.step_ms,
                "c" => &mut cost.sequence_ms,
                "d" => &mut cost.context_token_ms,
                _ => return Err(format!("{name:?} is none of overhead, a, b, c, d")),
            };
            *place = parse_millis(value)?;
        }
        cost.check()?;
        Ok(cost)
    }
}

/// A time with its unit, in milliseconds. Finer than the microseconds of other flags.
fn parse_millis(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a time with a unit: 40ns, 33us, 6ms, 0.1s");
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let factor = match unit {
        "ns" => 1e-6,
        "us" | "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "" if text == "0" => 0.0,
        _ => return Err(wrong()),
    };
    let number = &text[..text.len() - unit.len()];
    number
        .parse()
        .map(|number: f64| number * factor)
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_sum_of_its_work() {
        let cost: Cost = "overhead=5ms,a=10us,b=6ms,c=20us,d=40ns".parse().unwrap();
        assert_eq!(cost.overhead(), Duration::from_millis(5));
        let mut load = Load {
            prefill_tokens: 300,
            ..Load::default()
        };
        assert_eq!(cost.step(load), Duration::from_millis(3));
        load.sequences = 10;
        load.context = 5_000;
        assert_eq!(
            cost.step(load),
            Duration::from_micros(3_000 + 6_000 + 200 + 200)
        );
        assert_eq!(cost.step(Load::default()), Duration::ZERO);
    }

    #[test]
    fn coefficients_are_times_with_units() {
        let cost: Cost = "d=0.5us,a=0".parse().unwrap();
        assert_eq!(
            (cost.context_token_ms, cost.prefill_token_ms),
            (0.0005, 0.0)
        );
        for wrong in [
            "a",
            "a=1",
            "e=1ms",
            "a=-1ms",
            "a=1.2.3ms",
            "a=ms",
            "",
            "a=1h",
            "b=3601s",
        ] {
            assert!(wrong.parse::<Cost>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_coefficient_that_is_no_time_is_named() {
        let cost = Cost {
            step_ms: f64::NAN,
            ..Cost::default()
        };
        assert!(cost.check().unwrap_err().starts_with("step_ms is NaN"));
    }
}
