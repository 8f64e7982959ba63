//! AIBrix workloads: rows of a time and the requests that arrive then.
//!
//! | in | out |
//! |---|---|
//! | `timestamp`, ms | `timestamp` of every request of the row |
//! | `prompt` | `text_input` |
//! | `prompt_length`, `Prompt Length` | `input_length`; of a later turn, with the prompts and answers before it, as AIBrix's client sends them |
//! | `output_length`, `Output Length` | `output_length`; a fraction is rounded, `NaN` is none |
//! | `session_id` | `session_id` |
//! | other members of a request (`model`, `agent`) | the same |
//!
//! The `events` of agent traces are not requests, and dropped. The prompts of
//! agent requests (those with `agent`) hold their history already, so their
//! length stays. Memory is 100 bytes a session.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::format::Format;
use crate::formats::member::{number, session, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::json::Members;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::{Field, Micros, SessionId};

/// Workloads of AIBrix's generator.
pub(crate) static FORMAT: Format = Format {
    name: "aibrix",
    about: "AIBrix workloads: rows of a timestamp and its requests",
    detect: |head| {
        let members = ["prompt", "Prompt Length", "prompt_length"];
        let asks = members.iter().any(|m| head.has(&format!("requests.{m}")));
        // A first row may be empty of requests.
        head.has("timestamp") && head.has("requests") && (asks || !head.has("block_size"))
    },
    needs: "JSON objects with timestamp and requests",
    decoder: |args: &Args| {
        Ok(Box::new(Objects::new(Aibrix {
            unit: args.unit_or(TimeUnit::Ms),
            history: HashMap::new(),
        })))
    },
};

struct Aibrix {
    unit: TimeUnit,
    /// Tokens of every session so far, answers included.
    history: HashMap<SessionId, u64>,
}

const TAKEN: [&str; 7] = [
    "prompt",
    "prompt_length",
    "Prompt Length",
    "output_length",
    "Output Length",
    "session_id",
    "model",
];

impl Expand for Aibrix {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let time = object
            .get("timestamp")
            .and_then(|raw| std::str::from_utf8(raw).ok());
        let time = time
            .and_then(|text| decimal(text, self.unit))
            .and_then(|micros| u64::try_from(micros).ok())
            .ok_or("timestamp: expected a number, 0 or more")?;
        let requests = object.get("requests").ok_or("no requests")?;
        let requests: Vec<&RawValue> =
            serde_json::from_slice(requests).map_err(|_| "requests: expected an array")?;
        if requests.is_empty() {
            report.count(Kind::Dropped, "rows without requests", 1);
        }
        if let Some(events) = object.get("events") {
            let events: Vec<&RawValue> =
                serde_json::from_slice(events).map_err(|_| "events: expected an array")?;
            report.count(
                Kind::Dropped,
                "events, which are no requests",
                events.len() as u64,
            );
        }
        for raw in requests {
            let request: Members<'_> = serde_json::from_str(raw.get())
                .map_err(|_| "requests: expected objects".to_owned())?;
            self.request(&request, Micros::from_micros(time), made, report)?;
        }
        Ok(())
    }
}

impl Aibrix {
    fn request(
        &mut self,
        request: &Members<'_>,
        time: Micros,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let prompt = text_of(request, "prompt")?;
        let mut input = match tokens(request, "prompt_length")? {
            Some(tokens) => Some(tokens),
            None => tokens(request, "Prompt Length")?,
        };
        if prompt.is_none() && input.is_none() {
            return Err("a request without prompt and prompt_length".to_owned());
        }
        let output = output_length(request, report)?;
        let session = request.get("session_id").map(session);
        if let (Some(session), Some(new)) = (&session, input)
            && request.get("agent").is_none()
        {
            input = Some(self.whole(session, new, output.unwrap_or(0), report));
        }
        let model = text_of(request, "model")?;
        let record = made.next();
        record.change(Field::Timestamp).timestamp = Some(time);
        record.change(Field::InputLength).input_length = input;
        record.change(Field::OutputLength).output_length = output;
        record.change(Field::SessionId).session_id = session;
        record.change(Field::Model).model = model;
        // Traces whose prompts were blanked have lengths only.
        record.change(Field::TextInput).text_input =
            prompt.filter(|prompt| !prompt.is_empty() || input.is_none());
        carry(record, request, &TAKEN);
        Ok(())
    }

