//! How many requests were in flight, over time.

use trace_core::{Micros, Outcome};

/// Points of the series that a steady state is looked for in: two hundred
/// batches of five.
const POINTS: u64 = 1_000;

/// When requests of one level were scheduled, and were in flight: 24 bytes for
/// each.
#[derive(Debug, Clone, Default)]
pub struct Load {
    spans: Vec<(Micros, Micros)>,
    scheduled: Option<(Micros, Micros)>,
}

/// In-flight requests from the first to the last that was scheduled, each point
/// the mean over a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// When the first point begins.
    pub begin: Micros,
    /// The length of a stretch.
    pub step: Micros,
    /// The points.
    pub points: Vec<f64>,
}

impl Load {
    /// A request of the level; those that were never sent are none.
    pub fn push(&mut self, outcome: &Outcome) {
        let Some(sent) = outcome.sent_ms else { return };
        let scheduled = outcome.scheduled_ms.unwrap_or(sent);
        let (first, last) = self.scheduled.unwrap_or((scheduled, scheduled));
        self.scheduled = Some((first.min(scheduled), last.max(scheduled)));
        let end = sent + outcome.latency_ms.unwrap_or_default();
        self.spans.push((sent, end));
    }

    /// How many requests there are.
    pub fn requests(&self) -> usize {
        self.spans.len()
    }

    /// In-flight requests over time; `None` if they were all scheduled at once.
    ///
    /// The end is the last schedule, since what drains after it is no state of
    /// the run.
    pub fn series(&self) -> Option<Series> {
        let (first, last) = self.scheduled?;
        let length = last.saturating_sub(first).as_micros();
        let step = length / POINTS.min(self.spans.len() as u64).max(1);
        if step == 0 {
            return None;
        }
        let points = (length / step) as usize;
        let edge = |at: usize| first.as_micros() + at as u64 * step;
        // Microseconds in flight within each stretch; whole stretches as steps.
        let mut part = vec![0.0; points];
        let mut whole = vec![0_i64; points + 1];
        for &(sent, end) in &self.spans {
            let (from, to) = (
                sent.as_micros().max(edge(0)),
                end.as_micros().min(edge(points)),
            );
            if from >= to {
                continue;
            }
            let place = |time: u64| ((time - edge(0)) / step) as usize;
            let (begin, finish) = (place(from), place(to));
            if begin == finish {
                part[begin] += (to - from) as f64;
                continue;
            }
            part[begin] += (edge(begin + 1) - from) as f64;
            if finish < points {
                part[finish] += (to - edge(finish)) as f64;
            }
            whole[begin + 1] += 1;
            whole[finish] -= 1;
        }
        let mut over = 0;
        let points = part.iter().zip(whole).map(|(part, change)| {
            over += change;
            part / step as f64 + over as f64
        });
        Some(Series {
            begin: first,
            step: Micros::from_micros(step),
            points: points.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(scheduled: u64, sent: u64, latency: u64) -> Outcome {
        let ms = |ms: u64| Some(Micros::from_micros(1_000 * ms));
        Outcome {
            scheduled_ms: ms(scheduled),
            sent_ms: ms(sent),
            latency_ms: ms(latency),
            ..Outcome::default()
        }
    }

    #[test]
    fn each_point_is_the_mean_of_its_stretch() {
        let mut load = Load::default();
        // Stretches of 25 ms: 0–25, 25–50, 50–75, 75–100.
        for (scheduled, sent, latency) in [(0, 5, 10), (10, 20, 40), (50, 50, 500), (100, 100, 9)] {
            load.push(&outcome(scheduled, sent, latency));
        }
        load.push(&Outcome::default());
        let series = load.series().unwrap();
        assert_eq!(series.step, Micros::from_micros(25_000));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let expected = [15.0 / 25.0, 1.0, 35.0 / 25.0, 1.0];
        assert!(
            series.points.iter().zip(expected).all(|(a, b)| near(*a, b)),
            "{series:?}"
        );
    }

    #[test]
    fn what_is_scheduled_at_once_has_no_series() {
        let mut load = Load::default();
        load.push(&outcome(5, 5, 10));
        load.push(&outcome(5, 6, 10));
        assert_eq!(load.series(), None);
        assert_eq!(Load::default().series(), None);
    }
}
