//! Requests counted over time, in bins whose width need not be known before.
//!
//! A trace of unknown length is counted in bins of a millisecond first. When
//! there are too many of them, neighbours are added up: the widths form a
//! ladder in which each divides the next (1, 10, 100 ms, 1, 10 s, 1, 10 min,
//! 1 h, 1 d, 10 d, …), so that nothing has to be counted again and every bin of
//! the picture is a whole number of those counted here. Memory is bounded by
//! [`MOST`] bins a group.

use std::collections::BTreeMap;

use trace_core::Micros;

/// Bins that are kept before neighbours are added up.
pub const MOST: u64 = 20_000;
/// Bins of a width that was asked for; a picture has fewer pixels.
pub const MOST_FIXED: u64 = 200_000;

/// Microseconds of the widths a picture's bins may have.
const NICE: [u64; 31] = {
    const MS: u64 = 1_000;
    const S: u64 = 1_000 * MS;
    const MIN: u64 = 60 * S;
    const H: u64 = 60 * MIN;
    const D: u64 = 24 * H;
    [
        MS,
        2 * MS,
        5 * MS,
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        MIN,
        2 * MIN,
        5 * MIN,
        10 * MIN,
        15 * MIN,
        30 * MIN,
        H,
        2 * H,
        3 * H,
        6 * H,
        12 * H,
        D,
        2 * D,
        7 * D,
        30 * D,
        365 * D,
    ]
};

/// How often each moment was named, by group.
#[derive(Clone, Debug)]
pub struct Bins {
    width: u64,
    fixed: bool,
    /// Bin index since time zero → count, for each group.
    groups: Vec<BTreeMap<u64, u64>>,
    /// First and last moment.
    span: Option<(u64, u64)>,
    count: u64,
}

/// The width that was asked for is too small for the span of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--bin {width} makes more than {MOST_FIXED} bins; take a wider one", width = WithUnit(*width))]
pub struct TooManyBins {
    width: u64,
}

struct WithUnit(u64);

impl std::fmt::Display for WithUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::number::duration(self.0 as f64).replace(' ', ""))
    }
}

impl Bins {
    /// No counts yet; bins of `width` if one was asked for.
    pub fn new(width: Option<Micros>) -> Self {
        Self {
            width: width.map_or(NICE[0], |width| width.as_micros().max(1)),
            fixed: width.is_some(),
            groups: Vec::new(),
            span: None,
            count: 0,
        }
    }

