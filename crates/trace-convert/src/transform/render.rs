//! `--render`: the text that a request's ids and length stand for.

use super::{Fate, Transform};
use crate::args::Args;
use crate::limit::MOST_TOKENS;
use crate::record::Record;
use crate::report::{Kind, Report};
use clap::ValueEnum;
use serde_json::value::RawValue;
use trace_core::Field;
use trace_prompt::Prompts;

/// Where the text is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderAs {
    /// text_input
    Text,
    /// messages: one of the user
    Messages,
}

/// Writes the text of prompts that are only ids and lengths.
pub(crate) struct Render {
    prompts: Prompts,
    how: RenderAs,
    number: u64,
}

impl Render {
    /// Text for blocks of `block_size` tokens.
    ///
    /// # Errors
    /// A tokenizer that cannot be read, or has no text of exact length.
    pub(crate) fn new(how: RenderAs, args: &Args, block_size: u64) -> anyhow::Result<Self> {
        let prompts = Prompts::with(&args.tokenizer.load()?, args.seed.seed)?;
        Ok(Self {
            prompts: prompts.block_size(block_size),
            how,
            number: 0,
        })
    }
}

impl Transform for Render {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let own = self.number;
        self.number += 1;
        let request = record.request();
        let Some(length) = request.input_length.filter(|_| !record.is_literal()) else {
            report.count(Kind::Noted, "requests that keep the prompt they have", 1);
            return Ok(Fate::Kept);
        };
        if length > MOST_TOKENS {
            return Err(record.error(super::NO_PROMPT).into());
        }
        let mut text = String::new();
        let ids = request.hash_ids.as_deref().unwrap_or_default();
        self.prompts.render(ids, length, own, &mut text);
        match self.how {
            RenderAs::Text => {
                report.count(Kind::Invented, "text_input, rendered", 1);
                report.count(
                    Kind::Noted,
                    "text_input of a session that is the whole prompt, to be sent with --history recorded",
                    request.session_id.is_some().into(),
                );
                record.change(Field::TextInput).text_input = Some(text);
            }
            RenderAs::Messages => {
                report.count(Kind::Invented, "messages, rendered", 1);
                let mut json = br#"[{"role":"user","content":"#.to_vec();
                crate::json::push_text(&mut json, &text);
                json.extend_from_slice(b"}]");
                let json = String::from_utf8(json)?;
                record.change(Field::Messages).messages = Some(RawValue::from_string(json)?);
            }
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};
    use trace_prompt::{Recover, Tokenizer};

    const TRACE: &str = "{\"timestamp\":0,\"input_length\":40,\"hash_ids\":[4,9,1]}\n{\"timestamp\":0,\"input_length\":33,\"hash_ids\":[4,9,2]}\n{\"timestamp\":0,\"input_length\":20}\n{\"text_input\":\"hi\"}\n";

    #[test]
    fn the_text_has_the_length_and_the_sharing_of_its_line() {
        for (name, tokenizer) in [
            ("o200k", Tokenizer::o200k()),
            ("cl100k", Tokenizer::cl100k()),
        ] {
            let flags = format!("--from-block-size 16 --tokenizer {name} --render");
            let (out, error, report) = convert_with(&flags, TRACE);
            assert_eq!(error, None);
            let mut recover = Recover::new(16);
            let mut all = Vec::new();
            for line in out.lines().take(3) {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let mut ids = Vec::new();
                let text = line["text_input"].as_str().unwrap();
                let length = recover.text(&tokenizer, text, &mut ids).unwrap();
                assert_eq!(Some(length), line["input_length"].as_u64());
                all.push(ids);
            }
            assert_eq!(all, [vec![0, 1, 2], vec![0, 1, 3], vec![4, 5]]);
            assert_eq!(report.of(Kind::Invented, "text_input"), 3);
            assert_eq!(report.of(Kind::Noted, "requests that keep"), 1);
        }
    }

    #[test]
    fn text_can_be_a_message() {
        let text = convert("--render --seed 3", "{\"input_length\":2}\n");
        let message = convert("--render=messages --seed 3", "{\"input_length\":2}\n");
        let text: serde_json::Value = serde_json::from_str(&text).unwrap();
        let message: serde_json::Value = serde_json::from_str(&message).unwrap();
        assert_eq!(message["messages"][0]["content"], text["text_input"]);
    }

    #[test]
    fn a_prompt_that_no_line_holds_is_refused() {
        let (_, error, _) = convert_with("--render", "{\"input_length\":9000000000000}\n");
        assert!(error.unwrap().starts_with("in:1:1: input_length"));
    }
}
