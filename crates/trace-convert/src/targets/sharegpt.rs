//! ShareGPT: one conversation per line, for each session whose text is there.
//!
//! ```text
//! {"id":"a","conversations":[{"from":"human","value":"…"},{"from":"gpt","value":"…"}]}
//! ```
//!
//! Requests without text are dropped, as are times and lengths, which the
//! format has no place for. Conversations are written at the end, in the order
//! they began: all text is held.

use crate::format::{Encode, Out, Target};
use crate::json::push_text;
use crate::record::Record;
use crate::report::{Kind, Report};
use crate::targets::conversation::{Conversations, Turn};
use anyhow::Context;

/// Conversations, one per line.
pub(crate) static TARGET: Target = Target {
    name: "sharegpt",
    about: "ShareGPT conversations, one per line, where there is text; holds it all",
    encoder: |_, _| Ok(Box::new(ShareGpt::default())),
};

#[derive(Default)]
struct ShareGpt(Conversations);

impl Encode for ShareGpt {
    fn write(
        &mut self,
        record: &mut Record,
        _: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        self.0.add(record, report)
    }

    fn finish(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        for (place, conversation) in self.0.all.drain(..).enumerate() {
            let id = match conversation.id {
                Some(session) => session.to_string(),
                None => {
                    report.count(Kind::Invented, "id", 1);
                    format!("conversation_{}", place + 1)
                }
            };
            let mut line = b"{\"id\":".to_vec();
            push_text(&mut line, &id);
            line.extend_from_slice(b",\"conversations\":[");
            for (i, Turn { from, value }) in conversation.turns.iter().enumerate() {
                if i > 0 {
                    line.push(b',');
                }
                line.extend_from_slice(format!("{{\"from\":\"{from}\",\"value\":").as_bytes());
                line.extend_from_slice(value);
                line.push(b'}');
            }
            line.extend_from_slice(b"]}");
            out.write_bytes(&line).context("cannot write")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn a_conversation_comes_back_as_it_went_in() {
        let text = r#"{"id":"a","conversations":[{"from":"system","value":"s"},{"from":"human","value":"1?"},{"from":"gpt","value":"1\n"},{"from":"human","value":"2?"},{"from":"gpt","value":"2"}]}"#;
        assert_eq!(convert("--to sharegpt", text), format!("{text}\n"));
    }

    #[test]
    fn texts_and_their_completions_are_turns() {
        let text = concat!(
            r#"{"timestamp":1,"text_input":"a","completion":"b","session_id":7}"#,
            "\n",
            r#"{"text_input":"x"}"#,
            "\n",
            r#"{"text_input":"c","session_id":7}"#,
            "\n",
            r#"{"input_length":7}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"id":"7","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"},{"from":"human","value":"c"}]}"#,
            "\n",
            r#"{"id":"conversation_2","conversations":[{"from":"human","value":"x"}]}"#,
            "\n",
        );
        let (out, error, report) = convert_with("--to sharegpt", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "requests without text"), 1);
        assert_eq!(report.written, 3);
    }
}
