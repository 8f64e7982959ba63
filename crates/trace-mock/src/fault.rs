//! What a server may do wrong, on demand.

use std::fmt;
use std::str::FromStr;

use trace_core::seed::unit;
use trace_core::{Micros, Streams, parse_duration};

/// One way to fail. Each is the same every time, so that a client can be tested against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer with this HTTP status, 400 to 599, and an error body.
    Status {
        /// The status.
        code: u16,
        /// Seconds that a `retry-after` header asks for; a 429 has one in any case.
        retry_after: Option<u32>,
    },
    /// Answer 200 with a page of HTML, as a proxy in front of a dead server does.
    Html,
    /// Reset the connection instead of answering.
    Reset,
    /// Accept the request and never answer.
    Stall,
    /// Send half of the tokens, then nothing more, and leave the connection open.
    StallMid,
    /// Send half of the tokens, then reset the connection.
    Cut,
    /// Send half of the tokens, then end the body as if it were whole.
    Truncate,
    /// Answer 200 with an empty text.
    Empty,
    /// Send half of the tokens, then bytes that are neither JSON nor UTF-8, then the rest.
    Garbage,
    /// Leave the usage out, even if asked for.
    NoUsage,
    /// Send a few bytes per write, so that lines and characters arrive in pieces.
    Bytes,
    /// Send no more than this many bytes per second.
    Slow(u32),
    /// Put this many tokens into each chunk.
    Chunks(u32),
    /// Begin this much later.
    Delay(Micros),
}

impl Fault {
    /// The kinds by name, as `--help` and errors list them.
    pub const NAMES: &'static str = "400 to 599 or STATUS:RETRY-AFTER, html, reset, stall, \
        stall-mid, cut, truncate, empty, garbage, no-usage, bytes, slow:BYTES-PER-SECOND, \
        chunks:TOKENS or delay:DURATION";

    /// Whether the answer is other than usual halfway through its tokens.
    pub(crate) fn is_midway(self) -> bool {
        use Fault::{Cut, Garbage, StallMid, Truncate};
        matches!(self, StallMid | Cut | Truncate | Garbage)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong = || format!("unknown fault {text:?}; one of {}", Fault::NAMES);
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let number = || {
            let number = value.and_then(|value| value.parse().ok());
            number.filter(|number| *number > 0).ok_or_else(wrong)
        };
        match name {
            "slow" => return Ok(Fault::Slow(number()?)),
            "chunks" => return Ok(Fault::Chunks(number()?)),
            "delay" => return parse_duration(value.ok_or_else(wrong)?).map(Fault::Delay),
            _ => {}
        }
        if let Ok(code @ 400..=599) = name.parse() {
            let retry_after = match value {
                Some(value) => Some(value.parse().map_err(|_| wrong())?),
                None => (code == 429).then_some(1),
            };
            return Ok(Fault::Status { code, retry_after });
        }
        if value.is_some() {
            return Err(wrong());
        }
        Ok(match name {
            "html" => Fault::Html,
            "reset" => Fault::Reset,
            "stall" => Fault::Stall,
            "stall-mid" => Fault::StallMid,
            "cut" => Fault::Cut,
            "truncate" => Fault::Truncate,
            "empty" => Fault::Empty,
            "garbage" => Fault::Garbage,
            "no-usage" => Fault::NoUsage,
            "bytes" => Fault::Bytes,
            _ => return Err(wrong()),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Status {
                code: 429,
                retry_after: None | Some(1),
            } => "429",
            Fault::Status { code, retry_after } => {
                return match retry_after {
                    Some(seconds) => write!(f, "{code}:{seconds}"),
                    None => code.fmt(f),
                };
            }
            Fault::Slow(rate) => return write!(f, "slow:{rate}"),
            Fault::Chunks(tokens) => return write!(f, "chunks:{tokens}"),
            Fault::Delay(time) => return write!(f, "delay:{time}ms"),
            Fault::Html => "html",
            Fault::Reset => "reset",
            Fault::Stall => "stall",
            Fault::StallMid => "stall-mid",
            Fault::Cut => "cut",
            Fault::Truncate => "truncate",
            Fault::Empty => "empty",
            Fault::Garbage => "garbage",
            Fault::NoUsage => "no-usage",
            Fault::Bytes => "bytes",
        })
    }
}

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
    fn every_fault_is_read_by_the_name_it_prints() {
        let names = "400 429 429:7 503:30 599 html reset stall stall-mid cut truncate empty garbage \
            no-usage bytes slow:1000 chunks:4 delay:250ms";
        for name in names.split_whitespace() {
            assert_eq!(name.parse::<Fault>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_429_says_when_to_come_again() {
        let fault = Fault::Status {
            code: 429,
            retry_after: Some(1),
        };
        assert_eq!("429".parse(), Ok(fault));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for name in [
            "200", "399", "600", "-1", "", "Html", "html:1", "slow", "slow:0", "chunks:x", "429:x",
        ] {
            let err = name.parse::<Fault>().unwrap_err();
            assert!(err.contains("one of 400 to 599"), "{err}");
        }
        assert!("delay:soon".parse::<Fault>().is_err());
    }

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
