//! Where bins lie, and the width that suits a picture of them.

const MS: u64 = 1_000;
const S: u64 = 1_000 * MS;
const MIN: u64 = 60 * S;
const H: u64 = 60 * MIN;
const D: u64 = 24 * H;

/// Microseconds of the widths a picture's bins may have.
#[rustfmt::skip]
const NICE: [u64; 31] = [
    MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS,
    S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S,
    MIN, 2 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN,
    H, 2 * H, 3 * H, 6 * H, 12 * H,
    D, 2 * D, 7 * D, 30 * D, 365 * D,
];

/// Where bins lie and how many moments they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first moment, in microseconds.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Microseconds in a bin.
    pub width: u64,
    /// Moments counted.
    pub count: u64,
    /// As many bins may there be of this width, as it was asked for.
    pub fixed: Option<u64>,
}

/// The width that was asked for is too small for the span of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--bin {width} makes more than {most} bins; take a wider one", width = WithUnit(*width))]
pub struct TooManyBins {
    /// Microseconds.
    pub width: u64,
    /// How many there may be.
    pub most: u64,
}

struct WithUnit(u64);

impl std::fmt::Display for WithUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::number::duration(self.0 as f64).replace(' ', ""))
    }
}

impl Extent {
    /// What both cover; the moments are those of this one, which is one if they
    /// all fall together.
    #[must_use]
    pub fn with(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => Self {
                first: self.first.min(other.first),
                last: self.last.max(other.last),
                width: self.width.max(other.width),
                count: if self.first == self.last {
                    1
                } else {
                    self.count
                },
                ..self
            },
            None => self,
        }
    }

    /// The same, counted by so many series, each of which has its own line.
    #[must_use]
    pub fn shared_by(self, series: usize) -> Self {
        Self {
            count: (self.count / series.max(1) as u64).max(1),
            ..self
        }
    }

    /// The width, in microseconds, that shows the course rather than noise: at
    /// most 150 bins, and where requests are few at least eight in a bin on
    /// average, as long as that leaves 20 bins. The bins cover `span`.
    pub(crate) fn nice_width(&self, span: u64) -> Result<u64, TooManyBins> {
        if let Some(most) = self.fixed {
            let width = self.width;
            let fits = span / width < most;
            return fits.then_some(width).ok_or(TooManyBins { width, most });
        }
        if span == 0 {
            return Ok(S.max(self.width));
        }
        let span = span as f64;
        let quiet = (span * 8.0 / self.count as f64).min(span / 20.0);
        let least = (span / 150.0).max(quiet);
        let mut multiples = NICE.into_iter().filter(|width| width % self.width == 0);
        let nice = multiples.find(|&width| width as f64 >= least);
        Ok(nice.unwrap_or_else(|| {
            // longer than centuries: any multiple of what was counted will do
            self.width * (least / self.width as f64).ceil().max(1.0) as u64
        }))
    }
}
