//! The exact LRU curves of a trace, or of the requests of outcomes.

use anyhow::{Result, bail};
use trace_core::{Line, Reader, cli::Progress};
use trace_stats::{
    cache::{Curve, Distances, Order, Rows},
    order::{Held, Prompt},
};

use super::drawn::{Drawn, assemble};
use crate::{figure::Figure, group::Groups, number, theme::Ink};

/// A cache that meets one group of requests.
#[derive(Debug)]
struct Met {
    rows: Rows,
    distances: Distances,
    held: Held,
}

impl Met {
    fn new(block_size: u64) -> Self {
        Self {
            rows: Rows::new(block_size, false),
            distances: Distances::new(Order::Forward),
            held: Held::default(),
        }
    }

    fn push(&mut self, prompt: &Prompt<'_>) -> Result<()> {
        if !prompt.ids.is_empty() {
            let row = self.rows.row(prompt.input_length, prompt.ids)?;
            self.distances.push(&row);
        }
        Ok(())
    }

    /// Its curve, and the number of distinct blocks.
    fn finish(mut self) -> Result<(Curve, u32)> {
        let held = std::mem::take(&mut self.held);
        held.release(|prompt| self.push(&prompt))?;
        Ok((self.distances.curve(), self.rows.distinct()))
    }
}

/// The figure of a trace, its requests told apart by the field `by`.
pub(super) fn figure(input: &mut Reader<'_>, by: &str, block_size: u64) -> Result<Figure> {
    let mut groups = Groups::by(by);
    let mut all = Met::new(block_size);
    let mut each: Vec<Met> = Vec::new();
    let mut progress = Progress::new("lines", None);
    let mut line = Line::default();
    let mut requests = 0_u64;
    while input.read(&mut line)? {
        let group = groups.of(&line);
        if group >= each.len() {
            each.resize_with(group + 1, || Met::new(block_size));
        }
        let outcome = line.outcome()?;
        for met in [&mut all, &mut each[group]] {
            match &outcome {
                Some(outcome) => met.held.push(&line, outcome)?,
                None => met.push(&Prompt::of(&line, None))?,
            }
        }
        requests += 1;
        if requests.is_multiple_of(4_096) {
            progress.set(requests, "");
        }
    }
    progress.finish();
    if requests == 0 {
        bail!("nothing to draw: the input has no requests");
    }
    let (curve, distinct) = all.finish()?;
    if curve.asked.blocks == 0 {
        bail!("nothing to draw: no request has hash_ids");
    }
    let facts = format!(
        "{} · {} accesses to {} of {block_size} tokens · {} % with room for everything",
        number::counted(requests, "request"),
        number::exact(curve.asked.blocks),
        number::counted(distinct.into(), "block"),
        number::significant(100.0 * curve.at(u64::MAX).hit_rate.unwrap_or(0.0))
    );
    let mut notes =
        vec!["LRU over blocks, each id of each line in order; exact at every capacity".to_owned()];
    let curves = if groups.series().len() == 1 {
        notes.push("by token is dashed".to_owned());
        vec![
            Drawn::of(&curve, Ink::Series(0), "by block", false),
            Drawn::of(&curve, Ink::Series(0), "by token", true),
        ]
    } else {
        of_groups(&groups, &curve, each, &mut notes)?
    };
    assemble(
        "Hit rate of an LRU cache by its capacity".to_owned(),
        facts,
        notes,
        curves,
    )
}

/// The curve of all in one cache, and of each group in one of its own.
fn of_groups(
    groups: &Groups,
    all: &Curve,
    each: Vec<Met>,
    notes: &mut Vec<String>,
) -> Result<Vec<Drawn>> {
    let finished: Vec<Curve> = each
        .into_iter()
        .map(|met| met.finish().map(|(curve, _)| curve))
        .collect::<Result<_>>()?;
    let mut curves = vec![Drawn::of(all, Ink::All, "all in one cache", false)];
    for series in groups.series() {
        match series.groups.as_slice() {
            [group] if series.ink != Ink::Other => {
                if let Some(curve) = finished.get(*group).filter(|curve| curve.asked.blocks > 0) {
                    curves.push(Drawn::of(curve, series.ink, &series.label, false));
                }
            }
            others => notes.push(format!(
                "{} of {} are not drawn by themselves",
                number::counted(others.len() as u64, "smaller group"),
                groups.field()
            )),
        }
    }
    notes.push("each group in a cache of its own".to_owned());
    Ok(curves)
}

#[cfg(test)]
mod tests {
    use super::super::drawn::lines;
    use super::*;

    const TRACE: &str = r#"{"input_length":25,"hash_ids":[0,1,2],"model":"a"}
{"input_length":28,"hash_ids":[0,1,3],"model":"b"}
{"input_length":28,"hash_ids":[0,1,3],"model":"a"}
"#;

    #[test]
    fn groups_have_caches_of_their_own() {
        let mut reader = Reader::new("t", TRACE.as_bytes());
        let figure = figure(&mut reader, "model", 10).unwrap();
        let ends: Vec<f64> = lines(&figure)
            .iter()
            .map(|line| line[line.len() - 1].1)
            .collect();
        // Five of nine blocks in one cache; a has two of six, b none.
        assert_eq!(ends, [5.0 / 9.0, 2.0 / 6.0, 0.0]);
        assert_eq!(figure.legend[0].label, "all in one cache");
    }

    #[test]
    fn one_group_is_drawn_by_block_and_by_token() {
        let mut reader = Reader::new("t", TRACE.as_bytes());
        let figure = figure(&mut reader, "session_id", 10).unwrap();
        let ends: Vec<f64> = lines(&figure)
            .iter()
            .map(|line| line[line.len() - 1].1)
            .collect();
        assert_eq!(ends, [5.0 / 9.0, 48.0 / 81.0]);
        assert!(
            figure
                .facts
                .contains("3 requests · 9 accesses to 4 blocks of 10 tokens")
        );
    }

    #[test]
    fn nothing_to_draw_says_why() {
        let mut reader = Reader::new("t", &b"{\"input_length\":1}\n"[..]);
        let error = figure(&mut reader, "model", 10).unwrap_err().to_string();
        assert_eq!(error, "nothing to draw: no request has hash_ids");
    }
}
