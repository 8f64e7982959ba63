//! AIPerf's `mooncake_trace`: lines that its loader takes, and means the
//! same by.
//!
//! | field | what is written |
//! |---|---|
//! | `timestamp`, `delay` | as they are, in ms; a session's first turn gets the time of the line before it if it has none, as AIPerf asks for one |
//! | `payload`, `messages`, `text_input`, `input_length` | the first of these that the line has, and no other |
//! | `tools` | beside `messages` only |
//! | `input_length` | of a later turn, what it adds: Lₜ − Lₜ₋₁ − Oₜ₋₁, since AIPerf puts the history before it, with the answers it got |
//! | `hash_ids` | beside `input_length` only. Of a later turn, the ids of those blocks that begin in what it adds; AIPerf fills up with text of the turn's own |
//! | `output_length`, `extra` | as they are |
//! | `session_id` | as a string |
//!
//! AIPerf ignores fields it does not know, so they pass through, `model` and
//! `source` too; but `type`, which it does know, is left out, and so is what
//! happened to the request. Memory is 100 bytes a session.

use crate::format::{Encode, Out, Target};
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::{Context, bail};
use std::collections::HashMap;
use trace_core::{BLOCK_TOKENS, Field, Micros, Request, SessionId, blocks_of};

/// What AIPerf reads.
pub(crate) static TARGET: Target = Target {
    name: "aiperf",
    about: "AIPerf's mooncake_trace: one input mode a line, later turns as what they add",
    encoder: |args, block_size| {
        Ok(Box::new(Aiperf {
            // A line of ours does not say, and so may have others.
            block_size: (args.block_size.is_some()
                || args.from_block_size.is_some()
                || block_size != BLOCK_TOKENS)
                .then_some(block_size),
            told: false,
            sessions: HashMap::new(),
            last: None,
            untimed: false,
        }))
    },
};

struct Aiperf {
    /// Tokens per block, once known.
    block_size: Option<u64>,
    /// Whether that has been said, where it is not the usual one.
    told: bool,
    sessions: HashMap<String, Turn>,
    /// The time of the line before.
    last: Option<Micros>,
    /// Whether a session began without a time.
    untimed: bool,
}

/// The turn of a session that was written last.
#[derive(Clone, Copy)]
struct Turn {
    mode: Mode,
    /// Tokens of its prompt and its answer.
    tokens: u64,
}

/// How a line says what to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Payload,
    Messages,
    /// `text_input` or `input_length`, to which AIPerf adds the history.
    Written,
}

impl Encode for Aiperf {
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        let mut request = record.request().clone();
        let mode = one_mode(&mut request, report);
        refuse(&request, mode).map_err(|reason| record.error(reason))?;
        let session = request.session_id.take().map(|id| match id {
            SessionId::Text(text) => text,
            SessionId::Number(number) => {
                report.count(Kind::Changed, "session_id, from a number to a string", 1);
                number.to_string()
            }
        });
        let earlier = session.as_ref().and_then(|s| self.sessions.get(s)).copied();
        if earlier.is_some_and(|earlier| earlier.mode != mode) {
            let reason = "AIPerf takes no session that mixes messages, payload and other prompts";
            return Err(record.error(reason).into());
        }
        self.time(&mut request, earlier.is_none(), report)
            .map_err(|error| record.error(error.to_string()))?;
        let input = request.input_length;
        if let (Mode::Written, Some(input)) = (mode, input) {
            self.learn_block_size(&request, report);
            let block_size = self.block_size.unwrap_or(BLOCK_TOKENS);
            match earlier {
                Some(earlier) => added(&mut request, input, earlier.tokens, block_size, report),
                None => fit(&mut request, input, block_size, report),
            }
        }
        if let Some(session) = &session {
            let before = earlier.map_or(0, |turn| turn.tokens);
            let tokens = input.unwrap_or(before);
            let tokens = tokens.saturating_add(request.output_length.unwrap_or(0));
            self.sessions.insert(session.clone(), Turn { mode, tokens });
        }
        request.session_id = session.map(SessionId::Text);
        note_ignored(&request, report);
        let mut line = Vec::new();
        request.append_to(&mut line);
        append_unknown(record, &mut line, report)?;
        out.write_bytes(&line).context("cannot write")?;
        Ok(true)
    }
}

/// See that AIPerf would take the request by itself.
fn refuse(request: &Request, mode: Mode) -> Result<(), &'static str> {
    if mode == Mode::Written && request.text_input.is_none() && request.input_length.is_none() {
        return Err("no prompt, and no length of one");
    }
    let Some(messages) = &request.messages else {
        return Ok(());
    };
    match serde_json::from_str::<Vec<Named>>(messages.get()) {
        Ok(all) if !all.is_empty() => Ok(()),
        _ => Err("messages: AIPerf wants one or more objects, each with a role"),
    }
}

/// Say what AIPerf makes nothing of.
fn note_ignored(request: &Request, report: &mut Report) {
    report.count(
        Kind::Noted,
        "output_length of 0, which AIPerf sends or leaves out by endpoint",
        u64::from(request.output_length == Some(0)),
    );
    report.count(
        Kind::Noted,
        "model, which AIPerf ignores (its --model says it)",
        u64::from(request.model.is_some()),
    );
}

