//! Rates that are straight lines for a while: ramps, steps, bursts.
//!
//! A rate over time is told piece by piece, from the beginning on, so that it
//! may go on for ever and may be drawn at random on the way.

use trace_core::{Random, seed};

use crate::draw;

/// A rate that is a straight line until some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Seconds at which the next piece begins; infinite for the last.
    pub until: f64,
    /// Requests per second where the piece begins.
    pub level: f64,
    /// What the rate gains each second; 0 where `until` is infinite.
    pub slope: f64,
}

impl Piece {
    /// The same rate for ever.
    pub const fn forever(level: f64) -> Self {
        Self {
            until: f64::INFINITY,
            level,
            slope: 0.0,
        }
    }
}

/// A rate over time, piece by piece.
pub trait Pieces: Send {
    /// The piece that begins at `from` seconds: 0 first, then where the one
    /// before ended. Never called after an infinite piece.
    fn next(&mut self, from: f64) -> Piece;
}

/// A rate given at some moments.
///
/// Before the first and after the last it stays as that one says; without
/// any it is 0.
#[derive(Clone, Debug)]
pub struct Points {
    /// Seconds and rate, in order of time.
    points: Vec<(f64, f64)>,
    linear: bool,
    /// How many points lie at or before the current piece's beginning.
    passed: usize,
}

impl Points {
    /// On the straight line from each of `points` (seconds, rate) to the next.
    pub fn linear(points: Vec<(f64, f64)>) -> Self {
        Self {
            points,
            linear: true,
            passed: 0,
        }
    }

    /// As the last of `points` (seconds, rate) says.
    pub fn steps(points: Vec<(f64, f64)>) -> Self {
        Self {
            linear: false,
            ..Self::linear(points)
        }
    }
}

impl Pieces for Points {
    fn next(&mut self, from: f64) -> Piece {
        let ahead = &self.points[self.passed..];
        self.passed += ahead.iter().take_while(|point| point.0 <= from).count();
        let before = self.passed.checked_sub(1).map(|i| self.points[i]);
        match (before, self.points.get(self.passed)) {
            (None, None) => Piece::forever(0.0),
            (Some(last), None) => Piece::forever(last.1),
            (None, Some(&(until, level))) => Piece {
                until,
                level,
                slope: 0.0,
            },
            (Some((start, level)), Some(&(until, next))) => {
                let slope = if self.linear {
                    (next - level) / (until - start)
                } else {
                    0.0
                };
                Piece {
                    until,
                    level: level + slope * (from - start),
                    slope,
                }
            }
        }
    }
}

/// A rate for some time, none for some time, and so on.
#[derive(Clone, Copy, Debug)]
pub struct OnOff {
    rate: f64,
    on: f64,
    off: f64,
    turns: u64,
}

impl OnOff {
    /// `rate` for `on` seconds, then 0 for `off` seconds, again and again.
    pub fn new(rate: f64, on: f64, off: f64) -> Self {
        Self {
            rate,
            on,
            off,
            turns: 0,
        }
    }
}

impl Pieces for OnOff {
    fn next(&mut self, _: f64) -> Piece {
        // From the count of turns, so that errors don't add up.
        let cycle = (self.turns / 2) as f64 * (self.on + self.off);
        let is_on = self.turns.is_multiple_of(2);
        self.turns += 1;
        Piece {
            until: cycle + self.on + if is_on { 0.0 } else { self.off },
            level: if is_on { self.rate } else { 0.0 },
            slope: 0.0,
        }
    }
}

/// A rate that jumps between states: the rate of a Markov-modulated process.
///
/// A state lasts an exponentially distributed time and is followed by any
/// other with equal probability. The trace begins at a moment that has
/// nothing to do with the jumps, hence in each state with the share of time
/// that it takes in the long run, which is in proportion to its mean time.
#[derive(Debug)]
pub struct Modulated {
    /// Rate, and mean seconds in it.
    states: Vec<(f64, f64)>,
    current: Option<usize>,
    rng: Random,
}

impl Modulated {
    /// Jumps between `states` (rate, mean seconds in it), at least two.
    pub fn new(states: Vec<(f64, f64)>, rng: Random) -> Self {
        Self {
            states,
            current: None,
            rng,
        }
    }

    fn first(&mut self) -> usize {
        let total: f64 = self.states.iter().map(|state| state.1).sum();
        let mut rest = seed::unit(&mut self.rng) * total;
        let met = self.states.iter().position(|state| {
            rest -= state.1;
            rest < 0.0
        });
        met.unwrap_or(self.states.len() - 1)
    }

    fn other(&mut self, than: usize) -> usize {
        let drawn = seed::below(&mut self.rng, self.states.len() as u64 - 1) as usize;
        drawn + usize::from(drawn >= than)
    }
}

impl Pieces for Modulated {
    fn next(&mut self, from: f64) -> Piece {
        let state = match self.current {
            None => self.first(),
            Some(state) => self.other(state),
        };
        self.current = Some(state);
        let (level, mean) = self.states[state];
        Piece {
            until: from + mean * draw::exponential(&mut self.rng),
            level,
            slope: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(mut rate: impl Pieces, count: usize) -> Vec<(f64, f64, f64)> {
        let mut from = 0.0;
        let each = std::iter::from_fn(|| {
            let piece = (from < f64::INFINITY).then(|| rate.next(from))?;
            from = piece.until;
            Some((piece.until, piece.level, piece.slope))
        });
        each.take(count).collect()
    }

    #[test]
    fn points_are_joined_by_lines_or_steps() {
        let points = vec![(1.0, 4.0), (3.0, 8.0), (3.0, 2.0)];
        let end = (f64::INFINITY, 2.0, 0.0);
        let lines = pieces(Points::linear(points.clone()), 9);
        assert_eq!(lines, [(1.0, 4.0, 0.0), (3.0, 4.0, 2.0), end]);
        let steps = pieces(Points::steps(points), 9);
        assert_eq!(steps, [(1.0, 4.0, 0.0), (3.0, 4.0, 0.0), end]);
        let none = pieces(Points::linear(Vec::new()), 9);
        assert_eq!(none, [(f64::INFINITY, 0.0, 0.0)]);
    }

    #[test]
    fn on_and_off_take_turns() {
        let turns = pieces(OnOff::new(9.0, 2.0, 3.0), 4);
        let ends: Vec<_> = turns.iter().map(|turn| (turn.0, turn.1)).collect();
        assert_eq!(ends, [(2.0, 9.0), (5.0, 0.0), (7.0, 9.0), (10.0, 0.0)]);
    }

    #[test]
    fn a_state_is_never_followed_by_itself() {
        let states = vec![(1.0, 5.0), (2.0, 1.0), (3.0, 1.0)];
        let rng = trace_core::Streams::new(3).stream("test");
        let visits = pieces(Modulated::new(states, rng), 3_000);
        assert!(visits.windows(2).all(|pair| pair[0].1 != pair[1].1));
        assert!(visits.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
