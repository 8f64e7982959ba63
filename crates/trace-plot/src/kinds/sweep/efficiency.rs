//! What a level gives each user against what it gets out of each GPU.

use super::{Rows, Sweep};
use crate::{
    axis::{Axis, Quantity},
    figure::{Figure, Layer, Mark, Shape},
    group::Series,
    kinds::{Nothing, legend},
    number,
    theme::Ink,
};

impl Sweep {
    pub(super) fn efficiency(&self, rows: &Rows<'_>) -> Result<Figure, Nothing> {
        let gpus = self.settings.gpus;
        let mut layers = Vec::new();
        let mut words = Vec::new();
        let (mut right, mut top): (f64, f64) = (0.0, 0.0);
        for (one, levels) in &rows.series {
            let mut points = Vec::new();
            for (at, level) in levels {
                let tokens = level
                    .per_second(level.output_tokens)
                    .filter(|rate| *rate > 0.0);
                let Some((tokens, users)) = tokens.zip(level.users()) else {
                    continue;
                };
                let point = (tokens / users, tokens / gpus);
                (right, top) = (right.max(point.0), top.max(point.1));
                words.push((point, number::significant(*at)));
                points.push(point);
            }
            layers.push(Layer::line(one.ink, points.clone()));
            layers.push(Layer::of(one.ink, Shape::Knots(points)));
        }
        if words.is_empty() {
            return Err(Nothing("no level has output_tokens".to_owned()));
        }
        layers.push(Layer::of(Ink::All, Shape::Words(words)));
        let mut notes = vec![format!(
            "points are labelled with their {}; users are {}, GPUs {}",
            rows.title,
            if rows.title == "concurrency" {
                "as many as the concurrency"
            } else {
                "the requests in flight on average"
            },
            number::significant(gpus)
        )];
        notes.extend(self.notes());
        let series: Vec<Series> = rows.series.iter().map(|(one, _)| one.clone()).collect();
        Ok(Figure {
            title: "Efficiency".to_owned(),
            facts: String::new(),
            notes,
            x: Axis::from_zero(
                "output tokens/s for each user",
                Quantity::Number,
                right * 1.05,
            ),
            y: Axis::from_zero("output tokens/s for each GPU", Quantity::Number, top * 1.05),
            layers,
            legend: legend(&series, Mark::Line),
        })
    }
}
