//! Answers as bytes: whole, or in events or lines of a stream, one file for each family.
//!
//! What all events of one answer share is spelled once per answer; a token then costs a few copies
//! of memory.

mod anthropic;
mod embedding;
mod logprobs;
mod manner;
pub(crate) mod ollama;
mod openai;
mod responses;
mod tgi;

use std::ops::Range;
use std::time::Duration;

use crate::api::{Api, Family};
use crate::plan::{Plan, Reason};

pub(crate) use manner::Manner;

/// Tokens of a request and its answers, as billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    /// Prompt tokens from the prefix cache, where there is one.
    pub(crate) cached: Option<u64>,
}

/// What is known when an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// What to tell of tokens, if anything.
    pub(crate) usage: Option<Usage>,
    /// Arrival to first token.
    pub(crate) first: Duration,
    /// Arrival to now.
    pub(crate) total: Duration,
}

/// Numbers of embeddings, and how they are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) dimensions: u64,
    pub(crate) base64: bool,
}

/// Who answers, and what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Title<'a> {
    pub(crate) api: Api,
    pub(crate) stream: bool,
    /// Number of the request, from which its id is made.
    pub(crate) number: u64,
    /// Since 1970.
    pub(crate) created: Duration,
    /// A JSON string.
    pub(crate) model: &'a str,
    pub(crate) prompt_tokens: u64,
    /// What a response repeats of its request, as members of an object.
    pub(crate) told: &'a str,
}

/// What is the same in all parts of one answer.
#[derive(Debug)]
pub(crate) struct Form {
    api: Api,
    /// What every event begins with, or the whole answer; what is in it, the family knows.
    head: Vec<u8>,
    number: u64,
    prompt_tokens: u64,
    choices: u64,
    plan: Plan,
    /// Tokens in each event.
    chunk: u64,
    vectors: Vectors,
    manner: Option<Box<Manner>>,
}

/// An event that ought to break a reader: JSON cut short, and not UTF-8.
const GARBAGE: &[u8] = b"data: {\"choices\":[{\"index\":0,\"text\":\"\xff\xfe\x00\n\n";

impl Form {
    /// The form of an answer as `plan` has it, in each of `choices`.
    pub(crate) fn new(title: &Title<'_>, choices: u64, plan: Plan) -> Form {
        let head = match title.api {
            Api::Completions | Api::Chat => openai::head(title),
            Api::Responses => responses::head(title),
            Api::OllamaGenerate | Api::OllamaChat => ollama::head(title),
            Api::Embeddings | Api::OllamaEmbed | Api::OllamaEmbedding | Api::Messages => {
                title.model.as_bytes().to_vec()
            }
            Api::Generate | Api::GenerateStream | Api::GenerateEither => Vec::new(),
        };
        Form {
            api: title.api,
            head,
            number: title.number,
            prompt_tokens: title.prompt_tokens,
            choices,
            plan,
            chunk: 1,
            vectors: Vectors::default(),
            manner: None,
        }
    }

    /// Put `tokens` of them into each event.
    pub(crate) fn in_chunks(self, tokens: u64) -> Form {
        Form {
            chunk: tokens.max(1),
            ..self
        }
    }

    /// Answer with vectors like these.
    pub(crate) fn with_vectors(self, vectors: Vectors) -> Form {
        Form { vectors, ..self }
    }

