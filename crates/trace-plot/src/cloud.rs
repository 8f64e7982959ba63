//! Points of a scatter plot, however many, in bounded memory.
//!
//! Both values are kept to their leading binary digits, twelve at first, and
//! to one fewer each time there are more than [`MOST`] points that differ; so
//! points lie where they belong on a linear axis and on a logarithmic one,
//! and none is left out: those that fall together are counted.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::figure::Dot;

/// Points that are kept apart, of all groups together: some 18 MB.
pub const MOST: usize = 400_000;
/// Leading binary digits that are kept at first.
const DIGITS: u32 = 12;

/// Bits of a key for the digits of one value: those of the exponent, and the
/// digits that follow.
const VALUE: u32 = 11 + DIGITS;

/// All bits of one value.
const DIGIT_MASK: u64 = (1 << VALUE) - 1;

/// Cells in which whole values lie on a linear axis.
const LINEAR: u64 = 4_096;

/// Points counted by where they are.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// By the group and the digits of both values, one after the other.
    places: HashMap<u64, u64, FixedState>,
    /// Leading digits that no longer count.
    dropped: u32,
    count: u64,
    /// Whole values by their differences, not their ratios, and how many of
    /// their last binary digits no longer count.
    linear: Option<[u32; 2]>,
}

impl Cloud {
    /// A cloud of whole values on linear axes, such as moments and ranks:
    /// equally fine everywhere, to a four-thousandth of the range.
    pub fn linear() -> Self {
        Self {
            linear: Some([0; 2]),
            ..Self::default()
        }
    }

    /// Count a point of `group`, both values finite and not below zero.
    pub fn add(&mut self, group: usize, (x, y): (f64, f64)) {
        if let Some([across, up]) = self.linear {
            for (axis, value, spare) in [(0, x, across), (1, y, up)] {
                let mut spare = spare;
                while value as u64 >> spare >= LINEAR {
                    spare += 1;
                    self.halve(axis);
                }
            }
        }
        let key = (group as u64) << (2 * VALUE) | self.digits(0, x) << VALUE | self.digits(1, y);
        *self.places.entry(key).or_default() += 1;
        self.count += 1;
        while self.places.len() > MOST && self.dropped + 2 < DIGITS {
            self.coarsen();
        }
    }

    /// Points counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The points of `groups`, from left to right.
    pub fn dots(&self, groups: &[usize]) -> Vec<Dot> {
        let mut dots: Vec<Dot> = self
            .places
            .iter()
            .filter(|&(key, _)| groups.contains(&((key >> (2 * VALUE)) as usize)))
            .map(|(key, &count)| Dot {
                at: (
                    self.value(0, key >> VALUE & DIGIT_MASK),
                    self.value(1, key & DIGIT_MASK),
                ),
                count,
            })
            .collect();
        let order = |a: &Dot, b: &Dot| {
            let (a, b) = (a.at, b.at);
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        dots.sort_unstable_by(order);
        dots
    }

    /// The leading digits of a number are the leading bits of its format:
    /// exponent first, then what follows the point.
    fn digits(&self, axis: usize, value: f64) -> u64 {
        if let Some(spare) = self.linear {
            return value as u64 >> spare[axis];
        }
        (value + 0.0).to_bits() >> self.spare()
    }

    /// The middle of the values that begin with these digits.
    fn value(&self, axis: usize, digits: u64) -> f64 {
        if let Some(spare) = self.linear {
            let cell = (1_u64 << spare[axis]) as f64;
            return digits as f64 * cell + (cell - 1.0) / 2.0;
        }
        let spare = self.spare();
        let low = digits << spare;
        if digits == 0 {
            return 0.0;
        }
        f64::from_bits(low + (1 << (spare - 1)))
    }

    /// Bits behind those that are kept.
    fn spare(&self) -> u32 {
        52 - DIGITS + self.dropped
    }

    /// Let one more digit of the values of that axis not count.
    fn halve(&mut self, axis: usize) {
        if let Some(spare) = &mut self.linear {
            spare[axis] += 1;
        }
        for (key, count) in std::mem::take(&mut self.places) {
            let (x, y) = (key >> VALUE & DIGIT_MASK, key & DIGIT_MASK);
            let group = key & !(DIGIT_MASK << VALUE | DIGIT_MASK);
            let (x, y) = if axis == 0 { (x >> 1, y) } else { (x, y >> 1) };
            *self.places.entry(group | x << VALUE | y).or_default() += count;
        }
    }

    fn coarsen(&mut self) {
        self.dropped += 1;
        if self.linear.is_some() {
            self.halve(0);
            self.halve(1);
            return;
        }
        for (key, count) in std::mem::take(&mut self.places) {
            let group = key & !(DIGIT_MASK << VALUE | DIGIT_MASK);
            let x = key >> VALUE & DIGIT_MASK;
            let y = key & DIGIT_MASK;
            let key = group | x >> 1 << VALUE | y >> 1;
            *self.places.entry(key).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_points_are_one_dot() {
        let mut cloud = Cloud::default();
        for _ in 0..7 {
            cloud.add(0, (3.0, 0.0));
        }
        cloud.add(1, (3.0, 5.0));
        let dots = cloud.dots(&[0]);
        assert_eq!((dots.len(), dots[0].count, dots[0].at.1), (1, 7, 0.0));
        assert!((dots[0].at.0 / 3.0 - 1.0).abs() < 1e-3);
        assert_eq!(cloud.dots(&[0, 1]).len(), 2);
    }

    #[test]
    fn a_linear_cloud_is_equally_fine_everywhere() {
        let mut cloud = Cloud::linear();
        for at in 0..100_000_u32 {
            cloud.add(0, (f64::from(at) * 1e6, f64::from(at % 50)));
        }
        let dots = cloud.dots(&[0]);
        assert_eq!(dots.iter().map(|dot| dot.count).sum::<u64>(), 100_000);
        let mut columns: Vec<f64> = dots.iter().map(|dot| dot.at.0).collect();
        columns.dedup();
        let gaps: Vec<f64> = columns.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
        assert!(columns.len() > 500, "{}", columns.len());
    }

    #[test]
    fn many_points_that_differ_are_counted_in_bounded_memory() {
        let mut cloud = Cloud::default();
        let mut state = 1_u64;
        for _ in 0..2_000_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (x, y) = (state >> 40, (state >> 16) & 0xff_ffff);
            cloud.add(0, (x as f64, y as f64));
        }
        let dots = cloud.dots(&[0]);
        assert!(dots.len() <= MOST);
        assert_eq!(dots.iter().map(|dot| dot.count).sum::<u64>(), 2_000_000);
        assert!(cloud.dropped > 0);
    }

    proptest! {
        #[test]
        fn no_point_is_lost_or_moved_far(points in prop::collection::vec((0.0..1e12, 0.0..1e3), 1..100)) {
            let mut cloud = Cloud::default();
            points.iter().for_each(|&point| cloud.add(0, point));
            let dots = cloud.dots(&[0]);
            prop_assert_eq!(dots.iter().map(|dot| dot.count).sum::<u64>(), points.len() as u64);
            let near = |a: f64, b: f64| (a - b).abs() <= b * 3e-4;
            for point in &points {
                let found = dots.iter().any(|dot| near(dot.at.0, point.0) && near(dot.at.1, point.1));
                prop_assert!(found, "{point:?}");
            }
        }
    }
}
