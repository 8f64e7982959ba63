//! Each request as a bar over time (a Gantt chart): when it was due, sent,
//! gave its first token and ended.
//!
//! A picture has room for some hundred rows. Of more requests every second,
//! fourth, eighth … of the input is drawn, so that the rows are spread over
//! the whole run.

use anyhow::Result;

use super::{Kind, Nothing, Plot, only};
use crate::{
    axis::{Axis, Quantity},
    figure::{Bar, Entry, Figure, Layer, Mark, Shape, Sheet},
    group::Groups,
    number,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "timeline",
    about: "each request as a bar over time (Gantt): waiting to be sent, for its first token, its tokens; at most 240 of them",
    usual: true,
    new: |_| Box::new(Timeline::default()),
};

/// Rows that are kept; from half of it to all of it are drawn.
const MOST: usize = 240;

const WAITS: Ink = Ink::Other;
const FIRST: Ink = Ink::Series(1);
const TOKENS: Ink = Ink::Series(0);
const FAILED: Ink = Ink::Series(4);

#[derive(Default)]
struct Timeline {
    rows: Vec<Row>,
    /// Of so many requests one is kept, as a power of two.
    stride: u32,
    met: u64,
    /// Requests whose send or end is not known.
    endless: u64,
}

/// One request, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Row {
    scheduled: u64,
    sent: u64,
    /// When its first token came, if it was streamed.
    first: Option<u64>,
    ended: u64,
    failed: bool,
}

impl Row {
    fn of(sample: &Sample<'_>) -> Option<Self> {
        let outcome = sample.outcome?;
        let sent = outcome.sent_ms?;
        let ended = sample.ended()?;
        let first = outcome.ttft_ms.map(|ttft| (sent + ttft).min(ended));
        Some(Self {
            scheduled: outcome.scheduled_ms.unwrap_or(sent).min(sent).as_micros(),
            sent: sent.as_micros(),
            first: first.map(trace_core::Micros::as_micros),
            ended: ended.as_micros(),
            failed: sample.failed(),
        })
    }

    /// From and to, in which colour.
    fn phases(&self) -> Vec<(u64, u64, Ink)> {
        let first = self.first.unwrap_or(self.ended);
        let phases = [
            (self.scheduled, self.sent, WAITS),
            (self.sent, first, FIRST),
            (first, self.ended, TOKENS),
        ];
        let whole = [
            (self.scheduled, self.sent, WAITS),
            (self.sent, self.ended, FAILED),
        ];
        let phases = if self.failed { &whole[..] } else { &phases[..] };
        let mut seen: Vec<(u64, u64, Ink)> = phases
            .iter()
            .filter(|(from, to, _)| to > from)
            .copied()
            .collect();
        if seen.is_empty() {
            // a request that took no time is there all the same
            let ink = if self.failed { FAILED } else { FIRST };
            seen.push((self.sent, self.ended, ink));
        }
        seen
    }
}

impl Plot for Timeline {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let Some(row) = Row::of(sample) else {
            self.endless += 1;
            return Ok(());
        };
        if self.met.trailing_zeros() >= self.stride {
            self.rows.push(row);
        }
        self.met += 1;
        if self.rows.len() > MOST {
            self.stride += 1;
            let mut index = 0;
            self.rows.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|row| (row.sent, row.ended));
        let first = rows.iter().map(|row| row.scheduled).min();
        let last = rows.iter().map(|row| row.ended).max();
        let Some((first, last)) = first.zip(last) else {
            return Err(Nothing(
                "no line is an outcome with sent_ms and latency_ms".to_owned(),
            ));
        };
        let start = if first > (last - first) / 4 { first } else { 0 };
        let (layers, legend) = bars(&rows, start).into_iter().unzip();
        Ok(Sheet::from(Figure {
            title: "Timeline of requests".to_owned(),
            facts: format!(
                "{} over {}{}",
                number::counted(self.met, "request"),
                number::duration((last - first) as f64),
                only(groups, &groups.series())
            ),
            notes: self.notes(start),
            x: Axis::exact(
                "time",
                Quantity::Duration,
                0.0,
                (last - start).max(1) as f64,
            ),
            y: Axis::exact(
                "request, in the order sent",
                Quantity::Count,
                0.0,
                rows.len() as f64,
            ),
            layers,
            legend,
        }))
    }
}

/// The bars of each phase that any of `rows` has, and what its colour means.
fn bars(rows: &[Row], start: u64) -> Vec<(Layer, Entry)> {
    // many rows touch, as gaps thinner than a pixel look like waves
    let gap = if rows.len() > 100 { -0.03 } else { 0.06 };
    let phases = [
        (WAITS, "waits to be sent"),
        (FIRST, "waits for the first token, or the whole answer"),
        (TOKENS, "gets tokens"),
        (FAILED, "fails"),
    ];
    let mut layers = Vec::new();
    for (ink, label) in phases {
        let bars: Vec<Bar> = rows
            .iter()
            .enumerate()
            .flat_map(|(index, row)| row.phases().into_iter().map(move |phase| (index, phase)))
            .filter(|(_, (.., of))| *of == ink)
            .map(|(index, (from, to, _))| Bar {
                x: ((from - start) as f64, (to - start) as f64),
                y: (index as f64 + gap, (index + 1) as f64 - gap),
                pale: false,
            })
            .collect();
        if !bars.is_empty() {
            let layer = Layer::of(ink, Shape::Bars(bars));
            layers.push((layer, Entry::new(label, ink, Mark::Block)));
        }
    }
    layers
}

impl Timeline {
    fn notes(&self, start: u64) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stride > 0 {
            notes.push(format!(
                "one request of {} is drawn",
                number::exact(1 << self.stride)
            ));
        }
        if start > 0 {
            notes.push(format!(
                "time counts from {} ms after the run began",
                number::exact(start / 1_000)
            ));
        }
        if self.endless > 0 {
            notes.push(format!(
                "{} without sent_ms or latency_ms not drawn",
                number::counted(self.endless, "request")
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use trace_core::{Micros, Outcome, Request};

    use super::*;

    #[test]
    fn rows_are_spread_over_the_whole_run() {
        let mut timeline = Timeline::default();
        for at in 0..10_000 {
            let outcome = Outcome {
                sent_ms: Some(Micros::from_micros(at * 1_000)),
                latency_ms: Some(Micros::from_micros(500)),
                ..Outcome::default()
            };
            let request = Request::default();
            let sample = Sample {
                group: 0,
                request: &request,
                outcome: Some(&outcome),
            };
            timeline.add(&sample).unwrap();
        }
        let rows = &timeline.rows;
        assert!((MOST / 2..=MOST).contains(&rows.len()), "{}", rows.len());
        let gaps: Vec<u64> = rows
            .windows(2)
            .map(|pair| pair[1].sent - pair[0].sent)
            .collect();
        assert!(
            gaps.iter().all(|gap| *gap == 1_000 << timeline.stride),
            "{gaps:?}"
        );
    }
}
