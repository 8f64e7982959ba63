//! `DIST`: how a distribution is written on the command line, of lengths in
//! tokens, of counts, or of times.

use std::path::Path;
use std::str::FromStr;

use crate::empirical;
use crate::form::{self, Form, Unit};
use crate::length::{Length, MAX_TOKENS, Shape};

/// The grammar, for `--help`.
pub const GRAMMAR: &str = "\
Distributions (DIST), in tokens:
  512, fixed:512            always this long
  normal:MEAN,SD            rounded; below the minimum becomes the minimum
  lognormal:MEAN,SD         mean and standard deviation of the lengths themselves
  lognormal:mu=MU,sigma=S   mean and standard deviation of their logarithm
  truncnormal:MEAN,SD       drawn again, not moved, outside of the bounds
  uniform:LO..HI            every whole number from LO to HI, both included
  poisson:MEAN
  geometric:MEAN            1 or more, each step going on with one probability
  pareto:MIN,ALPHA          longer than x with probability (MIN/x)^ALPHA
  pareto:mean=M,sd=S        the same by mean and standard deviation
  exponential:MEAN
  empirical:FILE            as often as in FILE: one number a line, or
                            VALUE,WEIGHT a line (a heading is allowed), or a
                            trace (gzip and zstd too), of which the field of
                            the same name is taken, the turns of its sessions
                            (--sessions), or what turns add (--turn-length)
Any of them may end in ,min=N and ,max=N, such as lognormal:1200,900,max=8192.
Draws are rounded, then moved to the nearest bound; they are at least 1, unless
,min=0 says otherwise (not for prompts), and at most 1000000000.";

/// What is different for times, for `--help`.
pub const TIME_GRAMMAR: &str = "\
Distributions of times (TIMES) are the same with units, bare numbers being
seconds: 2s, exponential:30s, lognormal:20s,1m,max=10m, uniform:100ms..500ms,
pareto:5s,1.5. They have whole milliseconds, down to 0. empirical:FILE takes
milliseconds, or the field delay of a trace.";

/// A distribution as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist {
    form: Form,
    min: u64,
    max: u64,
}

impl Dist {
    /// The least that is ever drawn.
    pub fn least(&self) -> u64 {
        self.min
    }

    /// The file that it draws from, if it names one.
    pub fn file(&self) -> Option<&Path> {
        match &self.form {
            Form::File(path) => Some(path),
            Form::Shape(_) => None,
        }
    }

    /// Ready to draw; a file is read here.
    ///
    /// `field` is what to take from a trace, `input_length` or
    /// `output_length`.
    ///
    /// # Errors
    /// The file cannot be read, or gives nothing to draw.
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

/// A [`Dist`] of at most `most`, its draws moved down to it where they are more.
///
/// # Errors
/// Besides those of parsing, a distribution that has nothing else to draw.
pub fn parse_up_to(text: &str, most: u64) -> Result<Dist, String> {
    let mut dist: Dist = text.parse()?;
    let least = match dist.form {
        Form::Shape(Shape::Fixed(size)) => size,
        Form::Shape(Shape::Uniform { low, .. }) => low,
        _ => 0,
    };
    if least.max(dist.min) > most {
        return Err(format!("more than {most}"));
    }
    dist.max = dist.max.min(most);
    Ok(dist)
}

/// A [`Dist`] of times, in milliseconds; units are allowed, and bare numbers
/// are seconds.
pub fn parse_times(text: &str) -> Result<Dist, String> {
    parse(text, Unit::Time)
}

impl FromStr for Dist {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, Unit::Count)
    }
}

fn parse(text: &str, unit: Unit) -> Result<Dist, String> {
    let mut shape = text;
    let (mut min, mut max) = (None, None);
    while let Some((rest, last)) = shape.rsplit_once(',') {
        let bound = match last.split_once('=') {
            Some(("min", value)) => (&mut min, value),
            Some(("max", value)) => (&mut max, value),
            _ => break,
        };
        let (slot, value) = bound;
        if slot.replace(unit.whole(value)?).is_some() {
            return Err(format!("{last} is a second bound of that kind"));
        }
        shape = rest;
    }
    let form = form::parse(shape, unit)?;
    // A fixed length says itself how short it may be, even 0.
    let least = match form {
        Form::Shape(Shape::Fixed(size)) => size.min(1),
        _ if unit == Unit::Time => 0,
        _ => 1,
    };
    let (min, max) = (min.unwrap_or(least), max.unwrap_or(MAX_TOKENS));
    if min > max {
        return Err(format!(
            "the least length, {min}, is more than the most, {max}"
        ));
    }
    if let Form::Shape(Shape::TruncatedNormal { mean, .. }) = form
        && !(min as f64..=max as f64).contains(&mean)
    {
        return Err(format!("the mean, {mean}, is not within {min} to {max}"));
    }
    Ok(Dist { form, min, max })
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
    fn times_have_units_and_are_held_in_milliseconds() {
        let times = |text: &str| parse_times(text).unwrap_or_else(|err| panic!("{text}: {err}"));
        assert_eq!(times("2"), times("2000ms"));
        assert_eq!(times("1m30s").form, Form::Shape(Shape::Fixed(90_000)));
        assert_eq!(
            times("exponential:30s,max=10m"),
            Dist {
                form: Form::Shape(Shape::Exponential { mean: 30_000.0 }),
                min: 0,
                max: 600_000
            }
        );
        let Form::Shape(Shape::Lognormal { mu, .. }) = times("lognormal:mu=3,sigma=1").form else {
            panic!("not log-normal");
        };
        assert!((libm::exp(mu) - 1e3 * libm::exp(3.0)).abs() < 1e-8);
        let pareto = Shape::Pareto {
            scale: 5_000.0,
            alpha: 1.5,
        };
        assert_eq!(times("pareto:5s,1.5").form, Form::Shape(pareto));
        assert!(parse_times("soon").unwrap_err().contains("90s"));
        assert!(
            parse_times("20d")
                .unwrap_err()
                .ends_with("more than 1000000000 ms")
        );
        assert!(parse_times("uniform:3s..1s").is_err());
    }

    #[test]
    fn a_limit_is_the_most_of_any_distribution() {
        assert_eq!(parse_up_to("poisson:3", 9).unwrap().max, 9);
        assert_eq!(parse_up_to("poisson:3,max=5", 9).unwrap().max, 5);
        for beyond in ["10", "uniform:10..20", "poisson:3,min=10"] {
            assert_eq!(parse_up_to(beyond, 9), Err("more than 9".to_owned()));
        }
    }

    #[test]
    fn a_pareto_has_the_moments_that_were_asked_for() {
        let Form::Shape(Shape::Pareto { scale, alpha }) = dist("pareto:sd=472,mean=80").form else {
            panic!("not pareto");
        };
        let mean = alpha * scale / (alpha - 1.0);
        let variance = mean * mean / (alpha * (alpha - 2.0));
        assert!((mean - 80.0).abs() < 1e-9 && (variance.sqrt() - 472.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            refusal("truncnormal:5,1,min=9"),
            "the mean, 5, is not within 9 to 1000000000"
        );
        assert_eq!(
            refusal("geometric:0.5"),
            "MEAN must be from 1 to 1000000000, not 0.5"
        );
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
        assert!(refusal("-3").ends_with("is not a whole number from 0 to 1000000000"));
        assert!(refusal("2.5").ends_with("is not a whole number from 0 to 1000000000"));
    }
}
