//! What is counted in a bin over time, so that neighbours can be added up.

/// Something counted that can be added up.
pub trait Cell: Clone + Default {
    /// Count all that `other` counted, too.
    fn merge(&mut self, other: &Self);
}

impl Cell for u64 {
    fn merge(&mut self, other: &Self) {
        *self += other;
    }
}

/// Values of one quantity: how many, their sum and their range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// How many.
    pub count: u64,
    /// All together.
    pub sum: f64,
    /// The smallest; infinite if there is none.
    pub min: f64,
    /// The largest; minus infinity if there is none.
    pub max: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Range {
    /// Count `value`, which is finite.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// The mean, if there is a value.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl Cell for Range {
    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// A level that goes up and down at moments: requests in flight, tokens a second.
///
/// Its mean over a bin follows from two sums, whatever the order in which the
/// moments came: of the changes, and of each change times its moment. So what
/// lasts over a thousand bins is counted in two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// By how much the level has changed at the end of the bin.
    pub change: f64,
    /// The sum of each change times its moment in microseconds.
    pub moment: f64,
}

impl Flow {
    /// The level changes by `change` at `at` microseconds.
    pub fn add(&mut self, at: u64, change: f64) {
        self.change += change;
        self.moment += change * at as f64;
    }

    /// The mean level from `from` to `to` microseconds, in which these changes
    /// lie, when it was `before` at first.
    pub fn mean(&self, before: f64, from: u64, to: u64) -> f64 {
        before + (self.change * to as f64 - self.moment) / (to - from).max(1) as f64
    }
}

impl Cell for Flow {
    fn merge(&mut self, other: &Self) {
        self.change += other.change;
        self.moment += other.moment;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_averaged_over_a_bin() {
        // two in flight from 25 to 75 of a bin of 100, in any order
        let mut flow = Flow::default();
        flow.add(75, -2.0);
        flow.add(25, 2.0);
        assert_eq!(flow.mean(0.0, 0, 100), 1.0);
        // three more all the time
        assert_eq!(flow.mean(3.0, 0, 100), 4.0);
        assert_eq!(flow.change, 0.0);
    }

    #[test]
    fn bins_of_a_level_add_up() {
        let (mut left, mut right) = (Flow::default(), Flow::default());
        left.add(50, 1.0);
        right.add(150, -1.0);
        let halves = (left.mean(0.0, 0, 100) + right.mean(left.change, 100, 200)) / 2.0;
        left.merge(&right);
        assert_eq!(left.mean(0.0, 0, 200), halves);
        assert_eq!(halves, 0.5);
    }

    #[test]
    fn a_range_knows_its_ends_and_its_middle() {
        let mut range = Range::default();
        assert_eq!(range.mean(), None);
        range.add(3.0);
        let mut other = Range::default();
        other.add(9.0);
        range.merge(&other);
        assert_eq!((range.min, range.mean(), range.max), (3.0, Some(6.0), 9.0));
    }
}
