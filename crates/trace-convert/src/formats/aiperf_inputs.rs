//! AIPerf's own datasets, `single_turn` and `multi_turn`, and MT-Bench's.
//!
//! ```text
//! {"text":"…","timestamp":1000}
//! {"session_id":"a","turns":[{"text":"…","timestamp":0},{"text":"…","delay":500}]}
//! {"question_id":81,"turns":["…","…"]}
//! ```
//!
//! A text becomes `text_input`; of `turns`, each adds to those before it and
//! their answers. `timestamp` and `delay` are milliseconds, as ours. Other
//! members stay. `input_length` and `hash_ids` are of the texts as far,
//! without answers, which are not known.

use crate::format::Format;
use crate::formats::member::{millis_of, session, text_of};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::formats::talk::Talk;
use crate::json::Members;
use crate::record::Record;
use crate::report::Report;
use serde_json::value::RawValue;
use trace_core::{Field, Micros};

/// What AIPerf takes as a custom dataset.
pub(crate) static FORMAT: Format = Format {
    name: "aiperf-inputs",
    about: "AIPerf's single_turn and multi_turn datasets: text with a time, or turns; MT-Bench",
    detect: |head| {
        let timed = head.has("timestamp") || head.has("delay");
        head.has("turns") || (head.has("text") && timed)
    },
    needs: "JSON objects with text and timestamp or delay, or with turns of text",
    decoder: |args| Ok(Box::new(Objects::new(AiperfInputs(Talk::new(args)?)))),
};

struct AiperfInputs(Talk);

const TAKEN: [&str; 6] = [
    "text",
    "timestamp",
    "delay",
    "session_id",
    "question_id",
    "turns",
];

impl Expand for AiperfInputs {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let id = object
            .get("session_id")
            .or_else(|| object.get("question_id"));
        let id = id.map(session);
        let Some(raw) = object.get("turns") else {
            let turn = Turn::of(object)?;
            let record = self.0.single(turn.text, None, made, report)?;
            turn.when.set(record);
            record.change(Field::SessionId).session_id = id;
            carry(record, object, &TAKEN);
            return Ok(());
        };
        let all: Vec<&RawValue> =
            serde_json::from_slice(raw).map_err(|_| "turns: expected an array")?;
        let all: Vec<Members<'_>> = all
            .into_iter()
            .map(|turn| turn_of(turn.get()))
            .collect::<Result<_, _>>()?;
        let turns = all.iter().map(Turn::of).collect::<Result<Vec<_>, _>>()?;
        let (texts, when): (Vec<_>, Vec<_>) =
            turns.into_iter().map(|turn| (turn.text, turn.when)).unzip();
        self.0.session(id, texts, &[], made, report, |record, i| {
            when[i].set(record);
            carry(record, &all[i], &TAKEN);
            carry(record, object, &TAKEN);
        })
    }
}

/// A turn, which may be its text alone.
fn turn_of(json: &str) -> Result<Members<'_>, String> {
    if json.starts_with('"') {
        return Ok(Members(vec![("text".into(), json.as_bytes())]));
    }
    serde_json::from_str(json).map_err(|_| "turns: expected objects or texts".to_owned())
}

/// What is said, and when.
struct Turn {
    text: String,
    when: When,
}

struct When {
    timestamp: Option<Micros>,
    delay: Option<Micros>,
}

impl Turn {
    fn of(object: &Members<'_>) -> Result<Self, String> {
        Ok(Self {
            text: text_of(object, "text")?.ok_or("a turn without text")?,
            when: When {
                timestamp: millis_of(object, "timestamp")?,
                delay: millis_of(object, "delay")?,
            },
        })
    }
}

impl When {
    fn set(&self, record: &mut Record) {
        record.change(Field::Timestamp).timestamp = self.timestamp;
        record.change(Field::Delay).delay = self.delay;
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn texts_with_times_are_requests_and_turns_a_session() {
        let lines = concat!(
            r#"{"text":"a","timestamp":1000,"x":1}"#,
            "\n",
            r#"{"session_id":"s","turns":[{"text":"a","timestamp":1500},{"text":"b","delay":250.5}]}"#,
            "\n",
        );
        let (out, error, _) = convert_with("", lines);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"timestamp":1000,"input_length":1,"hash_ids":[0],"text_input":"a","x":1}"#,
                "\n",
                r#"{"timestamp":1500,"input_length":1,"hash_ids":[0],"session_id":"s","text_input":"a"}"#,
                "\n",
                r#"{"input_length":2,"hash_ids":[0],"session_id":"s","delay":250.5,"text_input":"b"}"#,
                "\n",
            )
        );
        let (out, error, _) = convert_with("", r#"{"question_id":81,"turns":["a","b"]}"#);
        assert_eq!(error, None);
        assert!(out.contains(r#""session_id":81,"text_input":"b""#), "{out}");
        let (_, error, _) = convert_with("", r#"{"session_id":"s","turns":[{"text":7}]}"#);
        assert_eq!(error.unwrap(), "in:1:1: text: expected a string");
    }
}
