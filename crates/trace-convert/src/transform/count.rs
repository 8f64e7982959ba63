//! `--count`: lengths and blocks of the text that lines have.

use super::{Fate, Transform};
use crate::counter::{Counter, content};
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;

/// Counts prompts that are text.
///
/// A `text_input` in a session adds to the turns before it and their answers,
/// whose length the lines say.
pub(crate) struct Count {
    counter: Counter,
    tokens: Vec<u32>,
}

impl Count {
    /// Counts with `counter`.
    pub(crate) fn new(counter: Counter) -> Self {
        Self {
            counter,
            tokens: Vec::new(),
        }
    }
}

impl Transform for Count {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        self.tokens.clear();
        let before = record.request().clone();
        if let Some(messages) = &before.messages {
            for content in contents(messages, report).map_err(|why| record.error(why))? {
                let counted = self.counter.append(&content, &mut self.tokens);
                counted.map_err(|why| record.error(why))?;
            }
            self.counter.measure(&self.tokens, record, report);
        } else if let Some(text) = &before.text_input {
            let counted = self.counter.append(text, &mut self.tokens);
            counted.map_err(|why| record.error(why))?;
            let output = before.output_length.unwrap_or(0);
            let turned = self.counter.turn(&self.tokens, output, record, report);
            turned.map_err(|why| record.error(why))?;
        } else {
            report.count(Kind::Noted, "requests without a text to count", 1);
            return Ok(Fate::Kept);
        }
        let counted = record.request().input_length;
        report.count(
            Kind::Changed,
            "input_length, to what the tokenizer counts",
            u64::from(before.input_length.is_some() && before.input_length != counted),
        );
        Ok(Fate::Kept)
    }
}

/// The texts of messages.
fn contents(messages: &RawValue, report: &mut Report) -> Result<Vec<String>, String> {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }
    let messages: Vec<Message<'_>> =
        serde_json::from_str(messages.get()).map_err(|_| "messages: expected objects")?;
    let contents = messages.iter().filter_map(|message| message.content);
    contents
        .map(|json| content(json.get().as_bytes(), report))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    #[test]
    fn lines_get_the_length_of_their_text() {
        let trace = concat!(
            r#"{"text_input":"a b c","x":1e5}"#,
            "\n",
            r#"{"input_length":99,"messages":[{"role":"user","content":"a b"},{"role":"assistant","content":"c d e"}]}"#,
            "\n",
            r#"{"input_length":7}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"text_input":"a b c","x":1e5,"input_length":3,"hash_ids":[0,1]}"#,
            "\n",
            r#"{"input_length":5,"messages":[{"role":"user","content":"a b"},{"role":"assistant","content":"c d e"}],"hash_ids":[0,1,2]}"#,
            "\n",
            r#"{"input_length":7}"#,
            "\n",
        );
        let flags = "--count --tokenizer words --from-block-size 2";
        assert_eq!(convert(flags, trace), expected);
    }

    #[test]
    fn turns_count_what_was_before_them() {
        let trace = "{\"session_id\":1,\"text_input\":\"a b\",\"output_length\":2}\n{\"session_id\":1,\"text_input\":\"c\"}\n";
        let expected = "{\"session_id\":1,\"text_input\":\"a b\",\"output_length\":2,\"input_length\":2,\"hash_ids\":[0]}\n{\"session_id\":1,\"text_input\":\"c\",\"input_length\":5,\"hash_ids\":[0,1,2]}\n";
        let flags = "--count --tokenizer words --from-block-size 2";
        assert_eq!(convert(flags, trace), expected);
    }
}
