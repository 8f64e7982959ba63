//! How much a sum varies whose parts depend on those before them.

/// More than this of a stretch is never taken for left over from the one before:
/// a run that short tells nothing.
const MOST_TOGETHER: f64 = 0.9;

/// Fewer degrees of freedom give intervals too wide to mean anything.
const LEAST_FREEDOM: f64 = 2.0;

/// What stretches of a run tell of a sum over all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dependence {
    /// The variance of the sum.
    pub variance: f64,
    /// How much the variance is worth, as degrees of freedom: what so many
    /// independent stretches would tell, less one.
    pub freedom: f64,
    /// How neighbouring stretches go together, −1 to 1.
    pub correlation: f64,
    /// How skew the sum is: its third moment, in standard deviations.
    pub skewness: f64,
}

impl Dependence {
    /// Of what each stretch adds to the sum, less its share, in the order of time.
    ///
    /// Stretches that are long against the memory of the run are as good as
    /// independent (*batch means*). If they are not, and neighbours go together,
    /// their sums are taken for autoregressive, each a share *r* of the one
    /// before: the variance of the whole is then (1 + r) / (1 − r) of what it
    /// would be (Fishman, *Principles of Discrete Event Simulation*, 5.10), and
    /// as many fewer stretches tell of it. *r* is mended for what a short series
    /// hides of it (Marriott and Pope, 1954), and left out where chance alone
    /// gives as much once in three times.
    pub fn of(apart: &[f64]) -> Self {
        let stretches = apart.len() as f64;
        let squares: f64 = apart.iter().map(|apart| apart * apart).sum();
        let products: f64 = apart.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let correlation = if squares > 0.0 {
            products / squares
        } else {
            0.0
        };
        let together = if correlation > 0.5 / stretches.sqrt() {
            (correlation + (1.0 + 4.0 * correlation) / stretches).min(MOST_TOGETHER)
        } else {
            0.0
        };
        let more = (1.0 + together) / (1.0 - together);
        let cubes: f64 = apart.iter().map(|apart| apart * apart * apart).sum();
        let skewness = if squares > 0.0 {
            cubes / (squares * squares.sqrt())
        } else {
            0.0
        };
        Self {
            variance: squares * stretches / (stretches - 1.0) * more,
            freedom: ((stretches - 1.0) / more).max(LEAST_FREEDOM),
            correlation,
            // of so many fewer independent stretches
            skewness: skewness * more.sqrt(),
        }
    }

    /// How many standard errors the sum may be above and below what it is of, where
    /// Student's distribution, which is not skew, says `student` for both.
    ///
    /// Sums of latencies are skew, and those of a few dozen stretches are too low
    /// more often than too high, and then vary less. Hall's cubic transformation
    /// (*On the removal of skewness by transformation*, 1992) takes that back; it
    /// is monotone, so that ends never cross.
    pub fn ends(&self, student: f64) -> (f64, f64) {
        let end = |z: f64| match self.skewness {
            skew if skew.abs() < 1e-6 => z,
            skew => 3.0 / skew * (libm::cbrt(1.0 + skew * (z - skew / 6.0)) - 1.0),
        };
        (end(student), -end(-student))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_swing_are_independent() {
        let apart: Vec<f64> = (0..32).map(|at| f64::from(at % 2) - 0.5).collect();
        let found = Dependence::of(&apart);
        assert_eq!((found.variance, found.freedom), (8.0 * 32.0 / 31.0, 31.0));
        assert!(found.correlation < -0.9);
    }

    #[test]
    fn stretches_that_go_together_tell_less() {
        // A quarter of a period in each half.
        let apart: Vec<f64> = (0..100).map(|at| f64::from(at / 50) - 0.5).collect();
        let found = Dependence::of(&apart);
        assert!(found.correlation > 0.9);
        assert_eq!((found.variance / (2_500.0 / 99.0)).round(), 19.0);
        assert!((found.freedom - 99.0 / 19.0).abs() < 1e-9);
    }

    #[test]
    fn a_skew_sum_may_be_farther_above_than_below() {
        // One stretch in ten has nine times what the others lack.
        let apart: Vec<f64> = (0..100)
            .map(|at| if at % 10 == 0 { 9.0 } else { -1.0 })
            .collect();
        let found = Dependence::of(&apart);
        assert!((found.skewness - 0.8 / 3.0).abs() < 1e-9, "{found:?}");
        let (over, under) = found.ends(2.0);
        // the cubic of either end is what Student's distribution says
        let cubic = |t: f64| {
            let skew = found.skewness;
            t + skew / 3.0 * t * t + skew * skew / 27.0 * t * t * t + skew / 6.0
        };
        assert!((cubic(over) - 2.0).abs() < 1e-9 && (cubic(-under) + 2.0).abs() < 1e-9);
        assert!(over < 1.7 && under > 2.4, "{over} {under}");
    }

    #[test]
    fn stretches_all_alike_do_not_vary() {
        let found = Dependence::of(&[0.0; 9]);
        assert_eq!(
            (found.variance, found.freedom, found.correlation),
            (0.0, 8.0, 0.0)
        );
    }
}
