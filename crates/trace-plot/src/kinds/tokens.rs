//! Output tokens a second over the time of a run.
//!
//! Tokens of an answer are spread evenly from its first to its last, so that
//! the area below the curve is their number.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, apart, legend, only, panel::courses};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, MOST},
    cell::Flow,
    ending::{Ending, Endings},
    figure::{Figure, Mark, Sheet},
    grid::{Grid, corners},
    group::Groups,
    number,
    per::Per,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "tokens-per-sec",
    about: "output tokens a second over the run, each answer's spread from its first token to its last",
    usual: true,
    new: |settings| Box::new(Tokens::new(settings)),
};

struct Tokens {
    bins: Bins<Flow>,
    tokens: u64,
    endings: Endings,
}

impl Tokens {
    fn new(settings: &Settings) -> Self {
        Self {
            bins: Bins::new(settings.bin, MOST),
            tokens: 0,
            endings: Endings::default(),
        }
    }
}

impl Plot for Tokens {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let answer = sample.outcome.and_then(|outcome| {
            let sent = outcome.sent_ms?;
            let end = sent + outcome.last_token_ms.or(outcome.latency_ms)?;
            // an answer that came whole came at its end
            let first = outcome.ttft_ms.map_or(end, |ttft| sent + ttft);
            Some((first.min(end), end, outcome.output_tokens?))
        });
        if self.endings.count(sample, answer.is_some()) != Ending::Succeeded {
            return Ok(());
        }
        if let Some((first, end, tokens)) = answer {
            let span = end.saturating_sub(first).as_micros().max(1);
            let rate = tokens as f64 / span as f64;
            let last = trace_core::Micros::from_micros(first.as_micros().saturating_add(span));
            for (at, change) in [(first, rate), (last, -rate)] {
                let flow: &mut Flow = self.bins.at(sample.group, at)?;
                flow.add(at.as_micros(), change);
            }
            self.tokens = self.tokens.saturating_add(tokens);
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.bins.extent() else {
            return Err(self.endings.nothing("output_tokens and latency_ms"));
        };
        let series = groups.series();
        let grid = Grid::over(&extent.shared_by(series.len()))?;
        let lines = series.iter().map(|one| {
            let steps = grid.levels(&self.bins, &one.groups);
            corners(&steps, |step| step.cell * Per::SECOND.us)
        });
        let (layers, peak) = courses(&series, lines.collect());
        let span = (extent.last - extent.first) as f64;
        let mean = if span > 0.0 {
            let mean = number::significant(self.tokens as f64 / span * 1e6);
            format!(" · {mean}/s on average")
        } else {
            String::new()
        };
        let figure = Figure {
            title: "Output tokens a second".to_owned(),
            facts: format!(
                "{} in {}{mean}{}{}",
                number::counted(self.tokens, "token"),
                number::counted(self.endings.tried() - self.endings.failed(), "answer"),
                grid.fact(),
                only(groups, &series)
            ),
            notes: grid
                .note()
                .into_iter()
                .chain(self.endings.failures())
                .chain(self.endings.notes("output_tokens and latency_ms"))
                .collect(),
            x: grid.axis(),
            y: Axis::from_zero("output tokens/s", Quantity::Number, peak),
            layers,
            legend: legend(&series, Mark::Line),
        };
        Ok(apart::sheet(figure, &series))
    }
}
