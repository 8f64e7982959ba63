//! `ttft_ms.p99<500`: what is asserted.

use super::judged::{Judged, Outcome};
use super::path::{Found, Path};
use crate::report::Report;
use std::str::FromStr;

/// Something that is asserted of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// As it was typed.
    text: String,
    path: Path,
    comparison: Comparison,
    bound: f64,
}

/// How a number is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`, or `=`
    Equal,
    /// `!=`
    NotEqual,
}

/// Longer signs first, so that none is taken for the beginning of another.
const SIGNS: [(&str, Comparison); 7] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

impl Comparison {
    /// Whether it holds between `value` and `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
            Self::Equal => value == bound,
            Self::NotEqual => value != bound,
        }
    }
}

impl Assertion {
    /// Whether it holds of `report`.
    pub fn judge(&self, report: &Report) -> Judged {
        let outcome = match self.path.find(report) {
            Found::Undefined(why) => Outcome::Undefined(why),
            Found::Number(value) if self.comparison.holds(value, self.bound) => {
                Outcome::Passed(value)
            }
            Found::Number(value) => Outcome::Failed {
                value,
                excess: value - self.bound,
                relative: relative(value - self.bound, self.bound),
            },
        };
        Judged {
            assertion: self.text.clone(),
            outcome,
        }
    }
}

/// `excess` as a share of `bound`.
fn relative(excess: f64, bound: f64) -> Option<f64> {
    let share = excess.abs() / bound.abs();
    share.is_finite().then_some(share)
}

impl FromStr for Assertion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = text.find(['<', '>', '=', '!']);
        let sign = place.and_then(|at| {
            let mut signs = SIGNS.iter();
            let (sign, comparison) = signs.find(|(sign, _)| text[at..].starts_with(sign))?;
            Some((&text[..at], *comparison, &text[at + sign.len()..]))
        });
        let (path, comparison, bound) = sign.ok_or_else(|| {
            "expected NAME, one of < <= > >= == !=, and a number, such as ttft_ms.p99<500"
                .to_owned()
        })?;
        Ok(Self {
            text: text.to_owned(),
            path: path.trim().parse()?,
            comparison,
            bound: parse_bound(bound.trim())?,
        })
    }
}

/// A number, a percentage, or `true` and `false` as 1 and 0.
fn parse_bound(text: &str) -> Result<f64, String> {
    let number = match text {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => match text.strip_suffix('%') {
            Some(percent) => percent.trim_end().parse::<f64>().ok().map(|n| n / 100.0),
            None => text.parse().ok(),
        },
    };
    let finite = number.filter(|number: &f64| number.is_finite());
    finite.ok_or_else(|| format!("{text:?} is not a number to compare with"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Kind, Value};
    use trace_core::quantile::Sample;

    fn report() -> Report {
        let mut report = Report::new(Kind::Outcomes);
        report.requests = 4;
        let mut ttft: Sample = [100.0, 200.0, 300.0].into_iter().collect();
        ttft.push_censored();
        report.metrics.push(("ttft_ms", ttft.spread()));
        let counts = [("http".to_owned(), 1)].into_iter().collect();
        report.scalars = vec![
            ("error_rate", Value::Measure(Some(0.25))),
            ("errors", Value::Counts(counts)),
            ("client_limited", Value::Verdict(Some(false))),
            ("cached_share", Value::Measure(None)),
        ];
        report
    }

    fn judge(text: &str) -> (bool, String) {
        let judged = text.parse::<Assertion>().unwrap().judge(&report());
        (judged.passed(), judged.in_words())
    }

    #[test]
    fn bounds_are_compared_as_the_sign_says() {
        for (text, passed) in [
            ("ttft_ms.mean<200", false),
            ("ttft_ms.mean<=200", true),
            ("ttft_ms.mean > 199.9", true),
            ("ttft_ms.mean>=200.1", false),
            ("ttft_ms.mean==200", true),
            ("ttft_ms.mean != 200", false),
            ("ttft_ms.censored=1", true),
            ("requests>=4", true),
            ("error_rate<=25%", true),
            ("errors.http<1", false),
            ("errors.timeout==0", true),
            ("client_limited==false", true),
        ] {
            assert_eq!(judge(text).0, passed, "{text}");
        }
    }

    #[test]
    fn a_quantile_that_touches_a_failure_is_infinite() {
        for (text, passed) in [
            ("ttft_ms.p99<1e300", false),
            ("ttft_ms.p99<=1e300", false),
            ("ttft_ms.p99==5", false),
            ("ttft_ms.p99>5", true),
            ("ttft_ms.p50<500", true),
        ] {
            assert_eq!(judge(text).0, passed, "{text}");
        }
        assert_eq!(
            judge("ttft_ms.p99<500").1,
            "ttft_ms.p99<500: it is infinite, failed requests reach it"
        );
    }

    #[test]
    fn what_is_undefined_fails_whatever_is_asserted() {
        for text in [
            "cached_share<1",
            "cached_share>0",
            "cached_share!=0",
            "tpot_ms.p50<5",
            "tpot_ms.p50>5",
            "goodput_rps>=0",
        ] {
            assert!(!judge(text).0, "{text}");
        }
    }

    #[test]
    fn a_failure_says_by_how_much() {
        assert_eq!(
            judge("ttft_ms.mean<150").1,
            "ttft_ms.mean<150: it is 200, 50 too much (33.3%)"
        );
        assert_eq!(
            judge("ttft_ms.mean>=400").1,
            "ttft_ms.mean>=400: it is 200, 200 too little (50%)"
        );
        assert_eq!(
            judge("errors.http<=0").1,
            "errors.http<=0: it is 1, 1 too much"
        );
        assert_eq!(
            judge("requests<4").1,
            "requests<4: it is 4, the bound itself"
        );
        assert_eq!(judge("requests<5").1, "requests<5: it is 4");
    }

    #[test]
    fn what_cannot_be_asserted_is_refused() {
        let error = |text: &str| text.parse::<Assertion>().unwrap_err();
        assert!(error("ttft_ms.p99").contains("one of < <="));
        assert!(error("ttft_ms.p99<fast").contains("\"fast\" is not a number"));
        assert!(error("ttft_ms.p99<nan").contains("not a number"));
        assert!(error("ttft_ms.p99<<5").contains("not a number"));
        let figure = error("ttft_ms.p98<5");
        assert!(figure.contains("did you mean p9"), "{figure}");
        let metric = error("tfft_ms.p99<5");
        assert!(metric.contains("did you mean ttft_ms"), "{metric}");
        let bare = error("ttft_ms<5");
        assert!(bare.contains("ttft_ms.p99"), "{bare}");
        let scalar = error("eror_rate<5");
        assert!(scalar.contains("did you mean error_rate"), "{scalar}");
        assert!(error("error_rate.p99<5").contains("is one number"));
        assert!(error("errors<5").contains("errors.http"));
        assert!(error("errors.htp<5").contains("did you mean http"));
        assert!(error("itl_per==1").contains("is a word"));
        assert!(error("slo.ttft.attainment>1").contains("did you mean ttft_ms"));
        assert!(error("slo.ttft_ms.attained>1").contains("did you mean attainment"));
    }
}
