//! AIBrix's patterns: a sine wave, sampled, noisy, perhaps only rising.

use std::f64::consts::PI;

use rand::Rng;
use serde::Deserialize;

use crate::draw;

/// A pattern, as its JSON file spells it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Height of the wave over its mean.
    pub fluctuate: f64,
    /// Mean of the wave.
    pub mean: f64,
    /// Standard deviation of what is added to each sample.
    pub noise: f64,
    /// Milliseconds from one crest to the next.
    pub period_len_ms: f64,
    /// Never below what it was before.
    pub only_rise: bool,
}

/// The patterns that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Up to the crest in a twentieth of the run, and there it stays.
    QuickRising,
    /// Up to the crest over the whole run.
    SlowRising,
    /// One wave of a tenth of the mean.
    SlightFluctuation,
    /// Twelve waves of half the mean.
    SevereFluctuation,
    /// The mean.
    Constant,
}

/// Names as AIBrix spells them.
pub const PRESETS: [(&str, Preset); 5] = [
    ("quick_rising", Preset::QuickRising),
    ("slow_rising", Preset::SlowRising),
    ("slight_fluctuation", Preset::SlightFluctuation),
    ("severe_fluctuation", Preset::SevereFluctuation),
    ("constant", Preset::Constant),
];

impl Preset {
    /// The pattern around `mean` in a run of `duration_ms`.
    pub fn config(self, mean: f64, duration_ms: f64) -> Config {
        let (share, cycles, only_rise) = match self {
            Self::QuickRising => (0.5, 5.0, true),
            Self::SlowRising => (0.5, 0.25, true),
            Self::SlightFluctuation => (0.1, 1.0, false),
            Self::SevereFluctuation => (0.5, 12.0, false),
            Self::Constant => (0.0, 12.0, false),
        };
        Config {
            fluctuate: share * mean,
            mean,
            noise: 0.1,
            period_len_ms: duration_ms / cycles,
            only_rise,
        }
    }
}

impl Config {
    /// What is wrong with the numbers, if anything.
    ///
    /// # Errors
    /// A wave that goes below zero, or a number that cannot be.
    pub fn check(&self) -> Result<(), String> {
        let Self {
            fluctuate,
            mean,
            noise,
            period_len_ms,
            ..
        } = *self;
        let numbers = [fluctuate, mean, noise, period_len_ms];
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err("every number must be finite".to_owned());
        }
        if period_len_ms <= 0.0 {
            return Err(format!("period_len_ms {period_len_ms} is not above 0"));
        }
        if noise < 0.0 {
            return Err(format!("noise {noise} is below 0"));
        }
        if mean < 0.0 || fluctuate.abs() > mean {
            return Err(format!(
                "fluctuate {fluctuate} is more than mean {mean}: the wave would go below 0"
            ));
        }
        Ok(())
    }

    /// `steps` samples over a run of `duration_ms`, each rounded to the
    /// nearest whole number (half to even) unless `fractional`.
    ///
    /// As in AIBrix the run's cycles are spread over the samples, of which
    /// there is one more than fit into the run. Noise that would take a
    /// sample below 0 leaves it at 0.
    pub fn series(
        &self,
        steps: u64,
        duration_ms: f64,
        fractional: bool,
        rng: &mut impl Rng,
    ) -> impl Iterator<Item = f64> {
        let speed = 2.0 * PI * (duration_ms / self.period_len_ms) / steps as f64;
        let mut highest = f64::NEG_INFINITY;
        (0..steps).map(move |i| {
            let wave = self.fluctuate * libm::sin(speed * i as f64) + self.mean;
            let sample = wave + self.noise * draw::normal(rng);
            let value = if fractional {
                sample
            } else {
                sample.round_ties_even()
            };
            if self.only_rise {
                highest = highest.max(value);
                highest.max(0.0)
            } else {
                value.max(0.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Streams;

    fn series(config: Config, steps: u64, duration_ms: f64) -> Vec<f64> {
        let mut rng = Streams::new(0).stream("test");
        config.series(steps, duration_ms, false, &mut rng).collect()
    }

    fn quiet(preset: Preset, mean: f64) -> Vec<f64> {
        let config = Config {
            noise: 0.0,
            ..preset.config(mean, 60_000.0)
        };
        series(config, 61, 60_000.0)
    }

    #[test]
    fn the_presets_have_their_sums_and_ranges() {
        let shape = |preset, mean| {
            let values = quiet(preset, mean);
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(0.0, f64::max);
            (values.iter().sum::<f64>(), low, high)
        };
        use Preset::{Constant, QuickRising, SevereFluctuation, SlightFluctuation, SlowRising};
        assert_eq!(shape(QuickRising, 6.0), (544.0, 6.0, 9.0));
        assert_eq!(shape(SlowRising, 6.0), (482.0, 6.0, 9.0));
        assert_eq!(shape(SlightFluctuation, 6.0), (366.0, 5.0, 7.0));
        assert_eq!(shape(SevereFluctuation, 6.0), (366.0, 3.0, 9.0));
        assert_eq!(shape(SevereFluctuation, 1024.0), (62464.0, 512.0, 1536.0));
        assert_eq!(shape(Constant, 6.0), (366.0, 6.0, 6.0));
    }

    #[test]
    fn noise_has_its_spread_and_never_goes_below_zero() {
        let config = Config {
            fluctuate: 0.0,
            mean: 1000.0,
            noise: 50.0,
            period_len_ms: 1.0,
            only_rise: false,
        };
        let values = series(config, 20_000, 1.0);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        // Standard errors: 50/√n and 50·√(1/2n); four of each.
        assert!((mean - 1000.0).abs() < 1.42, "{mean}");
        assert!((variance.sqrt() - 50.0).abs() < 1.0, "{variance}");
        let low = Config {
            mean: 1.0,
            ..config
        };
        assert!(series(low, 1000, 1.0).iter().all(|&v| v >= 0.0));
    }

    #[test]
    fn a_wave_below_zero_is_refused() {
        let config = Preset::Constant.config(6.0, 1.0);
        let deep = Config {
            fluctuate: 7.0,
            ..config
        };
        assert_eq!(
            deep.check().unwrap_err(),
            "fluctuate 7 is more than mean 6: the wave would go below 0"
        );
        let still = Config {
            period_len_ms: 0.0,
            ..config
        };
        assert!(still.check().unwrap_err().starts_with("period_len_ms 0"));
        assert_eq!(config.check(), Ok(()));
    }
}
