//! What prompts cost: times of first tokens, of requests that had the engine for themselves.

use super::overlap::Overlap;
use super::solve::trimmed;
use super::{FEWEST, Part, Sample};

/// That too few requests were alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shared {
    /// Those that were.
    alone: usize,
    /// Most that decoded at once, and most that were open at once.
    decoded: usize,
    open: usize,
}

impl Shared {
    /// What the run does not tell, and which would.
    pub(super) fn words(self, a_is_known: bool) -> String {
        let Shared {
            alone,
            decoded,
            open,
        } = self;
        let what = if a_is_known {
            "overhead"
        } else {
            "overhead and a"
        };
        let places = if open > decoded {
            format!(
                " and for places, of which {decoded} were taken while {open} requests were open"
            )
        } else {
            String::new()
        };
        format!(
            "{what}: {alone} requests were alone, and first tokens of others waited for prompts and \
             steps{places}, nobody knows how long; measure with trace-send --concurrency 1, on \
             prompts of several lengths"
        )
    }
}

/// Overhead and a.
///
/// # Errors
/// Too few requests were alone.
pub(super) fn fit(samples: &[Sample], overlap: &Overlap) -> Result<Part<2>, Shared> {
    let open = Open::of(samples);
    let undisturbed = |one: &Sample| {
        let others = overlap.prefill(one.sent, one.first) - one.own();
        open.at(one.sent) == 0 && others < 0.5
    };
    let alone = samples.iter().filter(|one| undisturbed(one));
    let rows: Vec<_> = alone
        .map(|one| ([1.0, one.own()], one.first - one.sent))
        .collect();
    let count = rows.len();
    if count < FEWEST {
        return Err(Shared {
            alone: count,
            decoded: overlap.most_at_once(),
            open: open.most(),
        });
    }
    let (rows, times) = trimmed(rows);
    let of = format!(
        "Time to first token, {} of {count} requests that were alone",
        rows.len()
    );
    Ok(Part::solve(of, &rows, &times))
}

/// How many requests were open at each moment.
struct Open {
    sent: Vec<f64>,
    ended: Vec<f64>,
}

impl Open {
    fn of(samples: &[Sample]) -> Open {
        let sorted = |time: fn(&Sample) -> f64| {
            let mut times: Vec<_> = samples.iter().map(time).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        Open {
            sent: sorted(|one| one.sent),
            ended: sorted(|one| one.last),
        }
    }

    /// Those that were sent before `moment` and had not ended.
    fn at(&self, moment: f64) -> usize {
        let sent = self.sent.partition_point(|time| *time < moment);
        sent - self.ended.partition_point(|time| *time < moment).min(sent)
    }

    /// The most at any moment.
    fn most(&self) -> usize {
        let others = self.sent.iter().map(|moment| self.at(*moment));
        others.max().map_or(0, |most| most + 1)
    }
}
