//! Throughput against latency, one dot a request, with the Pareto frontier:
//! the requests that no other beats in both.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, Spacing, legend, only};
use crate::{
    axis::{Axis, Quantity},
    cloud::Cloud,
    ending::{Ending, Endings},
    figure::{Entry, Figure, Layer, Mark, Shape, Sheet},
    frontier::Frontier,
    group::{Groups, TRACKED},
    number,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "throughput-latency",
    about: "output tokens a second of each request against its latency, with the Pareto frontier and the ideal point",
    usual: true,
    new: |settings| Box::new(Pareto::new(settings)),
};

struct Pareto {
    spacing: Spacing,
    cloud: Cloud,
    frontier: Frontier,
    endings: Endings,
}

impl Pareto {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            cloud: Cloud::default(),
            frontier: Frontier::default(),
            endings: Endings::default(),
        }
    }
}

impl Plot for Pareto {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let point = sample.outcome.and_then(|outcome| {
            let latency = outcome.latency_ms?.as_micros() as f64;
            let tokens = outcome.output_tokens? as f64;
            (latency > 0.0).then_some((latency, tokens / latency * 1e6))
        });
        if self.endings.count(sample, point.is_some()) == Ending::Succeeded
            && let Some(point) = point
        {
            self.cloud.add(sample.group, point);
            self.frontier.add(point);
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let all = self.cloud.dots(&(0..=TRACKED).collect::<Vec<_>>());
        let (Some(ideal), Some(left), Some(right)) =
            (self.frontier.ideal(), all.first(), all.last())
        else {
            return Err(self.endings.nothing("latency_ms and output_tokens"));
        };
        let points = self.frontier.points();
        let (low, high) = all.iter().fold((f64::INFINITY, 0.0), |(low, high), dot| {
            (dot.at.1.min(low), dot.at.1.max(high))
        });
        let x = self
            .spacing
            .duration("latency, from the send", (left.at.0, left.at.0, right.at.0));
        let y = if self.spacing.is_log(low, high) && low > 0.0 {
            Axis::log("output tokens/s", Quantity::Number, (low, high), 1e-9)
        } else {
            Axis::from_zero("output tokens/s", Quantity::Number, high)
        };
        let series = groups.series();
        let mut layers: Vec<Layer> = series
            .iter()
            .map(|one| Layer::of(one.ink, Shape::Dots(self.cloud.dots(&one.groups))))
            .collect();
        // below the frontier, which it is when one request is the best in both
        layers.push(Layer::of(Ink::Star, Shape::Star(ideal)));
        layers.push(Layer::line(Ink::All, points.to_vec()));
        layers.push(Layer::of(Ink::All, Shape::Knots(points.to_vec())));
        let mut entries = match legend(&series, Mark::Dot) {
            none if none.is_empty() => vec![Entry::new("one request", series[0].ink, Mark::Dot)],
            several => several,
        };
        entries.push(Entry::new("Pareto frontier", Ink::All, Mark::Line));
        entries.push(Entry::new(
            "ideal: least latency, most throughput",
            Ink::Star,
            Mark::Star,
        ));
        Ok(Sheet::from(Figure {
            title: "Throughput against latency".to_owned(),
            facts: format!(
                "{} · {} on the frontier · ideal {} and {} tokens/s{}",
                number::counted(self.cloud.count(), "request"),
                number::exact(points.len() as u64),
                number::duration(ideal.0),
                number::significant(ideal.1),
                only(groups, &series)
            ),
            notes: self
                .endings
                .failures()
                .into_iter()
                .chain(self.endings.notes("latency_ms and output_tokens"))
                .collect(),
            x,
            y,
            layers,
            legend: entries,
        }))
    }
}
