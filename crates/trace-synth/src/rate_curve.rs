//! `CURVE`: how a rate over time is written on the command line.

use std::str::FromStr;

use trace_core::{Micros, Streams};

use crate::intensity::Intensity;
use crate::pieces::{Modulated, OnOff, Piece, Pieces, Points};
use crate::term::Term;

/// The grammar, for `--help`.
pub const GRAMMAR: &str = "\
Rates over time (CURVE), in requests per second; T are times such as 90s or 2h:
  20                         always
  ramp:A..B,T                from A to B in T, then B; ,from=T begins later
  step:A,B@T,C@T             A at first, B from a time on, C from a later one on
  spike:PEAK@T,WIDTH         0, but from T on up to PEAK in half of WIDTH, and down
  onoff:RATE,T,T             RATE for the first T, 0 for the second, and so on
  sine:LOW..HIGH,PERIOD      lowest at the beginning, or at ,lowest=T
  diurnal:LOW..HIGH          a day: highest at ,peak=T (14h); ,day=T (24h)
  mmpp:A@T,B@T,…             jumps at random: A for T on average, B for T, …
Any of them may be added up with +, such as 5+sine:0..20,1h+spike:200@10m,30s.
Arrivals are drawn at one per unit and timed by the sum of the rate, so that
each moment has the rate of the curve and gaps vary as --arrival says.";

/// The last second at which an arrival can be written.
const LAST_SECOND: f64 = 9_007_199_254.0;

/// A rate over time as it was typed: a sum.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    terms: Vec<Term>,
}

impl RateCurve {
    /// The same rate always.
    pub fn always(rate: f64) -> Self {
        Self {
            terms: vec![Term::Always(rate)],
        }
    }

    /// The rate, if it is the same always.
    pub fn constant(&self) -> Option<f64> {
        match self.terms[..] {
            [Term::Always(rate)] => Some(rate),
            _ => None,
        }
    }

    /// The rate over time up to `end`; what is random in it comes from the
    /// streams `states`.
    pub fn open(&self, streams: Streams, end: Option<Micros>) -> Intensity {
        self.open_shared(streams, end, None)
    }

    /// As [`open`](Self::open), times `share`, which goes in steps.
    pub fn open_shared(
        &self,
        streams: Streams,
        end: Option<Micros>,
        share: Option<Box<dyn Pieces>>,
    ) -> Intensity {
        let (mut parts, mut waves) = (Vec::new(), Vec::new());
        for (index, term) in self.terms.iter().enumerate() {
            let part: Box<dyn Pieces> = match term {
                Term::Always(rate) => Box::new(Always(*rate)),
                Term::Lines(points) => Box::new(Points::linear(points.clone())),
                Term::Steps(points) => Box::new(Points::steps(points.clone())),
                Term::OnOff { rate, on, off } => Box::new(OnOff::new(*rate, *on, *off)),
                Term::Modulated(states) => Box::new(Modulated::new(
                    states.clone(),
                    streams.stream_of("states", index as u64),
                )),
                Term::Wave(wave) => {
                    waves.push(*wave);
                    continue;
                }
            };
            parts.push(part);
        }
        let end = end.map_or(LAST_SECOND, |end| end.as_secs().min(LAST_SECOND));
        Intensity::shared(parts, waves, share, end)
    }
}

struct Always(f64);

impl Pieces for Always {
    fn next(&mut self, _: f64) -> Piece {
        Piece::forever(self.0)
    }
}

impl FromStr for RateCurve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let terms = summands(text)
            .map(Term::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if terms.iter().all(Term::is_nothing) {
            return Err("a rate of 0 never makes a request".to_owned());
        }
        Ok(Self { terms })
    }
}