    /// The media type of a stream.
    pub(crate) fn stream_type(&self) -> &'static str {
        match self.api.family() {
            Family::Ollama => "application/x-ndjson",
            _ => "text/event-stream; charset=utf-8",
        }
    }

    /// How many times something is sent: once per event, and once for an answer without tokens.
    pub(crate) fn steps(&self) -> u64 {
        self.plan.tokens.div_ceil(self.chunk).max(1)
    }

    /// How many tokens have been sent with the first `steps` steps.
    pub(crate) fn tokens_of(&self, steps: u64) -> u64 {
        steps.saturating_mul(self.chunk).min(self.plan.tokens)
    }

    /// How many steps can be sent once there are `tokens`; all of them once there are all.
    pub(crate) fn steps_of(&self, tokens: u64) -> u64 {
        if tokens >= self.plan.tokens {
            self.steps()
        } else {
            tokens / self.chunk
        }
    }

    /// Roughly the bytes of one step, from above.
    pub(crate) fn step_bytes(&self) -> usize {
        // Each alternative is an object of its own.
        let told = self.manner().and_then(|manner| manner.logprobs);
        let token = told.map_or(8, |alternatives| 128 * (alternatives + 1));
        let bytes = self.head.len() as u64 + 160 + token * self.chunk;
        usize::try_from(bytes.saturating_mul(self.choices)).unwrap_or(usize::MAX)
    }

    /// Append the events of `steps`, and before the first what opens a stream.
    pub(crate) fn push_steps(&self, steps: Range<u64>, out: &mut Vec<u8>) {
        if steps.start == 0 && steps.end > 0 {
            match self.api {
                Api::Chat => openai::push_roles(self, out),
                Api::Responses => responses::push_start(self, out),
                Api::Messages => anthropic::push_start(self, out),
                _ => {}
            }
        }
        for step in steps {
            let tokens = self.tokens_of(step)..self.tokens_of(step + 1);
            let last = step + 1 == self.steps();
            match self.api {
                Api::Completions | Api::Chat => openai::push_delta(self, tokens, last, out),
                Api::Responses => responses::push_delta(self, step, tokens, out),
                Api::Messages => anthropic::push_delta(self, tokens, out),
                Api::OllamaGenerate | Api::OllamaChat => ollama::push_delta(self, tokens, out),
                Api::Generate | Api::GenerateStream | Api::GenerateEither => {
                    tgi::push_delta(self, tokens, last, out);
                }
                Api::Embeddings | Api::OllamaEmbed | Api::OllamaEmbedding => {}
            }
        }
    }

    /// Append lines that mean nothing to a reader, in front of an event.
    pub(crate) fn push_noise(&self, out: &mut Vec<u8>) {
        put(
            out,
            match self.api {
                Api::OllamaGenerate | Api::OllamaChat => "\n",
                // Those name their events themselves.
                Api::Responses | Api::Messages => ": ping\n\nid: 7\n",
                _ => ": ping\n\nevent: message\nid: 7\nretry: 3000\n",
            },
        );
    }

    /// Append so many bytes that mean nothing to a reader.
    pub(crate) fn push_comment(&self, bytes: usize, out: &mut Vec<u8>) {
        let (before, after) = match self.api.family() {
            Family::Ollama => ("", "\n"),
            _ => (":", "\n\n"),
        };
        put(out, before);
        let fill = bytes.saturating_sub(before.len() + after.len());
        out.resize(out.len() + fill, b' ');
        put(out, after);
    }

    /// Append an event that no reader can make sense of.
    pub(crate) fn push_garbage(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.api.family() {
            Family::Ollama => &GARBAGE[b"data: ".len()..GARBAGE.len() - 1],
            _ => GARBAGE,
        });
    }

    /// Append what comes after the last token.
    pub(crate) fn push_end(&self, end: &End, out: &mut Vec<u8>) {
        match self.api {
            Api::Completions | Api::Chat => openai::push_end(self, end.usage, out),
            Api::Responses => responses::push_end(self, end.usage, out),
            Api::Messages => anthropic::push_end(self, end.usage, out),
            Api::OllamaGenerate | Api::OllamaChat => ollama::push_end(self, end, out),
            Api::Generate | Api::GenerateStream | Api::GenerateEither => {}
            Api::Embeddings | Api::OllamaEmbed | Api::OllamaEmbedding => {}
        }
    }

    /// The whole answer as one object.
    pub(crate) fn whole(&self, end: &End) -> Vec<u8> {
        match self.api {
            Api::Completions | Api::Chat => openai::whole(self, end.usage),
            Api::Responses => responses::whole(self, end.usage),
            Api::Messages => anthropic::whole(self, end.usage),
            Api::OllamaGenerate | Api::OllamaChat => ollama::whole(self, end),
            Api::Generate | Api::GenerateStream => tgi::whole(self),
            Api::GenerateEither => tgi::whole_list(self),
            Api::Embeddings => embedding::whole(self, end.usage),
            Api::OllamaEmbed => embedding::ollama(self, end),
            Api::OllamaEmbedding => embedding::ollama_one(self),
        }
    }

    /// All of the text.
    fn push_all(&self, out: &mut Vec<u8>) {
        self.push_text(0..self.plan.tokens, out);
    }

    /// Whether the answer ended because its limit is reached, and not by itself.
    fn is_cut(&self) -> bool {
        self.plan.reason == Reason::Length
    }
}

