//! When requests arrive, and the gaps between them.
//!
//! A gap is between neighbours in time, which lines need not be: outcomes come
//! as requests end. So arrivals wait and are taken in order of time, the earlier
//! half once there are many, and what is kept of those are their gaps. Nothing
//! is lost as long as no line is further from its place than half of what
//! waits; if one is, the gaps of this input are unknown, not nearly right.

use crate::confidence::{Batches, Repeated};
use crate::partial::micros;
use serde::{Deserialize, Serialize};
use trace_core::Micros;
use trace_core::quantile::Values;

/// Arrivals that wait at least, however few values are to be kept.
const FEW: usize = 1 << 16;

/// Arrivals of a trace: 8 bytes for each that waits, and the gaps of the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Distinct gaps that are kept; twice as many arrivals wait.
    limit: usize,
    count: u64,
    #[serde(with = "micros")]
    first: Option<Micros>,
    #[serde(with = "micros")]
    last: Option<Micros>,
    /// The last that came.
    #[serde(skip)]
    above: Option<Micros>,
    /// Lines that arrive before the line above them.
    out_of_order: u64,
    #[serde(with = "steps")]
    waiting: Vec<Micros>,
    /// First and last of the arrivals that were taken, of each part of the input.
    taken: Vec<Stretch>,
    /// The gaps between those of one part.
    gaps: Gaps,
    /// Arrivals that came when their neighbours had been taken.
    late: u64,
}

/// Gaps between neighbours.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaps {
    /// In milliseconds.
    pub values: Values,
    /// By stretches of time, in microseconds, as quantity 0: for intervals, if
    /// they are wanted.
    pub batches: Option<Batches>,
}

impl Gaps {
    /// The gap from one arrival to the next; `false` if they are the other way
    /// round.
    fn push(&mut self, before: Micros, arrival: Micros) -> bool {
        let Some(gap) = arrival.as_micros().checked_sub(before.as_micros()) else {
            return false;
        };
        let value = Micros::from_micros(gap).as_millis();
        self.values.push(value);
        if let Some(batches) = &mut self.batches {
            batches.add(0, arrival, [Repeated::once(value, gap)]);
        }
        true
    }

    fn append(&mut self, other: Self) {
        self.values.append(other.values);
        if let (Some(batches), Some(more)) = (&mut self.batches, other.batches) {
            batches.append(more);
        }
    }
}

/// From the first to the last of arrivals whose gaps are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stretch {
    #[serde(with = "micros::plain")]
    first: Micros,
    #[serde(with = "micros::plain")]
    last: Micros,
}

impl Arrivals {
    /// None yet; gaps are exact up to `limit` distinct ones.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            count: 0,
            first: None,
            last: None,
            above: None,
            out_of_order: 0,
            waiting: Vec::new(),
            taken: Vec::new(),
            gaps: Gaps {
                values: Values::new(limit),
                batches: None,
            },
            late: 0,
        }
    }

    /// Also count what intervals of gaps are made of.
    #[must_use]
    pub fn with_batches(mut self) -> Self {
        self.gaps.batches = Some(Batches::default());
        self
    }

    /// The next line arrives at `arrival`.
    pub fn push(&mut self, arrival: Micros) {
        self.count += 1;
        if self.above.is_some_and(|above| arrival < above) {
            self.out_of_order += 1;
        }
        self.above = Some(arrival);
        self.reach(Some(arrival), Some(arrival));
        self.waiting.push(arrival);
        if self.waiting.len() >= self.room() {
            self.take(self.waiting.len() / 2);
        }
    }

    /// How many may wait.
    fn room(&self) -> usize {
        self.limit.max(FEW).saturating_mul(2)
    }

    fn reach(&mut self, first: Option<Micros>, last: Option<Micros>) {
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = self.last.max(last);
    }

    /// Take all that another has; which of the two came first does not matter.
    pub fn append(&mut self, mut other: Self) {
        // Many parts together would wait without end. One that is on its own
        // can be taken; one that is a sum may have others in between.
        if self.waiting.len() + other.waiting.len() > self.room() && other.taken.len() < 2 {
            other.take(other.waiting.len());
        }
        self.count += other.count;
        self.reach(other.first, other.last);
        self.out_of_order += other.out_of_order;
        self.waiting.extend(other.waiting);
        self.taken.extend(other.taken);
        self.gaps.append(other.gaps);
        self.late += other.late;
    }

    /// Keep only the gaps of the `count` earliest that wait.
    fn take(&mut self, count: usize) {
        self.waiting.sort_unstable();
        let rest = self.waiting.split_off(count);
        let arrivals = std::mem::replace(&mut self.waiting, rest);
        let Some(&first) = arrivals.first() else {
            return;
        };
        if self.taken.is_empty() {
            self.taken.push(Stretch { first, last: first });
            self.gaps_from(&arrivals[1..]);
        } else {
            self.gaps_from(&arrivals);
        }
    }

    /// Go on with `arrivals` behind what was taken.
    fn gaps_from(&mut self, arrivals: &[Micros]) {
        let Some(stretch) = self.taken.last_mut() else {
            return;
        };
        for &arrival in arrivals {
            self.late += u64::from(!self.gaps.push(stretch.last, arrival));
            stretch.last = stretch.last.max(arrival);
        }
    }

    /// Number of arrivals.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Lines that arrive before the line above them, in their part of the input.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }

    /// From the first to the last.
    pub fn duration(&self) -> Option<Micros> {
        Some(self.last?.saturating_sub(self.first?))
    }

    /// The gaps, in the order of time; or how many arrivals came too late to tell.
    ///
    /// # Errors
    ///
    /// Their number.
    pub fn gaps(mut self) -> Result<Gaps, u64> {
        let waiting = self.waiting.iter().map(|&arrival| (arrival, arrival));
        let taken = self
            .taken
            .iter()
            .map(|stretch| (stretch.first, stretch.last));
        let mut order: Vec<(Micros, Micros)> = waiting.chain(taken).collect();
        order.sort_unstable();
        let mut before: Option<Micros> = None;
        for (first, last) in order {
            let known = before.is_none_or(|before| self.gaps.push(before, first));
            self.late += u64::from(!known);
            before = before.max(Some(last));
        }
        if self.late > 0 {
            return Err(self.late);
        }
        Ok(self.gaps)
    }
}

