//! Student's distribution.

use std::f64::consts::PI;

/// Where Student's distribution of so many degrees of freedom (1 or more) has
/// `level` of its mass between −t and t.
///
/// The closed form for whole degrees (Abramowitz and Stegun, 26.7.3 and 26.7.4),
/// inverted by halving.
pub fn two_sided(freedom: u32, level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while mass(freedom, high) < level && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if mass(freedom, middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// How much wider Student's distribution of so many degrees of freedom is than
/// the normal one, where both have `level` of their mass.
pub fn wider(freedom: u32, level: f64) -> f64 {
    /// As good as the normal distribution, and a multiple as fast.
    const MANY: u32 = 1_000;
    if freedom >= MANY {
        return 1.0;
    }
    two_sided(freedom.max(1), level) / two_sided(MANY, level)
}

/// The mass between −t and t.
fn mass(freedom: u32, t: f64) -> f64 {
    let nu = f64::from(freedom);
    let sine = t / (nu + t * t).sqrt();
    let cosine2 = nu / (nu + t * t);
    let odd = freedom % 2 == 1;
    // 1, 1/2, 1·3/2·4, … or 1, 2/3, 2·4/3·5, …, each with its power of cos².
    let (mut term, mut sum) = (1.0, 0.0);
    let terms = if odd { (freedom - 1) / 2 } else { freedom / 2 };
    for step in 0..terms {
        sum += term;
        let step = f64::from(2 * step);
        let factor = if odd {
            (step + 2.0) / (step + 3.0)
        } else {
            (step + 1.0) / (step + 2.0)
        };
        term *= factor * cosine2;
    }
    if odd {
        2.0 / PI * (libm::atan(t / nu.sqrt()) + sine * cosine2.sqrt() * sum)
    } else {
        sine * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_degrees_are_wider_than_the_normal() {
        // t(9) and t(1000) by scipy, as above.
        let ratio = 2.262_157_162_798_205 / 1.962_339_080_826_408_2;
        assert!((wider(9, 0.95) / ratio - 1.0).abs() < 1e-9);
        assert_eq!(wider(5_000, 0.95), 1.0);
        assert_eq!(wider(0, 0.95), wider(1, 0.95));
    }

    #[test]
    fn quantiles_are_scipys() {
        // scipy.stats.t.ppf((1 + level) / 2, freedom)
        for (freedom, level, expected) in [
            (1, 0.95, 12.706_204_736_174_694),
            (2, 0.95, 4.302_652_729_749_462),
            (9, 0.95, 2.262_157_162_798_205),
            (30, 0.99, 2.749_995_653_567_225),
            (63, 0.9, 1.669_402_221_706_812_7),
        ] {
            let found = two_sided(freedom, level);
            assert!((found / expected - 1.0).abs() < 1e-12, "{freedom}: {found}");
        }
    }
}
