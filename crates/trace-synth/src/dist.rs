//! `DIST`: how a distribution of lengths is written on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use crate::draw::POISSON_MAX_MEAN;
use crate::empirical;
use crate::length::{Length, MAX_TOKENS, Shape};

/// The grammar, for `--help`.
pub const GRAMMAR: &str = "\
Distributions (DIST), in tokens:
  512, fixed:512            always this long
  normal:MEAN,SD            rounded; below the minimum becomes the minimum
  lognormal:MEAN,SD         mean and standard deviation of the lengths themselves
  lognormal:mu=MU,sigma=S   mean and standard deviation of their logarithm
  uniform:LO..HI            every whole number from LO to HI, both included
  poisson:MEAN
  pareto:MIN,ALPHA          longer than x with probability (MIN/x)^ALPHA
  exponential:MEAN
  empirical:FILE            as often as in FILE: one number a line, or
                            VALUE,WEIGHT a line (a heading is allowed), or a
                            trace (gzip and zstd too), of which the field of
                            the same name is taken
Any of them may end in ,min=N and ,max=N, such as lognormal:1200,900,max=8192.
Draws are rounded, then moved to the nearest bound; they are at least 1, unless
,min=0 says otherwise (output lengths only), and at most 1000000000.";

/// A distribution as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist {
    form: Form,
    min: u64,
    max: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Shape(Shape),
    File(PathBuf),
}

impl Dist {
    /// Ready to draw; a file is read here.
    ///
    /// `field` is what to take from a trace, `input_length` or
    /// `output_length`.
    pub fn open(&self, field: empirical::Field) -> anyhow::Result<Length> {
        let shape = match &self.form {
            Form::Shape(shape) => shape.clone(),
            Form::File(path) => Shape::Empirical(empirical::read(path, field)?),
        };
        Ok(Length {
            shape,
            min: self.min,
            max: self.max,
        })
    }
}

/// A [`Dist`] for prompts, which have at least one token.
pub fn parse_input(text: &str) -> Result<Dist, String> {
    let dist: Dist = text.parse()?;
    if dist.min == 0 {
        return Err("a prompt has at least 1 token".to_owned());
    }
    Ok(dist)
}

impl FromStr for Dist {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shape = text;
        let (mut min, mut max) = (None, None);
        while let Some((rest, last)) = shape.rsplit_once(',') {
            let bound = match last.split_once('=') {
                Some(("min", value)) => (&mut min, value),
                Some(("max", value)) => (&mut max, value),
                _ => break,
            };
            let (slot, value) = bound;
            if slot.replace(tokens(value)?).is_some() {
                return Err(format!("{last} is a second bound of that kind"));
            }
            shape = rest;
        }
        let form = parse_form(shape)?;
        // A fixed length says itself how short it may be, even 0.
        let least = match form {
            Form::Shape(Shape::Fixed(tokens)) => tokens.min(1),
            _ => 1,
        };
        let (min, max) = (min.unwrap_or(least), max.unwrap_or(MAX_TOKENS));
        if min > max {
            return Err(format!(
                "the least length, {min}, is more than the most, {max}"
            ));
        }
        Ok(Self { form, min, max })
    }
}

fn parse_form(text: &str) -> Result<Form, String> {
    let Some((name, parameters)) = text.split_once(':') else {
        return match text.parse::<f64>() {
            Ok(_) => Ok(Form::Shape(Shape::Fixed(tokens(text)?))),
            Err(_) => Err(format!("{text:?} is neither a number nor NAME:PARAMETERS")),
        };
    };
    let shape = match name {
        "fixed" => Shape::Fixed(tokens(parameters)?),
        "normal" => {
            let [mean, sd] = numbers(name, "MEAN,SD", parameters)?;
            Shape::Normal {
                mean: positive("MEAN", mean)?,
                sd: spread("SD", sd)?,
            }
        }
        "lognormal" if parameters.contains('=') => {
            let (mu, sigma) = named_moments(parameters)
                .ok_or_else(|| format!("expected lognormal:mu=MU,sigma=S, not {text:?}"))?;
            Shape::Lognormal {
                mu: finite("mu", mu)?,
                sigma: spread("sigma", sigma)?,
            }
        }
        "lognormal" => {
            let [mean, sd] = numbers(name, "MEAN,SD", parameters)?;
            Shape::lognormal(positive("MEAN", mean)?, spread("SD", sd)?)
        }
        "uniform" => {
            let (low, high) = parameters
                .split_once("..")
                .ok_or_else(|| format!("expected uniform:LO..HI, not {text:?}"))?;
            let (low, high) = (tokens(low)?, tokens(high)?);
            if low > high {
                return Err(format!("LO, {low}, is more than HI, {high}"));
            }
            Shape::Uniform { low, high }
        }
        "poisson" => {
            let [mean] = numbers(name, "MEAN", parameters)?;
            let mean = positive("MEAN", mean)?;
            if mean > POISSON_MAX_MEAN {
                return Err(format!("MEAN, {mean}, is more than {POISSON_MAX_MEAN}"));
            }
            Shape::Poisson { mean }
        }
        "pareto" => {
            let [scale, alpha] = numbers(name, "MIN,ALPHA", parameters)?;
            Shape::Pareto {
                scale: positive("MIN", scale)?,
                alpha: positive("ALPHA", alpha)?,
            }
        }
        "exponential" => {
            let [mean] = numbers(name, "MEAN", parameters)?;
            Shape::Exponential {
                mean: positive("MEAN", mean)?,
            }
        }
        "empirical" if !parameters.is_empty() => return Ok(Form::File(parameters.into())),
        "empirical" => return Err("expected empirical:FILE".to_owned()),
        _ => {
            return Err(format!(
                "unknown distribution {name:?}; there are fixed, normal, lognormal, uniform, \
                 poisson, pareto, exponential and empirical"
            ));
        }
    };
    Ok(Form::Shape(shape))
}

