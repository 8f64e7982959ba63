//! Which requests are kept by time and number, and when they arrive then.
//!
//! In this order: the time window, the requests skipped, the limit; then time
//! is set to zero, then sped up. A request without a timestamp belongs with
//! the one before it.

use super::{Fate, Transform};
use crate::args::Args;
use crate::record::Record;
use crate::report::Report;
use trace_core::{Field, Micros};

/// Decides request by request.
#[derive(Debug)]
pub(crate) struct Window {
    from: Micros,
    to: Micros,
    skip: u64,
    left: u64,
    zero: bool,
    speed: f64,
    /// Whether the request before was inside the time window.
    inside: bool,
    /// The time that becomes zero.
    origin: Option<Micros>,
}

impl Window {
    /// The window that `args` describe.
    pub(crate) fn new(args: &Args) -> Self {
        let from = args.from_time.unwrap_or(Micros::ZERO);
        Self {
            from,
            to: args.to_time.unwrap_or(Micros::MAX),
            skip: args.skip,
            left: args.limit.unwrap_or(u64::MAX),
            zero: args.zero,
            speed: args.speed,
            inside: from == Micros::ZERO,
            origin: None,
        }
    }

    /// Whether it lets everything through as it is.
    pub(crate) fn is_idle(&self) -> bool {
        let all = self.from == Micros::ZERO && self.to == Micros::MAX;
        all && self.skip == 0 && self.left == u64::MAX && !self.zero && self.speed == 1.0
    }

    fn sped_up(&self, time: Micros) -> Micros {
        if self.speed == 1.0 {
            return time;
        }
        Micros::from_millis(time.as_millis() / self.speed).unwrap_or(Micros::MAX)
    }
}

impl Transform for Window {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let (timestamp, delay) = (record.request().timestamp, record.request().delay);
        if let Some(time) = timestamp {
            self.inside = (self.from..self.to).contains(&time);
        }
        if !self.inside {
            report.drop_request("outside the time window");
            return Ok(Fate::Dropped);
        }
        if self.skip > 0 {
            self.skip -= 1;
            report.drop_request("by --skip");
            return Ok(Fate::Dropped);
        }
        self.left -= 1;
        if self.zero && self.origin.is_none() {
            self.origin = timestamp;
        }
        let origin = self.origin.unwrap_or(Micros::ZERO);
        if let Some(time) = timestamp {
            let placed = self.sped_up(time.saturating_sub(origin));
            if placed != time {
                record.change(Field::Timestamp).timestamp = Some(placed);
            }
        }
        if let Some(delay) = delay
            && self.speed != 1.0
        {
            record.change(Field::Delay).delay = Some(self.sped_up(delay));
        }
        Ok(if self.left == 0 {
            Fate::Last
        } else {
            Fate::Kept
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use trace_core::Request;

    fn kept(flags: &str, times: &[Option<u64>]) -> Vec<Option<f64>> {
        let args = Args::parse_from(format!("trace-convert {flags}").split_whitespace());
        let mut window = Window::new(&args);
        let mut kept = Vec::new();
        for ms in times {
            let mut record = Record::default();
            record.line.request = Request {
                timestamp: ms.map(|ms| Micros::from_micros(ms * 1_000)),
                ..Request::default()
            };
            let fate = window.apply(&mut record, &mut Report::default()).unwrap();
            if fate != Fate::Dropped {
                kept.push(record.request().timestamp.map(Micros::as_millis));
            }
            if fate == Fate::Last {
                break;
            }
        }
        kept
    }

    const FOUR: [Option<u64>; 4] = [Some(0), Some(1_000), Some(2_000), Some(3_000)];

    #[test]
    fn a_window_holds_its_beginning_and_not_its_end() {
        assert_eq!(
            kept("--from-time 1 --to-time 3", &FOUR),
            [Some(1_000.0), Some(2_000.0)]
        );
    }

    #[test]
    fn skip_and_limit_count_what_the_window_keeps() {
        assert_eq!(
            kept("--from-time 1 --skip 1 --limit 1", &FOUR),
            [Some(2_000.0)]
        );
    }

    #[test]
    fn zero_comes_before_speed() {
        assert_eq!(
            kept("--from-time 1 --zero --speed 4", &FOUR),
            [Some(0.0), Some(250.0), Some(500.0)]
        );
    }

    #[test]
    fn a_request_without_a_time_goes_with_the_one_before() {
        let times = [None, Some(2_000), None];
        assert_eq!(kept("--from-time 1", &times), [Some(2_000.0), None]);
    }
}
