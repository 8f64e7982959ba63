use crate::harness::{Ran, number, read_request, response, send, server};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A chat server that answers with the number of the request, and fails those
/// whose last message is "fail". What it was asked, in order.
fn chat() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let address = server(move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            let said = match body["messages"].as_array() {
                Some(messages) => messages
                    .iter()
                    .map(|message| message["content"].as_str().unwrap())
                    .collect::<Vec<_>>()
                    .join("|"),
                None => body["prompt"].as_str().unwrap().to_owned(),
            };
            let session = head
                .lines()
                .find_map(|line| line.strip_prefix("x-session-id: "));
            let line = format!("{}: {said}", session.unwrap_or("-"));
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(line);
                kept.len()
            };
            let answer = if said.ends_with("fail") {
                response("500 No", "application/json", "{\"error\":\"no\"}")
            } else {
                let text = format!(
                    "data: {{\"choices\":[{{\"text\":\"\u{e4}\",\"delta\":{{\"content\":\"\u{e4}\"}}}}]}}\n\ndata: {{\"choices\":[{{\"text\":\"{number}\",\"delta\":{{\"content\":\"{number}\"}}}}],\"usage\":{{\"completion_tokens\":2}}}}\n\ndata: [DONE]\n\n"
                );
                response("200 OK", "text/event-stream", &text)
            };
            // The chat's delta and the completion's text are one endpoint's each.
            let answer = match body["messages"].is_array() {
                true => strip(&answer, "\"text\":\""),
                false => answer
                    .replace(",\"delta\":{\"content\":\"\u{e4}\"}", "")
                    .replace(&format!(",\"delta\":{{\"content\":\"{number}\"}}"), ""),
            };
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let status = head
                .lines()
                .next()
                .unwrap()
                .strip_prefix("HTTP/1.1 ")
                .unwrap();
            let kind = if status.starts_with("200") {
                "text/event-stream"
            } else {
                "application/json"
            };
            if stream
                .write_all(response(status, kind, body).as_bytes())
                .is_err()
            {
                return;
            }
        }
    });
    (address, seen)
}

/// `answer` without the members that begin with `start`.
fn strip(answer: &str, start: &str) -> String {
    let mut rest = answer;
    let mut out = String::new();
    while let Some(at) = rest.find(start) {
        out.push_str(&rest[..at]);
        let after = &rest[at + start.len()..];
        let end = after.find("\",").unwrap();
        rest = &after[end + 2..];
    }
    out + rest
}

fn converse(address: SocketAddr, path: &str, flags: &[&str], input: &str) -> Ran {
    let url = format!("http://{address}{path}");
    send(&[&["--url", &url, "--model", "m"], flags].concat(), input)
}

fn turns(texts: &[&str]) -> String {
    let line = |text: &&str| {
        format!("{{\"timestamp\":0,\"text_input\":\"{text}\",\"session_id\":\"s\"}}\n")
    };
    texts.iter().map(line).collect()
}

const CHAT: &str = "/v1/chat/completions";

#[test]
fn a_turn_begins_with_the_answers_before_it() {
    let (address, seen) = chat();
    let ran = converse(address, CHAT, &[], &turns(&["a", "b", "c"]));
    assert_eq!(ran.kinds(), ["ok"; 3], "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        *seen.lock().unwrap(),
        ["s: a", "s: a|ä1|b", "s: a|ä1|b|ä2|c"]
    );
    let (address, seen) = chat();
    let ran = converse(address, "/v1/completions", &[], &turns(&["a", "b"]));
    assert_eq!(ran.kinds(), ["ok"; 2], "{}{}", ran.stdout, ran.stderr);
    assert_eq!(*seen.lock().unwrap(), ["s: a", "s: aä1b"]);
}

#[test]
fn recorded_turns_are_sent_as_they_are() {
    let (address, seen) = chat();
    let ran = converse(
        address,
        CHAT,
        &["--history", "recorded"],
        &turns(&["a", "b"]),
    );
    assert_eq!(ran.kinds(), ["ok"; 2]);
    assert_eq!(*seen.lock().unwrap(), ["s: a", "s: b"]);
    assert!(
        ran.lines()
            .iter()
            .all(|line| line.raw("text_input").is_some())
    );
}

#[test]
fn what_follows_a_failed_turn_is_said() {
    let input = turns(&["a", "fail", "c"]);
    let asked = |policy: &str| {
        let (address, seen) = chat();
        let ran = converse(address, CHAT, &["--on-failed-turn", policy], &input);
        let seen = seen.lock().unwrap().clone();
        (ran.kinds(), seen.last().unwrap().clone())
    };
    let (kinds, last) = asked("continue");
    assert_eq!(
        (kinds, last.as_str()),
        (vec!["ok", "http", "ok"], "s: a|ä1|fail|c")
    );
    let (kinds, last) = asked("skip");
    assert_eq!(
        (kinds, last.as_str()),
        (vec!["ok", "http", "ok"], "s: a|ä1|c")
    );
    let (kinds, last) = asked("stop");
    assert_eq!(
        (kinds, last.as_str()),
        (vec!["ok", "http", "skipped"], "s: a|ä1|fail")
    );
}

#[test]
fn the_oldest_is_dropped_where_the_context_is_short() {
    let (address, seen) = chat();
    let flags = ["--max-context-tokens", "4", "--session-header", ""];
    let ran = converse(address, CHAT, &flags, &turns(&["a", "b", "c"]));
    assert_eq!(ran.kinds(), ["ok"; 3]);
    // A word and an answer of two tokens each turn.
    assert_eq!(*seen.lock().unwrap(), ["-: a", "-: a|ä1|b", "-: b|ä2|c"]);
}

#[test]
fn only_so_many_sessions_are_under_way_at_once() {
    let (address, seen) = chat();
    let line = |session: u32, text: &str| {
        format!("{{\"timestamp\":0,\"text_input\":\"{text}\",\"session_id\":{session}}}\n")
    };
    let input = [line(1, "a"), line(2, "b"), line(1, "c"), line(2, "d")].concat();
    let ran = converse(address, CHAT, &["--max-sessions", "1"], &input);
    assert_eq!(ran.kinds(), ["ok"; 4]);
    let sessions: Vec<_> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|said| said[..1].to_owned())
        .collect();
    assert_eq!(sessions, ["1", "1", "2", "2"]);
    let lines = ran.lines();
    assert!(number(&lines[1], "queue_ms") > 0.0 && number(&lines[0], "queue_ms") == 0.0);
}

#[test]
fn turns_that_count_what_they_add_grow() {
    let (address, seen) = chat();
    let line = "{\"timestamp\":0,\"input_length\":2,\"output_length\":3,\"session_id\":1}\n";
    let flags = ["--turns", "delta", "--history", "recorded"];
    let ran = converse(address, CHAT, &flags, &line.repeat(2));
    assert_eq!(ran.kinds(), ["ok"; 2], "{}", ran.stdout);
    let seen = seen.lock().unwrap();
    let words: Vec<_> = seen[1].split_once(": ").unwrap().1.split('|').collect();
    let counts: Vec<_> = words
        .iter()
        .map(|said| said.split_whitespace().count())
        .collect();
    assert_eq!(counts, [2, 3, 2], "{seen:?}");
}
