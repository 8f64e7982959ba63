//! What a server gives and takes at each level of a sweep: latencies,
//! throughput, goodput and efficiency against concurrency, or against the rate
//! of requests where no concurrency was set.
//!
//! A level is a concurrency, else a stage, else a file told apart by its
//! source. Rounds of a level are taken together: their times add up. Tokens
//! are those that were counted in the answers.

mod efficiency;
mod levels;
mod summary;
mod views;

use anyhow::Result;

use self::{
    levels::{Level, Levels},
    views::View,
};
use super::{Kind, Nothing, Plot, Settings, legend, only};
use crate::{
    axis::Axis,
    figure::{Entry, Figure, Layer, Layout, Mark, Shape, Sheet},
    group::{Groups, Series, TRACKED},
    number,
    sample::Sample,
    slo,
    theme::Ink,
};

/// All views on one sheet, then each by itself.
pub(super) const KINDS: [Kind; 10] = [
    Kind {
        name: "sweep",
        about: "TTFT, inter-token latency, latency, throughput, goodput (with --slo) and efficiency against concurrency, or against rate",
        usual: true,
        new: |settings| Box::new(Sweep::new(settings, Show::All)),
    },
    view("sweep-ttft", "time to first token, p50 and p99", |s| {
        Box::new(Sweep::new(s, Show::View(&views::TTFT)))
    }),
    view("sweep-ttft-mean", "its mean", |s| {
        Box::new(Sweep::new(s, Show::View(&views::TTFT_MEAN)))
    }),
    view(
        "sweep-itl",
        "inter-token latency (TPOT), p50 and p99",
        |s| Box::new(Sweep::new(s, Show::View(&views::ITL))),
    ),
    view("sweep-itl-p50", "its median", |s| {
        Box::new(Sweep::new(s, Show::View(&views::ITL_P50)))
    }),
    view("sweep-itl-mean", "its mean", |s| {
        Box::new(Sweep::new(s, Show::View(&views::ITL_MEAN)))
    }),
    view("sweep-latency", "latency, p50 and p99", |s| {
        Box::new(Sweep::new(s, Show::View(&views::LATENCY)))
    }),
    view("sweep-throughput", "requests answered a second", |s| {
        Box::new(Sweep::new(s, Show::View(&views::THROUGHPUT)))
    }),
    view(
        "sweep-goodput",
        "requests a second that keep every --slo",
        |s| Box::new(Sweep::new(s, Show::View(&views::GOODPUT))),
    ),
    view(
        "sweep-efficiency",
        "output tokens a second for each GPU (--gpus) against those for each user",
        |s| Box::new(Sweep::new(s, Show::Efficiency)),
    ),
];

const fn view(
    name: &'static str,
    about: &'static str,
    new: fn(&Settings) -> Box<dyn Plot>,
) -> Kind {
    Kind {
        name,
        about,
        usual: false,
        new,
    }
}

/// What is drawn.
enum Show {
    All,
    View(&'static View),
    Efficiency,
}

struct Sweep {
    show: Show,
    settings: Settings,
    levels: Levels,
}

/// The levels of each series, at what they lie at on the axis.
struct Rows<'a> {
    x: Axis,
    title: &'static str,
    series: Vec<(Series, Vec<(f64, &'a Level)>)>,
}

impl Sweep {
    fn new(settings: &Settings, show: Show) -> Self {
        Self {
            show,
            settings: settings.clone(),
            levels: Levels::new(&settings.by),
        }
    }
}

impl Plot for Sweep {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        self.levels.add(sample, self.settings.slo.as_ref());
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let rows = self.rows(groups)?;
        let mut panels: Vec<Figure> = match self.show {
            Show::View(view) => vec![self.view(view, &rows)?],
            Show::Efficiency => vec![self.efficiency(&rows)?],
            Show::All => {
                let throughput = if self.settings.slo.is_none() {
                    &views::THROUGHPUT
                } else {
                    &views::GOODPUT
                };
                let views = [
                    &views::TTFT,
                    &views::ITL,
                    &views::LATENCY,
                    throughput,
                    &views::OUTPUT,
                ];
                let figures = views.into_iter().map(|view| self.view(view, &rows));
                let figures = figures.chain([self.efficiency(&rows)]);
                figures.filter_map(Result::ok).collect()
            }
        };
        let Some(first) = panels.first_mut() else {
            return Err(Nothing("no request of a level succeeded".to_owned()));
        };
        first.facts += &only(groups, &groups.series());
        first.facts = first.facts.trim_start_matches(" · ").to_owned();
        Ok(Sheet::new("Sweep", panels, Layout::PAIRS))
    }

    fn words(&self, groups: &Groups) -> Vec<String> {
        self.rows(groups)
            .map_or_else(|_| Vec::new(), |rows| summary::lines(&rows))
    }
}

impl Sweep {
    fn rows(&self, groups: &Groups) -> Result<Rows<'_>, Nothing> {
        let all = self.levels.all();
        if all.is_empty() && self.levels.unlabelled == 0 {
            return Err(Nothing("no line is an outcome".to_owned()));
        }
        let concurrency = all.iter().any(|level| level.concurrency.is_some());
        let at = |level: &Level| match concurrency {
            true => level.concurrency.map(|concurrency| concurrency as f64),
            false => level.offered(),
        };
        let mut values: Vec<f64> = all.iter().filter_map(at).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        // one point is no sweep, but may be wanted by its name
        let named = !matches!(self.show, Show::All);
        let along = concurrency && (named || values.len() > 1);
        if values.is_empty() || !along && !self.levels.several_runs() {
            return Err(Nothing(
                "all requests are of one level; a sweep has several concurrencies, stages or files (NAME=FILE)".to_owned(),
            ));
        }
        let mut series = groups.series();
        if !concurrency && self.settings.by == "source" {
            // each file is a level, not a line
            series = vec![Series {
                label: "all".to_owned(),
                ink: Ink::Series(0),
                groups: (0..=TRACKED).collect(),
            }];
        }
        let series = series
            .into_iter()
            .map(|one| {
                let levels = all.iter().filter(|level| one.groups.contains(&level.group));
                let mut levels: Vec<(f64, &Level)> = levels
                    .filter_map(|level| Some((at(level)?, level)))
                    .collect();
                levels.sort_by(|a, b| a.0.total_cmp(&b.0));
                (one, levels)
            })
            .collect();
        let title = if concurrency {
            "concurrency"
        } else {
            "requests scheduled/s"
        };
        Ok(Rows {
            x: Axis::levels(title, &values),
            title,
            series,
        })
    }

