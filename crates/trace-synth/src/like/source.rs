//! The trace to be like: its rows in time order, and what they share.

use std::collections::HashMap;

use anyhow::ensure;
use trace_core::{Line, LineError, Micros, Reader, SessionId, blocks_of};

use super::tree::{Builder, NONE, Tree};

/// One request of the source, without its ids.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it came, in µs since the first; of a line without timestamp, when
    /// the line before it came; in a trace without any, the line's index.
    pub at: u64,
    /// Whether the line has a timestamp.
    pub timed: bool,
    /// Prompt length, tokens.
    pub input: u64,
    /// Response length, tokens.
    pub output: Option<u64>,
    /// Whether the line has `hash_ids`.
    pub blocks: bool,
    /// The deepest block that another request begins with too, or
    /// [`NONE`].
    pub core: u32,
    /// Blocks after it.
    pub tail: u32,
    /// Index of the session, or [`NONE`].
    pub session: u32,
    /// Index into [`Source::models`], or [`NONE`].
    pub model: u32,
    /// Think time after the turn before.
    pub delay: Option<Micros>,
}

/// All requests of a trace, and the tree of what they share.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// In time order.
    pub entries: Vec<Entry>,
    /// Blocks that at least two of them begin with.
    pub tree: Tree,
    /// Tokens per block.
    pub block_size: u64,
    /// Models asked for.
    pub models: Vec<String>,
    /// Number of sessions.
    pub sessions: u32,
    /// Lines that came before one with an earlier timestamp.
    pub unsorted: u64,
    /// Lines whose prompt or request body is given in full, which is not
    /// learned.
    pub literal: u64,
    /// Lines that add members of their own to the body.
    pub extras: u64,
}

/// What is known while lines come in.
struct Learner {
    source: Source,
    builder: Builder,
    sessions: HashMap<SessionId, u32>,
    models: HashMap<String, u32>,
    /// The time of the line before.
    now: u64,
}

impl Source {
    /// Read all of `input`.
    ///
    /// With `skip_invalid`, lines whose `hash_ids` don't fit their
    /// `input_length` are left out; their number is the second result, with
    /// the first of them.
    ///
    /// # Errors
    /// Lines that cannot be read, lines without `input_length`, `hash_ids`
    /// that are not ⌈`input_length` / `block_size`⌉, and no line at all.
    pub fn read(
        input: &mut Reader<'_>,
        block_size: u64,
        skip_invalid: bool,
    ) -> anyhow::Result<(Self, Option<(u64, LineError)>)> {
        let mut learner = Learner {
            source: Self {
                block_size,
                ..Self::default()
            },
            builder: Builder::default(),
            sessions: HashMap::new(),
            models: HashMap::new(),
            now: 0,
        };
        let mut line = Line::default();
        let mut skipped: Option<(u64, LineError)> = None;
        while input.read(&mut line)? {
            match misfit(&line, block_size) {
                None => learner.learn(&line)?,
                Some(error) if skip_invalid => skipped.get_or_insert((0, error)).0 += 1,
                Some(error) => return Err(error.into()),
            }
        }
        let source = learner.finish();
        ensure!(
            !source.entries.is_empty(),
            "the trace has no requests to make others like"
        );
        Ok((source, skipped))
    }

    /// Tokens after the shared blocks; 0 of a prompt that is all shared.
    pub fn tail_tokens(&self, entry: &Entry) -> u64 {
        if entry.blocks && entry.tail == 0 {
            0
        } else {
            entry.input - u64::from(self.tree.depth(entry.core)) * self.block_size
        }
    }

    /// Tokens in the last block; 0 of an empty prompt.
    pub fn fill(&self, entry: &Entry) -> u64 {
        match entry.input % self.block_size {
            0 => entry.input.min(self.block_size),
            rest => rest,
        }
    }

    /// Whether any line has a timestamp.
    pub fn is_timed(&self) -> bool {
        self.entries.iter().any(|entry| entry.timed)
    }
}

/// What is wrong with a line that is a request by itself.
fn misfit(line: &Line, block_size: u64) -> Option<LineError> {
    let Some(input) = line.request.input_length else {
        return Some(line.error(
            1,
            "no input_length; a trace to learn from says how long its prompts are",
        ));
    };
    let found = line.request.hash_ids.as_ref()?.len() as u64;
    let expected = blocks_of(input, block_size);
    if found == expected {
        return None;
    }
    let column = line
        .bytes()
        .windows(10)
        .position(|window| window == b"\"hash_ids\"")
        .map_or(1, |at| at + 1);
    let reason = format!(
        "{found} hash_ids for {input} tokens, where blocks of {block_size} would be {expected}; \
         --block-size says how large they are"
    );
    Some(line.error(column, reason))
}

