//! FluxPerf's datasets: texts, or the questions of a session.
//!
//! ```text
//! [{"text":"…"}]            {"data":[{"text":"…"}]}
//! {"session_id":"a","user_messages":["…","…"],"source":"…"}
//! ```
//!
//! A text becomes `text_input`; of `user_messages`, a turn for each, which
//! adds to the turns before it and their answers. Other members stay. Entries
//! with `conversations` or `messages` are ShareGPT's. There are no times, and
//! no lengths.

use crate::format::Format;
use crate::formats::objects::{Expand, Made, Objects, carry, session, text_of};
use crate::formats::prompts::texts;
use crate::json::Members;
use crate::report::{Kind, Report};
use trace_core::{Field, SessionId};

/// FluxPerf's datasets.
pub(crate) static FORMAT: Format = Format {
    name: "fluxperf",
    about: "FluxPerf datasets: text, or session_id and user_messages",
    detect: |head| {
        let keys = [
            "text",
            "user_messages",
            "data.text",
            "data.user_messages",
            "data.prompt",
        ];
        keys.iter().any(|key| head.has(key))
    },
    needs: "JSON objects with text or user_messages",
    decoder: |_| {
        Ok(Box::new(
            Objects::new(FluxPerf { unnamed: 0 }).inside("data"),
        ))
    },
};

struct FluxPerf {
    /// Sessions without an id.
    unnamed: u64,
}

impl Expand for FluxPerf {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let id = object
            .get("session_id")
            .or_else(|| object.get("id"))
            .map(session);
        let Some(questions) = texts(object, "user_messages")? else {
            // As FluxPerf looks for it.
            for key in ["text", "prompt", "content"] {
                if let Some(text) = text_of(object, key)? {
                    let record = made.next();
                    record.change(Field::TextInput).text_input = Some(text);
                    record.change(Field::SessionId).session_id = id;
                    carry(record, object, &[key, "session_id", "id"]);
                    return Ok(());
                }
            }
            return Err("none of text, prompt, content, user_messages".to_owned());
        };
        let id = id.unwrap_or_else(|| {
            self.unnamed += 1;
            report.count(Kind::Invented, "session_id", 1);
            SessionId::Text(format!("session_{}", self.unnamed))
        });
        report.count(
            Kind::Dropped,
            "sessions without messages",
            questions.is_empty().into(),
        );
        for question in questions {
            let record = made.next();
            record.change(Field::TextInput).text_input = Some(question);
            record.change(Field::SessionId).session_id = Some(id.clone());
            carry(record, object, &["user_messages", "session_id", "id"]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn lists_lines_and_data_are_read_alike() {
        for text in [
            "[{\"text\":\"a\"}]",
            "{\"text\":\"a\"}\n",
            "{\"n\":1,\"data\":[{\"text\":\"a\"}]}",
        ] {
            let (out, error, _) = convert_with("", text);
            assert_eq!(
                (out.as_str(), error),
                ("{\"text_input\":\"a\"}\n", None),
                "{text}"
            );
        }
    }

    #[test]
    fn questions_are_turns() {
        let text = "{\"session_id\":\"s\",\"user_messages\":[\"a\",\"b\"],\"lang\":\"en\"}\n";
        let (out, error, _) = convert_with("", text);
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"session_id\":\"s\",\"text_input\":\"a\",\"lang\":\"en\"}\n{\"session_id\":\"s\",\"text_input\":\"b\",\"lang\":\"en\"}\n"
        );
    }
}
