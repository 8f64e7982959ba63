//! How times scatter about what the model says.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

use trace_core::{Random, seed::unit};

/// A distribution of factors with mean 1 (a normal one cut off at 0 has a little more).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Jitter {
    /// Exactly 1.
    #[default]
    None,
    /// Evenly in 1 ± this much.
    Uniform(f64),
    /// Normal with this standard deviation, not below 0.
    Normal(f64),
    /// Lognormal with this standard deviation: a tail of slow ones.
    Lognormal(f64),
}

impl Jitter {
    /// The next factor. Draws two numbers whatever the distribution, none for [`Jitter::None`].
    pub fn factor(self, random: &mut Random) -> f64 {
        if self == Jitter::None {
            return 1.0;
        }
        let (first, second) = (unit(random), unit(random));
        // Box and Muller's; 1 − u is never 0.
        let normal = || libm::sqrt(-2.0 * libm::log(1.0 - first)) * libm::cos(TAU * second);
        match self {
            Jitter::None => 1.0,
            Jitter::Uniform(width) => 1.0 + width * (2.0 * first - 1.0),
            Jitter::Normal(deviation) => (1.0 + deviation * normal()).max(0.0),
            Jitter::Lognormal(deviation) => {
                let variance = libm::log1p(deviation * deviation);
                libm::exp(libm::sqrt(variance) * normal() - variance / 2.0)
            }
        }
    }
}

impl FromStr for Jitter {
    type Err = String;

    fn from_str(text: &str) -> Result<Jitter, String> {
        if text == "none" {
            return Ok(Jitter::None);
        }
        let (name, width) = text.split_once(':').unwrap_or((text, ""));
        let width = width
            .parse()
            .ok()
            .filter(|width| (0.0..=10.0).contains(width));
        match (name, width) {
            ("uniform", Some(width)) if width <= 1.0 => Ok(Jitter::Uniform(width)),
            ("normal", Some(width)) => Ok(Jitter::Normal(width)),
            ("lognormal", Some(width)) => Ok(Jitter::Lognormal(width)),
            _ => Err(format!(
                "{text:?} is none of none, uniform:WIDTH (0 to 1), normal:SD, lognormal:SD (0 to 10)"
            )),
        }
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Jitter::None => f.write_str("none"),
            Jitter::Uniform(width) => write!(f, "uniform:{width}"),
            Jitter::Normal(width) => write!(f, "normal:{width}"),
            Jitter::Lognormal(width) => write!(f, "lognormal:{width}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use trace_core::Streams;

    use super::*;

    fn moments(jitter: Jitter) -> (f64, f64) {
        let mut random = Streams::new(1).stream("test");
        let draws: Vec<f64> = (0..40_000).map(|_| jitter.factor(&mut random)).collect();
        assert!(draws.iter().all(|factor| *factor >= 0.0));
        let count = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / count;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        (mean, libm::sqrt(variance))
    }

    #[test]
    fn factors_have_the_mean_one_and_the_deviation_asked_for() {
        for (jitter, deviation) in [
            (Jitter::None, 0.0),
            (Jitter::Uniform(0.3), 0.3 / libm::sqrt(3.0)),
            (Jitter::Normal(0.2), 0.2),
            (Jitter::Lognormal(0.5), 0.5),
        ] {
            let (mean, seen) = moments(jitter);
            assert!((mean - 1.0).abs() < 0.01, "{jitter}: {mean}");
            assert!((seen - deviation).abs() < 0.02, "{jitter}: {seen}");
        }
    }

    #[test]
    fn factors_never_change() {
        let mut random = Streams::new(7).stream("mock.step");
        let bits: Vec<u64> = [
            Jitter::Uniform(0.5),
            Jitter::Normal(0.1),
            Jitter::Lognormal(0.1),
        ]
        .map(|jitter| jitter.factor(&mut random).to_bits())
        .into();
        assert_eq!(bits, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [
        4_604_722_497_853_204_805,
        4_605_848_319_141_015_114,
        4_607_129_133_912_116_313,
    ];

    #[test]
    fn a_jitter_is_read_by_the_name_it_prints() {
        for name in ["none", "uniform:0.5", "normal:0.1", "lognormal:2"] {
            assert_eq!(name.parse::<Jitter>().unwrap().to_string(), name);
        }
        for wrong in [
            "",
            "normal",
            "uniform:2",
            "normal:-1",
            "lognormal:x",
            "gamma:1",
        ] {
            assert!(wrong.parse::<Jitter>().is_err(), "{wrong}");
        }
    }
}