    fn view(&self, view: &View, rows: &Rows<'_>) -> Result<Figure, Nothing> {
        if view.needs_slo && self.settings.slo.is_none() {
            return Err(Nothing(
                "goodput needs a limit to keep, such as --slo ttft_ms=500".to_owned(),
            ));
        }
        let mut layers = Vec::new();
        let mut peak: f64 = 0.0;
        let mut infinite = 0;
        for (one, levels) in &rows.series {
            for (measure, dashed) in [(Some(view.solid), false), (view.dashed, true)] {
                let Some((_, measure)) = measure else {
                    continue;
                };
                let values = levels.iter().map(|(at, level)| (*at, measure(level)));
                let points: Vec<(f64, f64)> = values
                    .filter_map(|(at, value)| Some((at, value?)))
                    .collect();
                infinite += levels
                    .iter()
                    .filter(|(_, level)| level.failed > 0 && measure(level).is_none())
                    .count();
                peak = points.iter().map(|point| point.1).fold(peak, f64::max);
                if points.is_empty() {
                    continue;
                }
                layers.push(if dashed {
                    Layer::dashes(one.ink, points.clone())
                } else {
                    Layer::line(one.ink, points.clone())
                });
                layers.push(Layer::of(one.ink, Shape::Knots(points)));
            }
        }
        if layers.is_empty() {
            return Err(Nothing(format!("no level has a {}", view.axis)));
        }
        let mut notes = self.notes();
        if infinite > 0 {
            notes.push(
                "a failed request takes for ever: where a quantile touches one there is no point"
                    .to_owned(),
            );
        }
        if let Some(slo) = self.settings.slo.as_ref().filter(|_| view.needs_slo) {
            notes.push(format!("good: {}", slo::words(slo)));
        }
        Ok(Figure {
            title: format!("{} against {}", view.title, rows.title),
            facts: String::new(),
            notes,
            x: rows.x.clone(),
            y: Axis::from_zero(view.axis, view.quantity, peak),
            layers,
            legend: entries(view, rows),
        })
    }

    fn notes(&self) -> Vec<String> {
        let left_out = [
            (self.levels.beyond, "of further levels not drawn"),
            (
                self.levels.unlabelled,
                "of no concurrency, stage or source not drawn",
            ),
        ];
        let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
        left_out
            .map(|(count, why)| format!("{} {why}", number::counted(count, "request")))
            .collect()
    }
}

fn entries(view: &View, rows: &Rows<'_>) -> Vec<Entry> {
    let series: Vec<Series> = rows.series.iter().map(|(one, _)| one.clone()).collect();
    let mut entries = legend(&series, Mark::Line);
    if let Some((dashed, _)) = view.dashed {
        let ink = if series.len() == 1 {
            series[0].ink
        } else {
            Ink::Other
        };
        entries.push(Entry::new(view.solid.0, ink, Mark::Line));
        entries.push(Entry::new(dashed, ink, Mark::Dashed));
    }
    entries
}
