//! AIBrix's prompt files: one prompt a line, or the prompts of a session.
//!
//! ```text
//! {"prompt":"…","completion":"…"}
//! {"session_id":7,"prompts":["…","…"],"completions":["…","…"]}
//! ```
//!
//! Plain lines where no request has a session, else a session each. What is
//! neither question nor answer is dropped, as are times and lengths.
//! `completions` goes as far as every prompt has one. Lines are written at the
//! end, in the order their conversations began: all text is held.

use crate::counter::content;
use crate::format::{Encode, Out, Target};
use crate::json::push_text;
use crate::record::Record;
use crate::report::{Kind, Report};
use crate::targets::conversation::{Conversation, Conversations, Turn};
use anyhow::{Context, anyhow};
use trace_core::SessionId;

/// Prompts that AIBrix's generator reads.
pub(crate) static TARGET: Target = Target {
    name: "prompts",
    about: "AIBrix prompt files, where there is text; holds it all",
    encoder: |_, _| Ok(Box::new(Prompts::default())),
};

#[derive(Default)]
struct Prompts(Conversations);

impl Encode for Prompts {
    fn write(
        &mut self,
        record: &mut Record,
        _: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        self.0.add(record, report)
    }

    fn finish(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        let all = std::mem::take(&mut self.0.all);
        let sessions = all.iter().any(|one| one.id.is_some());
        for (place, conversation) in all.iter().enumerate() {
            let Talk {
                prompts,
                completions,
            } = talk(conversation, report)?;
            if prompts.is_empty() {
                report.count(Kind::Dropped, "conversations without a question", 1);
                continue;
            }
            let mut line = Vec::new();
            if sessions {
                let id = conversation.id.clone().unwrap_or_else(|| {
                    report.count(Kind::Invented, "session_id", 1);
                    SessionId::Text(format!("conversation_{}", place + 1))
                });
                line.extend_from_slice(b"{\"session_id\":");
                match id {
                    SessionId::Number(number) => line.extend(number.to_string().bytes()),
                    SessionId::Text(text) => push_text(&mut line, &text),
                }
                push_texts(&mut line, ",\"prompts\":[", &prompts);
                if !completions.is_empty() {
                    push_texts(&mut line, ",\"completions\":[", &completions);
                }
                line.push(b'}');
                out.write_bytes(&line).context("cannot write")?;
                continue;
            }
            for (i, prompt) in prompts.iter().enumerate() {
                line.clear();
                line.extend_from_slice(b"{\"prompt\":");
                push_text(&mut line, prompt);
                if let Some(completion) = completions.get(i) {
                    line.extend_from_slice(b",\"completion\":");
                    push_text(&mut line, completion);
                }
                line.push(b'}');
                out.write_bytes(&line).context("cannot write")?;
            }
        }
        Ok(())
    }
}

/// The questions of a conversation and their answers.
#[derive(Default)]
struct Talk {
    prompts: Vec<String>,
    /// Of the first prompts.
    completions: Vec<String>,
}

fn talk(conversation: &Conversation, report: &mut Report) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for Turn { from, value } in &conversation.turns {
        let text = content(value, report).map_err(|why| anyhow!("a message: {why}"))?;
        match *from {
            "human" => talk.prompts.push(text),
            "gpt" if talk.completions.len() + 1 == talk.prompts.len() => {
                talk.completions.push(text);
            }
            _ => report.count(
                Kind::Dropped,
                "messages that are no question, nor the answer to one",
                1,
            ),
        }
    }
    Ok(talk)
}

fn push_texts(line: &mut Vec<u8>, name: &str, texts: &[String]) {
    line.extend_from_slice(name.as_bytes());
    for (i, text) in texts.iter().enumerate() {
        if i > 0 {
            line.push(b',');
        }
        push_text(line, text);
    }
    line.push(b']');
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn prompt_files_come_back_as_they_went_in() {
        for text in [
            "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\\n\"}\n",
            "{\"session_id\":7,\"prompts\":[\"a\",\"b\"],\"completions\":[\"x\",\"y\"]}\n{\"session_id\":\"s\",\"prompts\":[\"c\"]}\n",
        ] {
            assert_eq!(convert("--to prompts", text), text);
        }
    }

    #[test]
    fn a_chat_becomes_questions_and_answers() {
        let chat = r#"[{"id":"a","conversations":[{"from":"system","value":"s"},{"from":"human","value":"1?"},{"from":"gpt","value":"1"},{"from":"human","value":"2?"},{"from":"gpt","value":"2"}]}]"#;
        let (out, error, report) = convert_with("--to prompts", chat);
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"session_id\":\"a\",\"prompts\":[\"1?\",\"2?\"],\"completions\":[\"1\",\"2\"]}\n"
        );
        assert_eq!(report.of(Kind::Dropped, "messages that are no"), 1);
    }
}
