//! Requests counted over time, in bins whose width need not be known before.
//!
//! A trace of unknown length is counted in bins of a millisecond first. When
//! there are too many of them, neighbours are added up: the widths form a
//! ladder in which each divides the next (1, 10, 100 ms, 1, 10 s, 1, 10 min,
//! 1 h, 1 d, 10 d, …), so that nothing has to be counted again and every bin of
//! the picture is a whole number of those counted here.

use std::collections::VecDeque;

use trace_core::Micros;

use crate::{
    cell::Cell,
    extent::{Extent, TooManyBins},
};

/// Bins that are kept of a small count before neighbours are added up.
pub const MOST: u64 = 20_000;
/// The same for bins that hold much.
pub const FEW: u64 = 2_000;
/// How many times more there may be of a width that was asked for; a picture
/// has fewer pixels.
const FIXED: u64 = 10;
/// Microseconds of the narrowest bins.
const NARROWEST: u64 = 1_000;

/// What happened in each moment, by group.
#[derive(Clone, Debug)]
pub struct Bins<C = u64> {
    width: u64,
    fixed: bool,
    most: u64,
    groups: Vec<Row<C>>,
    span: Option<(u64, u64)>,
    count: u64,
}

/// The bins of one group, without gaps.
#[derive(Clone, Debug)]
struct Row<C> {
    /// Index since time zero of the first.
    first: u64,
    cells: VecDeque<C>,
}

impl<C> Default for Row<C> {
    fn default() -> Self {
        Self {
            first: 0,
            cells: VecDeque::new(),
        }
    }
}

impl<C: Cell> Bins<C> {
    /// No counts yet; at most `most` bins a group ([`MOST`] or [`FEW`]), of
    /// `width` if one was asked for.
    pub fn new(width: Option<Micros>, most: u64) -> Self {
        Self {
            width: width.map_or(NARROWEST, |width| width.as_micros().max(1)),
            fixed: width.is_some(),
            most: most * if width.is_some() { FIXED } else { 1 },
            groups: Vec::new(),
            span: None,
            count: 0,
        }
    }

    /// The bin of `group` that `at` is in, to count something there.
    ///
    /// # Errors
    /// If a width was asked for and the trace is too long for it.
    pub fn at(&mut self, group: usize, at: Micros) -> Result<&mut C, TooManyBins> {
        let at = at.as_micros();
        let (first, last) = match self.span {
            Some((first, last)) if (first..=last).contains(&at) => (first, last),
            span => self.stretch(span.unwrap_or((at, at)), at)?,
        };
        self.span = Some((first, last));
        self.count += 1;
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Row::default);
        }
        Ok(self.groups[group].cell(at / self.width))
    }

    fn stretch(&mut self, span: (u64, u64), at: u64) -> Result<(u64, u64), TooManyBins> {
        let (first, last) = (span.0.min(at), span.1.max(at));
        while last / self.width - first / self.width >= self.most {
            if self.fixed {
                return Err(TooManyBins {
                    width: self.width,
                    most: self.most,
                });
            }
            self.widen();
        }
        Ok((first, last))
    }

    fn widen(&mut self) {
        let factor = match self.width {
            10_000_000 | 600_000_000 => 6,
            3_600_000_000 => 24,
            _ => 10,
        };
        self.width *= factor;
        for row in &mut self.groups {
            row.widen(factor);
        }
    }

    /// Where these bins lie, if anything was counted.
    pub fn extent(&self) -> Option<Extent> {
        let (first, last) = self.span?;
        Some(Extent {
            first,
            last,
            width: self.width,
            count: self.count,
            fixed: self.fixed.then_some(self.most),
        })
    }

    /// Number of moments counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What `groups` have together in `bins` bins of `width` from `start` on,
    /// both multiples of the width counted.
    pub fn cells(&self, groups: &[usize], width: u64, start: u64, bins: usize) -> Vec<C> {
        let (factor, begin) = ((width / self.width).max(1), start / self.width);
        let mut together = vec![C::default(); bins];
        for row in groups.iter().filter_map(|&group| self.groups.get(group)) {
            for (bin, cell) in (row.first..).zip(&row.cells) {
                let index = bin.checked_sub(begin).map(|bin| (bin / factor) as usize);
                if let Some(sum) = index.and_then(|index| together.get_mut(index)) {
                    sum.merge(cell);
                }
            }
        }
        together
    }
}

impl<C: Cell> Row<C> {
    fn cell(&mut self, bin: u64) -> &mut C {
        if self.cells.is_empty() {
            self.first = bin;
        }
        while bin < self.first {
            self.cells.push_front(C::default());
            self.first -= 1;
        }
        let index = (bin - self.first) as usize;
        if index >= self.cells.len() {
            self.cells.resize_with(index + 1, C::default);
        }
        &mut self.cells[index]
    }

    fn widen(&mut self, factor: u64) {
        let narrow = std::mem::take(self);
        for (bin, cell) in (narrow.first..).zip(&narrow.cells) {
            self.cell(bin / factor).merge(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bin_too_narrow_for_the_trace_is_refused() {
        let mut bins = Bins::<u64>::new(Some(Micros::from_micros(1_000)), MOST);
        *bins.at(0, Micros::ZERO).unwrap() += 1;
        let error = bins.at(0, Micros::from_micros(86_400_000_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--bin 1ms makes more than 200000 bins; take a wider one"
        );
    }

    #[test]
    fn the_whole_range_of_time_can_be_counted() {
        let mut bins = Bins::<u64>::new(None, MOST);
        for at in [u64::MAX, 0] {
            *bins.at(0, Micros::from_micros(at)).unwrap() += 1;
        }
        let width = bins.extent().unwrap().width;
        let number = (u64::MAX / width) as usize + 1;
        assert_eq!(bins.cells(&[0], width, 0, number).iter().sum::<u64>(), 2);
        assert!(number as u64 <= MOST);
    }

    #[test]
    fn a_late_trace_is_not_counted_from_zero() {
        let day = 61 * 86_400_000_000;
        let mut bins = Bins::<u64>::new(None, MOST);
        for at in [day, day + 60_000_000] {
            *bins.at(0, Micros::from_micros(at)).unwrap() += 1;
        }
        assert_eq!(bins.extent().unwrap().width, 10_000);
        assert!(bins.groups[0].cells.len() <= 6_001);
    }

    proptest! {
        #[test]
        fn no_request_is_lost(
            times in prop::collection::vec((0usize..3, 0u64..1 << 45), 1..200),
        ) {
            let mut bins = Bins::<u64>::new(None, FEW);
            for &(group, time) in &times {
                *bins.at(group, Micros::from_micros(time)).unwrap() += 1;
            }
            let extent = bins.extent().unwrap();
            let width = extent.width * 5;
            let start = extent.first / extent.width * extent.width;
            let number = ((extent.last - start) / width) as usize + 1;
            let counts = bins.cells(&[0, 1, 2], width, start, number);
            prop_assert_eq!(counts.iter().sum::<u64>(), times.len() as u64);
            prop_assert!(bins.groups.iter().all(|row| row.cells.len() as u64 <= FEW + 1));
            // each bin holds what it should
            let middle = number / 2;
            let inside = times.iter().filter(|t| ((t.1 - start) / width) as usize == middle);
            prop_assert_eq!(counts[middle], inside.count() as u64);
        }
    }
}
