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
    let spelled = Spelled {
        text,
        name,
        parameters,
        unit,
    };
    match name {
        "empirical" if !parameters.is_empty() => Ok(Form::File(parameters.into())),
        "empirical" => Err("expected empirical:FILE".to_owned()),
        _ => spelled.shape().map(Form::Shape),
    }
}

/// A name and its parameters, as they were typed.
struct Spelled<'a> {
    text: &'a str,
    name: &'a str,
    parameters: &'a str,
    unit: Unit,
}

impl Spelled<'_> {
    fn shape(&self) -> Result<Shape, String> {
        let has_names = self.parameters.contains('=');
        match self.name {
            "fixed" => Ok(Shape::Fixed(self.unit.whole(self.parameters)?)),
            "normal" => self.mean_and_sd(|mean, sd| Shape::Normal { mean, sd }),
            "truncnormal" => self.mean_and_sd(|mean, sd| Shape::TruncatedNormal { mean, sd }),
            "lognormal" if has_names => self.lognormal_of_logarithms(),
            "lognormal" => self.mean_and_sd(Shape::lognormal),
            "uniform" => self.uniform(),
            "poisson" => self.poisson(),
            "geometric" => self.geometric(),
            "pareto" if has_names => self.pareto_of_moments(),
            "pareto" => self.pareto(),
            "exponential" => {
                let mean = positive("MEAN", self.mean()?)?;
                Ok(Shape::Exponential { mean })
            }
            name => Err(format!(
                "unknown distribution {name:?}; there are fixed, normal, truncnormal, lognormal, \
                 uniform, poisson, geometric, pareto, exponential and empirical"
            )),
        }
    }

    /// The only parameter.
    fn mean(&self) -> Result<f64, String> {
        let [mean] = self.sizes("MEAN")?;
        Ok(mean)
    }

    fn mean_and_sd(&self, shape: impl FnOnce(f64, f64) -> Shape) -> Result<Shape, String> {
        let [mean, sd] = self.sizes("MEAN,SD")?;
        Ok(shape(positive("MEAN", mean)?, spread("SD", sd)?))
    }

    fn lognormal_of_logarithms(&self) -> Result<Shape, String> {
        let [mu, sigma] = named(["mu", "sigma"], self.parameters, bare)
            .ok_or_else(|| self.expected("lognormal:mu=MU,sigma=S"))?;
        let in_millis = match self.unit {
            Unit::Time => libm::log(1e3),
            Unit::Count => 0.0,
        };
        Ok(Shape::Lognormal {
            mu: finite("mu", mu)? + in_millis,
            sigma: spread("sigma", sigma)?,
        })
    }

    fn uniform(&self) -> Result<Shape, String> {
        let range = self.parameters.split_once("..");
        let (low, high) = range.ok_or_else(|| self.expected("uniform:LO..HI"))?;
        let (low, high) = (self.unit.whole(low)?, self.unit.whole(high)?);
        if low > high {
            return Err(format!("LO, {low}, is more than HI, {high}"));
        }
        Ok(Shape::Uniform { low, high })
    }

    fn poisson(&self) -> Result<Shape, String> {
        let mean = positive("MEAN", self.mean()?)?;
        if mean > POISSON_MAX_MEAN {
            return Err(format!("MEAN, {mean}, is more than {POISSON_MAX_MEAN}"));
        }
        Ok(Shape::Poisson { mean })
    }

    fn geometric(&self) -> Result<Shape, String> {
        let mean = self.mean()?;
        if !(1.0..=MAX_TOKENS as f64).contains(&mean) {
            return Err(format!("MEAN must be from 1 to {MAX_TOKENS}, not {mean}"));
        }
        Ok(Shape::Geometric { mean })
    }

    fn pareto_of_moments(&self) -> Result<Shape, String> {
        let [mean, sd] = named(["mean", "sd"], self.parameters, |text| self.unit.size(text))
            .ok_or_else(|| self.expected("pareto:mean=M,sd=S"))?;
        Ok(Shape::pareto(positive("mean", mean)?, positive("sd", sd)?))
    }

    fn pareto(&self) -> Result<Shape, String> {
        let parts = self.parameters.split_once(',');
        let values = parts.and_then(|(scale, alpha)| Some((self.unit.size(scale)?, bare(alpha)?)));
        let values = values.ok_or_else(|| self.expected("pareto:MIN,ALPHA in numbers"))?;
        Ok(Shape::Pareto {
            scale: positive("MIN", values.0)?,
            alpha: positive("ALPHA", values.1)?,
        })
    }

    /// Exactly `N` sizes with commas between.
    fn sizes<const N: usize>(&self, wanted: &str) -> Result<[f64; N], String> {
        let sizes = self.parameters.split(',').map(|text| self.unit.size(text));
        let sizes: Option<Vec<f64>> = sizes.collect();
        sizes
            .and_then(|sizes| sizes.try_into().ok())
            .ok_or_else(|| self.expected(&format!("{}:{wanted} in numbers", self.name)))
    }

    fn expected(&self, form: &str) -> String {
        format!("expected {form}, not {:?}", self.text)
    }
}

/// A number that has no unit.
fn bare(text: &str) -> Option<f64> {
    text.trim().parse().ok()
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
