//! How two quantities of the same requests go together.

/// Pearson's correlation over pairs that come in one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Correlation {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    squares_x: f64,
    squares_y: f64,
    products: f64,
}

impl Correlation {
    /// Take the next pair (Welford's way, which loses no digits to large means).
    pub fn push(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let (from_x, from_y) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += from_x / self.count;
        self.mean_y += from_y / self.count;
        self.squares_x += from_x * (x - self.mean_x);
        self.squares_y += from_y * (y - self.mean_y);
        self.products += from_x * (y - self.mean_y);
    }

    /// The coefficient, −1 to 1; `None` if either quantity is always the same.
    pub fn coefficient(&self) -> Option<f64> {
        let spread = (self.squares_x * self.squares_y).sqrt();
        (spread > 0.0).then(|| (self.products / spread).clamp(-1.0, 1.0))
    }
}

impl Extend<(f64, f64)> for Correlation {
    fn extend<I: IntoIterator<Item = (f64, f64)>>(&mut self, pairs: I) {
        for (x, y) in pairs {
            self.push(x, y);
        }
    }
}

impl FromIterator<(f64, f64)> for Correlation {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(pairs: I) -> Self {
        let mut correlation = Self::default();
        correlation.extend(pairs);
        correlation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Option<f64> {
        pairs.iter().copied().collect::<Correlation>().coefficient()
    }

    #[test]
    fn lines_are_one_and_clouds_are_none() {
        assert_eq!(of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]), Some(1.0));
        assert_eq!(of(&[(1.0, -2.0), (2.0, -4.0)]), Some(-1.0));
        assert_eq!(
            of(&[(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]),
            Some(0.0)
        );
        assert_eq!(of(&[(1.0, 0.0), (1.0, 5.0)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_large_mean_costs_no_digits() {
        let far = 1e12;
        let found = of(&[(far, 1.0), (far + 1.0, 0.0), (far + 2.0, 2.0)]).unwrap();
        assert!((found - 0.5).abs() < 1e-12, "{found}");
    }
}
