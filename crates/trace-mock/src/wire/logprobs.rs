//! Log-probabilities of tokens, in the shapes of completions and of chats.
//!
//! The r-th most likely token, from 1, has −0.7·r: some half, quarter, eighth, together less than
//! one. The one that is said is the most likely, and the alternatives are other words.

use std::io::Write;
use std::ops::Range;

use super::{Form, put, put_number};
use crate::api::Api;
use crate::script::{Script, push_escaped};
use crate::words;

/// Append what is told of the probabilities of `tokens` of an answer, or `null`.
pub(super) fn push(form: &Form, choice: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    let Some(alternatives) = form.manner().and_then(|manner| manner.logprobs) else {
        return put(out, "null");
    };
    if form.api == Api::Chat {
        return push_chat(form, alternatives, tokens, out);
    }
    let echo = form.echo(choice).filter(|_| tokens.start == 0);
    push_completion(form, alternatives, tokens, echo, out);
}

/// As a completion has them: arrays side by side, those of the prompt first, of whose first token
/// nothing is known.
fn push_completion(
    form: &Form,
    alternatives: u64,
    tokens: Range<u64>,
    echo: Option<&Script>,
    out: &mut Vec<u8>,
) {
    let prompt = echo.map_or(0, Script::len);
    let said = (0..prompt).map(|at| echo.map_or("", |echo| echo.text(at..at + 1)));
    let all: Vec<&str> = said
        .chain(tokens.clone().map(|at| form.token(at)))
        .collect();
    let unknown = |at: usize| at == 0 && prompt > 0;
    put(out, "{\"tokens\":[");
    each(out, &all, |out, _, token| push_quoted(token, out));
    put(out, "],\"token_logprobs\":[");
    each(out, &all, |out, at, _| {
        if unknown(at) {
            put(out, "null");
        } else {
            push_logprob(0, out);
        }
    });
    put(out, "],\"top_logprobs\":[");
    each(out, &all, |out, at, token| {
        if unknown(at) || alternatives == 0 {
            return put(out, "null");
        }
        out.push(b'{');
        for rank in 0..alternatives {
            if rank > 0 {
                out.push(b',');
            }
            push_quoted(alternative(token, rank), out);
            out.push(b':');
            push_logprob(rank, out);
        }
        out.push(b'}');
    });
    put(out, "],\"text_offset\":[");
    let mut offset: usize = (0..tokens.start)
        .map(|at| form.token(at).chars().count())
        .sum();
    each(out, &all, |out, _, token| {
        put_number(out, "", offset as u64);
        offset += token.chars().count();
    });
    put(out, "]}");
}

/// As a chat has them: an object for each token.
fn push_chat(form: &Form, alternatives: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    put(out, "{\"content\":");
    push_entries(form, alternatives, tokens, out);
    out.push(b'}');
}

/// An array of an object for each token.
pub(super) fn push_entries(form: &Form, alternatives: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    let all: Vec<&str> = tokens.map(|at| form.token(at)).collect();
    out.push(b'[');
    each(out, &all, |out, _, token| {
        push_entry(token, 0, out);
        put(out, ",\"top_logprobs\":[");
        for rank in 0..alternatives {
            if rank > 0 {
                out.push(b',');
            }
            push_entry(alternative(token, rank), rank, out);
            out.push(b'}');
        }
        put(out, "]}");
    });
    out.push(b']');
}

/// Append a token of a chat, but for its end.
fn push_entry(token: &str, rank: u64, out: &mut Vec<u8>) {
    put(out, "{\"token\":");
    push_quoted(token, out);
    put(out, ",\"logprob\":");
    push_logprob(rank, out);
    put(out, ",\"bytes\":[");
    each(out, token.as_bytes(), |out, _, byte| {
        put_number(out, "", u64::from(*byte));
    });
    out.push(b']');
}

fn each<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, usize, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push(out, at, item);
    }
}

fn push_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_escaped(text, out);
    out.push(b'"');
}

fn push_logprob(rank: u64, out: &mut Vec<u8>) {
    let tenths = 7 * (rank + 1);
    write!(out, "-{}.{}", tenths / 10, tenths % 10).expect("memory takes all");
}

/// What might have been said instead of `token`; itself at first.
fn alternative(token: &str, rank: u64) -> &str {
    /// More than the words there are may be asked for.
    const MORE: [&str; 5] = [" one", " two", " for", " as", " by"];
    if rank == 0 {
        return token;
    }
    let others = (0..16).map(words::word).chain(MORE);
    let mut others = others.filter(|word| *word != token);
    others.nth(rank as usize - 1).unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::form;
    use super::super::{End, Manner};
    use crate::api::Api;
    use crate::script::Script;

    fn choice(api: Api, manner: Manner) -> Value {
        let form = form(api, false, 1, 2).with_manner(manner);
        let json: Value = serde_json::from_slice(&form.whole(&End::default())).unwrap();
        json["choices"][0].clone()
    }

    fn told(logprobs: u64) -> Manner {
        Manner {
            logprobs: Some(logprobs),
            ..Manner::default()
        }
    }

    #[test]
    fn a_completion_has_arrays_side_by_side() {
        let choice = choice(Api::Completions, told(2));
        assert_eq!(
            choice["logprobs"],
            json!({
                "tokens": [" the", " time"],
                "token_logprobs": [-0.7, -0.7],
                "top_logprobs": [{" the": -0.7, " time": -1.4},
                    {" time": -0.7, " the": -1.4}],
                "text_offset": [0, 4]
            })
        );
    }

    #[test]
    fn an_echoed_prompt_has_them_too_but_for_its_first_token() {
        let echo = Script::of(&trace_prompt::Tokenizer::o200k(), "hello world");
        let manner = Manner {
            echoes: vec![echo],
            ..told(0)
        };
        let choice = choice(Api::Completions, manner);
        assert_eq!(choice["text"], "hello world the time");
        assert_eq!(
            choice["logprobs"]["tokens"],
            json!(["hello", " world", " the", " time"])
        );
        assert_eq!(choice["logprobs"]["token_logprobs"][0], Value::Null);
        assert_eq!(choice["logprobs"]["text_offset"], json!([0, 5, 11, 15]));
    }

    #[test]
    fn a_chat_has_an_object_for_each_token_with_distinct_alternatives() {
        let choice = choice(Api::Chat, told(20));
        let content = choice["logprobs"]["content"].as_array().unwrap();
        assert_eq!(content.len(), 2);
        assert_eq!(content[1]["bytes"], json!([32, 116, 105, 109, 101]));
        let mut names: Vec<_> = content[0]["top_logprobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["token"].as_str().unwrap())
            .collect();
        assert_eq!(names[0], " the");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 20);
    }
}