/// Append `text`.
fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Append `number` behind `name`.
fn put_number(out: &mut Vec<u8>, name: &str, number: u64) {
    put(out, name);
    put(out, itoa::Buffer::new().format(number));
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::script::Script;
    use crate::speech::{Call, Speech};

    pub(crate) const END: End = End {
        usage: Some(Usage {
            prompt: 5,
            completion: 3,
            cached: Some(4),
        }),
        first: Duration::from_millis(50),
        total: Duration::from_millis(70),
    };

    pub(crate) fn form(api: Api, stream: bool, choices: u64, tokens: u64) -> Form {
        let title = Title {
            api,
            stream,
            number: 7,
            created: Duration::from_secs(1_700_000_000),
            model: "\"m\"",
            prompt_tokens: 5,
            told: ",\"tools\":[7]",
        };
        let plan = Plan {
            tokens,
            reason: Reason::Length,
            visible: u64::MAX,
            stop: None,
        };
        Form::new(&title, choices, plan)
    }

    /// An answer that calls these tools, cut after so many tokens if said.
    pub(crate) fn calling(api: Api, stream: bool, names: &[&str], cut: Option<u64>) -> Form {
        let tokenizer = trace_prompt::Tokenizer::o200k();
        let mut script = Script::default();
        let mut calls = Vec::new();
        for name in names {
            let start = script.len();
            script.add(&tokenizer, "{\"city\":\"text\"}");
            calls.push(Call {
                name: format!("\"{name}\""),
                tokens: start..script.len(),
            });
        }
        let mut form = form(api, stream, 1, cut.unwrap_or(script.len()));
        if cut.is_none() {
            form.plan.reason = Reason::Stop;
        }
        form.with_manner(Manner {
            speech: Some(Speech { script, calls }),
            ..Manner::default()
        })
    }

    pub(crate) fn bytes(form: &Form) -> String {
        let mut out = Vec::new();
        form.push_steps(0..form.steps(), &mut out);
        form.push_end(&END, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The data of each event, and its name where it has one.
    pub(crate) fn events(text: &str) -> Vec<(String, Value)> {
        let events = text.strip_suffix("\n\n").unwrap().split("\n\n");
        let event = |event: &str| {
            let (name, data) = match event.split_once('\n') {
                Some((name, data)) => (name.strip_prefix("event: ").unwrap(), data),
                None => ("", event),
            };
            let data = data
                .strip_prefix("data: ")
                .or(data.strip_prefix("data:"))
                .unwrap();
            (name.to_owned(), serde_json::from_str(data).unwrap())
        };
        events.map(event).collect()
    }

    pub(crate) fn whole(form: &Form) -> Value {
        serde_json::from_slice(&form.whole(&END)).unwrap()
    }

    #[test]
    fn steps_may_be_sent_in_any_portions() {
        for api in [
            Api::Completions,
            Api::Chat,
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::GenerateStream,
        ] {
            for form in [form(api, true, 2, 40), form(api, true, 1, 40).in_chunks(3)] {
                let (mut whole, mut parts) = (Vec::new(), Vec::new());
                let steps = form.steps();
                form.push_steps(0..steps, &mut whole);
                for part in [0..1, 1..9, 9..9, 9..steps] {
                    form.push_steps(part, &mut parts);
                }
                assert_eq!(whole, parts, "{api:?}");
            }
        }
    }

    #[test]
    fn chunks_of_several_tokens_add_up() {
        let form = form(Api::Completions, true, 1, 8).in_chunks(3);
        assert_eq!(form.steps(), 3);
        assert_eq!(
            [0, 1, 2, 3].map(|steps| form.tokens_of(steps)),
            [0, 3, 6, 8]
        );
        assert_eq!(
            [0, 2, 3, 7, 8, u64::MAX].map(|n| form.steps_of(n)),
            [0, 0, 1, 2, 3, 3]
        );
    }

    #[test]
    fn garbage_is_neither_text_nor_json() {
        for (api, end) in [(Api::Chat, "\n\n"), (Api::OllamaChat, "\n")] {
            let mut out = Vec::new();
            form(api, true, 1, 1).push_garbage(&mut out);
            assert!(std::str::from_utf8(&out).is_err());
            assert!(out.ends_with(end.as_bytes()));
        }
    }
}
