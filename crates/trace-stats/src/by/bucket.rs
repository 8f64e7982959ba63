//! Numbers in buckets.

use anyhow::bail;
use serde::{Deserialize, Serialize};

/// Where buckets begin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Buckets {
    /// Rising; none for powers of two.
    bounds: Vec<f64>,
}

impl Buckets {
    /// Buckets that begin at `bounds`, or at powers of two if there are none.
    ///
    /// # Errors
    ///
    /// Bounds that do not rise, or are no numbers.
    pub fn new(bounds: &[f64]) -> anyhow::Result<Self> {
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || bounds.iter().any(|bound| !bound.is_finite()) {
            bail!("--buckets: expected rising numbers, such as 512,2048,8192");
        }
        Ok(Self {
            bounds: bounds.to_vec(),
        })
    }

    /// The bucket of `value` by name: `512..1024` has 512 and not 1024.
    pub fn name(&self, value: f64) -> String {
        if self.bounds.is_empty() {
            return power_of_two(value);
        }
        let above = self.bounds.partition_point(|&bound| bound <= value);
        let next = self.bounds.get(above);
        match (above.checked_sub(1).map(|at| self.bounds[at]), next) {
            (None, Some(next)) if value >= 0.0 => format!("0..{next}"),
            (None, Some(next)) => format!("..{next}"),
            (Some(bound), None) => format!("{bound}.."),
            (Some(bound), Some(next)) => format!("{bound}..{next}"),
            (None, None) => unreachable!("there are bounds"),
        }
    }
}

fn power_of_two(value: f64) -> String {
    if value < 0.0 {
        return "..0".to_owned();
    }
    if value < 1.0 {
        return "0..1".to_owned();
    }
    // The exponent is what an f64 holds of it: exact, without a logarithm.
    let exponent = (value.to_bits() >> 52) - 1023;
    let bound = f64::from_bits((exponent + 1023) << 52);
    format!("{bound}..{}", bound * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_begin_a_bucket() {
        let name = |value| Buckets::default().name(value);
        assert_eq!(name(0.0), "0..1");
        assert_eq!(name(1.0), "1..2");
        assert_eq!(name(1023.0), "512..1024");
        assert_eq!(name(1024.0), "1024..2048");
        assert_eq!(name(-3.0), "..0");
    }

    #[test]
    fn bounds_can_be_given() {
        let buckets = Buckets::new(&[100.0, 1000.0]).unwrap();
        assert_eq!(buckets.name(99.0), "0..100");
        assert_eq!(buckets.name(-1.0), "..100");
        assert_eq!(buckets.name(100.0), "100..1000");
        assert_eq!(buckets.name(5000.0), "1000..");
        assert!(Buckets::new(&[5.0, 5.0]).is_err());
        assert!(Buckets::new(&[f64::NAN]).is_err());
    }
}