    /// The length of the whole prompt of a turn that adds `new` tokens and is
    /// answered with `output`.
    fn whole(&mut self, session: &SessionId, new: u64, output: u64, report: &mut Report) -> u64 {
        let history = self.history.entry(session.clone()).or_default();
        let later = "later turns' prompt_length, to that of the whole prompt";
        report.count(Kind::Changed, later, u64::from(*history > 0));
        let whole = history.saturating_add(new);
        *history = whole.saturating_add(output);
        whole
    }
}

/// The tokens of the answer, where they are told.
fn output_length(request: &Members<'_>, report: &mut Report) -> Result<Option<u64>, String> {
    let raw = request
        .get("output_length")
        .or_else(|| request.get("Output Length"));
    let Some(raw) = raw else { return Ok(None) };
    let tokens = number(raw)
        .filter(|n| *n >= 0.0 && *n < 9e15)
        .ok_or("output_length: expected a number, 0 or more")?;
    let fraction = tokens.fract() != 0.0;
    let reason = "output_length, to whole tokens";
    report.count(Kind::Changed, reason, u64::from(fraction));
    Ok(Some(tokens.round() as u64))
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn a_row_is_its_requests() {
        let text = concat!(
            r#"{"timestamp": 3, "requests": []}"#,
            "\n",
            r#"{"timestamp": 5, "requests": [{"prompt": "a", "prompt_length": 1, "output_length": 324.0}, {"Prompt Length": 7, "Output Length": NaN, "x": 1e5}], "events": [{}]}"#,
            "\n",
        );
        let expected = "{\"timestamp\":5,\"input_length\":1,\"output_length\":324,\"text_input\":\"a\"}\n{\"timestamp\":5,\"input_length\":7,\"x\":1e5}\n";
        let (out, error, report) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "events"), 1);
        assert_eq!(report.of(Kind::Dropped, "rows without"), 1);
        assert_eq!(report.of(Kind::Changed, "objects with NaN"), 1);
    }

    #[test]
    fn an_array_is_as_good_and_turns_hold_their_history() {
        let text = r#"[{"timestamp":0,"requests":[{"prompt":"a","prompt_length":10,"output_length":5,"session_id":1}]},
{"timestamp":9,"requests":[{"prompt":"b","prompt_length":4,"output_length":5,"session_id":1}]}]"#;
        let out = convert("", text);
        assert!(out.ends_with(
            "{\"timestamp\":9,\"input_length\":19,\"output_length\":5,\"session_id\":1,\"text_input\":\"b\"}\n"
        ), "{out}");
    }

    #[test]
    fn what_is_read_is_written_back() {
        let text = concat!(
            r#"{"timestamp":0,"requests":[{"prompt":"a","prompt_length":10,"output_length":5,"session_id":1},{"prompt":"c"}]}"#,
            "\n",
            r#"{"timestamp":9,"requests":[{"prompt":"b","prompt_length":4,"output_length":5,"session_id":1,"agents":[1]}]}"#,
            "\n",
        );
        assert_eq!(convert("--to aibrix", text), text);
    }

    #[test]
    fn a_row_that_is_none_is_told_by_its_line() {
        let text = "{\"timestamp\":0,\"requests\":[]}\n{\"timestamp\":0,\"requests\":[{}]}\n";
        let (_, error, _) = convert_with("", text);
        assert_eq!(
            error.unwrap(),
            "in:2:1: a request without prompt and prompt_length"
        );
    }
}
