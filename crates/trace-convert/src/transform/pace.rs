//! When requests arrive: from zero, faster or slower, later or earlier, on a
//! grid.

use super::{Fate, Transform};
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Field, Micros};

/// A span that may go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// How far.
    pub by: Micros,
    /// Whether it goes to earlier times.
    pub back: bool,
}

/// `10s` or `-10s`.
pub(crate) fn parse_shift(text: &str) -> Result<Shift, String> {
    let (back, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let by = trace_core::parse_duration(rest)?;
    Ok(Shift { by, back })
}

/// Sets the first time to zero, divides by the speed, shifts, and cuts down to
/// a grid, in this order.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) zero: bool,
    pub(crate) speed: f64,
    pub(crate) shift: Option<Shift>,
    pub(crate) grid: Option<Micros>,
    /// The time that becomes zero.
    pub(crate) origin: Option<Micros>,
    /// Whether a time before that is an error.
    pub(crate) strict: bool,
}

impl Pace {
    /// Whether it changes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        !self.zero && self.speed == 1.0 && self.shift.is_none() && self.grid.is_none()
    }

    /// When a request arrives that arrived at `time`.
    pub(crate) fn place(&mut self, time: Micros, report: &mut Report) -> Micros {
        let mut placed = time;
        if self.zero {
            let origin = *self.origin.get_or_insert(time);
            if time < origin {
                report.count(
                    Kind::Changed,
                    "times before the one set to zero, now zero",
                    1,
                );
            }
            placed = placed.saturating_sub(origin);
        }
        placed = self.sped_up(placed);
        match self.shift {
            Some(Shift { by, back: true }) => {
                if placed < by {
                    report.count(Kind::Changed, "times shifted below zero, now zero", 1);
                }
                placed = placed.saturating_sub(by);
            }
            Some(Shift { by, back: false }) => placed += by,
            None => {}
        }
        if let Some(grid) = self.grid {
            let on_grid = placed.as_micros() / grid.as_micros() * grid.as_micros();
            let on_grid = Micros::from_micros(on_grid);
            if on_grid != placed {
                report.count(Kind::Changed, "times cut down to the grid", 1);
            }
            placed = on_grid;
        }
        placed
    }

    fn sped_up(&self, time: Micros) -> Micros {
        if self.speed == 1.0 {
            return time;
        }
        Micros::from_millis(time.as_millis() / self.speed).unwrap_or(Micros::MAX)
    }
}

/// Dynamo sets the smallest time to zero, which nobody knows before the end.
const NOT_THE_FIRST: &str = "a time before that of the first request kept, which --compat dynamo cannot set to zero without holding the trace; sort it first, with --repair=order in a run of its own";

impl Transform for Pace {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let (timestamp, delay) = (record.request().timestamp, record.request().delay);
        if let Some(time) = timestamp {
            if self.strict && Some(time) < self.origin {
                return Err(record.error(NOT_THE_FIRST).into());
            }
            let placed = self.place(time, report);
            if placed != time {
                record.change(Field::Timestamp).timestamp = Some(placed);
            }
        }
        if let Some(delay) = delay {
            let shorter = self.sped_up(delay);
            if shorter != delay {
                record.change(Field::Delay).delay = Some(shorter);
            }
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{convert, convert_with};

    #[test]
    fn shifts_go_both_ways() {
        assert_eq!(
            parse_shift("-2m"),
            Ok(Shift {
                by: Micros::from_micros(120_000_000),
                back: true
            })
        );
        assert!(parse_shift("x").is_err());
        let trace =
            "{\"timestamp\":500,\"input_length\":1}\n{\"timestamp\":2500,\"input_length\":1}\n";
        let (out, _, report) = convert_with("--shift=-1s", trace);
        assert_eq!(
            out,
            "{\"timestamp\":0,\"input_length\":1}\n{\"timestamp\":1500,\"input_length\":1}\n"
        );
        assert_eq!(report.of(Kind::Changed, "times shifted below zero"), 1);
    }

    #[test]
    fn a_grid_makes_equal_times() {
        let trace =
            "{\"timestamp\":1999,\"input_length\":1}\n{\"timestamp\":2000,\"input_length\":1}\n";
        assert_eq!(
            convert("--group-interval 1s", trace),
            "{\"timestamp\":1000,\"input_length\":1}\n{\"timestamp\":2000,\"input_length\":1}\n"
        );
    }
}
