//! When each session has its turns.
//!
//! Sessions stand over one another in the order in which they first appear in
//! the input. Their names are kept, hashed to 16 bytes, of at most
//! [`MOST`] sessions; turns of further ones are counted and not drawn.

use anyhow::Result;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::hash::BuildHasher as _;

use super::{Kind, Nothing, Plot, legend, only};
use crate::{
    axis::{Axis, Quantity},
    cloud::Cloud,
    figure::{Figure, Layer, Mark, Shape, Sheet},
    group::Groups,
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "sessions",
    about: "when each session has its turns: one row a session, in the order they appear",
    usual: true,
    new: |_| Box::new(Sessions::default()),
};

/// Sessions that are told apart: some 24 MB.
const MOST: usize = 500_000;

/// Turns by time and session.
pub(super) struct Sessions {
    ranks: HashMap<u64, u32, FixedState>,
    cloud: Cloud,
    /// The first moment and the last, in microseconds.
    span: Option<(u64, u64)>,
    /// Turns of sessions beyond those that are told apart.
    beyond: u64,
    /// Requests of no session, or without a time.
    without: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            ranks: HashMap::default(),
            cloud: Cloud::linear(),
            span: None,
            beyond: 0,
            without: 0,
        }
    }
}

impl Sessions {
    /// Count the turn that `sample` is.
    pub(super) fn count(&mut self, sample: &Sample<'_>) {
        let (Some(session), Some(at)) = (&sample.request.session_id, sample.started()) else {
            self.without += 1;
            return;
        };
        let name = FixedState::default().hash_one(session);
        let next = self.ranks.len() as u32 + 1;
        let rank = match self.ranks.get(&name) {
            Some(&rank) => rank,
            None if self.ranks.len() < MOST => *self.ranks.entry(name).or_insert(next),
            None => {
                self.beyond += 1;
                return;
            }
        };
        let at = at.as_micros();
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self.cloud.add(sample.group, (at as f64, f64::from(rank)));
    }

    /// The figure with time over `x`, or over that of the turns, from
    /// `start` microseconds on.
    pub(super) fn figure(
        &self,
        groups: &Groups,
        x: Option<(Axis, u64)>,
    ) -> Result<Figure, Nothing> {
        let Some((first, last)) = self.span else {
            return Err(Nothing("no line has a session_id and a time".to_owned()));
        };
        let series = groups.series();
        let dots = |groups: &[usize], start: u64| {
            let mut dots = self.cloud.dots(groups);
            for dot in &mut dots {
                dot.at.0 = (dot.at.0 - start as f64).max(0.0);
            }
            dots
        };
        let own = x.is_none();
        let (x, start) = x.unwrap_or_else(|| {
            let start = if first > (last - first) / 4 { first } else { 0 };
            let end = (last - start).max(1_000_000);
            let axis = Axis::from_zero("time", Quantity::Duration, end as f64);
            (axis, start)
        });
        Ok(Figure {
            title: "Turns of sessions".to_owned(),
            facts: format!(
                "{} of {}{}",
                number::counted(self.cloud.count(), "turn"),
                number::counted(self.ranks.len() as u64, "session"),
                only(groups, &series)
            ),
            notes: self.notes(if own { start } else { 0 }),
            x,
            y: Axis::from_zero(
                "session, in order of appearance",
                Quantity::Count,
                self.ranks.len() as f64,
            ),
            layers: series
                .iter()
                .map(|one| Layer::of(one.ink, Shape::Dots(dots(&one.groups, start))))
                .collect(),
            legend: legend(&series, Mark::Dot),
        })
    }
}

impl Sessions {
    /// What is not drawn, and that time counts from `start` if it does.
    fn notes(&self, start: u64) -> Vec<String> {
        let left_out = [
            (self.without, "of no session or without a time not drawn"),
            (
                self.beyond,
                "of sessions beyond the first 500,000 not drawn",
            ),
        ];
        let late = (start > 0).then(|| {
            let ms = number::exact(start / 1_000);
            format!("time counts from {ms} ms after the zero of the trace")
        });
        let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
        left_out
            .map(|(count, why)| format!("{} {why}", number::counted(count, "request")))
            .chain(late)
            .collect()
    }
}

impl Plot for Sessions {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        self.count(sample);
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        self.figure(groups, None).map(Sheet::from)
    }
}