    /// Count one request of `group` at `at`.
    ///
    /// # Errors
    /// If a width was asked for and the trace is too long for it.
    pub fn add(&mut self, group: usize, at: Micros) -> Result<(), TooManyBins> {
        let at = at.as_micros();
        let (first, last) = self
            .span
            .map_or((at, at), |(first, last)| (first.min(at), last.max(at)));
        self.span = Some((first, last));
        self.count += 1;
        let most = if self.fixed { MOST_FIXED } else { MOST };
        while last / self.width - first / self.width >= most {
            if self.fixed {
                return Err(TooManyBins { width: self.width });
            }
            self.widen();
        }
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, BTreeMap::new);
        }
        *self.groups[group].entry(at / self.width).or_default() += 1;
        Ok(())
    }

    fn widen(&mut self) {
        let factor = match self.width {
            10_000_000 | 600_000_000 => 6,
            3_600_000_000 => 24,
            _ => 10,
        };
        self.width *= factor;
        for group in &mut self.groups {
            let mut wider = BTreeMap::new();
            for (bin, count) in &*group {
                *wider.entry(bin / factor).or_default() += count;
            }
            *group = wider;
        }
    }

    /// Number of requests counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// First and last moment in microseconds.
    pub fn span(&self) -> Option<(u64, u64)> {
        self.span
    }

    /// The width of the bins counted, in microseconds.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// The width, in microseconds, that shows the course of the rate rather
    /// than noise: at most 150 bins, and where requests are few at least eight
    /// in a bin on average, as long as that leaves 20 bins.
    ///
    /// The bins are to cover `span` microseconds, which may be more than these
    /// do. The width is a multiple of `at_least`, that of other bins beside.
    ///
    /// # Errors
    /// If a width was asked for that is too small for `span`.
    pub fn nice_width(&self, span: u64, at_least: u64) -> Result<u64, TooManyBins> {
        if self.fixed {
            let fits = span / self.width < MOST_FIXED;
            return fits
                .then_some(self.width)
                .ok_or(TooManyBins { width: self.width });
        }
        if span == 0 {
            return Ok(1_000_000.max(self.width).max(at_least));
        }
        let span = span as f64;
        let quiet = (span * 8.0 / self.count as f64).min(span / 20.0);
        let least = (span / 150.0).max(quiet);
        let base = self.width.max(at_least);
        let mut multiples = NICE.into_iter().filter(|width| width % base == 0);
        let nice = multiples.find(|&width| width as f64 >= least);
        Ok(nice.unwrap_or_else(|| {
            // longer than centuries: any multiple of what was counted will do
            base * (least / base as f64).ceil().max(1.0) as u64
        }))
    }

    /// Counts of `groups` together in `bins` bins of `width` from `start` on,
    /// both multiples of [`width`](Self::width).
    pub fn counts(&self, groups: &[usize], width: u64, start: u64, bins: usize) -> Vec<u64> {
        let (factor, first) = ((width / self.width).max(1), start / self.width);
        let mut counts = vec![0; bins];
        for group in groups.iter().filter_map(|&group| self.groups.get(group)) {
            for (bin, count) in group {
                let index = bin.checked_sub(first).map(|bin| (bin / factor) as usize);
                if let Some(sum) = index.and_then(|index| counts.get_mut(index)) {
                    *sum += count;
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(times: &[u64]) -> Bins {
        let mut bins = Bins::new(None);
        for &time in times {
            bins.add(0, Micros::from_micros(time)).unwrap();
        }
        bins
    }

    fn width(bins: &Bins) -> u64 {
        let (first, last) = bins.span().unwrap();
        bins.nice_width(last - first, 1).unwrap()
    }

    #[test]
    fn bins_may_have_to_cover_more_than_they_hold() {
        let bins = filled(&[0, 1_000_000]);
        assert_eq!(bins.nice_width(150_000_000, 1), Ok(10_000_000));
        let fixed = Bins::new(Some(Micros::from_micros(1_000)));
        assert!(fixed.nice_width(1 << 50, 1).is_err());
    }

    #[test]
    fn an_hour_of_traffic_is_shown_by_the_half_minute() {
        let times: Vec<u64> = (0..12_000).map(|i| i * 300_000).collect();
        assert_eq!(width(&filled(&times)), 30_000_000);
    }

    #[test]
    fn few_requests_make_few_bins() {
        let times: Vec<u64> = (0..100).map(|i| i * 1_000_000).collect();
        assert_eq!(width(&filled(&times)), 5_000_000);
    }

    #[test]
    fn all_at_once_is_one_second() {
        assert_eq!(width(&filled(&[5, 5, 5])), 1_000_000);
    }

    #[test]
    fn a_bin_too_narrow_for_the_trace_is_refused() {
        let mut bins = Bins::new(Some(Micros::from_micros(1_000)));
        bins.add(0, Micros::ZERO).unwrap();
        let error = bins
            .add(0, Micros::from_micros(86_400_000_000))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "--bin 1ms makes more than 200000 bins; take a wider one"
        );
    }

    #[test]
    fn the_whole_range_of_time_can_be_counted() {
        let bins = filled(&[0, u64::MAX]);
        let width = width(&bins);
        let number = (u64::MAX / width) as usize + 1;
        assert_eq!(bins.counts(&[0], width, 0, number).iter().sum::<u64>(), 2);
        assert!(number < 1_000);
    }

    #[test]
    fn a_late_trace_is_not_counted_from_zero() {
        let day = 61 * 86_400_000_000;
        let bins = filled(&[day, day + 60_000_000]);
        assert_eq!(bins.width(), 10_000);
    }

    proptest! {
        #[test]
        fn no_request_is_lost(
            times in prop::collection::vec((0usize..3, 0u64..1 << 45), 1..200),
        ) {
            let mut bins = Bins::new(None);
            for &(group, time) in &times {
                bins.add(group, Micros::from_micros(time)).unwrap();
            }
            let width = width(&bins);
            prop_assert_eq!(width % bins.width(), 0);
            let (first, last) = bins.span().unwrap();
            let start = first / bins.width() * bins.width();
            let number = ((last - start) / width) as usize + 1;
            let counts = bins.counts(&[0, 1, 2], width, start, number);
            prop_assert_eq!(counts.iter().sum::<u64>(), times.len() as u64);
            prop_assert!(counts.len() <= 200, "{} bins", counts.len());
            prop_assert!(bins.groups.iter().map(BTreeMap::len).sum::<usize>() as u64 <= 3 * MOST);
            // each bin holds what it should
            let middle = number / 2;
            let inside = times.iter().filter(|t| ((t.1 - start) / width) as usize == middle);
            prop_assert_eq!(counts[middle], inside.count() as u64);
        }
    }
}
