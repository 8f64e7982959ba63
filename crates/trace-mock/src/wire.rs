//! Answers in OpenAI's JSON: whole, or as server-sent events.
//!
//! What all chunks of one answer share is spelled once per answer, and what follows a token's
//! index is a constant per word; a token then costs three copies of memory. The words are common
//! ones with a space in front, each of which is one token of the o200k and cl100k vocabularies.

use std::ops::Range;

/// Which of the two forms of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Completions,
    Chat,
}

/// Tokens of a request and its answers, as billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
}

/// How to end a stream, and an event that ought to break a reader: JSON cut short, and not UTF-8.
const DONE: &[u8] = b"data: [DONE]\n\n";
const GARBAGE: &[u8] = b"data: {\"choices\":[{\"index\":0,\"text\":\"\xff\xfe\x00\n\n";

/// A word in all the ways it is written.
struct Word {
    text: &'static str,
    completions: Tail,
    chat: Tail,
}

/// What follows the index of a choice, by whether more tokens come and why not.
struct Tail {
    more: &'static str,
    length: &'static str,
    stop: &'static str,
}

macro_rules! tail {
    ($delta:expr) => {
        Tail {
            more: concat!($delta, ",\"logprobs\":null,\"finish_reason\":null}]}\n\n"),
            length: concat!(
                $delta,
                ",\"logprobs\":null,\"finish_reason\":\"length\"}]}\n\n"
            ),
            stop: concat!(
                $delta,
                ",\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n"
            ),
        }
    };
}

macro_rules! words {
    ($($text:literal)*) => {
        &[$(Word {
            text: $text,
            completions: tail!(concat!(",\"text\":\"", $text, "\"")),
            chat: tail!(concat!(",\"delta\":{\"content\":\"", $text, "\"}")),
        }),*]
    };
}

const WORDS: &[Word] = words!(
    " the" " time" " of" " a" " long" " day" " and" " night" " is" " not" " what" " you" " would"
    " think" " it" " was"
);
const NO_TEXT: Tail = tail!(",\"text\":\"\"");
const NO_DELTA: Tail = tail!(",\"delta\":{}");
const ROLE: Tail = tail!(",\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");

impl Tail {
    fn pick(&self, last: bool, cut: bool) -> &'static str {
        match (last, cut) {
            (false, _) => self.more,
            (true, true) => self.length,
            (true, false) => self.stop,
        }
    }
}

/// What is the same in all parts of one answer.
#[derive(Debug)]
pub(crate) struct Form {
    endpoint: Endpoint,
    /// From the beginning of an event, or of the whole answer, up to the array of choices.
    head: Vec<u8>,
    choices: u64,
    tokens: u64,
    /// Whether the answer ends because its limit is reached, and not by itself.
    cut: bool,
}

impl Form {
    /// The form of an answer of `tokens` tokens in each of `choices`.
    ///
    /// `model` is a JSON string, `created` is in seconds since 1970.
    pub(crate) fn new(
        endpoint: Endpoint,
        stream: bool,
        (number, created): (u64, u64),
        model: &str,
        choices: u64,
        (tokens, cut): (u64, bool),
    ) -> Form {
        let (id, object) = match (endpoint, stream) {
            (Endpoint::Completions, true) => ("data: {\"id\":\"cmpl-", "text_completion"),
            (Endpoint::Completions, false) => ("{\"id\":\"cmpl-", "text_completion"),
            (Endpoint::Chat, true) => ("data: {\"id\":\"chatcmpl-", "chat.completion.chunk"),
            (Endpoint::Chat, false) => ("{\"id\":\"chatcmpl-", "chat.completion"),
        };
        let mut head = Vec::with_capacity(128 + model.len());
        head.extend_from_slice(id.as_bytes());
        push(&mut head, number);
        head.extend_from_slice(b"\",\"object\":\"");
        head.extend_from_slice(object.as_bytes());
        head.extend_from_slice(b"\",\"created\":");
        push(&mut head, created);
        head.extend_from_slice(b",\"model\":");
        head.extend_from_slice(model.as_bytes());
        head.extend_from_slice(b",\"choices\":[");
        Form {
            endpoint,
            head,
            choices,
            tokens,
            cut,
        }
    }

