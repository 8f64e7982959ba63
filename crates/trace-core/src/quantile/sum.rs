//! Sums that lose no digits.

/// A sum that loses no digits: Neumaier's compensated summation.
#[derive(Default)]
pub(super) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.high + value;
        self.low += if self.high.abs() >= value.abs() {
            (self.high - sum) + value
        } else {
            (value - sum) + self.high
        };
        self.high = sum;
    }

    pub(super) fn value(&self) -> f64 {
        self.high + self.low
    }
}

impl FromIterator<(f64, u64)> for Sum {
    /// Sum of the products: each value as often as it occurs.
    fn from_iter<I: IntoIterator<Item = (f64, u64)>>(values: I) -> Self {
        let mut sum = Self::default();
        for (value, times) in values {
            let times = times as f64;
            let product = value * times;
            sum.add(product);
            if times > 1.0 {
                // What the product lost by rounding.
                sum.add(value.mul_add(times, -product));
            }
        }
        sum
    }
}
