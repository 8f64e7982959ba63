//! Which requests are kept, and when they arrive then.
//!
//! In this order: the time window, the requests skipped, the limit; then time
//! is set to zero, then sped up. A request without a timestamp belongs with
//! the one before it.

use crate::Args;
use trace_core::{Micros, Request};

/// Decides request by request.
#[derive(Debug)]
pub struct Window {
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

/// The times of a request that is kept; absent where they were.
#[derive(Debug, PartialEq)]
pub struct Place {
    /// When it arrives.
    pub timestamp: Option<Micros>,
    /// How long its user thinks.
    pub delay: Option<Micros>,
}

impl Window {
    /// The window that `args` describe.
    pub fn new(args: &Args) -> Self {
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

    /// Whether nothing more will be kept.
    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Where `request` goes, or `None` if it is dropped.
    pub fn place(&mut self, request: &Request) -> Option<Place> {
        if let Some(time) = request.timestamp {
            self.inside = (self.from..self.to).contains(&time);
        }
        if !self.inside || self.is_over() {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.left -= 1;
        if self.zero && self.origin.is_none() {
            self.origin = request.timestamp;
        }
        let origin = self.origin.unwrap_or(Micros::ZERO);
        let timestamp = request
            .timestamp
            .map(|time| self.sped_up(time.saturating_sub(origin)));
        Some(Place {
            timestamp,
            delay: request.delay.map(|delay| self.sped_up(delay)),
        })
    }

    fn sped_up(&self, time: Micros) -> Micros {
        if self.speed == 1.0 {
            return time;
        }
        Micros::from_millis(time.as_millis() / self.speed).unwrap_or(Micros::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn kept(flags: &str, times: &[u64]) -> Vec<f64> {
        let args = Args::parse_from(format!("trace-convert {flags}").split_whitespace());
        let mut window = Window::new(&args);
        let request = |&ms: &u64| Request {
            timestamp: Some(Micros::from_micros(ms * 1_000)),
            ..Request::default()
        };
        times
            .iter()
            .filter_map(|ms| window.place(&request(ms)))
            .filter_map(|place| place.timestamp)
            .map(Micros::as_millis)
            .collect()
    }

    #[test]
    fn a_window_holds_its_beginning_and_not_its_end() {
        assert_eq!(
            kept("--from-time 1 --to-time 3", &[0, 1_000, 2_000, 3_000]),
            [1_000.0, 2_000.0]
        );
    }

    #[test]
    fn skip_and_limit_count_what_the_window_keeps() {
        assert_eq!(
            kept(
                "--from-time 1 --skip 1 --limit 1",
                &[0, 1_000, 2_000, 3_000]
            ),
            [2_000.0]
        );
    }

    #[test]
    fn zero_comes_before_speed() {
        assert_eq!(
            kept("--from-time 1 --zero --speed 4", &[0, 1_000, 2_000, 3_000]),
            [0.0, 250.0, 500.0]
        );
    }

    #[test]
    fn a_request_without_a_time_goes_with_the_one_before() {
        let args = Args::parse_from(["trace-convert", "--from-time", "1"]);
        let mut window = Window::new(&args);
        assert_eq!(window.place(&Request::default()), None);
        let timed = Request {
            timestamp: Some(Micros::from_micros(2_000_000)),
            ..Request::default()
        };
        assert!(window.place(&timed).is_some());
        assert!(window.place(&Request::default()).is_some());
    }
}
