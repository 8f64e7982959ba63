//! The rules: each looks at one line after the other.

use super::blocks::Sizes;
use super::clock::{Clock, Oddity};
use super::finding::{Findings, Kind};
use crate::ids::Ids;
use hashbrown::{HashMap, HashSet};
use trace_core::{Line, Micros, Outcome, Request, SessionId, blocks_of};

/// Looks at lines. Holds 8 bytes for each arrival and, for ids, 4 to 24 bytes
/// each.
#[derive(Debug)]
pub struct Lint {
    block_size: u64,
    findings: Findings,
    clock: Clock,
    /// Arrival of the line above, and its file.
    above: Option<(String, Micros)>,
    first: Option<(String, u64)>,
    sizes: Sizes,
    first_miscount: Option<(String, u64)>,
    ids: Ids,
    /// 1 + the number of the id before each, in the first prompt that had it;
    /// 0 at the beginning.
    parents: Vec<u32>,
    in_row: HashSet<u64, foldhash::fast::FixedState>,
    /// Prompt and response of the last turn of each session.
    turns: HashMap<SessionId, (u64, u64), foldhash::fast::FixedState>,
}

/// The largest whole number below which every one is itself in a double.
const LARGEST_ID: u64 = 1 << 53;

impl Lint {
    /// Rules for blocks of `block_size` tokens, listing `limit` findings of each
    /// kind, all if it is 0.
    pub fn new(block_size: u64, limit: u64) -> Self {
        Self {
            block_size,
            findings: Findings::new(limit),
            clock: Clock::default(),
            above: None,
            first: None,
            sizes: Sizes::default(),
            first_miscount: None,
            ids: Ids::default(),
            parents: Vec::new(),
            in_row: HashSet::default(),
            turns: HashMap::default(),
        }
    }

    /// Look at the next line. Outcomes come in the order they ended, so their
    /// order and their turns say nothing.
    ///
    /// # Errors
    ///
    /// If there are more ids than can be numbered.
    pub fn push(&mut self, line: &Line, outcome: Option<&Outcome>) -> anyhow::Result<()> {
        let request = &line.request;
        if let Some(arrival) = request.timestamp {
            self.first
                .get_or_insert_with(|| (line.name().to_owned(), line.number()));
            self.clock.push(arrival);
            if outcome.is_none() {
                self.order(line, arrival);
            }
        }
        self.lengths(line, request);
        if outcome.is_none() {
            self.turn(line, request);
        }
        if let Some(ids) = request.hash_ids.as_deref().filter(|ids| !ids.is_empty()) {
            self.count(line, request.input_length, ids.len() as u64);
            self.prefix(line, ids)?;
        }
        Ok(())
    }

    fn order(&mut self, line: &Line, arrival: Micros) {
        if let Some((file, above)) = &self.above
            && arrival < *above
            && file == line.name()
        {
            self.findings
                .add(Kind::Order, line.name(), line.number(), || {
                    format!("timestamp {arrival} is before that of the line above, {above}")
                });
        }
        match &mut self.above {
            Some((file, above)) if file == line.name() => *above = arrival,
            above => *above = Some((line.name().to_owned(), arrival)),
        }
    }

    fn lengths(&mut self, line: &Line, request: &Request) {
        let (file, number) = (line.name(), line.number());
        if request.input_length == Some(0) {
            self.findings.add(Kind::ZeroInput, file, number, || {
                "input_length is 0: no prompt".to_owned()
            });
        }
        if request.output_length == Some(0) {
            self.findings.add(Kind::ZeroOutput, file, number, || {
                "output_length is 0: no response".to_owned()
            });
        }
    }

    /// A turn's prompt holds the turn before and its response.
    fn turn(&mut self, line: &Line, request: &Request) {
        let Some((session, length)) = request.session_id.as_ref().zip(request.input_length) else {
            return;
        };
        let said = (length, request.output_length.unwrap_or(0));
        let Some(before) = self.turns.get_mut(session) else {
            self.turns.insert(session.clone(), said);
            return;
        };
        let (prompt, response) = std::mem::replace(before, said);
        let history = prompt.saturating_add(response);
        if length <= history {
            self.findings.add(Kind::ShortTurn, line.name(), line.number(), || {
                format!(
                    "input_length {length} adds nothing to the turn before, {prompt} and its response, {response}: \
                     a turn's prompt is the whole conversation (or is this a trace of --turns delta?)"
                )
            });
        }
    }

    fn count(&mut self, line: &Line, tokens: Option<u64>, ids: u64) {
        let Some(tokens) = tokens.filter(|&tokens| tokens > 0) else {
            return;
        };
        self.sizes.push(tokens, ids);
        let blocks = blocks_of(tokens, self.block_size);
        if ids == blocks {
            return;
        }
        self.first_miscount
            .get_or_insert_with(|| (line.name().to_owned(), line.number()));
        let size = self.block_size;
        self.findings
            .add(Kind::BlockCount, line.name(), line.number(), || {
                format!("{ids} hash_ids for {tokens} tokens, which are {blocks} blocks of {size}")
            });
    }

