//! How long prompts and answers are: ISL and OSL.
//!
//! Of an outcome the tokens that were counted, of a request those it asks for.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, Spacing, legend, only};
use crate::{
    axis::Quantity,
    distribution::PerGroup,
    figure::{Figure, Layout, Mark, Sheet},
    group::{Groups, Series},
    histogram::Histogram,
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "lengths",
    about: "how many requests have prompts (ISL) and answers (OSL) of how many tokens",
    usual: true,
    new: |settings| Box::new(Lengths::new(settings)),
};

struct Lengths {
    spacing: Spacing,
    input: PerGroup,
    output: PerGroup,
    /// Lines without a length of the prompt, and without one of the answer.
    without: [u64; 2],
}

impl Lengths {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            input: PerGroup::default(),
            output: PerGroup::default(),
            without: [0; 2],
        }
    }

    fn panel(
        &self,
        title: &str,
        values: &PerGroup,
        without: u64,
        series: &[Series],
    ) -> Option<Figure> {
        let histogram = Histogram::of(values, series, self.spacing, ("tokens", Quantity::Count))?;
        let spread = histogram.all.spread();
        let quantile = |value: Option<f64>| value.map_or("–".to_owned(), number::significant);
        let without = (without > 0).then(|| {
            format!(
                "{} without this length",
                number::counted(without, "request")
            )
        });
        Some(Figure {
            title: title.to_owned(),
            facts: format!(
                "{} · mean {} · p50 {} · p90 {} · p99 {} · max {}",
                number::counted(histogram.all.succeeded(), "request"),
                quantile(spread.mean),
                quantile(spread.p50),
                quantile(spread.p90),
                quantile(spread.p99),
                quantile(spread.max)
            ),
            notes: histogram.note.into_iter().chain(without).collect(),
            x: histogram.x,
            y: histogram.y,
            layers: histogram.layers,
            legend: Vec::new(),
        })
    }
}

impl Plot for Lengths {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let [no_input, no_output] = &mut self.without;
        for (length, values, without) in [
            (sample.input(), &mut self.input, no_input),
            (sample.output(), &mut self.output, no_output),
        ] {
            match length {
                Some(length) => values.of(sample.group).add_value(length),
                None => *without += 1,
            }
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let series = groups.series();
        let panels = [
            ("Prompt lengths (ISL)", &self.input, self.without[0]),
            ("Answer lengths (OSL)", &self.output, self.without[1]),
        ];
        let panels = panels.into_iter();
        let mut panels: Vec<Figure> = panels
            .filter_map(|(title, values, without)| self.panel(title, values, without, &series))
            .collect();
        let Some(first) = panels.first_mut() else {
            return Err(Nothing("no line has a number of tokens".to_owned()));
        };
        first.facts += &only(groups, &series);
        first.legend = legend(&series, Mark::Block);
        Ok(Sheet::new("Lengths", panels, Layout::STACK))
    }
}
