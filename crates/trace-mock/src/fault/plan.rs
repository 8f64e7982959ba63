//! Which requests fail, and how.

use trace_core::Streams;
use trace_core::seed::unit;

use super::Fault;

/// Which requests fail, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// The first requests in the order in which they are understood: so many each, well where
    /// there is no fault.
    pub plan: Vec<(Option<Fault>, u64)>,
    /// The share of the requests after those, 0 to 1, that each fault befalls.
    pub rates: Vec<(Fault, f64)>,
}

impl Faults {
    /// Whether the rates are shares of a whole.
    ///
    /// # Errors
    /// They add up to more than 1.
    pub fn check(&self) -> Result<(), String> {
        let sum: f64 = self.rates.iter().map(|(_, rate)| rate).sum();
        if sum > 1.0 + 1e-9 {
            return Err(format!("the rates of --fault add up to {sum}, more than 1"));
        }
        Ok(())
    }

    /// The fault of the request `number`, from 0.
    pub(crate) fn of(&self, number: u64, streams: Streams) -> Option<Fault> {
        let mut after = number;
        for (fault, count) in &self.plan {
            if after < *count {
                return *fault;
            }
            after -= count;
        }
        if self.rates.is_empty() {
            return None;
        }
        let mut draw = unit(&mut streams.stream_of("mock.fault", number));
        for (fault, rate) in &self.rates {
            if draw < *rate {
                return Some(*fault);
            }
            draw -= rate;
        }
        None
    }
}

/// Read `KIND` or `KIND@RATE`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_rate(text: &str) -> Result<(Fault, f64), String> {
    let Some((fault, rate)) = text.split_once('@') else {
        return Ok((text.parse()?, 1.0));
    };
    match rate.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok((fault.parse()?, rate)),
        _ => Err(format!("the rate {rate:?} is not a number from 0 to 1")),
    }
}

/// Read a plan: a fault or `none` on each line, and maybe `xN` behind it for so many requests.
/// What follows a `#` is a comment.
///
/// # Errors
/// `NAME:LINE:COLUMN: what is wrong`.
pub(crate) fn parse_plan(name: &str, text: &str) -> Result<Vec<(Option<Fault>, u64)>, String> {
    let mut plan = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let mut words = text
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let wrong = |word: &str, reason: &str| {
            let column = word.as_ptr() as usize - text.as_ptr() as usize + 1;
            format!("{name}:{}:{column}: {reason}", line + 1)
        };
        let Some(kind) = words.next() else {
            continue;
        };
        let fault = match kind {
            "none" => None,
            kind => Some(kind.parse().map_err(|err: String| wrong(kind, &err))?),
        };
        let count = match words.next() {
            None => 1,
            Some(word) => {
                let count = word.strip_prefix('x').and_then(|count| count.parse().ok());
                count.ok_or_else(|| wrong(word, "expected xN, for so many requests"))?
            }
        };
        if let Some(word) = words.next() {
            return Err(wrong(word, "expected the end of the line"));
        }
        plan.push((fault, count));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_kept_and_never_change() {
        let faults = Faults {
            rates: vec![
                parse_rate("500@0.2").unwrap(),
                parse_rate("stall@0.1").unwrap(),
            ],
            ..Faults::default()
        };
        let streams = Streams::new(0);
        let drawn: Vec<_> = (0..10_000)
            .map(|number| faults.of(number, streams))
            .collect();
        let count = |fault: Option<Fault>| drawn.iter().filter(|drawn| **drawn == fault).count();
        assert!((count(Some(Fault::Stall)) as i64 - 1_000).abs() < 100);
        assert!((count(None) as i64 - 7_000).abs() < 150);
        let first: Vec<_> = (0..10_000)
            .filter(|number| drawn[*number] == Some(Fault::Stall))
            .take(3)
            .collect();
        assert_eq!(first, [4, 12, 16]);
    }

    #[test]
    fn rates_beyond_the_whole_are_refused() {
        assert!(parse_rate("500@1.1").is_err() && parse_rate("500@").is_err());
        let faults = Faults {
            rates: vec![parse_rate("500").unwrap(), parse_rate("stall@0.1").unwrap()],
            ..Faults::default()
        };
        assert!(faults.check().unwrap_err().contains("1.1"));
    }

    #[test]
    fn a_plan_is_followed_and_then_the_rates() {
        let plan = parse_plan("p", "# begin\nnone x2\n429:5 # then\n\nstall x2\n").unwrap();
        let faults = Faults {
            plan,
            rates: vec![(Fault::Html, 1.0)],
        };
        let names: Vec<_> = (0..6)
            .map(|number| {
                faults
                    .of(number, Streams::new(0))
                    .map_or("none".into(), |fault| fault.to_string())
            })
            .collect();
        assert_eq!(names, ["none", "none", "429:5", "stall", "stall", "html"]);
    }

    #[test]
    fn an_error_in_a_plan_says_where() {
        let error = |text| parse_plan("plan", text).unwrap_err();
        assert!(error("none\n  oops\n").starts_with("plan:2:3: unknown fault"));
        assert!(error("stall 3").starts_with("plan:1:7: expected xN"));
        assert!(error("stall x3 x4").starts_with("plan:1:10: expected the end"));
    }
}
