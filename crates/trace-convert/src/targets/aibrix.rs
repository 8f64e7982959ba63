//! AIBrix workloads: one row for the requests of one millisecond.
//!
//! ```text
//! {"timestamp":0,"requests":[{"prompt":"…","prompt_length":10,"output_length":5,"session_id":1}]}
//! ```
//!
//! `prompt` is the `text_input`, or the content of `messages` that are one
//! message; a request without text has lengths only, which AIBrix's client
//! cannot send, and is counted. `prompt_length` of a later turn is what the
//! turn adds, since the client puts the history before it. `model` and the
//! fields no tool knows stand beside them; `hash_ids`, `delay` and what
//! happened to the request have no place there. Requests of one row must
//! follow one another: nothing is sorted. Memory is one row, and 100 bytes a
//! session.

use crate::format::{Encode, Out, Target};
use crate::json;
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::Context;
use std::collections::HashMap;
use trace_core::{Field, SessionId};

/// What AIBrix's client reads.
pub(crate) static TARGET: Target = Target {
    name: "aibrix",
    about: "AIBrix workloads: the requests of one millisecond in a row",
    encoder: |_, _| Ok(Box::new(Aibrix::default())),
};

#[derive(Default)]
struct Aibrix {
    /// The time of the row that waits, in ms, and its requests.
    row: Option<(u64, Vec<u8>)>,
    /// Tokens of every session so far, answers included.
    history: HashMap<SessionId, u64>,
}

impl Encode for Aibrix {
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        let time = match (record.request().timestamp, &self.row) {
            (Some(time), _) => {
                let micros = time.as_micros();
                let cut = !micros.is_multiple_of(1_000);
                report.count(
                    Kind::Changed,
                    "timestamps, down to the millisecond",
                    cut.into(),
                );
                micros / 1_000
            }
            (None, Some((last, _))) => {
                report.count(Kind::Invented, "timestamps, from the request before", 1);
                *last
            }
            (None, None) => {
                report.count(Kind::Invented, "timestamps of 0", 1);
                0
            }
        };
        let request = self.request(record, report)?;
        match &mut self.row {
            Some((last, requests)) if *last == time => {
                requests.push(b',');
                requests.extend_from_slice(&request);
            }
            _ => {
                self.send(out)?;
                self.row = Some((time, request));
            }
        }
        Ok(true)
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &mut Report) -> anyhow::Result<()> {
        self.send(out)
    }
}

impl Aibrix {
    fn send(&mut self, out: &mut Out<'_>) -> anyhow::Result<()> {
        let Some((time, requests)) = self.row.take() else {
            return Ok(());
        };
        let mut line = format!("{{\"timestamp\":{time},\"requests\":[").into_bytes();
        line.extend_from_slice(&requests);
        line.extend_from_slice(b"]}");
        out.write_bytes(&line).context("cannot write")
    }

    /// The JSON of one request.
    fn request(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Vec<u8>> {
        let request = record.request();
        let literal = request.text_input.clone();
        let prompt = literal.or_else(|| only_message(request.messages.as_deref()?.get()));
        let output = request.output_length;
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        match &prompt {
            Some(prompt) => members.push(("prompt".to_owned(), string(prompt))),
            None => report.count(
                Kind::Noted,
                "requests without a prompt's text, which AIBrix's client cannot send",
                1,
            ),
        }
        let lengths = [
            ("prompt_length", self.length(record, report)),
            ("output_length", output),
        ];
        for (name, length) in lengths {
            let number = length.map(|length| (name.to_owned(), length.to_string().into_bytes()));
            members.extend(number);
        }
        push_others(record, prompt.is_some(), &mut members, report)?;
        Ok(json::object(
            members.iter().map(|(name, raw)| (&**name, &**raw)),
        ))
    }

    /// The length of a prompt; of a later turn, what the turn adds.
    fn length(&mut self, record: &Record, report: &mut Report) -> Option<u64> {
        let request = record.request();
        let whole = request.input_length?;
        let Some(session) = &request.session_id else {
            return Some(whole);
        };
        // As agents have it, the prompt holds the history.
        let agent = record.value("agent", &mut Vec::new());
        let history = self.history.entry(session.clone()).or_default();
        let before = std::mem::replace(
            history,
            whole.saturating_add(request.output_length.unwrap_or(0)),
        );
        if before == 0 || agent {
            return Some(whole);
        }
        report.count(Kind::Changed, "later turns, to what they add", 1);
        report.count(
            Kind::Changed,
            "turns no longer than their history, to 1 new token",
            u64::from(whole <= before),
        );
        Some(whole.saturating_sub(before).max(1))
    }
}

/// Append what else a line says and the format holds; `prompted` says whether
/// its text is a prompt already.
fn push_others(
    record: &mut Record,
    prompted: bool,
    members: &mut Vec<(String, Vec<u8>)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut outcome = false;
    for (name, raw) in record.members()? {
        match Field::from_name(name.as_bytes()) {
            Some(Field::SessionId | Field::Model) | None => members.push((name, raw)),
            Some(Field::HashIds) => report.count(Kind::Dropped, "hash_ids", 1),
            Some(Field::Delay) => report.count(Kind::Dropped, "delay", 1),
            Some(Field::Messages | Field::Payload) if !prompted => report.count(
                Kind::Dropped,
                "messages and payloads that are not one message",
                1,
            ),
            Some(Field::Tools | Field::Extra | Field::Source) => {
                report.count(Kind::Dropped, name, 1);
            }
            Some(field) => outcome |= field.is_outcome(),
        }
    }
    report.count(Kind::Dropped, "what happened to a request", outcome.into());
    Ok(())
}

fn string(text: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(text.len() + 2);
    json::push_text(&mut json, text);
    json
}

/// The content of `messages` that are a single one.
fn only_message(messages: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Message {
        content: String,
    }
    let messages: Vec<Message> = serde_json::from_str(messages).ok()?;
    let [message] = <[Message; 1]>::try_from(messages).ok()?;
    Some(message.content)
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn requests_of_one_millisecond_are_a_row() {
        let text = concat!(
            r#"{"timestamp":1.2,"input_length":3,"hash_ids":[1],"text_input":"a","status":200}"#,
            "\n",
            r#"{"timestamp":1.7,"messages":[{"role":"user","content":"b"}],"model":"m","x":[1]}"#,
            "\n",
            r#"{"timestamp":2,"input_length":3}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"timestamp":1,"requests":[{"prompt":"a","prompt_length":3},{"prompt":"b","model":"m","x":[1]}]}"#,
            "\n",
            r#"{"timestamp":2,"requests":[{"prompt_length":3}]}"#,
            "\n",
        );
        let (out, error, report) = convert_with("--to aibrix", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "hash_ids"), 1);
        assert_eq!(report.of(Kind::Changed, "timestamps"), 2);
        assert_eq!(report.of(Kind::Noted, "requests without a prompt"), 1);
    }
}
