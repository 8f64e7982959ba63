//! FluxPerf's datasets: texts, or the questions of a session.
//!
//! ```text
//! [{"text":"…"}]            {"data":[{"text":"…"}]}
//! {"session_id":"a","user_messages":["…","…"],"source":"…"}
//! ```
//!
//! A text becomes `text_input`; of `user_messages`, a turn for each, which
//! adds to the turns before it and their answers. Other members stay. Entries
//! with `conversations` or `messages` are ShareGPT's. `input_length` and
//! `hash_ids` are of the texts as far, without answers, which are not known.
//! There are no times.

use crate::format::Format;
use crate::formats::member::{session, text_of};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::formats::talk::{Talk, texts};
use crate::json::Members;
use crate::report::Report;
use trace_core::Field;

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
    decoder: |args| {
        Ok(Box::new(
            Objects::new(FluxPerf(Talk::new(args)?)).inside("data"),
        ))
    },
};

struct FluxPerf(Talk);

impl Expand for FluxPerf {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let id = object.get("session_id").or_else(|| object.get("id"));
        let id = id.map(session);
        if let Some(questions) = texts(object, "user_messages")? {
            return self
                .0
                .session(id, questions, &[], made, report, |record, _| {
                    carry(record, object, &["user_messages", "session_id", "id"]);
                });
        }
        // As FluxPerf looks for it.
        for key in ["text", "prompt", "content"] {
            if let Some(text) = text_of(object, key)? {
                let record = self.0.single(text, None, made, report)?;
                record.change(Field::SessionId).session_id = id;
                carry(record, object, &[key, "session_id", "id"]);
                return Ok(());
            }
        }
        Err("none of text, prompt, content, user_messages".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn an_id_that_comes_again_is_another_session() {
        let text = "{\"session_id\":\"s\",\"user_messages\":[\"a\"]}\n{\"session_id\":\"s\",\"user_messages\":[\"d\"]}\n";
        let (out, error, _) = crate::tests::convert_with("", text);
        assert_eq!(error, None);
        assert!(out.contains(r#""session_id":"s","#), "{out}");
        assert!(out.contains(r#""session_id":"s_2","#), "{out}");
    }

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
                (
                    "{\"input_length\":1,\"hash_ids\":[0],\"text_input\":\"a\"}\n",
                    None
                ),
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
            "{\"input_length\":1,\"hash_ids\":[0],\"session_id\":\"s\",\"text_input\":\"a\",\"lang\":\"en\"}\n{\"input_length\":2,\"hash_ids\":[0],\"session_id\":\"s\",\"text_input\":\"b\",\"lang\":\"en\"}\n"
        );
    }
}
