//! Conversations with live answers: what a server answered comes back in the next prompt, and an
//! engine finds it in its prefix cache.

use serde_json::Value;

use crate::harness::{Server, records, tool};

/// Tokens of a block of the cache.
const BLOCK: u64 = 16;

/// Three turns of two conversations, each of some words that are a token each.
fn conversations() -> String {
    let turn = |session: u64, turn: u64| {
        let words =
            format!(" {}", ["red", "blue"][session as usize]).repeat(21 + 10 * turn as usize);
        format!(
            "{{\"timestamp\":{},\"text_input\":\"{words}\",\"output_length\":{},\"session_id\":\"{session}\"}}\n",
            10 * session + turn,
            40 + turn
        )
    };
    let all = (0..2).flat_map(|session| (0..3).map(move |number| turn(session, number)));
    all.collect()
}

/// The outcomes of a conversation, by turn.
fn outcomes(flags: &str, chat: bool) -> Vec<Vec<Value>> {
    let server = Server::start(&format!("--cache-blocks 1000 --block-size {BLOCK} {flags}"));
    let url = if chat {
        server.chat()
    } else {
        server.completions()
    };
    let sent = tool("trace-send").args("--url").arg(url);
    let mut lines = records(&sent.reading(conversations()).ok());
    lines.sort_by_key(|line| line["seq"].as_u64());
    lines.chunks(3).map(<[Value]>::to_vec).collect()
}

fn number(line: &Value, name: &str) -> u64 {
    let number = line[name].as_u64();
    number.unwrap_or_else(|| panic!("no {name} in {line}"))
}

#[test]
fn a_turn_finds_the_prompt_and_the_answer_before_it() {
    for chat in [true, false] {
        for turns in outcomes("", chat) {
            assert_eq!(number(&turns[0], "cached_tokens"), 0);
            for pair in turns.windows(2) {
                // All but the last token of the answer was computed, and full blocks are kept.
                let known = number(&pair[0], "input_tokens") + number(&pair[0], "output_tokens");
                let cached = number(&pair[1], "cached_tokens");
                assert_eq!(cached, (known - 1) / BLOCK * BLOCK, "{pair:?}");
            }
        }
    }
}

#[test]
fn a_server_that_forgets_answers_finds_the_prompts_alone() {
    for turns in outcomes("--no-output-cache", true) {
        for pair in turns.windows(2) {
            let known = number(&pair[0], "input_tokens");
            assert_eq!(number(&pair[1], "cached_tokens"), known / BLOCK * BLOCK);
        }
    }
}
