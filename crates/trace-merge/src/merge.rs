//! The k-way merge: always the earliest of the inputs' next lines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use trace_core::{Error, Line, LineError, Micros, Reader};

/// Several sorted inputs as one.
pub struct Merge<'a> {
    inputs: Vec<Reader<'a>>,
    /// The next line of each input.
    lines: Vec<Line>,
    /// When each input's next line arrives, earliest on top; of equal times
    /// the earlier input.
    order: BinaryHeap<Reverse<(Micros, usize)>>,
}

impl<'a> Merge<'a> {
    /// Read the first line of every input.
    ///
    /// # Errors
    /// What reading them gives.
    pub fn new(inputs: Vec<Reader<'a>>) -> Result<Self, Error> {
        let lines = inputs.iter().map(|_| Line::default()).collect();
        let mut merge = Self {
            inputs,
            lines,
            order: BinaryHeap::new(),
        };
        for input in 0..merge.inputs.len() {
            merge.read(input, Micros::ZERO)?;
        }
        Ok(merge)
    }

    /// The next line, and the input it is from.
    pub fn line(&mut self) -> Option<(usize, &mut Line)> {
        let &Reverse((_, input)) = self.order.peek()?;
        Some((input, &mut self.lines[input]))
    }

    /// Go past it.
    ///
    /// # Errors
    /// What reading that input gives, and a timestamp before the last one.
    pub fn advance(&mut self) -> Result<(), Error> {
        match self.order.pop() {
            Some(Reverse((time, input))) => self.read(input, time),
            None => Ok(()),
        }
    }

    /// The inputs, for what they skipped.
    pub fn inputs(&self) -> &[Reader<'a>] {
        &self.inputs
    }

    /// Put the next line of `input` in order; it may not be before `last`.
    fn read(&mut self, input: usize, last: Micros) -> Result<(), Error> {
        let line = &mut self.lines[input];
        if self.inputs[input].read(line)? {
            let time = arrival(line, last)?;
            self.order.push(Reverse((time, input)));
        }
        Ok(())
    }
}

/// When `line` arrives: at its timestamp, or with the line before it.
///
/// # Errors
/// A timestamp before `last`.
pub fn arrival(line: &Line, last: Micros) -> Result<Micros, LineError> {
    match line.request.timestamp {
        Some(time) if time < last => Err(line.error(
            1,
            format!("not sorted: timestamp {time} after {last}; sort the trace first"),
        )),
        Some(time) => Ok(time),
        None => Ok(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(input: usize, times: &[u64]) -> String {
        let line = |(n, t): (usize, &u64)| {
            format!("{{\"timestamp\":{t},\"input_length\":{n},\"input\":{input}}}\n")
        };
        times.iter().enumerate().map(line).collect()
    }

    fn merged(traces: &[String]) -> Result<Vec<(u64, usize, u64)>, Error> {
        let inputs = traces
            .iter()
            .map(|text| Reader::new("t", text.as_bytes()))
            .collect();
        let mut merge = Merge::new(inputs)?;
        let mut out = Vec::new();
        while let Some((input, line)) = merge.line() {
            let time = line.request.timestamp.map_or(0, Micros::as_micros) / 1_000;
            out.push((time, input, line.request.input_length.unwrap_or(0)));
            merge.advance()?;
        }
        Ok(out)
    }

    #[test]
    fn a_line_without_a_timestamp_follows_the_line_before_it() {
        let a = "{\"timestamp\":5,\"input_length\":0}\n{\"input_length\":1}\n".to_owned();
        let b = trace(1, &[5, 6]);
        assert_eq!(
            merged(&[a, b]).unwrap(),
            [(5, 0, 0), (0, 0, 1), (5, 1, 0), (6, 1, 1)]
        );
    }

    #[test]
    fn an_unsorted_input_is_named_by_its_line() {
        let error = merged(&[trace(0, &[3, 2])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t:2:1: not sorted: timestamp 2 after 3; sort the trace first"
        );
    }

    proptest! {
        #[test]
        fn a_merge_is_sorted_and_loses_nothing(mut traces in proptest::collection::vec(proptest::collection::vec(0..50_u64, 0..20), 0..6)) {
            traces.iter_mut().for_each(|times| times.sort_unstable());
            let texts: Vec<_> = traces.iter().enumerate().map(|(i, times)| trace(i, times)).collect();
            // A stable sort of all lines by (time, input) is the definition.
            let mut expected: Vec<_> = traces.iter().enumerate()
                .flat_map(|(i, times)| times.iter().enumerate().map(move |(n, &t)| (t, i, n as u64)))
                .collect();
            expected.sort_by_key(|&(time, input, _)| (time, input));
            prop_assert_eq!(merged(&texts).unwrap(), expected);
        }
    }
}
