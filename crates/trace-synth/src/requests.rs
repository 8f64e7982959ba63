//! Any trace in the making, and several of them as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use trace_core::{Micros, Request, SessionId};

/// One line to be written: a request, and what the format has no field for.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The fields of the format.
    pub request: Request,
    /// Further members of the object, as JSON between commas without braces:
    /// `"client":17,"turn":2`. Empty for none.
    pub members: Vec<u8>,
}

/// Requests in time order, made one at a time.
pub trait Requests: Send {
    /// Turn `row` into the next request; false at the end.
    ///
    /// `row` may have been filled before, by any trace: what this one has no
    /// value for it sets to nothing, and memory is used again.
    fn fill(&mut self, row: &mut Row) -> bool;

    /// The requests alone, one by one, without further members.
    fn each(mut self) -> impl Iterator<Item = Request>
    where
        Self: Sized,
    {
        std::iter::from_fn(move || {
            let mut row = Row::default();
            self.fill(&mut row).then_some(row.request)
        })
    }
}

/// Several traces as one, in time order; at equal times the earlier one first.
///
/// Each keeps its own blocks and sessions: id `n` of the trace at `index`
/// becomes `n * traces + index`, for hash ids and numbered sessions alike;
/// sessions with a name get the prefix `index:`. One request of each trace is
/// held.
pub struct Many {
    traces: Vec<Box<dyn Requests>>,
    /// The next request of each trace, and when it comes.
    rows: Vec<Row>,
    next: BinaryHeap<Reverse<(Micros, usize)>>,
}

impl Many {
    /// All of `traces`.
    pub fn new(traces: Vec<Box<dyn Requests>>) -> Self {
        let mut many = Self {
            rows: traces.iter().map(|_| Row::default()).collect(),
            next: BinaryHeap::with_capacity(traces.len()),
            traces,
        };
        for index in 0..many.traces.len() {
            many.advance(index);
        }
        many
    }

    fn advance(&mut self, index: usize) {
        let row = &mut self.rows[index];
        if self.traces[index].fill(row) {
            let time = row.request.timestamp.unwrap_or(Micros::ZERO);
            self.next.push(Reverse((time, index)));
        }
    }

    fn keep_apart(&self, row: &mut Row, index: usize) {
        let (traces, index) = (self.traces.len() as u64, index as u64);
        for id in row.request.hash_ids.iter_mut().flatten() {
            *id = *id * traces + index;
        }
        match &mut row.request.session_id {
            Some(SessionId::Number(number)) => *number = *number * traces as i64 + index as i64,
            Some(SessionId::Text(text)) => text.insert_str(0, &format!("{index}:")),
            None => {}
        }
    }
}

impl Requests for Many {
    fn fill(&mut self, row: &mut Row) -> bool {
        let Some(Reverse((_, index))) = self.next.pop() else {
            return false;
        };
        std::mem::swap(row, &mut self.rows[index]);
        if self.traces.len() > 1 {
            self.keep_apart(row, index);
        }
        self.advance(index);
        true
    }
}

impl<R: Requests + ?Sized> Requests for Box<R> {
    fn fill(&mut self, row: &mut Row) -> bool {
        (**self).fill(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed(Vec<(u64, u64)>);

    impl Requests for Listed {
        fn fill(&mut self, row: &mut Row) -> bool {
            if self.0.is_empty() {
                return false;
            }
            let (millis, id) = self.0.remove(0);
            row.request.timestamp = Some(Micros::from_micros(millis * 1000));
            row.request.hash_ids = Some(vec![id]);
            row.request.session_id = Some(SessionId::Number(3));
            true
        }
    }

    fn listed(rows: &[(u64, u64)]) -> Box<dyn Requests> {
        Box::new(Listed(rows.to_vec()))
    }

    fn all(trace: impl Requests) -> Vec<(u64, u64, SessionId)> {
        let row = |request: Request| {
            (
                request.timestamp.unwrap().as_micros() / 1000,
                request.hash_ids.unwrap()[0],
                request.session_id.unwrap(),
            )
        };
        trace.each().map(row).collect()
    }

    #[test]
    fn many_come_in_time_order_and_share_nothing() {
        let many = Many::new(vec![listed(&[(1, 0), (5, 1)]), listed(&[(0, 0), (5, 0)])]);
        let (first, second) = (SessionId::Number(6), SessionId::Number(7));
        assert_eq!(
            all(many),
            [
                (0, 1, second.clone()),
                (1, 0, first.clone()),
                (5, 2, first),
                (5, 1, second)
            ]
        );
    }

    #[test]
    fn one_alone_stays_as_it_is() {
        let rows = [(1, 4), (2, 9)];
        assert_eq!(all(Many::new(vec![listed(&rows)])), all(listed(&rows)));
        assert!(all(Many::new(Vec::new())).is_empty());
    }
}
