//! Text: counted, hashed, attached and rendered, through the process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use trace_prompt::{Recover, Tokenizer};

fn convert(flags: &[&str], input: &str) -> Vec<Value> {
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(flags)
        .write_stdin(input)
        .assert()
        .success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn ids(line: &Value) -> Vec<u64> {
    let ids = line["hash_ids"].as_array().unwrap();
    ids.iter().map(|id| id.as_u64().unwrap()).collect()
}

/// Rendered and read again, a trace is the same but for the names of its ids.
#[test]
fn what_is_rendered_is_counted_as_it_was() {
    let trace: String = (0..40_u64)
        .map(|i| {
            format!(
                "{{\"input_length\":{},\"hash_ids\":[{},{},{}]}}\n",
                33 + i % 16,
                i / 20,
                1_000 + i / 5,
                2_000 + i
            )
        })
        .collect();
    let wordpiece = wordpiece();
    let file = wordpiece.path().join("tokenizer.json");
    for tokenizer in ["o200k", "cl100k", "words", file.to_str().unwrap()] {
        let flags = ["--tokenizer", tokenizer, "--from-block-size", "16"];
        let rendered = convert(&[&flags[..], &["--render"]].concat(), &trace);
        let text: String = rendered.iter().map(|line| format!("{line}\n")).collect();
        let counted = convert(&[&flags[..], &["--count"]].concat(), &text);
        let relabeled = convert(&["--relabel"], &trace);
        for (line, expected) in counted.iter().zip(&relabeled) {
            assert_eq!(
                line["input_length"], expected["input_length"],
                "{tokenizer}"
            );
            assert_eq!(ids(line), ids(expected), "{tokenizer}");
        }
    }
}

/// A small WordPiece vocabulary, as a Hugging Face file.
fn wordpiece() -> tempfile::TempDir {
    let mut vocabulary = serde_json::Map::new();
    vocabulary.insert("[UNK]".to_owned(), 0.into());
    for (id, word) in trace_words().iter().enumerate() {
        vocabulary.insert((*word).to_owned(), (id + 1).into());
    }
    let json = serde_json::json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    });
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tokenizer.json"), json.to_string()).unwrap();
    dir
}

/// Words that prompts are made of.
fn trace_words() -> Vec<String> {
    let mut text = String::new();
    trace_prompt::Prompts::new(0).render(&[1], 512, 0, &mut text);
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.sort();
    words.dedup();
    words
}

#[test]
fn turns_of_a_chat_share_what_they_repeat() {
    let chat = r#"[{"id":"a","conversations":[{"from":"human","value":"one two three four"},{"from":"gpt","value":"five six"},{"from":"human","value":"seven"},{"from":"gpt","value":"eight"}]}]"#;
    let lines = convert(&["--tokenizer", "words", "--block-size", "2"], chat);
    assert_eq!(ids(&lines[0]), [0, 1]);
    assert_eq!(ids(&lines[1]), [0, 1, 2, 3]);
    let lengths = |name: &str| {
        lines
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lengths("input_length"), [4, 7]);
    assert_eq!(lengths("output_length"), [2, 1]);
}

#[test]
fn attached_prompts_keep_the_lengths_of_a_table_and_hash_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let prompts = dir.path().join("prompts.jsonl");
    let line = |n: usize| {
        format!(
            "{{\"prompt\":\"{}\",\"completion\":\"ok\"}}\n",
            "Say it. ".repeat(n)
        )
    };
    let text: String = (1..30).map(line).collect();
    std::fs::write(&prompts, text).unwrap();
    let table = "Timestamp,Model,Request tokens,Response tokens\n0,m,40,5\n1,m,7,0\n2,m,600,9\n";
    let path = prompts.to_str().unwrap();
    let lines = convert(&["--prompts", path, "--block-size", "16"], table);
    let (tokenizer, mut recover) = (Tokenizer::o200k(), Recover::new(16));
    for (line, input, output) in [(0, 40, 5), (1, 7, 0), (2, 600, 9)] {
        let line = &lines[line];
        assert_eq!(line["input_length"], input);
        assert_eq!(line["output_length"], output);
        let mut found = Vec::new();
        let text = line["text_input"].as_str().unwrap();
        assert!(text.starts_with("Say it."), "{text}");
        assert_eq!(recover.text(&tokenizer, text, &mut found).unwrap(), input);
        assert_eq!(found, ids(line));
    }
    let again = convert(&["--prompts", path, "--block-size", "16"], table);
    assert_eq!(lines, again, "the same seed gives the same prompts");
}

#[test]
fn turns_of_a_real_conversation_grow_by_answer_and_question() {
    let Some(dir) = std::env::var_os("TRACE_DATA") else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: TRACE_DATA does not name the folder of the traces"
        )
        .unwrap();
        return;
    };
    let path = Path::new(&dir).join("excerpts/sharegpt_from_value_derived_2convs.json");
    let lines = convert(&[path.to_str().unwrap()], "");
    for pair in lines.windows(2) {
        if pair[0]["session_id"] != pair[1]["session_id"] {
            continue;
        }
        let (before, after) = (ids(&pair[0]), ids(&pair[1]));
        assert!(after.starts_with(&before), "{before:?} {after:?}");
        let count = |line: &Value, name: &str| line[name].as_u64().unwrap();
        let history = count(&pair[0], "input_length") + count(&pair[0], "output_length");
        assert!(count(&pair[1], "input_length") > history);
    }
}

#[test]
fn another_tools_ids_are_not_those_of_a_text() {
    for flags in [["--prompts", "x"], ["--count", "x"]] {
        Command::new(env!("CARGO_BIN_EXE_trace-convert"))
            .args(["--compat", "dynamo"])
            .args(flags)
            .assert()
            .code(2);
    }
}