    fn prefix(&mut self, line: &Line, ids: &[u64]) -> anyhow::Result<()> {
        let (file, number) = (line.name(), line.number());
        self.in_row.clear();
        let mut parent = 0;
        for (at, &id) in ids.iter().enumerate() {
            if id > LARGEST_ID {
                self.findings.add(Kind::LargeId, file, number, || {
                    format!("hash_ids[{at}] is {id}, beyond 2^53: jq and JavaScript change it")
                });
            }
            if !self.in_row.insert(id) {
                self.findings.add(Kind::DuplicateId, file, number, || {
                    format!(
                        "hash_ids[{at}] is {id} again: an id stands for all that is before it, too"
                    )
                });
            }
            let block = self.ids.number(id)?;
            if block as usize == self.parents.len() {
                self.parents.push(parent);
            } else if self.parents[block as usize] != parent {
                self.findings.add(Kind::TwoParents, file, number, || {
                    let before = at.checked_sub(1).map_or("nothing".to_owned(), |at| ids[at].to_string());
                    format!("hash_ids[{at}] is {id} behind {before}, and behind another id in an earlier prompt: no true prefix")
                });
            }
            parent = block + 1;
        }
        Ok(())
    }

    /// What was found, now that all lines were seen.
    pub fn finish(mut self) -> Findings {
        if let Some((file, line)) = &self.first {
            for oddity in self.clock.oddities() {
                let (kind, words) = match oddity {
                    Oddity::Unit(words) => (Kind::TimeUnit, words),
                    Oddity::Ticks(words) => (Kind::QuantisedClock, words),
                };
                self.findings.add(kind, file, *line, || words);
            }
        }
        if let Some((file, line)) = &self.first_miscount
            && let Some(size) = self.sizes.likely()
        {
            let now = self.block_size;
            self.findings.add(Kind::BlockSize, file, *line, || {
                format!("every line has the ids of --block-size {size}, not of {now}")
            });
        }
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Vec<(u64, Kind)> {
        let text = lines.join("\n");
        let mut lint = Lint::new(10, 0);
        for line in trace_core::Reader::new("t", text.as_bytes()) {
            let line = line.unwrap();
            lint.push(&line, line.outcome().unwrap().as_ref()).unwrap();
        }
        let findings = lint.finish();
        let found = findings.listed().iter();
        found.map(|finding| (finding.line, finding.kind)).collect()
    }

    #[test]
    fn a_sound_trace_has_nothing() {
        let lines = [
            r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2],"session_id":"a"}"#,
            r#"{"timestamp":5,"input_length":38,"output_length":8,"hash_ids":[0,1,3,4],"session_id":"a"}"#,
            r#"{"input_length":5}"#,
        ];
        assert_eq!(found(&lines), []);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn each_rule_finds_its_line() {
        let lines = [
            r#"{"timestamp":5,"input_length":25,"output_length":0,"hash_ids":[0,1,2]}"#,
            r#"{"timestamp":4,"input_length":20,"hash_ids":[3,2]}"#,
            r#"{"timestamp":6,"input_length":20,"hash_ids":[7,7]}"#,
            r#"{"timestamp":6,"input_length":21,"hash_ids":[7,9007199254740993]}"#,
            r#"{"timestamp":6,"input_length":0}"#,
            r#"{"timestamp":6,"input_length":9,"output_length":4,"session_id":1}"#,
            r#"{"timestamp":6,"input_length":13,"session_id":1}"#,
        ];
        assert_eq!(
            found(&lines),
            [
                (1, Kind::ZeroOutput),
                (2, Kind::Order),
                (2, Kind::TwoParents),
                (3, Kind::DuplicateId),
                (3, Kind::TwoParents),
                (4, Kind::BlockCount),
                (4, Kind::LargeId),
                (5, Kind::ZeroInput),
                (7, Kind::ShortTurn),
            ]
        );
    }

    #[test]
    fn the_block_size_that_was_meant_is_told() {
        let lines = [
            r#"{"input_length":33,"hash_ids":[0,1,2]}"#,
            r#"{"input_length":16,"hash_ids":[3]}"#,
            r#"{"input_length":17,"hash_ids":[4,5]}"#,
        ];
        let counts = [
            (1, Kind::BlockCount),
            (2, Kind::BlockCount),
            (1, Kind::BlockSize),
        ];
        assert_eq!(found(&lines), counts);
    }

    #[test]
    fn the_order_of_outcomes_says_nothing() {
        let lines = [
            r#"{"timestamp":5,"input_length":5,"seq":1}"#,
            r#"{"timestamp":4,"input_length":5,"seq":0}"#,
        ];
        assert_eq!(found(&lines), []);
    }
}
