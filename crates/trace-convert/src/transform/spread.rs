//! Times on a grid, spread out again.
//!
//! The public Mooncake conversation trace has 12,031 requests at 1,180
//! different times, three seconds apart: replayed as they stand they are
//! bursts nobody sent. Arrivals that are known only by their number in an
//! interval are best taken as uniform in it.

use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Field, Micros, Random, Streams, seed};

/// Holds the requests of one time, until the next time is seen.
pub(crate) struct Spread {
    interval: Micros,
    random: Random,
    group: Vec<Record>,
    time: Option<Micros>,
    offsets: Vec<u64>,
}

impl Spread {
    /// Spread equal times over `interval`, or up to the next time if that is
    /// nearer.
    pub(crate) fn new(interval: Micros, seed: u64) -> Self {
        Self {
            interval,
            random: Streams::new(seed).stream("spread"),
            group: Vec::new(),
            time: None,
            offsets: Vec::new(),
        }
    }

    /// Take `record`; the group before it, when it begins a new one.
    pub(crate) fn push(&mut self, record: &mut Record, report: &mut Report) -> Vec<Record> {
        let time = record.request().timestamp;
        let begins = time.is_some() && time != self.time && !self.group.is_empty();
        let done = if begins {
            self.take(time, report)
        } else {
            Vec::new()
        };
        if time.is_some() {
            self.time = time;
        }
        self.group.push(std::mem::take(record));
        done
    }

    /// The group that is held, given what time comes next.
    pub(crate) fn take(&mut self, next: Option<Micros>, report: &mut Report) -> Vec<Record> {
        let mut group = std::mem::take(&mut self.group);
        let Some(time) = self.time else {
            return group;
        };
        let room = match next {
            Some(next) if next > time => self.interval.min(next.saturating_sub(time)),
            _ => self.interval,
        };
        self.offsets.clear();
        let timed = group.iter().filter(|r| r.request().timestamp.is_some());
        for _ in timed {
            self.offsets
                .push(seed::below(&mut self.random, room.as_micros().max(1)));
        }
        self.offsets.sort_unstable();
        let timed = group.iter_mut().filter(|r| r.request().timestamp.is_some());
        for (record, offset) in timed.zip(&self.offsets) {
            report.count(Kind::Changed, "times spread over the interval", 1);
            record.change(Field::Timestamp).timestamp = Some(time + Micros::from_micros(*offset));
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    #[test]
    fn equal_times_are_spread_in_order_within_the_interval() {
        let trace: String = (0..90)
            .map(|i| {
                format!(
                    "{{\"timestamp\":{},\"input_length\":{i}}}\n",
                    i / 30 * 3_000
                )
            })
            .collect();
        let out = convert("--ungroup-interval 3s", &trace);
        let mut last = -1.0;
        for (i, line) in out.lines().enumerate() {
            let (time, length) = line[13..].split_once(',').unwrap();
            let time: f64 = time.parse().unwrap();
            let start = (i / 30 * 3_000) as f64;
            assert!(
                time >= last && (start..start + 3_000.0).contains(&time),
                "{line}"
            );
            assert_eq!(length, format!("\"input_length\":{i}}}"));
            last = time;
        }
        assert_eq!(out.lines().count(), 90);
        assert_eq!(out, convert("--ungroup-interval 3s", &trace));
    }
}
