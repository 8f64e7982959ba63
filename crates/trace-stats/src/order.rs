//! Outcomes back in the order of the input they came from.
//!
//! Outcomes are written as requests end, which is not the order in which a
//! cache met their prompts. So their ids are held, four bytes a block and some
//! 112 bytes a row, until the last line is read, and then taken in the order of
//! stage, concurrency, round and seq.

use crate::ids::Ids;
use trace_core::{Line, Micros, Outcome};

/// A request as a cache meets it.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// Length of the prompt in tokens, if the line says.
    pub input_length: Option<u64>,
    /// Tokens asked for, if the line says.
    pub output_length: Option<u64>,
    /// When it arrives, if the line says.
    pub arrival: Option<Micros>,
    /// Block ids, none if the line has none.
    pub ids: &'a [u64],
    /// The file the line stands in.
    pub name: &'a str,
    /// The number of the line, from 1.
    pub line: u64,
}

impl<'a> Prompt<'a> {
    /// What `line` asks; a run may have been faster than its trace, so what was
    /// `scheduled` counts as its arrival.
    pub fn of(line: &'a Line, scheduled: Option<Micros>) -> Self {
        Self {
            input_length: line.request.input_length,
            output_length: line.request.output_length,
            arrival: scheduled.or(line.request.timestamp),
            ids: line.request.hash_ids.as_deref().unwrap_or_default(),
            name: line.name(),
            line: line.number(),
        }
    }
}

/// Rows that wait for the end of the input.
#[derive(Debug, Default)]
pub struct Held {
    ids: Ids,
    /// The numbers of the ids of all rows, one row after the other.
    numbers: Vec<u32>,
    rows: Vec<Row>,
    stages: Vec<String>,
    names: Vec<String>,
}

#[derive(Debug)]
struct Row {
    stage: Option<u32>,
    concurrency: Option<u64>,
    round: Option<u64>,
    seq: Option<u64>,
    input_length: Option<u64>,
    output_length: Option<u64>,
    arrival: Option<Micros>,
    from: usize,
    blocks: usize,
    name: u32,
    line: u64,
}

impl Held {
    /// Hold the prompt of `line`, whose outcome is `outcome`.
    ///
    /// # Errors
    ///
    /// If there are more ids than can be numbered.
    pub fn push(&mut self, line: &Line, outcome: &Outcome) -> anyhow::Result<()> {
        let from = self.numbers.len();
        for &id in line.request.hash_ids.iter().flatten() {
            self.numbers.push(self.ids.number(id)?);
        }
        self.rows.push(Row {
            stage: outcome
                .stage
                .as_deref()
                .map(|stage| index(&mut self.stages, stage)),
            concurrency: outcome.concurrency,
            round: outcome.round,
            seq: outcome.seq,
            input_length: line.request.input_length,
            output_length: line.request.output_length,
            arrival: outcome.scheduled_ms.or(line.request.timestamp),
            from,
            blocks: self.numbers.len() - from,
            name: index(&mut self.names, line.name()),
            line: line.number(),
        });
        Ok(())
    }

    /// Give every row to `take` in the order of the input; ids are numbered from
    /// 0 in the order of the lines.
    ///
    /// Rows that tell nothing to order them by stay in the order of their lines.
    ///
    /// # Errors
    ///
    /// Those of `take`.
    pub fn release(
        mut self,
        mut take: impl FnMut(Prompt<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let stages = self.stages;
        self.rows.sort_by_cached_key(|row| {
            let stage = row.stage.map(|stage| stages[stage as usize].clone());
            (stage, row.concurrency, row.round, row.seq)
        });
        let mut ids = Vec::new();
        for row in &self.rows {
            let numbers = &self.numbers[row.from..row.from + row.blocks];
            ids.clear();
            ids.extend(numbers.iter().copied().map(u64::from));
            take(Prompt {
                input_length: row.input_length,
                output_length: row.output_length,
                arrival: row.arrival,
                ids: &ids,
                name: &self.names[row.name as usize],
                line: row.line,
            })?;
        }
        Ok(())
    }
}

/// The index of `name` in `names`, which grows if it is new; the last one is
/// looked at first.
fn index(names: &mut Vec<String>, name: &str) -> u32 {
    let found = names.iter().rposition(|known| known == name);
    found.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Prefixes;

    #[test]
    fn the_cache_meets_prompts_in_input_order() {
        // In line order the first row would hit nothing and the last all.
        let lines = [
            r#"{"input_length":20,"hash_ids":[1,2],"seq":2}"#,
            r#"{"input_length":10,"hash_ids":[1],"seq":1}"#,
            r#"{"input_length":30,"hash_ids":[1,2,3],"seq":0}"#,
        ];
        let mut held = Held::default();
        for line in lines {
            let line = Line::parse("t", line).unwrap();
            held.push(&line, &line.outcome().unwrap().unwrap()).unwrap();
        }
        let mut prefixes = Prefixes::new(10);
        let push = |prompt: Prompt<'_>| prefixes.push(prompt.input_length, prompt.ids);
        held.release(push).unwrap();
        assert_eq!(prefixes.finish().hit_blocks, 3);
    }

    #[test]
    fn sweeps_are_ordered_by_stage_then_concurrency_then_round() {
        let lines = [
            r#"{"input_length":1,"hash_ids":[3],"seq":0,"round":1,"concurrency":8,"stage":"a"}"#,
            r#"{"input_length":1,"hash_ids":[1],"seq":0,"round":2,"concurrency":4,"stage":"a"}"#,
            r#"{"input_length":1,"hash_ids":[4],"seq":0,"round":1,"concurrency":1,"stage":"b"}"#,
            r#"{"input_length":1,"hash_ids":[0],"seq":9,"round":1,"concurrency":4,"stage":"a"}"#,
        ];
        let mut held = Held::default();
        for line in lines {
            let line = Line::parse("t", line).unwrap();
            held.push(&line, &line.outcome().unwrap().unwrap()).unwrap();
        }
        held.rows.reverse();
        // Told apart by their line, each of which parses as line 1.
        for (row, line) in held.rows.iter_mut().zip([40, 30, 20, 10]) {
            row.line = line;
        }
        let mut order = Vec::new();
        let note = |prompt: Prompt<'_>| {
            order.push((prompt.name.to_owned(), prompt.line));
            Ok(())
        };
        held.release(note).unwrap();
        assert_eq!(order, [40, 20, 10, 30].map(|line| ("t".to_owned(), line)));
    }
}