/// Add to the object `line` what is no field of ours.
fn append_unknown(
    record: &mut Record,
    line: &mut Vec<u8>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut outcome = false;
    for (name, raw) in record.members()? {
        match Field::from_name(name.as_bytes()) {
            Some(field) => outcome |= field.is_outcome(),
            None if name == "type" => {
                report.count(Kind::Dropped, "the field type, which AIPerf reserves", 1);
            }
            None => {
                line.pop();
                if line.len() > 1 {
                    line.push(b',');
                }
                crate::json::push_text(line, &name);
                line.push(b':');
                line.extend_from_slice(&raw);
                line.push(b'}');
            }
        }
    }
    report.count(
        Kind::Dropped,
        "what happened to a request",
        u64::from(outcome),
    );
    Ok(())
}

/// A message, of which only the role must be there.
#[derive(serde::Deserialize)]
struct Named {
    #[serde(rename = "role")]
    _role: String,
}

/// Leave one way to say what to ask; the most literal is taken.
fn one_mode(request: &mut Request, report: &mut Report) -> Mode {
    let mut drop = |dropped: bool, what: &'static str| {
        report.count(Kind::Dropped, what, u64::from(dropped));
    };
    let mode = if request.payload.is_some() {
        drop(
            request.messages.take().is_some(),
            "messages beside a payload",
        );
        drop(
            request.text_input.take().is_some(),
            "text_input beside a payload",
        );
        Mode::Payload
    } else if request.messages.is_some() {
        drop(
            request.text_input.take().is_some(),
            "text_input beside messages",
        );
        Mode::Messages
    } else {
        Mode::Written
    };
    let literal = mode != Mode::Written || request.text_input.is_some();
    if literal {
        drop(
            request.input_length.take().is_some(),
            "input_length beside a literal prompt",
        );
    }
    if request.input_length.is_none() {
        drop(
            request.hash_ids.take().is_some(),
            "hash_ids beside a literal prompt",
        );
    }
    let bare = |tools: &serde_json::value::RawValue| {
        tools
            .get()
            .trim_matches(['[', ']', ' ', '\n', '\t', '\r'])
            .is_empty()
    };
    if mode != Mode::Messages || request.tools.as_deref().is_some_and(bare) {
        drop(
            request.tools.take().is_some(),
            "tools without messages, or empty",
        );
    }
    mode
}

impl Aiperf {
    /// See that a session's first turn has a time, if any has.
    fn time(
        &mut self,
        request: &mut Request,
        first: bool,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        match request.timestamp {
            Some(time) => {
                if self.untimed {
                    bail!(
                        "the first line with a timestamp, behind sessions that began without: AIPerf takes all or none"
                    );
                }
                self.last = Some(time);
                if !first && request.delay.is_some() {
                    report.count(
                        Kind::Noted,
                        "delays that AIPerf ignores, beside a timestamp",
                        1,
                    );
                }
            }
            None if first => match self.last {
                Some(last) => {
                    request.timestamp = Some(last);
                    report.count(Kind::Invented, "timestamps, from the line before", 1);
                }
                None => self.untimed = true,
            },
            None => {}
        }
        Ok(())
    }

    /// Tell the tokens per block, where neither flag nor format says, from the
    /// first line with two blocks or more: 512 where that fits, else the usual
    /// size that does.
    fn learn_block_size(&mut self, request: &Request, report: &mut Report) {
        let (Some(input), Some(ids)) = (request.input_length, &request.hash_ids) else {
            return;
        };
        if self.told || ids.len() < 2 {
            return;
        }
        let size = self.block_size.unwrap_or_else(|| {
            let sizes = [BLOCK_TOKENS, 16, 32, 64, 128, 256, 1024];
            let fits = |size: &u64| blocks_of(input, *size) == ids.len() as u64;
            sizes.into_iter().find(fits).unwrap_or(BLOCK_TOKENS)
        });
        self.block_size = Some(size);
        self.told = true;
        if size != BLOCK_TOKENS {
            report.assume(format!(
                "blocks of {size} tokens: tell AIPerf with --isl-block-size {size}"
            ));
        }
    }
}

/// Make the length and the ids of a first turn such as AIPerf takes.
fn fit(request: &mut Request, input: u64, block_size: u64, report: &mut Report) {
    if input == 0 {
        request.input_length = Some(1);
        request.hash_ids = None;
        report.count(Kind::Changed, "input_length of 0, to 1", 1);
    }
    let blocks = blocks_of(input, block_size) as usize;
    if let Some(ids) = &mut request.hash_ids {
        if ids.len() > blocks {
            ids.truncate(blocks);
            report.count(Kind::Changed, "hash_ids beyond input_length, cut", 1);
        }
        if ids.is_empty() {
            request.hash_ids = None;
        }
    }
}

