//! `--prompts`: real prompts for requests that have only lengths.
//!
//! The trace's lengths stay: a prompt is cut, or filled up with words, to
//! exactly the tokens that its request adds to its session, which is all of
//! them for a first turn or a request of no session. Only where a file of
//! sessions meets a trace without, do the sessions say how long prompts are.
//! Ids become those of the text, so that what a cache will find is what the
//! trace says.

use super::{Fate, Transform};
use crate::args::Args;
use crate::counter::Counter;
use crate::fit::Fit;
use crate::library::{Library, Prompt};
use crate::limit::MOST_TOKENS;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Field, SessionId};

/// Gives prompts to requests.
pub(crate) struct Attach {
    library: Library,
    counter: Counter,
    fit: Fit,
    tokens: Vec<u32>,
    number: u64,
}

impl Attach {
    /// The prompts of the file `path`, for requests whose blocks have
    /// `block_size` tokens.
    ///
    /// # Errors
    /// A file or tokenizer that cannot be read.
    pub(crate) fn new(path: &str, args: &Args, block_size: u64) -> anyhow::Result<Self> {
        let counter = Counter::with(args, block_size)?;
        Ok(Self {
            library: Library::read(path, args, &counter)?,
            counter,
            fit: Fit::new(args)?,
            tokens: Vec::new(),
            number: 0,
        })
    }

    /// The tokens that a request adds to its session, if it says so.
    fn wanted(&self, record: &Record, report: &mut Report) -> Option<u64> {
        let request = record.request();
        let history = self.counter.history(request.session_id.as_ref());
        let length = request.input_length?;
        if history > 0 && length <= history {
            report.count(
                Kind::Changed,
                "turns no longer than their history, to 1 new token",
                1,
            );
        }
        Some(length.saturating_sub(history).max(u64::from(history > 0)))
    }
}

/// A prompt for a request.
struct Given {
    text: String,
    completion: Option<u64>,
    /// Of the file, where the trace has none.
    session: Option<SessionId>,
}

impl Given {
    fn of((prompt, again): (&Prompt, bool), report: &mut Report) -> Self {
        report.count(
            Kind::Noted,
            "prompts that were given before, which a cache may find again",
            again.into(),
        );
        Self {
            text: prompt.text.clone(),
            completion: prompt.completion,
            session: None,
        }
    }
}

impl Transform for Attach {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        if record.is_literal() {
            report.count(Kind::Noted, "requests that keep the prompt they have", 1);
            return Ok(Fate::Kept);
        }
        let wanted = self.wanted(record, report);
        if wanted > Some(MOST_TOKENS) {
            return Err(record.error(super::NO_PROMPT).into());
        }
        let request = record.request();
        let mut by_file = false;
        let mut given = match (&mut self.library, &request.session_id) {
            (Library::Plain(plain), _) => {
                Given::of(plain.choose(wanted, request.output_length), report)
            }
            (Library::Sessions(sessions), Some(id)) => Given::of(sessions.next_of(id), report),
            (Library::Sessions(sessions), None) => {
                by_file = true;
                let (id, prompt, again) = sessions.any();
                let given = Given::of((prompt, again), report);
                Given {
                    session: Some(id),
                    ..given
                }
            }
        };
        if let Some(wanted) = wanted.filter(|_| !by_file) {
            let text = self.fit.text(&given.text, wanted, self.number);
            let text = text.map_err(|error| record.error(error.to_string()))?;
            let how = match text.len().cmp(&given.text.len()) {
                std::cmp::Ordering::Less => "prompts, cut to the trace's lengths",
                _ => "prompts, filled up with words to the trace's lengths",
            };
            report.count(Kind::Changed, how, u64::from(text != given.text));
            given.text = text;
        }
        self.number += 1;
        self.give(given, record, report)?;
        Ok(Fate::Kept)
    }
}