    /// How many times something is sent: once per token, and once for an answer without any.
    pub(crate) fn steps(&self) -> u64 {
        self.tokens.max(1)
    }

    /// How many tokens have been sent with the first `steps` steps.
    pub(crate) fn tokens_of(&self, steps: u64) -> u64 {
        steps.min(self.tokens)
    }

    /// Roughly the bytes of one step, from above.
    pub(crate) fn step_bytes(&self) -> usize {
        let choices = usize::try_from(self.choices).unwrap_or(usize::MAX);
        (self.head.len() + 96).saturating_mul(choices)
    }

    /// Append the events of `steps`: one per token and choice, after one with the role in a chat.
    pub(crate) fn push_steps(&self, steps: Range<u64>, out: &mut Vec<u8>) {
        if steps.start == 0 && self.endpoint == Endpoint::Chat {
            (0..self.choices).for_each(|choice| self.push_event(choice, ROLE.more, out));
        }
        for step in steps {
            let tail = match (self.endpoint, self.tokens) {
                (Endpoint::Completions, 0) => &NO_TEXT,
                (Endpoint::Chat, 0) => &NO_DELTA,
                (Endpoint::Completions, _) => &word(step).completions,
                (Endpoint::Chat, _) => &word(step).chat,
            };
            let tail = tail.pick(step + 1 == self.steps(), self.cut);
            (0..self.choices).for_each(|choice| self.push_event(choice, tail, out));
        }
    }

    fn push_event(&self, choice: u64, tail: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"{\"index\":");
        push(out, choice);
        out.extend_from_slice(tail.as_bytes());
    }

    /// Append an event that no reader can make sense of.
    pub(crate) fn push_garbage(out: &mut Vec<u8>) {
        out.extend_from_slice(GARBAGE);
    }

    /// Append what comes after the last token: usage, if wanted, and the end mark.
    pub(crate) fn push_end(&self, usage: Option<Usage>, out: &mut Vec<u8>) {
        if let Some(usage) = usage {
            out.extend_from_slice(&self.head);
            out.push(b']');
            push_usage(usage, out);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(DONE);
    }

    /// The whole answer as one object.
    pub(crate) fn whole(&self, usage: Option<Usage>) -> Vec<u8> {
        let (before, after) = match self.endpoint {
            Endpoint::Completions => (",\"text\":\"", "\""),
            Endpoint::Chat => (",\"message\":{\"role\":\"assistant\",\"content\":\"", "\"}"),
        };
        let reason = if self.cut { "length" } else { "stop" };
        let mut out = self.head.clone();
        for choice in 0..self.choices {
            if choice > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"index\":");
            push(&mut out, choice);
            out.extend_from_slice(before.as_bytes());
            for step in 0..self.tokens {
                out.extend_from_slice(word(step).text.as_bytes());
            }
            out.extend_from_slice(after.as_bytes());
            out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":\"");
            out.extend_from_slice(reason.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        out.push(b']');
        if let Some(usage) = usage {
            push_usage(usage, &mut out);
        }
        out.push(b'}');
        out
    }
}

fn word(step: u64) -> &'static Word {
    // A power of two of them, so that the remainder is a mask.
    &WORDS[(step % WORDS.len() as u64) as usize]
}

