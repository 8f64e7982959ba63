//! The form of a distribution: its name and parameters, without bounds.

use std::path::PathBuf;

use trace_core::{Micros, parse_duration};

use crate::draw::POISSON_MAX_MEAN;
use crate::length::{MAX_TOKENS, Shape};

/// A distribution without its bounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// By a formula.
    Shape(Shape),
    /// As in a file.
    File(PathBuf),
}

/// What numbers without a name mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Tokens, or things counted.
    Count,
    /// Durations, held in milliseconds.
    Time,
}

impl Unit {
    /// A size, not yet rounded.
    pub(crate) fn size(self, text: &str) -> Option<f64> {
        match self {
            Self::Count => text.trim().parse().ok(),
            Self::Time => parse_duration(text).ok().map(Micros::as_millis),
        }
    }

    /// A size in whole units.
    pub(crate) fn whole(self, text: &str) -> Result<u64, String> {
        let whole = match self {
            Self::Count => text.trim().parse().ok(),
            Self::Time => Some(parse_duration(text)?.as_millis().round() as u64),
        };
        match (whole, self) {
            (Some(size), _) if size <= MAX_TOKENS => Ok(size),
            (_, Self::Count) => Err(format!(
                "{text:?} is not a whole number from 0 to {MAX_TOKENS}"
            )),
            (_, Self::Time) => Err(format!("{text:?} is more than {MAX_TOKENS} ms")),
        }
    }
}

/// The form that `text` spells, its sizes in `unit`.
pub(crate) fn parse(text: &str, unit: Unit) -> Result<Form, String> {
    let Some((name, parameters)) = text.split_once(':') else {
        return match (unit, text.parse::<f64>()) {
            (Unit::Count, Err(_)) => {
                Err(format!("{text:?} is neither a number nor NAME:PARAMETERS"))
            }
            _ => Ok(Form::Shape(Shape::Fixed(unit.whole(text)?))),
        };
    };
    let number = |text: &str| unit.size(text);
    let size = |wanted| numbers::<1>(name, wanted, parameters, number);
    let sizes = |wanted| numbers::<2>(name, wanted, parameters, number);
    let shape = match name {
        "fixed" => Shape::Fixed(unit.whole(parameters)?),
        "normal" | "truncnormal" => {
            let [mean, sd] = sizes("MEAN,SD")?;
            let (mean, sd) = (positive("MEAN", mean)?, spread("SD", sd)?);
            match name {
                "normal" => Shape::Normal { mean, sd },
                _ => Shape::TruncatedNormal { mean, sd },
            }
        }
        "lognormal" if parameters.contains('=') => {
            let [mu, sigma] = named(["mu", "sigma"], parameters, bare)
                .ok_or_else(|| format!("expected lognormal:mu=MU,sigma=S, not {text:?}"))?;
            let in_millis = if unit == Unit::Time {
                libm::log(1e3)
            } else {
                0.0
            };
            Shape::Lognormal {
                mu: finite("mu", mu)? + in_millis,
                sigma: spread("sigma", sigma)?,
            }
        }
        "lognormal" => {
            let [mean, sd] = sizes("MEAN,SD")?;
            Shape::lognormal(positive("MEAN", mean)?, spread("SD", sd)?)
        }
        "uniform" => {
            let (low, high) = parameters
                .split_once("..")
                .ok_or_else(|| format!("expected uniform:LO..HI, not {text:?}"))?;
            let (low, high) = (unit.whole(low)?, unit.whole(high)?);
            if low > high {
                return Err(format!("LO, {low}, is more than HI, {high}"));
            }
            Shape::Uniform { low, high }
        }
        "poisson" => {
            let [mean] = size("MEAN")?;
            let mean = positive("MEAN", mean)?;
            if mean > POISSON_MAX_MEAN {
                return Err(format!("MEAN, {mean}, is more than {POISSON_MAX_MEAN}"));
            }
            Shape::Poisson { mean }
        }
        "geometric" => {
            let [mean] = size("MEAN")?;
            if !(1.0..=MAX_TOKENS as f64).contains(&mean) {
                return Err(format!("MEAN must be from 1 to {MAX_TOKENS}, not {mean}"));
            }
            Shape::Geometric { mean }
        }
        "pareto" if parameters.contains('=') => {
            let [mean, sd] = named(["mean", "sd"], parameters, |text| unit.size(text))
                .ok_or_else(|| format!("expected pareto:mean=M,sd=S, not {text:?}"))?;
            Shape::pareto(positive("mean", mean)?, positive("sd", sd)?)
        }
        "pareto" => {
            let parts = parameters.split_once(',');
            let values = parts.and_then(|(scale, alpha)| Some((unit.size(scale)?, bare(alpha)?)));
            let (scale, alpha) = values
                .ok_or_else(|| format!("expected pareto:MIN,ALPHA in numbers, not {text:?}"))?;
            Shape::Pareto {
                scale: positive("MIN", scale)?,
                alpha: positive("ALPHA", alpha)?,
            }
        }
        "exponential" => {
            let [mean] = size("MEAN")?;
            Shape::Exponential {
                mean: positive("MEAN", mean)?,
            }
        }
        "empirical" if !parameters.is_empty() => return Ok(Form::File(parameters.into())),
        "empirical" => return Err("expected empirical:FILE".to_owned()),
        _ => {
            return Err(format!(
                "unknown distribution {name:?}; there are fixed, normal, truncnormal, lognormal, \
                 uniform, poisson, geometric, pareto, exponential and empirical"
            ));
        }
    };
    Ok(Form::Shape(shape))
}

/// A number that has no unit.
fn bare(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Exactly `N` numbers with commas between.
fn numbers<const N: usize>(
    name: &str,
    wanted: &str,
    text: &str,
    number: impl Fn(&str) -> Option<f64>,
) -> Result<[f64; N], String> {
    let values: Option<Vec<f64>> = text.split(',').map(number).collect();
    values
        .and_then(|values| values.try_into().ok())
        .ok_or_else(|| format!("expected {name}:{wanted} in numbers, not \"{name}:{text}\""))
}

/// `first=…` and `second=…`, in either order.
fn named(names: [&str; 2], text: &str, number: impl Fn(&str) -> Option<f64>) -> Option<[f64; 2]> {
    let (first, second) = text.split_once(',')?;
    let mut values = [None; 2];
    for part in [first, second] {
        let (name, value) = part.split_once('=')?;
        let place = names.iter().position(|&known| known == name.trim())?;
        values[place] = number(value);
    }
    Some([values[0]?, values[1]?])
}

fn finite(name: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{name} must be finite, not {value}"))
    }
}

fn positive(name: &str, value: f64) -> Result<f64, String> {
    match finite(name, value)? {
        value if value > 0.0 => Ok(value),
        value => Err(format!("{name} must be more than 0, not {value}")),
    }
}

fn spread(name: &str, value: f64) -> Result<f64, String> {
    match finite(name, value)? {
        value if value >= 0.0 => Ok(value),
        value => Err(format!("{name} must be at least 0, not {value}")),
    }
}
