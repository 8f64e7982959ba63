//! Which requests are kept by time and by number.

use super::{Fate, Transform};
use crate::record::Record;
use crate::report::Report;
use trace_core::Micros;

/// Keeps what arrives in `from..to`. A request without a timestamp belongs
/// with the one before it.
#[derive(Debug)]
pub(crate) struct TimeWindow {
    from: Micros,
    to: Micros,
    /// Whether the request before was inside.
    inside: bool,
}

impl TimeWindow {
    /// The window that holds `from` and does not hold `to`.
    pub(crate) fn new(from: Option<Micros>, to: Option<Micros>) -> Self {
        let from = from.unwrap_or(Micros::ZERO);
        Self {
            from,
            to: to.unwrap_or(Micros::MAX),
            inside: from == Micros::ZERO,
        }
    }

    /// Whether a request that arrives then is kept.
    pub(crate) fn keeps(&mut self, timestamp: Option<Micros>) -> bool {
        if let Some(time) = timestamp {
            self.inside = (self.from..self.to).contains(&time);
        }
        self.inside
    }
}

/// Why a request is not there.
pub(crate) const OUTSIDE: &str = "outside the time window";
/// Why a request is not there.
pub(crate) const SKIPPED: &str = "by --skip";

impl Transform for TimeWindow {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        if self.keeps(record.request().timestamp) {
            return Ok(Fate::Kept);
        }
        report.drop_request(OUTSIDE);
        Ok(Fate::Dropped)
    }
}

/// Drops the first requests, and stops after some more.
#[derive(Debug)]
pub(crate) struct Span {
    skip: u64,
    left: u64,
}

impl Span {
    /// Without the first `skip`, at most `limit`.
    pub(crate) fn new(skip: u64, limit: Option<u64>) -> Self {
        Self {
            skip,
            left: limit.unwrap_or(u64::MAX),
        }
    }

    /// What becomes of the next request.
    pub(crate) fn next(&mut self) -> Fate {
        if self.skip > 0 {
            self.skip -= 1;
            return Fate::Dropped;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            Fate::Last
        } else {
            Fate::Kept
        }
    }
}

impl Transform for Span {
    fn apply(&mut self, _: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let fate = self.next();
        if fate == Fate::Dropped {
            report.drop_request(SKIPPED);
        }
        Ok(fate)
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    fn kept(flags: &str, times: &[&str]) -> Vec<String> {
        let line = |time: &&str| match *time {
            "" => "{\"input_length\":1}\n".to_owned(),
            time => format!("{{\"input_length\":1,\"timestamp\":{time}}}\n"),
        };
        let text: String = times.iter().map(line).collect();
        let out = convert(flags, &text);
        let time = |line: &str| {
            line.split("timestamp\":")
                .nth(1)
                .unwrap_or("")
                .replace('}', "")
        };
        out.lines().map(time).collect()
    }

    const FOUR: [&str; 4] = ["0", "1000", "2000", "3000"];

    #[test]
    fn a_window_holds_its_beginning_and_not_its_end() {
        assert_eq!(kept("--from-time 1 --to-time 3", &FOUR), ["1000", "2000"]);
    }

    #[test]
    fn skip_and_limit_count_what_the_window_keeps() {
        assert_eq!(kept("--from-time 1 --skip 1 --limit 1", &FOUR), ["2000"]);
    }

    #[test]
    fn zero_comes_before_speed_and_shift() {
        assert_eq!(
            kept("--from-time 1 --zero --speed 4 --shift 1s", &FOUR),
            ["1000", "1250", "1500"]
        );
    }

    #[test]
    fn a_request_without_a_time_goes_with_the_one_before() {
        assert_eq!(kept("--from-time 1", &["", "2000", ""]), ["2000", ""]);
    }
}
