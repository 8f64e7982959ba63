//! How far apart: the distribution of the time between two arrivals.

use rand::Rng;
use trace_core::seed;

use crate::draw;

/// Smallest coefficient of variation with a shape to speak of; below it gaps
/// are constant for every practical purpose.
pub const MIN_CV: f64 = 0.001;

/// Largest coefficient of variation: beyond it nearly every gap is zero in
/// the microseconds of a trace.
pub const MAX_CV: f64 = 100.0;

/// A distribution of gaps, in seconds.
///
/// The coefficient of variation is the standard deviation over the mean: 1
/// for [`Gap::poisson`], more is burstier, less is more regular.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    /// Exponential gaps, as of many independent users.
    Exponential {
        /// Mean gap, seconds.
        mean: f64,
    },
    /// Gamma gaps of mean `shape * scale`.
    Gamma {
        /// 1 / cv².
        shape: f64,
        /// Seconds.
        scale: f64,
    },
    /// Weibull gaps; a heavier tail than gamma's at the same cv above 1.
    Weibull {
        /// Below 1 bursty, above 1 regular.
        shape: f64,
        /// Seconds.
        scale: f64,
    },
}

impl Gap {
    /// The gaps of a Poisson process with `rate` arrivals per second.
    pub fn poisson(rate: f64) -> Self {
        Self::Exponential { mean: 1.0 / rate }
    }

    /// Gamma gaps, `rate` per second, with coefficient of variation `cv`.
    pub fn gamma(rate: f64, cv: f64) -> Self {
        let shape = 1.0 / (cv * cv);
        Self::Gamma {
            shape,
            scale: 1.0 / (rate * shape),
        }
    }

    /// Weibull gaps, `rate` per second, with coefficient of variation `cv`
    /// between [`MIN_CV`] and [`MAX_CV`].
    pub fn weibull(rate: f64, cv: f64) -> Self {
        let shape = weibull_shape(cv);
        let mean_at_scale_1 = libm::exp(libm::lgamma(1.0 + 1.0 / shape));
        Self::Weibull {
            shape,
            scale: 1.0 / (rate * mean_at_scale_1),
        }
    }

    /// Gamma gaps of mean 1 second with this shape.
    pub fn gamma_of_shape(shape: f64) -> Self {
        Self::Gamma {
            shape,
            scale: 1.0 / shape,
        }
    }

    /// Weibull gaps of mean 1 second with this shape.
    pub fn weibull_of_shape(shape: f64) -> Self {
        Self::Weibull {
            shape,
            scale: libm::exp(-libm::lgamma(1.0 + 1.0 / shape)),
        }
    }

    /// The coefficient of variation.
    pub fn cv(&self) -> f64 {
        match *self {
            Self::Exponential { .. } => 1.0,
            Self::Gamma { shape, .. } => 1.0 / shape.sqrt(),
            Self::Weibull { shape, .. } => {
                let (first, second) = (1.0 + 1.0 / shape, 1.0 + 2.0 / shape);
                libm::expm1(libm::lgamma(second) - 2.0 * libm::lgamma(first)).sqrt()
            }
        }
    }

    /// A gap among those of more than `age` seconds.
    pub fn beyond(&self, age: f64, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Exponential { mean } => age + mean * draw::exponential(rng),
            Self::Gamma { shape, scale } => scale * gamma_beyond(age / scale, shape, rng),
            Self::Weibull { shape, scale } => {
                let spent = libm::pow(age / scale, shape);
                scale * libm::pow(spent + draw::exponential(rng), 1.0 / shape)
            }
        }
    }

    /// One gap.
    #[inline]
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Exponential { mean } => mean * draw::exponential(rng),
            Self::Gamma { shape, scale } => scale * draw::gamma(rng, shape),
            Self::Weibull { shape, scale } => {
                scale * libm::pow(draw::exponential(rng), 1.0 / shape)
            }
        }
    }

    /// What is left of the gap that some unrelated moment falls into.
    ///
    /// Such a moment meets long gaps more often, in proportion to their
    /// length, and falls anywhere inside. A gap so weighted is again of the
    /// gamma family: with one more in the shape for gamma itself, and under
    /// the power 1/shape for Weibull.
    pub fn rest(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Exponential { mean } => mean * draw::exponential(rng),
            Self::Gamma { shape, scale } => {
                let met = scale * draw::gamma(rng, shape + 1.0);
                met * seed::unit(rng)
            }
            Self::Weibull { shape, scale } => {
                let met = scale * libm::pow(draw::gamma(rng, 1.0 + 1.0 / shape), 1.0 / shape);
                met * seed::unit(rng)
            }
        }
    }
}

/// A gamma number of scale 1 among those above `least`.
///
/// By rejection: of plain gamma numbers where many are above, else of
/// exponential ones that begin at `least` and fall as the density does there,
/// or slower.
fn gamma_beyond(least: f64, shape: f64, rng: &mut impl Rng) -> f64 {
    let is_common = if shape > 1.0 {
        least <= shape
    } else {
        least <= 0.1
    };
    if is_common {
        loop {
            let x = draw::gamma(rng, shape);
            if x > least {
                return x;
            }
        }
    }
    // The slope of the logarithm of the density at `least`, which only gets
    // steeper above shape 1 and only flatter, up to 1, below.
    let slope = if shape > 1.0 {
        1.0 - (shape - 1.0) / least
    } else {
        1.0
    };
    loop {
        let more = draw::exponential(rng) / slope;
        let x = least + more;
        let log_density = (shape - 1.0) * libm::log(x / least) - more + slope * more;
        if libm::log(draw::open(rng)) <= log_density {
            return x;
        }
    }
}

/// The shape of the Weibull distribution whose coefficient of variation is
/// `cv`: the root of Γ(1+2/k) / Γ(1+1/k)² = 1 + cv², by bisection.
fn weibull_shape(cv: f64) -> f64 {
    let wanted = libm::log1p(cv * cv);
    let excess =
        |shape: f64| libm::lgamma(1.0 + 2.0 / shape) - 2.0 * libm::lgamma(1.0 + 1.0 / shape);
    // cv is 8e7 at the low end and 6e-4 at the high end, and falls between.
    let (mut low, mut high) = (0.05, 2_000.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if excess(middle) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weibull_cv(shape: f64) -> f64 {
        let first = libm::lgamma(1.0 + 1.0 / shape);
        let second = libm::lgamma(1.0 + 2.0 / shape);
        libm::expm1(second - 2.0 * first).sqrt()
    }

    #[test]
    fn the_weibull_shape_gives_back_the_cv() {
        for cv in [MIN_CV, 0.1, 0.5, 1.0, 2.0, 4.5, 20.0, MAX_CV] {
            let again = weibull_cv(weibull_shape(cv));
            assert!((again / cv - 1.0).abs() < 1e-6, "{cv} became {again}");
        }
        assert!((weibull_shape(1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_scale_gives_the_rate() {
        // Γ(1 + 1/0.5) = 2, and cv² is Γ(5)/Γ(3)² − 1 = 5 there.
        let Gap::Weibull { shape, scale } = Gap::weibull(4.0, 5.0f64.sqrt()) else {
            unreachable!()
        };
        assert!((shape - 0.5).abs() < 1e-9);
        assert!((scale - 0.125).abs() < 1e-9);
    }
}
