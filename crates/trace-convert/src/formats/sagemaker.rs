//! What Amazon SageMaker's Data Capture keeps of an endpoint with the API of
//! OpenAI.
//!
//! ```text
//! {"captureData":{"endpointInput":{"data":"{…}","encoding":"JSON"},
//!   "endpointOutput":{"data":"{…}"}},"eventMetadata":{"eventId":"…","inferenceTime":"2026-01-01T00:00:00Z"}}
//! ```
//!
//! The body that was sent is read as [`openai`](super::openai) reads one;
//! `inferenceTime` is its time, and the `usage` of the answer tells
//! `output_length`.

use crate::args::Args;
use crate::clock::Clock;
use crate::format::Format;
use crate::formats::member::{object_of, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::formats::openai::Bodies;
use crate::json::Members;
use crate::report::Report;
use trace_core::Field;
use trace_core::date::date;

/// Captured requests.
pub(crate) static FORMAT: Format = Format {
    name: "sagemaker",
    about: "Amazon SageMaker's Data Capture of an endpoint with OpenAI's API",
    detect: |head| head.has("captureData.endpointInput.data"),
    needs: "JSON lines with captureData.endpointInput.data",
    decoder: |args: &Args| {
        Ok(Box::new(Objects::new(SageMaker {
            bodies: Bodies::new(args)?,
            clock: args.clock(),
        })))
    },
};

struct SageMaker {
    bodies: Bodies,
    clock: Clock,
}

impl Expand for SageMaker {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let captured = object_of(object, "captureData")?;
        let sent = data(&captured, "endpointInput")?.ok_or("no endpointInput.data")?;
        let body = parsed(&sent, "endpointInput.data")?;
        let answer = data(&captured, "endpointOutput")?;
        // A stream of events is no object, and tells nothing here.
        let answer = answer.filter(|data| data.trim_start().starts_with('{'));
        let output = match &answer {
            Some(answer) => {
                let answer = parsed(answer, "endpointOutput.data")?;
                tokens(&object_of(&answer, "usage")?, "completion_tokens")?
            }
            None => None,
        };
        let event = object_of(object, "eventMetadata")?;
        let at = match text_of(&event, "inferenceTime")? {
            Some(text) => {
                let micros = date(&text).ok_or("inferenceTime: expected a date")?;
                Some(self.clock.place(micros, report)?)
            }
            None => None,
        };
        let record = self.bodies.request(&body, sent.as_bytes(), made, report)?;
        match output {
            Some(_) => record.change(Field::OutputLength).output_length = output,
            None => Bodies::limit(&body, record, report)?,
        }
        record.change(Field::Timestamp).timestamp = at;
        carry(record, &event, &["inferenceTime"]);
        Ok(())
    }
}

/// What was captured at one end, as text.
fn data(captured: &Members<'_>, end: &str) -> Result<Option<String>, String> {
    let end = object_of(captured, end)?;
    if text_of(&end, "encoding")?.is_some_and(|encoding| encoding == "BASE64") {
        return Err("encoding: BASE64, expected JSON".to_owned());
    }
    text_of(&end, "data")
}

fn parsed<'a>(json: &'a str, name: &str) -> Result<Members<'a>, String> {
    serde_json::from_str(json).map_err(|_| format!("{name}: expected a JSON object"))
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn what_was_captured_is_asked_again() {
        let line = r#"{"captureData":{"endpointInput":{"mode":"INPUT","data":"{\"messages\":[{\"role\":\"user\",\"content\":\"1?\"}],\"max_tokens\":50}","encoding":"JSON"},"endpointOutput":{"data":"{\"usage\":{\"completion_tokens\":30}}","encoding":"JSON"}},"eventMetadata":{"eventId":"e","inferenceTime":"2026-01-01T00:00:00Z"},"eventVersion":"0"}"#;
        let (out, error, _) = convert_with("", line);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"timestamp":0,"input_length":2,"output_length":30,"hash_ids":[0],"messages":[{"role":"user","content":"1?"}],"eventId":"e"}"#,
                "\n"
            )
        );
        let (_, error, _) = convert_with("", &line.replacen("JSON", "BASE64", 1));
        assert_eq!(error.unwrap(), "in:1:1: encoding: BASE64, expected JSON");
    }
}