/// Exactly `N` numbers with commas between.
fn numbers<const N: usize>(name: &str, wanted: &str, text: &str) -> Result<[f64; N], String> {
    let values: Option<Vec<f64>> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect();
    values
        .and_then(|values| values.try_into().ok())
        .ok_or_else(|| format!("expected {name}:{wanted} in numbers, not \"{name}:{text}\""))
}

/// `mu=…` and `sigma=…`, in either order.
fn named_moments(text: &str) -> Option<(f64, f64)> {
    let (first, second) = text.split_once(',')?;
    let (mut mu, mut sigma) = (None, None);
    for part in [first, second] {
        let (name, value) = part.split_once('=')?;
        match name.trim() {
            "mu" => mu = value.trim().parse().ok(),
            "sigma" => sigma = value.trim().parse().ok(),
            _ => return None,
        }
    }
    Some((mu?, sigma?))
}

/// A whole number of tokens.
fn tokens(text: &str) -> Result<u64, String> {
    match text.trim().parse::<u64>() {
        Ok(tokens) if tokens <= MAX_TOKENS => Ok(tokens),
        _ => Err(format!(
            "{text:?} is not a whole number of tokens from 0 to {MAX_TOKENS}"
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn dist(text: &str) -> Dist {
        text.parse().unwrap_or_else(|err| panic!("{text}: {err}"))
    }

    fn refusal(text: &str) -> String {
        match text.parse::<Dist>() {
            Ok(dist) => panic!("{text} became {dist:?}"),
            Err(err) => err,
        }
    }

    #[test]
    fn a_bare_number_is_a_fixed_length() {
        assert_eq!(dist("512"), dist("fixed:512"));
    }

    #[test]
    fn bounds_follow_any_shape_in_either_order() {
        let bounded = dist("normal:512,64,min=16,max=1024");
        assert_eq!(bounded, dist("normal:512,64,max=1024,min=16"));
        assert_eq!((bounded.min, bounded.max), (16, 1024));
        assert_eq!(
            (dist("poisson:15").min, dist("poisson:15").max),
            (1, MAX_TOKENS)
        );
        let file = dist("empirical:a,b.csv,max=9");
        assert_eq!((file.form, file.max), (Form::File("a,b.csv".into()), 9));
    }

    #[test]
    fn lognormal_takes_its_own_moments_or_those_of_its_logarithm() {
        let Form::Shape(Shape::Lognormal { mu, sigma }) = dist("lognormal:1000,500").form else {
            panic!("not log-normal");
        };
        assert!((libm::exp(mu + sigma * sigma / 2.0) - 1000.0).abs() < 1e-9);
        assert!((libm::expm1(sigma * sigma).sqrt() - 0.5).abs() < 1e-12);
        let named = Form::Shape(Shape::Lognormal {
            mu: 6.0,
            sigma: 0.5,
        });
        assert_eq!(dist("lognormal:sigma=0.5,mu=6").form, named);
    }

    #[test]
    fn an_output_may_be_empty_but_only_if_asked() {
        assert_eq!(dist("0").min, 0);
        assert_eq!(dist("poisson:2,min=0").min, 0);
        assert!(parse_input("0").is_err());
        assert!(parse_input("poisson:2,min=0").is_err());
        assert!(parse_input("poisson:2").is_ok());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            refusal("pile"),
            "\"pile\" is neither a number nor NAME:PARAMETERS"
        );
        assert!(
            refusal("gauss:1,2").starts_with("unknown distribution \"gauss\"; there are fixed")
        );
        assert_eq!(
            refusal("normal:5"),
            "expected normal:MEAN,SD in numbers, not \"normal:5\""
        );
        assert_eq!(refusal("normal:5,NaN"), "SD must be finite, not NaN");
        assert_eq!(refusal("normal:5,-1"), "SD must be at least 0, not -1");
        assert_eq!(refusal("pareto:0,1"), "MIN must be more than 0, not 0");
        assert_eq!(refusal("uniform:9..3"), "LO, 9, is more than HI, 3");
        assert_eq!(
            refusal("uniform:9"),
            "expected uniform:LO..HI, not \"uniform:9\""
        );
        assert_eq!(
            refusal("5,min=9,max=2"),
            "the least length, 9, is more than the most, 2"
        );
        assert_eq!(
            refusal("5,min=1,min=2"),
            "min=1 is a second bound of that kind"
        );
        assert!(refusal("-3").ends_with("is not a whole number of tokens from 0 to 1000000000"));
        assert!(refusal("2.5").ends_with("is not a whole number of tokens from 0 to 1000000000"));
    }
}