/// Arrivals on a line: microseconds from one to the next, in the order of time.
mod steps {
    use super::Micros;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        arrivals: &[Micros],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut sorted = arrivals.to_vec();
        sorted.sort_unstable();
        let mut before = Micros::ZERO;
        let steps = sorted.into_iter().map(|arrival| {
            let step = arrival.saturating_sub(before);
            before = arrival;
            step.as_micros()
        });
        steps.collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Micros>, D::Error> {
        let mut arrival = Micros::ZERO;
        let steps = Vec::<u64>::deserialize(deserializer)?.into_iter();
        let arrivals = steps.map(|step| {
            arrival += Micros::from_micros(step);
            arrival
        });
        Ok(arrivals.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(limit: usize, arrivals: impl IntoIterator<Item = u64>) -> Arrivals {
        let mut all = Arrivals::new(limit);
        for arrival in arrivals {
            all.push(Micros::from_micros(arrival));
        }
        all
    }

    #[test]
    fn arrivals_near_their_place_are_taken_in_order() {
        let count = 393_000;
        // Each thousand backwards.
        let arrivals = (0..count).map(|at| 7_000 * (at - at % 1_000 + 999 - at % 1_000));
        let arrivals = of(9, arrivals);
        assert!(arrivals.waiting.len() <= 2 * FEW && !arrivals.taken.is_empty());
        let gaps = arrivals.gaps().unwrap().values.spread();
        assert_eq!((gaps.min, gaps.max), (Some(7.0), Some(7.0)));
        assert!(gaps.count > count - 1_001);
    }

    #[test]
    fn one_far_from_its_place_leaves_gaps_unknown() {
        let arrivals = (0..4 * FEW as u64).map(|at| 10 * at).chain([5]);
        let arrivals = of(9, arrivals);
        assert_eq!(
            (arrivals.count(), arrivals.out_of_order()),
            (4 * FEW as u64 + 1, 1)
        );
        assert_eq!(arrivals.gaps().err(), Some(1));
    }

    #[test]
    fn parts_one_after_the_other_are_the_whole() {
        let count = 9 * FEW as u64;
        let part = |from: u64, to: u64| of(9, (from..to).map(|at| at * at));
        let whole = part(0, count).gaps().unwrap().values.spread();
        let mut parts = part(count / 2, count);
        parts.append(part(0, count / 3));
        let line = serde_json::to_string(&part(count / 3, count / 2)).unwrap();
        parts.append(serde_json::from_str(&line).unwrap());
        assert_eq!(parts.gaps().unwrap().values.spread(), whole);
        let mut doubled = part(0, count);
        doubled.append(part(0, count));
        assert!(doubled.gaps().is_err());
    }

    proptest! {
        #[test]
        fn few_arrivals_may_come_in_any_order_and_any_parts(
            arrivals in prop::collection::vec(0u64..1_000_000, 0..50),
            cut in 0usize..50,
        ) {
            let (left, right) = arrivals.split_at(cut.min(arrivals.len()));
            let mut parts = of(1_000, right.iter().copied());
            parts.append(of(1_000, left.iter().copied()));
            let mut sorted = arrivals.clone();
            sorted.sort_unstable();
            let gaps = sorted.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1_000.0);
            let mut expected = Values::new(1_000);
            gaps.for_each(|gap| expected.push(gap));
            prop_assert_eq!(parts.gaps().unwrap().values.spread(), expected.spread());
        }
    }
}
