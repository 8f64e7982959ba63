//! What an engine did over time, summed up so that any span can be asked for.

use super::Sample;

/// Sums over a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Steps that were made.
    pub(crate) steps: f64,
    /// Sequences that decoded in each of them.
    pub(crate) sequences: f64,
    /// Tokens of context that they looked back on.
    pub(crate) context: f64,
}

/// The sums from the beginning up to each moment at which something changed.
#[derive(Clone, Debug)]
pub(crate) struct Overlap {
    marks: Vec<Mark>,
    /// When prompts were done, and the tokens up to then.
    prefills: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: f64,
    /// Up to `at`.
    sums: Sums,
    /// From `at` on: sequences, their context, and what it grows by in a millisecond.
    sequences: f64,
    context: f64,
    growth: f64,
}

impl Overlap {
    /// What `samples` say of it: each decodes from its first token to its last, its context
    /// growing evenly over some steps at a time. A step gives each sequence a token, so there are
    /// as many steps at a time as sequences get tokens on average.
    pub(crate) fn of(samples: &[Sample]) -> Overlap {
        let mut changes: Vec<(f64, [f64; 3])> = Vec::with_capacity(2 * samples.len());
        for sample in samples {
            let span = sample.last - sample.first;
            if span <= 0.0 {
                continue;
            }
            let tokens = sample.output - 1.0;
            changes.push((sample.first, [1.0, sample.input, 0.0]));
            changes.push((sample.last, [-1.0, -(sample.input + tokens), 0.0]));
            for span in sample.spans() {
                let growth = span.steps / (span.to - span.from).max(1e-6);
                changes.push((span.from, [0.0, 0.0, growth]));
                changes.push((span.to, [0.0, 0.0, -growth]));
            }
        }
        changes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut marks = vec![Mark {
            at: f64::NEG_INFINITY,
            ..Mark::default()
        }];
        for (at, [sequences, context, growth]) in changes {
            let mut mark = marks[marks.len() - 1].until(at);
            mark.sequences += sequences;
            mark.context += context;
            mark.growth += growth;
            marks.push(mark);
        }
        let mut prefills: Vec<_> = samples
            .iter()
            .map(|sample| (sample.first, sample.own()))
            .collect();
        prefills.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        for (_, tokens) in &mut prefills {
            sum += *tokens;
            *tokens = sum;
        }
        Overlap { marks, prefills }
    }

    /// The sums after `from` up to `to`.
    pub(crate) fn during(&self, from: f64, to: f64) -> Sums {
        let (before, after) = (self.until(from), self.until(to));
        Sums {
            steps: after.steps - before.steps,
            sequences: after.sequences - before.sequences,
            context: after.context - before.context,
        }
    }

    /// Sequences that decode at a moment, and their context.
    pub(crate) fn at(&self, moment: f64) -> (f64, f64) {
        let at = self.marks.partition_point(|mark| mark.at <= moment) - 1;
        let mark = self.marks[at].until(moment);
        (mark.sequences, mark.context)
    }

    /// Prompt tokens whose computing ended after `from` and up to `to`.
    pub(crate) fn prefill(&self, from: f64, to: f64) -> f64 {
        self.read(to) - self.read(from)
    }

    /// The most sequences that ever decoded at once.
    pub(crate) fn most_at_once(&self) -> usize {
        let counts = self.marks.iter().map(|mark| mark.sequences);
        counts.fold(0.0, f64::max).round() as usize
    }

    /// Prompt tokens whose computing ended up to `to`.
    fn read(&self, to: f64) -> f64 {
        let done = self.prefills.partition_point(|(at, _)| *at <= to);
        done.checked_sub(1)
            .map_or(0.0, |last| self.prefills[last].1)
    }

    fn until(&self, to: f64) -> Sums {
        let at = self.marks.partition_point(|mark| mark.at <= to) - 1;
        self.marks[at].until(to).sums
    }
}

impl Mark {
    /// The same, a while later.
    fn until(&self, to: f64) -> Mark {
        let time = if self.at.is_finite() {
            to - self.at
        } else {
            0.0
        };
        // Of nobody's, none; half guards against what is left of sums that cancel.
        let rate = if self.sequences > 0.5 {
            self.growth / self.sequences
        } else {
            0.0
        };
        let mut later = *self;
        later.at = to;
        later.sums.steps += rate * time;
        later.sums.sequences += rate * self.sequences * time;
        later.sums.context += rate * (self.context + self.growth * time / 2.0) * time;
        later.context += self.growth * time;
        later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_parts() {
        let sample = |sent: f64, first: f64, last: f64, input: f64| Sample {
            sent,
            first,
            last,
            input,
            output: 11.0,
            ..Sample::default()
        };
        let overlap = Overlap::of(&[
            sample(0.0, 10.0, 20.0, 100.0),
            sample(1.0, 15.0, 25.0, 50.0),
        ]);
        let sums = overlap.during(10.0, 20.0);
        // A step each millisecond; both in the second half.
        assert!((sums.steps - 10.0).abs() < 1e-9 && (sums.sequences - 15.0).abs() < 1e-9);
        // The first grows from 100 to 110; the second from 50 to 55.
        assert!(
            (sums.context - (1_050.0 + 5.0 * 52.5)).abs() < 1e-9,
            "{sums:?}"
        );
        assert!(
            (overlap.prefill(10.0, 20.0) - 50.0).abs() < 1e-9,
            "its own prompt is done by then"
        );
        assert_eq!(overlap.at(12.0), (1.0, 102.0));
        assert!(overlap.during(30.0, 40.0).context.abs() < 1e-9);
    }
}
