//! How many requests waited how long for their first token.
//!
//! Time counts from the send. Bars of several models stand on one another, so
//! that their tops show the whole.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, Spacing, legend, only, quantiles};
use crate::{
    axis::Quantity,
    distribution::PerGroup,
    ending::{Ending, Endings},
    figure::{Figure, Mark, Sheet},
    group::Groups,
    histogram::Histogram,
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "ttft-histogram",
    about: "how many requests had their first token after how long, from the send",
    usual: true,
    new: |settings| Box::new(TtftHistogram::new(settings)),
};

struct TtftHistogram {
    spacing: Spacing,
    groups: PerGroup,
    endings: Endings,
}

impl TtftHistogram {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            groups: PerGroup::default(),
            endings: Endings::default(),
        }
    }
}

impl Plot for TtftHistogram {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let ttft = sample.outcome.and_then(|outcome| outcome.ttft_ms);
        match (self.endings.count(sample, ttft.is_some()), ttft) {
            (Ending::Failed, _) => self.groups.of(sample.group).fail(),
            (Ending::Succeeded, Some(ttft)) => self.groups.of(sample.group).add(ttft),
            _ => {}
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let series = groups.series();
        let axis = ("time to first token", Quantity::Duration);
        let Some(histogram) = Histogram::of(&self.groups, &series, self.spacing, axis) else {
            return Err(self.endings.nothing("ttft_ms"));
        };
        let all = &histogram.all;
        let failures = self.endings.failures();
        let failures = failures.map(|failed| failed + "; in the quantiles they count as infinite");
        Ok(Sheet::from(Figure {
            title: "Time to first token".to_owned(),
            facts: format!(
                "{} · {}{}",
                number::counted(all.succeeded() + all.failed(), "request"),
                quantiles(&all.spread()),
                only(groups, &series)
            ),
            notes: histogram
                .note
                .into_iter()
                .chain(failures)
                .chain(self.endings.notes("ttft_ms"))
                .collect(),
            x: histogram.x,
            y: histogram.y,
            layers: histogram.layers,
            legend: legend(&series, Mark::Block),
        }))
    }
}