/// Make a later turn what it adds to the `history` tokens before it.
fn added(request: &mut Request, input: u64, history: u64, block_size: u64, report: &mut Report) {
    let new = input.saturating_sub(history);
    if new == 0 {
        request.input_length = Some(1);
        if request.hash_ids.take().is_some() {
            report.count(Kind::Dropped, "hash_ids of such turns", 1);
        }
        report.count(
            Kind::Changed,
            "turns no longer than their history, to 1 new token",
            1,
        );
        return;
    }
    report.count(Kind::Changed, "later turns, to what they add", 1);
    request.input_length = Some(new);
    let Some(ids) = &mut request.hash_ids else {
        return;
    };
    let begin = blocks_of(history, block_size) as usize;
    let end = blocks_of(input, block_size) as usize;
    ids.truncate(end);
    ids.drain(..begin.min(ids.len()));
    if !history.is_multiple_of(block_size) {
        report.count(
            Kind::Dropped,
            "blocks that later turns only end, now text of their own",
            1,
        );
    }
    if ids.is_empty() {
        request.hash_ids = None;
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn later_turns_are_what_they_add() {
        let text = concat!(
            r#"{"timestamp":0,"input_length":1000,"output_length":100,"hash_ids":[1,2],"session_id":7}"#,
            "\n",
            r#"{"timestamp":9,"input_length":2000,"output_length":10,"hash_ids":[1,2,3,4],"session_id":7,"delay":5}"#,
            "\n",
            r#"{"input_length":2030,"output_length":10,"hash_ids":[1,2,3,4],"session_id":7}"#,
            "\n",
            r#"{"input_length":50,"session_id":7,"hash_ids":[9]}"#,
            "\n",
        );
        // Of 1100..2000 the blocks 3 and 4 begin at 1024 and 1536... block 3
        // is 1024..1536, and 1100 lies in it: only 4 begins in the new part.
        let expected = concat!(
            r#"{"timestamp":0,"input_length":1000,"output_length":100,"hash_ids":[1,2],"session_id":"7"}"#,
            "\n",
            r#"{"timestamp":9,"input_length":900,"output_length":10,"hash_ids":[4],"session_id":"7","delay":5}"#,
            "\n",
            r#"{"input_length":20,"output_length":10,"session_id":"7"}"#,
            "\n",
            r#"{"input_length":1,"session_id":"7"}"#,
            "\n",
        );
        let (out, error, report) = convert_with("--to aiperf", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Changed, "later turns"), 2);
        assert_eq!(report.of(Kind::Changed, "turns no longer"), 1);
        assert_eq!(report.of(Kind::Noted, "delays"), 1);
    }

    #[test]
    fn a_line_has_one_input_mode() {
        let text = concat!(
            r#"{"input_length":5,"hash_ids":[1],"text_input":"hi","type":"text","x":1e5,"status":200}"#,
            "\n",
            r#"{"input_length":5,"messages":[{"role":"user"}],"tools":[]}"#,
            "\n",
        );
        let (out, _, report) = convert_with("--to aiperf", text);
        assert_eq!(
            out,
            "{\"text_input\":\"hi\",\"x\":1e5}\n{\"messages\":[{\"role\":\"user\"}]}\n"
        );
        assert_eq!(report.of(Kind::Dropped, "input_length beside"), 2);
        assert_eq!(report.of(Kind::Dropped, "the field type"), 1);
        assert_eq!(report.of(Kind::Dropped, "what happened"), 1);
        assert_eq!(report.of(Kind::Dropped, "tools"), 1);
    }

    #[test]
    fn what_aiperf_would_refuse_is_refused() {
        for (text, reason) in [
            ("{\"messages\":[]}\n", "one or more objects"),
            ("{\"messages\":[{\"x\":1}]}\n", "one or more objects"),
            (
                "{\"text_input\":\"a\",\"session_id\":\"s\"}\n{\"payload\":{\"a\":1},\"session_id\":\"s\"}\n",
                "mixes",
            ),
            (
                "{\"input_length\":1}\n{\"input_length\":1,\"timestamp\":3}\n",
                "all or none",
            ),
        ] {
            let (_, error, _) = convert_with("--to aiperf", text);
            assert!(error.clone().unwrap().contains(reason), "{error:?}");
        }
    }

    #[test]
    fn ids_fit_the_length_in_blocks_of_any_size() {
        let text = "{\"input_length\":40,\"hash_ids\":[1,2,3]}\n{\"input_length\":16,\"hash_ids\":[1,2]}\n{\"input_length\":0,\"hash_ids\":[1]}\n";
        let (out, _, report) = convert_with("--to aiperf", text);
        assert_eq!(
            out,
            "{\"input_length\":40,\"hash_ids\":[1,2,3]}\n{\"input_length\":16,\"hash_ids\":[1]}\n{\"input_length\":1}\n"
        );
        assert!(report.line().unwrap().contains("--isl-block-size 16"));
    }

    #[test]
    fn a_first_turn_without_time_takes_that_before_it() {
        let text = "{\"timestamp\":5,\"input_length\":1}\n{\"input_length\":2}\n";
        assert_eq!(
            convert("--to aiperf", text),
            "{\"timestamp\":5,\"input_length\":1}\n{\"timestamp\":5,\"input_length\":2}\n"
        );
    }
}