/// `text` cut at each `+` that is not the sign of an exponent.
fn summands(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let cut = whole.match_indices('+').map(|(at, _)| at).find(|&at| {
            let before = whole[..at].trim_end_matches(['e', 'E']);
            before.len() == at || !before.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        });
        let (term, next) = match cut {
            Some(at) => (&whole[..at], Some(&whole[at + 1..])),
            None => (whole, None),
        };
        rest = next;
        Some(term.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the curve has added up to each whole number, to the millisecond.
    fn times(text: &str, end: f64) -> Vec<f64> {
        let curve: RateCurve = text.parse().unwrap_or_else(|err| panic!("{text}: {err}"));
        let mut intensity = curve.open(Streams::new(0), Micros::from_secs(end));
        let each = (0..).map_while(|units| intensity.time_of(f64::from(units)));
        each.map(|time| (time * 1e3).round() / 1e3).collect()
    }

    fn refusal(text: &str) -> String {
        match text.parse::<RateCurve>() {
            Ok(curve) => panic!("{text} became {curve:?}"),
            Err(err) => err,
        }
    }

    #[test]
    fn every_curve_is_what_it_says() {
        assert_eq!(times("2", 1.5), [0.0, 0.5, 1.0]);
        assert_eq!(times("ramp:0..2,1", 2.0), [0.0, 1.0, 1.5]);
        assert_eq!(
            times("ramp:1..3,2,from=1", 3.0),
            [0.0, 1.0, 1.732, 2.236, 2.646]
        );
        assert_eq!(
            times("step:1,0@2,4@1m", 60.6),
            [0.0, 1.0, 60.0, 60.25, 60.5]
        );
        assert_eq!(times("spike:4@10,2", 99.0), [10.0, 10.707, 11.0, 11.293]);
        assert_eq!(times("onoff:2,1s,9s", 11.0), [0.0, 0.5, 10.0, 10.5]);
        assert_eq!(times("sine:0..2,4", 9.0).len(), 9);
        assert_eq!(times("sine:0..2,4", 9.0)[4], 4.0);
        assert_eq!(times("sine:0..2,4,lowest=1", 9.0)[4], 4.0);
        let noon = times("diurnal:0..2,day=24,peak=12", 24.0);
        assert_eq!(noon, times("sine:0..2,24", 24.0));
        assert_eq!(times("diurnal:0..2", 86_400.0).len(), 86_400);
    }

    #[test]
    fn curves_add_up_and_exponents_are_no_sums() {
        assert_eq!(times("1+1", 1.5), times("2", 1.5));
        assert_eq!(
            times("2e+0 + step:0,1e+0@1", 2.0),
            [0.0, 0.5, 1.0, 1.333, 1.667]
        );
        assert_eq!("7".parse::<RateCurve>().unwrap().constant(), Some(7.0));
        assert_eq!("7+1".parse::<RateCurve>().unwrap().constant(), None);
    }

    #[test]
    fn a_modulated_rate_is_in_one_of_its_states() {
        let curve: RateCurve = "mmpp:1@5,9@2,100@1".parse().unwrap();
        let mut intensity = curve.open(Streams::new(1), None);
        let mut seen: Vec<u64> = (0..20_000)
            .map(|units| {
                intensity.time_of(f64::from(units)).unwrap();
                intensity.rate() as u64
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [1, 9, 100]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, reason) in [
            ("0", "a rate of 0 never makes a request"),
            ("mmpp:0@5,0@1", "a rate of 0 never makes a request"),
            ("ramp:5,3", "expected ramp:A..B,T, not \"ramp:5,3\""),
            ("ramp:5..9", "expected ramp:A..B,T, not \"ramp:5..9\""),
            ("ramp:5..9,3,to=4", "to= is not known here"),
            ("ramp:5..9,3,from=4,from=5", "from= is there twice"),
            ("step:5,9", "expected RATE@TIME, not \"9\""),
            (
                "step:5,9@3,2@1",
                "2@1: steps come one after the other in time",
            ),
            ("spike:5", "expected spike:PEAK@T,WIDTH, not \"spike:5\""),
            ("onoff:5,1s,0", "must be longer than 0"),
            (
                "sine:9..5,1m",
                "9 is more than 5; the lower rate comes first",
            ),
            ("diurnal:1..2,day=0", "a day is longer than 0"),
            (
                "mmpp:5@1s",
                "expected mmpp:A@T,B@T with two states or more, not \"mmpp:5@1s\"",
            ),
            ("mmpp:5@0,2@1", "5@0: a state lasts longer than 0"),
            (
                "5+",
                "\"\" is not a rate from 0 to 1000000000 requests per second",
            ),
        ] {
            assert_eq!(refusal(text), reason, "{text}");
        }
        assert!(
            refusal("cosine:1..2,3").starts_with("unknown curve \"cosine\"; there are a number")
        );
        assert!(refusal("-5").contains("is not a rate from 0"));
        assert!(refusal("step:NaN").contains("is not a rate from 0"));
    }
}
