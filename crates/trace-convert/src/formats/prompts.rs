//! Prompt files of AIBrix: one prompt an object, or the prompts of a session.
//!
//! ```text
//! {"prompt":"…","completion":"…"}
//! {"session_id":7,"prompts":["…","…"],"completions":["…","…"]}
//! ```
//!
//! A prompt becomes `text_input`; of a session, a turn for each, which adds
//! to the turns before it and their answers. `input_length` and `hash_ids` are
//! of the whole prompt, `output_length` of the completion, which stays beside
//! it under its name, as do other members of a plain prompt. There are no
//! times.

use crate::format::Format;
use crate::formats::member::{session, text_of};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::formats::talk::{Talk, texts};
use crate::head::Head;
use crate::json::Members;
use crate::report::{Kind, Report};
use trace_core::Field;

/// AIBrix's prompt files.
pub(crate) static FORMAT: Format = Format {
    name: "prompts",
    about: "prompt files of AIBrix: prompt and completion, or session_id and prompts; instruction and output (Alpaca, Dolly); question and answer (OpenOrca, GSM8K)",
    detect: |head| {
        let known = [
            "prompt",
            "completion",
            "token_count",
            "prefix_group",
            "config_id",
        ];
        let plain = match head {
            Head::Json { keys, .. } => keys.iter().all(|key| known.contains(&key.as_str())),
            _ => false,
        };
        let answered = ANSWERS.iter().any(|name| head.has(name));
        let instructs = INSTRUCTIONS.iter().any(|name| head.has(name)) && answered;
        head.has("prompts") || instructs || (plain && head.has("prompt"))
    },
    needs: "JSON objects with prompt, with session_id and prompts, or with instruction or question and an answer",
    decoder: |args| Ok(Box::new(Objects::new(Prompts(Talk::new(args)?)))),
};

/// What instructions and questions are called, and what stands before and
/// behind them.
const INSTRUCTIONS: [&str; 2] = ["instruction", "question"];
const BEFORE: &str = "system_prompt";
const ABOUT: [&str; 2] = ["input", "context"];
const ANSWERS: [&str; 3] = ["output", "response", "answer"];

struct Prompts(Talk);

impl Expand for Prompts {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let id = object.get("session_id").map(session);
        let Some(prompts) = texts(object, "prompts")? else {
            if first(object, &INSTRUCTIONS)?.is_some() {
                return self.instruction(object, made, report);
            }
            let prompt = text_of(object, "prompt")?.ok_or("neither prompt nor prompts")?;
            let completion = text_of(object, "completion")?;
            let record = self.0.single(prompt, completion.as_deref(), made, report)?;
            record.change(Field::SessionId).session_id = id;
            carry(record, object, &["prompt", "session_id"]);
            return Ok(());
        };
        let completions = texts(object, "completions")?.unwrap_or_default();
        let beyond = completions.len().saturating_sub(prompts.len());
        report.count(Kind::Dropped, "completions without a prompt", beyond as u64);
        self.0
            .session(id, prompts, &completions, made, report, |record, i| {
                if let Some(completion) = completions.get(i) {
                    record.add_text("completion", completion);
                }
            })
    }
}

impl Prompts {
    /// An instruction, and under it what it is about.
    fn instruction(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let asked = first(object, &INSTRUCTIONS)?;
        let mut parts = vec![text_of(object, BEFORE)?, asked];
        for about in ABOUT {
            parts.push(text_of(object, about)?);
        }
        let said = parts.into_iter().flatten().filter(|text| !text.is_empty());
        let prompt = said.collect::<Vec<_>>().join("\n");
        let answer = first(object, &ANSWERS)?;
        let record = self.0.single(prompt, answer.as_deref(), made, report)?;
        if let Some(answer) = answer {
            record.add_text("completion", &answer);
        }
        let taken = [&INSTRUCTIONS[..], &[BEFORE], &ABOUT, &ANSWERS].concat();
        carry(record, object, &taken);
        Ok(())
    }
}

/// The text of the first of `names` that there is.
fn first(object: &Members<'_>, names: &[&str]) -> Result<Option<String>, String> {
    let found = names.iter().find(|name| object.get(name).is_some());
    found.map_or(Ok(None), |name| text_of(object, name))
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn plain_prompts_keep_what_is_beside_them() {
        let (out, error, _) = convert_with(
            "",
            "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\"}\n",
        );
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"input_length\":1,\"output_length\":1,\"hash_ids\":[0],\"text_input\":\"a\",\"completion\":\"b\"}\n{\"input_length\":1,\"hash_ids\":[1],\"text_input\":\"c\"}\n"
        );
    }

    #[test]
    fn instructions_are_prompts() {
        let text = r#"[{"instruction":"a","input":"","output":"b"},{"instruction":"a","context":"c","response":"b","category":"x"}]"#;
        let (out, error, _) = convert_with("", text);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"input_length":1,"output_length":1,"hash_ids":[0],"text_input":"a","completion":"b"}"#,
                "\n",
                r#"{"input_length":3,"output_length":1,"hash_ids":[0],"text_input":"a\nc","completion":"b","category":"x"}"#,
                "\n",
            )
        );
    }

    #[test]
    fn questions_are_prompts_behind_what_the_system_is_told() {
        let text = r#"{"id":"n","system_prompt":"s","question":"q","response":"r"}"#;
        let (out, error, _) = convert_with("", text);
        assert_eq!(error, None);
        assert!(
            out.contains(r#""text_input":"s\nq","completion":"r","id":"n""#),
            "{out}"
        );
    }

    #[test]
    fn the_prompts_of_a_session_are_its_turns() {
        let text = "{\"session_id\":7,\"prompts\":[\"a\",\"b\"],\"completions\":[\"x\"]}\n{\"session_id\":8,\"prompts\":[]}\n";
        let (out, error, report) = convert_with("", text);
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"input_length\":1,\"output_length\":1,\"hash_ids\":[0],\"session_id\":7,\"text_input\":\"a\",\"completion\":\"x\"}\n{\"input_length\":3,\"hash_ids\":[0],\"session_id\":7,\"text_input\":\"b\"}\n"
        );
        assert_eq!(report.of(Kind::Dropped, "sessions without"), 1);
    }

    #[test]
    fn prompts_that_are_no_texts_are_told() {
        let (_, error, _) = convert_with("", "{\"session_id\":7,\"prompts\":[1]}\n");
        assert_eq!(
            error.unwrap(),
            "in:1:1: prompts: expected an array of strings"
        );
    }
}