impl Attach {
    fn give(
        &mut self,
        given: Given,
        record: &mut Record,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        self.tokens.clear();
        let counted = self.counter.append(&given.text, &mut self.tokens);
        counted.map_err(|why| record.error(why))?;
        let before = record.request().clone();
        if let Some(id) = given.session {
            report.count(Kind::Invented, "session_id, from --prompts", 1);
            record.change(Field::SessionId).session_id = Some(id);
        }
        if before.output_length.is_none() && given.completion.is_some() {
            report.count(Kind::Invented, "output_length, from --prompts", 1);
            record.change(Field::OutputLength).output_length = given.completion;
        }
        let output = record.request().output_length.unwrap_or(0);
        let turned = self.counter.turn(&self.tokens, output, record, report);
        turned.map_err(|why| record.error(why))?;
        let after = record.request();
        report.count(Kind::Invented, "text_input, from --prompts", 1);
        report.count(
            Kind::Changed,
            "input_length, to that of the prompts of a session",
            (before.input_length.is_some() && before.input_length != after.input_length).into(),
        );
        report.count(
            Kind::Changed,
            "hash_ids, to those of the prompts",
            (before.hash_ids.is_some() && before.hash_ids != after.hash_ids).into(),
        );
        record.change(Field::TextInput).text_input = Some(given.text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;
    use std::io::Write;

    fn with(prompts: &str, flags: &str, trace: &str) -> (Vec<serde_json::Value>, crate::Report) {
        let mut file = tempfile::Builder::new()
            .suffix(".jsonl")
            .tempfile()
            .unwrap();
        file.write_all(prompts.as_bytes()).unwrap();
        let flags = format!(
            "--tokenizer words {flags} --prompts {}",
            file.path().display()
        );
        let (out, error, report) = convert_with(&flags, trace);
        assert_eq!(error, None);
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        (lines.collect(), report)
    }

    #[test]
    fn prompts_get_the_lengths_of_the_trace() {
        let trace = "{\"timestamp\":0,\"input_length\":3,\"output_length\":9,\"hash_ids\":[77]}\n{\"timestamp\":1,\"input_length\":7}\n{\"timestamp\":2,\"text_input\":\"x\"}\n";
        let (lines, report) = with(
            "{\"prompt\":\"a b c d e\",\"completion\":\"x y\"}\n",
            "",
            trace,
        );
        assert_eq!(lines[0]["text_input"], "a b c");
        assert_eq!(lines[0]["output_length"], 9);
        assert_eq!(lines[0]["hash_ids"], serde_json::json!([0]));
        let text = lines[1]["text_input"].as_str().unwrap();
        assert!(text.starts_with("a b c d e "), "{text}");
        assert_eq!(text.split_whitespace().count(), 7);
        assert_eq!(lines[1]["output_length"], 2);
        assert_eq!(lines[2]["text_input"], "x");
        assert_eq!(report.of(Kind::Changed, "prompts, cut"), 1);
        assert_eq!(report.of(Kind::Changed, "prompts, filled"), 1);
        assert_eq!(report.of(Kind::Noted, "prompts that were given before"), 1);
    }

    #[test]
    fn turns_of_the_trace_get_what_they_add() {
        let trace = "{\"session_id\":1,\"input_length\":4,\"output_length\":10}\n{\"session_id\":1,\"input_length\":20,\"output_length\":1}\n{\"session_id\":1,\"input_length\":9}\n";
        let (lines, report) = with(
            "{\"prompt\":\"a b c d e\"}\n{\"prompt\":\"f g h i j\"}\n{\"prompt\":\"k l m n\"}\n",
            "--block-size 4",
            trace,
        );
        let words: Vec<usize> = lines
            .iter()
            .map(|line| {
                line["text_input"]
                    .as_str()
                    .unwrap()
                    .split_whitespace()
                    .count()
            })
            .collect();
        assert_eq!(words, [4, 6, 1]);
        let of = |name: &str| {
            lines
                .iter()
                .map(|line| line[name].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("input_length"), [4, 20, 22]);
        assert_eq!(
            serde_json::json!(of("hash_ids")),
            serde_json::json!([[0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]])
        );
        assert_eq!(report.of(Kind::Changed, "turns no longer"), 1);
    }

    #[test]
    fn sessions_of_the_file_come_in_order() {
        let trace = "{\"input_length\":90,\"output_length\":2}\n".repeat(4);
        let (lines, report) = with(
            "{\"session_id\":\"s\",\"prompts\":[\"a b\",\"c\"]}\n{\"session_id\":\"t\",\"prompts\":[\"d\"]}\n",
            "",
            &trace,
        );
        let of = |name: &str| {
            lines
                .iter()
                .map(|line| line[name].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("session_id"), ["s", "s", "t", "s_2"]);
        assert_eq!(of("text_input"), ["a b", "c", "d", "a b"]);
        assert_eq!(of("input_length"), [2, 5, 1, 2]);
        assert_eq!(report.of(Kind::Changed, "input_length"), 4);
    }
}
