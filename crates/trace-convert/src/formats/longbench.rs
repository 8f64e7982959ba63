//! LongBench: a context and a question make a prompt, by the task's recipe.
//!
//! | task (`dataset`) | prompt |
//! |---|---|
//! | questions about documents (`hotpotqa`, `narrativeqa`, …) | context, a blank line, `Question: ` and the input |
//! | summaries (`gov_report`, `qmsum`, …), or no input | context |
//! | few-shot, synthetic, code (`trec`, `passage_count`, `lcc`, …) | context, a line end, the input |
//!
//! LongBench v2 has a `question` with `choice_A` to `choice_D` instead of an input:
//! the context, the question, and a line for each choice.
//!
//! An unknown task with an input counts as a question. Each object has its
//! own recipe, so files of several tasks may stand in one run. An `_id` that
//! came before is dropped: 50 bytes of memory each. `answers`, `dataset`,
//! `_id` and the others stay beside the prompt, except `length`, which counts
//! words or characters, and becomes `words`. `input_length` and `hash_ids` are
//! of the prompt; the answers are those that are right, not those that a model
//! gives, and say nothing of `output_length`.

use crate::format::Format;
use crate::formats::member::text_of;
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::formats::talk::Talk;
use crate::json::Members;
use crate::report::{Kind, Report};
use std::collections::HashSet;

/// LongBench's files.
pub(crate) static FORMAT: Format = Format {
    name: "longbench",
    about: "LongBench: input and context, the prompt by the task's recipe",
    detect: |head| {
        let asks = head.has("input") || (head.has("question") && head.has("choice_A"));
        head.has("context") && asks && !head.has("timestamp")
    },
    needs: "JSON objects with context and input, or context, question and choice_A",
    decoder: |args| {
        Ok(Box::new(Objects::new(LongBench {
            seen: HashSet::new(),
            talk: Talk::new(args)?,
        })))
    },
};

const SUMMARIES: [&str; 4] = ["gov_report", "qmsum", "multi_news", "vcsum"];
const ONE_AFTER_THE_OTHER: [&str; 9] = [
    "trec",
    "triviaqa",
    "samsum",
    "lsht",
    "passage_count",
    "passage_retrieval_en",
    "passage_retrieval_zh",
    "lcc",
    "repobench-p",
];

struct LongBench {
    seen: HashSet<String>,
    talk: Talk,
}

impl Expand for LongBench {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        if let Some(id) = text_of(object, "_id")?
            && !self.seen.insert(id)
        {
            report.drop_request("_id that came before");
            return Ok(());
        }
        let context = text_of(object, "context")?.ok_or("no context")?;
        let input = text_of(object, "input")?.unwrap_or_default();
        let dataset = text_of(object, "dataset")?.unwrap_or_default();
        let mut taken = vec!["context", "input", "length"];
        let prompt = match choices(object)? {
            Some(choices) => {
                taken.extend(["question", "choice_A", "choice_B", "choice_C", "choice_D"]);
                format!("{context}\n\nQuestion: {choices}")
            }
            None => prompt(&dataset, &context, &input),
        };
        let record = self.talk.single(prompt, None, made, report)?;
        if let Some(words) = object.get("length") {
            record.add("words", words);
        }
        carry(record, object, &taken);
        report.count(Kind::Noted, "prompts made by the recipe of their task", 1);
        Ok(())
    }
}

/// The question of LongBench v2 with its choices.
fn choices(object: &Members<'_>) -> Result<Option<String>, String> {
    let Some(mut asked) = text_of(object, "question")? else {
        return Ok(None);
    };
    if object.get("choice_A").is_none() {
        return Ok(None);
    }
    for letter in ["A", "B", "C", "D"] {
        if let Some(choice) = text_of(object, &format!("choice_{letter}"))? {
            asked.push_str(&format!("\n({letter}) {choice}"));
        }
    }
    Ok(Some(asked))
}

/// What is asked.
fn prompt(dataset: &str, context: &str, input: &str) -> String {
    // LongBench-E calls its tasks `hotpotqa_e`.
    let task = dataset.strip_suffix("_e").unwrap_or(dataset);
    if input.trim().is_empty() || SUMMARIES.contains(&task) {
        context.to_owned()
    } else if ONE_AFTER_THE_OTHER.contains(&task) {
        format!("{context}\n{input}")
    } else {
        format!("{context}\n\nQuestion: {input}")
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn the_second_edition_asks_with_choices() {
        let text = r#"[{"_id":"1","domain":"d","length":"short","question":"q","choice_A":"a","choice_B":"b","answer":"A","context":"c"}]"#;
        let (out, error, _) = convert_with("", text);
        assert_eq!(error, None);
        assert!(
            out.contains(
                r#""text_input":"c\n\nQuestion: q\n(A) a\n(B) b","words":"short","_id":"1""#
            ),
            "{out}"
        );
    }

    #[test]
    fn every_task_has_its_recipe_and_every_id_comes_once() {
        let text = concat!(
            r#"{"input":"q","context":"c","answers":["a"],"length":9,"dataset":"hotpotqa","_id":"1"}"#,
            "\n",
            r#"{"input":"q","context":"c","dataset":"lcc_e","_id":"2"}"#,
            "\n",
            r#"{"input":"","context":"c","dataset":"gov_report","_id":"3"}"#,
            "\n",
            r#"{"input":"","context":"c","dataset":"gov_report","_id":"3"}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"input_length":5,"hash_ids":[0],"text_input":"c\n\nQuestion: q","words":9,"answers":["a"],"dataset":"hotpotqa","_id":"1"}"#,
            "\n",
            r#"{"input_length":3,"hash_ids":[1],"text_input":"c\nq","dataset":"lcc_e","_id":"2"}"#,
            "\n",
            r#"{"input_length":1,"hash_ids":[2],"text_input":"c","dataset":"gov_report","_id":"3"}"#,
            "\n",
        );
        let (out, error, report) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "_id"), 1);
    }
}
