//! Requests and their tokens a second, each counted whole when it starts.
//!
//! This is the load that arrives: a request of a hundred thousand tokens is
//! one bar of a hundred thousand in the bin it is sent in. What the server
//! gives back over time is [`tokens`](super::tokens).

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, apart, legend, only, panel::rates};
use crate::{
    bins::{Bins, MOST},
    cell::Cell,
    figure::{Figure, Layout, Mark, Sheet},
    grid::{Grid, Step},
    group::Groups,
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "totals",
    about: "requests and their tokens (prompt and answer) a second, counted when they start",
    usual: true,
    new: |settings| Box::new(Totals::new(settings)),
};

struct Totals {
    bins: Bins<Load>,
    timeless: u64,
    /// Requests whose tokens are not known.
    tokenless: u64,
    tokens: u64,
}

/// What starts in a bin.
#[derive(Clone, Copy, Default)]
struct Load {
    requests: u64,
    tokens: u64,
}

impl Cell for Load {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

impl Totals {
    fn new(settings: &Settings) -> Self {
        Self {
            bins: Bins::new(settings.bin, MOST),
            timeless: 0,
            tokenless: 0,
            tokens: 0,
        }
    }

    fn notes(&self, grid: &Grid) -> Vec<String> {
        let left_out = [
            (self.timeless, "without a time not drawn"),
            (
                self.tokenless,
                "without a number of tokens add none; of a failed one only the prompt counts",
            ),
        ];
        let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
        let left_out =
            left_out.map(|(count, why)| format!("{} {why}", number::counted(count, "request")));
        grid.note().into_iter().chain(left_out).collect()
    }
}

impl Plot for Totals {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let Some(at) = sample.started() else {
            self.timeless += 1;
            return Ok(());
        };
        let tokens = match (sample.input(), sample.output()) {
            (None, None) => {
                self.tokenless += 1;
                0
            }
            (input, output) => input.unwrap_or(0).saturating_add(output.unwrap_or(0)),
        };
        self.tokens = self.tokens.saturating_add(tokens);
        let load = self.bins.at(sample.group, at)?;
        load.requests += 1;
        load.tokens = load.tokens.saturating_add(tokens);
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.bins.extent() else {
            return Err(Nothing("no line has a time".to_owned()));
        };
        let series = groups.series();
        let grid = Grid::over(&extent.shared_by(series.len()))?;
        let steps: Vec<Vec<Step<Load>>> = series
            .iter()
            .map(|one| grid.steps(&self.bins, &one.groups))
            .collect();
        let panel = |names, amount: fn(&Load) -> u64| rates(names, &grid, &series, &steps, amount);
        let mut panels = vec![panel(("Requests started", "requests"), |load| {
            load.requests
        })];
        if self.tokens > 0 {
            panels.push(panel(("Tokens of these requests", "tokens"), |load| {
                load.tokens
            }));
        }
        panels[0].facts = format!(
            "{} · {}{}{}",
            number::counted(extent.count, "request"),
            number::counted(self.tokens, "token"),
            grid.fact(),
            only(groups, &series)
        );
        panels[0].legend = legend(&series, Mark::Line);
        if let Some(last) = panels.last_mut() {
            last.notes = self.notes(&grid);
        }
        // each series in a row of its own: its requests, then its tokens
        let several = series.len();
        let apart: Vec<Vec<Figure>> = panels
            .into_iter()
            .map(|panel| apart::panels(panel, &series))
            .collect();
        let rows = (0..several).flat_map(|row| apart.iter().filter_map(move |all| all.get(row)));
        let layout = match apart.iter().any(|all| all.len() > 1) {
            true => Layout::PAIRS,
            false => Layout::STACK,
        };
        Ok(Sheet::new(
            "Requests and tokens",
            rows.cloned().collect(),
            layout,
        ))
    }
}