impl Learner {
    fn learn(&mut self, line: &Line) -> anyhow::Result<()> {
        let request = &line.request;
        let literal =
            request.text_input.is_some() || request.messages.is_some() || request.payload.is_some();
        self.source.literal += u64::from(literal);
        self.source.extras += u64::from(request.extra.is_some());
        if let Some(time) = request.timestamp {
            self.source.unsorted += u64::from(time.as_micros() < self.now);
            self.now = time.as_micros();
        }
        let leaf = match &request.hash_ids {
            Some(ids) => self.builder.insert(ids)?,
            None => NONE,
        };
        let session = request.session_id.as_ref();
        let model = request.model.as_ref();
        self.source.entries.push(Entry {
            at: self.now,
            timed: request.timestamp.is_some(),
            input: request.input_length.unwrap_or_default(),
            output: request.output_length,
            blocks: request.hash_ids.is_some(),
            core: leaf,
            tail: 0,
            session: session.map_or(NONE, |id| number(&mut self.sessions, id)),
            model: model.map_or(NONE, |name| number(&mut self.models, name)),
            delay: request.delay,
        });
        Ok(())
    }

    fn finish(self) -> Source {
        let mut source = self.source;
        let (tree, places) = self.builder.finish();
        for entry in &mut source.entries {
            (entry.core, entry.tail) = places.split(entry.core);
        }
        source.tree = tree;
        source.sessions = self.sessions.len() as u32;
        source.models = vec![String::new(); self.models.len()];
        for (name, index) in self.models {
            source.models[index as usize] = name;
        }
        if source.is_timed() {
            // Stable, so that a line without timestamp stays behind the line before it.
            source.entries.sort_by_key(|entry| entry.at);
        } else {
            for (index, entry) in source.entries.iter_mut().enumerate() {
                entry.at = index as u64;
            }
        }
        let first = source.entries.first().map_or(0, |entry| entry.at);
        for entry in &mut source.entries {
            entry.at -= first;
        }
        source
    }
}

/// The index of `key`, a new one if it was not seen before.
fn number<K: Clone + Eq + std::hash::Hash>(indices: &mut HashMap<K, u32>, key: &K) -> u32 {
    if let Some(&index) = indices.get(key) {
        return index;
    }
    let index = indices.len() as u32;
    indices.insert(key.clone(), index);
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> anyhow::Result<Source> {
        let mut reader = Reader::new("<stdin>", text.as_bytes());
        Ok(Source::read(&mut reader, 512, false)?.0)
    }

    fn refusal(text: &str) -> String {
        source(text).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_sorted_and_split_into_shared_and_not() {
        let source = source(
            "{\"timestamp\":9,\"input_length\":1100,\"output_length\":7,\"hash_ids\":[5,6,7]}\n\
             {\"timestamp\":4,\"input_length\":512,\"output_length\":8,\"hash_ids\":[5]}\n\
             {\"input_length\":70}\n",
        )
        .unwrap();
        let seen: Vec<_> = source
            .entries
            .iter()
            .map(|entry| {
                (
                    entry.at,
                    entry.timed,
                    source.tail_tokens(entry),
                    source.fill(entry),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [(0, true, 0, 512), (0, false, 70, 70), (5000, true, 588, 76)]
        );
        assert_eq!(source.unsorted, 1);
    }

    #[test]
    fn lines_that_do_not_fit_are_located() {
        assert_eq!(
            refusal("{\"input_length\":3,\"hash_ids\":[1]}\n{\"input_length\":3, \"hash_ids\":[]}"),
            "<stdin>:2:20: 0 hash_ids for 3 tokens, where blocks of 512 would be 1; \
             --block-size says how large they are"
        );
        assert!(refusal("{\"text_input\":\"x\"}").starts_with("<stdin>:1:1: no input_length"));
        assert_eq!(refusal(""), "the trace has no requests to make others like");
    }

    #[test]
    fn lines_that_do_not_fit_can_be_skipped() {
        let text = "{\"input_length\":3,\"hash_ids\":[1,2]}\n{\"input_length\":3}\n{\"input_length\":9,\"hash_ids\":[]}";
        let mut reader = Reader::new("<stdin>", text.as_bytes());
        let (source, skipped) = Source::read(&mut reader, 512, true).unwrap();
        let (count, first) = skipped.unwrap();
        assert_eq!((source.entries.len(), count, first.line), (1, 2, 1));
    }
}
