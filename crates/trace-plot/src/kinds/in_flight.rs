//! How many requests were in flight, over the time of a run.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, apart, legend, only, panel::courses};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, MOST},
    cell::Flow,
    figure::{Figure, Mark, Sheet},
    grid::{Grid, corners},
    group::Groups,
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "in-flight",
    about: "requests in flight over the run, from the send to the end of the response",
    usual: true,
    new: |settings| Box::new(InFlight::new(settings)),
};

struct InFlight {
    bins: Bins<Flow>,
    requests: u64,
    /// Microseconds that all were in flight.
    busy: f64,
    /// Requests whose send or end is not known.
    endless: u64,
}

impl InFlight {
    fn new(settings: &Settings) -> Self {
        Self {
            bins: Bins::new(settings.bin, MOST),
            requests: 0,
            busy: 0.0,
            endless: 0,
        }
    }
}

impl Plot for InFlight {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let sent = sample.outcome.and_then(|outcome| outcome.sent_ms);
        let (Some(sent), Some(end)) = (sent, sample.ended()) else {
            self.endless += 1;
            return Ok(());
        };
        self.requests += 1;
        self.busy += end.saturating_sub(sent).as_micros() as f64;
        for (at, change) in [(sent, 1.0), (end, -1.0)] {
            let flow: &mut Flow = self.bins.at(sample.group, at)?;
            flow.add(at.as_micros(), change);
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.bins.extent() else {
            return Err(Nothing(
                "no line is an outcome with sent_ms and latency_ms".to_owned(),
            ));
        };
        let grid = Grid::over(&extent)?;
        let series = groups.series();
        let lines = series.iter();
        let lines =
            lines.map(|one| corners(&grid.levels(&self.bins, &one.groups), |step| step.cell));
        let (layers, peak) = courses(&series, lines.collect());
        let span = (extent.last - extent.first) as f64;
        let mean = if span > 0.0 {
            format!(
                " · {} in flight on average",
                number::significant(self.busy / span)
            )
        } else {
            String::new()
        };
        let endless = (self.endless > 0).then(|| {
            format!(
                "{} without sent_ms or latency_ms not drawn",
                number::counted(self.endless, "request")
            )
        });
        let figure = Figure {
            title: "Requests in flight".to_owned(),
            facts: format!(
                "{}{mean}{}, the mean of each{}",
                number::counted(self.requests, "request"),
                grid.fact(),
                only(groups, &series)
            ),
            notes: grid.note().into_iter().chain(endless).collect(),
            x: grid.axis(),
            y: Axis::from_zero("requests in flight", Quantity::Number, peak),
            layers,
            legend: legend(&series, Mark::Line),
        };
        Ok(apart::sheet(figure, &series))
    }
}