fn push(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_usage(usage: Usage, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"usage\":{\"prompt_tokens\":");
    push(out, usage.prompt_tokens);
    out.extend_from_slice(b",\"completion_tokens\":");
    push(out, usage.completion_tokens);
    out.extend_from_slice(b",\"total_tokens\":");
    push(
        out,
        usage.prompt_tokens.saturating_add(usage.completion_tokens),
    );
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const USAGE: Usage = Usage {
        prompt_tokens: 5,
        completion_tokens: 3,
    };

    fn form(endpoint: Endpoint, stream: bool, choices: u64, tokens: u64) -> Form {
        Form::new(
            endpoint,
            stream,
            (7, 1_700_000_000),
            "\"m\"",
            choices,
            (tokens, true),
        )
    }

    fn stream(form: &Form) -> Vec<Value> {
        let mut out = Vec::new();
        form.push_steps(0..form.steps(), &mut out);
        form.push_end(Some(USAGE), &mut out);
        let text = String::from_utf8(out).unwrap();
        let events = text.strip_suffix("data: [DONE]\n\n").unwrap();
        let events = events.strip_suffix("\n\n").unwrap().split("\n\n");
        events
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn a_completion_streams_a_chunk_per_token_and_then_usage() {
        let chunks = stream(&form(Endpoint::Completions, true, 1, 3));
        assert_eq!(chunks.len(), 4);
        let texts: Vec<_> = chunks[..3]
            .iter()
            .map(|c| c["choices"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, [" the", " time", " of"]);
        let reasons: Vec<_> = chunks[..3]
            .iter()
            .map(|c| &c["choices"][0]["finish_reason"])
            .collect();
        assert_eq!(
            reasons,
            [&Value::Null, &Value::Null, &Value::from("length")]
        );
        assert_eq!(chunks[3]["choices"], Value::Array(vec![]));
        assert_eq!(chunks[3]["usage"]["total_tokens"], 8);
        assert_eq!(chunks[0]["object"], "text_completion");
        assert!(
            chunks
                .iter()
                .all(|c| c["id"] == "cmpl-7" && c["model"] == "m")
        );
    }

    #[test]
    fn a_chat_begins_with_the_role_and_no_text() {
        let chunks = stream(&form(Endpoint::Chat, true, 1, 3));
        assert_eq!(chunks.len(), 5);
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(chunks[0]["choices"][0]["delta"]["content"], "");
        assert_eq!(chunks[1]["choices"][0]["delta"]["content"], " the");
        assert_eq!(chunks[3]["choices"][0]["finish_reason"], "length");
        assert!(
            chunks
                .iter()
                .all(|c| c["object"] == "chat.completion.chunk")
        );
    }

    #[test]
    fn an_answer_of_no_tokens_still_says_that_it_is_over() {
        let chunks = stream(&form(Endpoint::Completions, true, 1, 0));
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[0]["choices"][0]["text"], "");
        assert_eq!(chunks[0]["choices"][0]["finish_reason"], "length");
        let chunks = stream(&form(Endpoint::Chat, true, 1, 0));
        assert_eq!(chunks.len(), 3);
        assert_eq!(chunks[1]["choices"][0]["delta"], serde_json::json!({}));
    }

    #[test]
    fn steps_may_be_sent_in_any_portions() {
        let form = form(Endpoint::Chat, true, 2, 40);
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        form.push_steps(0..40, &mut whole);
        for part in [0..1, 1..17, 17..17, 17..40] {
            form.push_steps(part, &mut parts);
        }
        assert_eq!(whole, parts);
        assert!(whole.len() <= form.step_bytes() * 42);
    }

    #[test]
    fn every_choice_gets_every_token() {
        let chunks = stream(&form(Endpoint::Completions, true, 2, 3));
        let order: Vec<_> = chunks[..6]
            .iter()
            .map(|c| c["choices"][0]["index"].as_u64().unwrap())
            .collect();
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn the_whole_answer_is_one_object() {
        let json: Value =
            serde_json::from_slice(&form(Endpoint::Chat, false, 2, 3).whole(Some(USAGE))).unwrap();
        assert_eq!(json["object"], "chat.completion");
        assert_eq!(json["choices"][1]["message"]["content"], " the time of");
        assert_eq!(json["choices"][1]["index"], 1);
        assert_eq!(json["usage"]["completion_tokens"], 3);
        let json: Value =
            serde_json::from_slice(&form(Endpoint::Completions, false, 1, 3).whole(None)).unwrap();
        assert_eq!(json["choices"][0]["text"], " the time of");
        assert_eq!(json["choices"][0]["finish_reason"], "length");
        assert!(json.get("usage").is_none());
    }

    #[test]
    fn an_answer_that_ends_by_itself_says_stop() {
        let form = Form::new(Endpoint::Completions, true, (1, 2), "\"m\"", 1, (2, false));
        assert_eq!(stream(&form)[1]["choices"][0]["finish_reason"], "stop");
    }

    #[test]
    fn garbage_is_neither_text_nor_json() {
        let mut out = Vec::new();
        Form::push_garbage(&mut out);
        assert!(std::str::from_utf8(&out).is_err());
        assert!(out.ends_with(b"\n\n"));
    }
}
