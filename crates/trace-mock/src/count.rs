//! Tokens and blocks of prompts: body → [`Order`].
//!
//! Everything that takes time proportional to a prompt happens in one function without waiting,
//! so that a long one can be done on another thread while streams go on.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use trace_prompt::{Recover, Tokenizer};

use crate::api::Api;
use crate::ask::{self, Ask, Part};
use crate::chain::Chain;
use crate::script::Script;

/// What a request asks for, with its prompts counted.
#[derive(Debug)]
pub(crate) struct Order {
    /// Without its prompts.
    pub(crate) ask: Ask<'static>,
    pub(crate) choices: u64,
    /// Tokens of all prompts.
    pub(crate) input_tokens: u64,
    /// Ids of the blocks of the prompt, a partial last one included, or of several prompts joined;
    /// none where nobody wants them.
    pub(crate) hash_ids: Vec<u64>,
    /// Its full blocks, as the engine knows them, where there is one.
    pub(crate) chain: Chain,
    /// The prompts, where they are to stand before their answers.
    pub(crate) echoes: Vec<Script>,
    /// The prompt as members of a line, if it is to be kept.
    pub(crate) text: Vec<u8>,
}

/// Counts prompts, and knows the blocks that it has seen.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) tokenizer: Tokenizer,
    recover: Option<Mutex<Recover>>,
    /// Tokens of a block of the engine's cache.
    chain: Option<u64>,
    keep_text: bool,
    /// Whether prompts may have to be said again.
    echoes: bool,
}

impl Counter {
    pub(crate) fn new(tokenizer: Tokenizer, recover: Option<Recover>, keep_text: bool) -> Counter {
        Counter {
            tokenizer,
            recover: recover.map(Mutex::new),
            chain: None,
            keep_text,
            echoes: false,
        }
    }

    /// The same, with prompts at hand where answers repeat them.
    pub(crate) fn with_echoes(self, echoes: bool) -> Counter {
        Counter { echoes, ..self }
    }

    /// The same for an engine with a cache of blocks of so many tokens, if there is one.
    pub(crate) fn with_chains(self, block_size: Option<u64>) -> Counter {
        Counter {
            chain: block_size,
            ..self
        }
    }

    /// Read a body, and count its prompts.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub(crate) fn order(&self, api: Api, body: &[u8]) -> Result<Order, String> {
        let ask = ask::read(api, body)?;
        let mut input_tokens = 0;
        let (mut hash_ids, mut chain) = (Vec::new(), Chain::default());
        let parts = ask.prompts.iter().flatten();
        if self.recover.is_some() || self.chain.is_some() {
            let tokens = self.tokens(parts)?;
            input_tokens = tokens.len() as u64;
            if let Some(recover) = &self.recover {
                let mut recover = recover.lock().unwrap_or_else(PoisonError::into_inner);
                recover.tokens(&tokens, &mut hash_ids);
            }
            if let Some(size) = self.chain {
                chain = Chain::of(&tokens, size);
            }
        } else {
            for part in parts {
                input_tokens += self.count(part)?;
            }
        }
        let mut echoes = Vec::new();
        if self.echoes && ask.echo {
            for prompt in &ask.prompts {
                echoes.push(self.script(prompt)?);
            }
        }
        let text = if self.keep_text {
            kept(body)
        } else {
            Vec::new()
        };
        Ok(Order {
            choices: ask.choices(),
            ask: ask.without_prompts(),
            input_tokens,
            hash_ids,
            chain,
            echoes,
            text,
        })
    }

    /// A prompt in tokens.
    fn script(&self, prompt: &[Part<'_>]) -> Result<Script, String> {
        match prompt {
            [Part::Ids(ids)] => Script::of_tokens(&self.tokenizer, ids),
            parts => {
                let texts = parts.iter().filter_map(|part| match part {
                    Part::Text(text) => Some(text.as_ref()),
                    Part::Ids(_) => None,
                });
                let text: String = texts.collect();
                Ok(Script::of(&self.tokenizer, &text))
            }
        }
    }

    fn count(&self, part: &Part<'_>) -> Result<u64, String> {
        match part {
            Part::Ids(ids) => Ok(ids.len() as u64),
            Part::Text(text) => self.tokenizer.count(text).map_err(|err| err.to_string()),
        }
    }

    /// The tokens of prompts, their pieces encoded apart as they are counted.
    pub(crate) fn tokens<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a Part<'a>>,
    ) -> Result<Vec<u32>, String> {
        let mut tokens = Vec::new();
        for part in parts {
            match part {
                Part::Ids(ids) => tokens.extend_from_slice(ids),
                Part::Text(text) => {
                    let identified = self.tokenizer.identify(text, &mut tokens);
                    identified.map_err(|err| err.to_string())?;
                }
            }
        }
        Ok(tokens)
    }
}

/// The prompt of `body` as a line's own fields, byte for byte; the whole body as `payload` where
/// there is no such field.
fn kept(body: &[u8]) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Texts<'a> {
        #[serde(borrow)]
        prompt: Option<&'a RawValue>,
        #[serde(borrow)]
        messages: Option<&'a RawValue>,
        #[serde(borrow)]
        tools: Option<&'a RawValue>,
    }
    let mut out = Vec::new();
    let Ok(texts) = serde_json::from_slice::<Texts<'_>>(body) else {
        return out;
    };
    let mut push = |name: &str, json: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        // A line feed in JSON is a blank; on a line it would end it.
        out.extend(
            json.iter()
                .map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }),
        );
    };
    match (
        texts.messages,
        texts.prompt.filter(|prompt| prompt.get().starts_with('"')),
    ) {
        (Some(messages), _) => {
            push(",\"messages\":", messages.get().as_bytes());
            if let Some(tools) = texts.tools {
                push(",\"tools\":", tools.get().as_bytes());
            }
        }
        (None, Some(prompt)) => push(",\"text_input\":", prompt.get().as_bytes()),
        (None, None) => push(",\"payload\":", body.trim_ascii()),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(recover: bool, keep_text: bool) -> Counter {
        let recover = recover.then(|| Recover::new(4));
        Counter::new(Tokenizer::words(), recover, keep_text)
    }

    fn order(counter: &Counter, body: &str) -> Order {
        counter.order(Api::Completions, body.as_bytes()).unwrap()
    }

    #[test]
    fn prompts_that_begin_alike_share_ids() {
        let counter = counter(true, false);
        let ids = |body| {
            let order = order(&counter, body);
            (order.input_tokens, order.hash_ids)
        };
        assert_eq!(ids(r#"{"prompt":"a b c d e"}"#), (5, vec![0, 1]));
        assert_eq!(ids(r#"{"prompt":"a b c d x y"}"#), (6, vec![0, 2]));
        assert_eq!(ids(r#"{"prompt":[7,8,9]}"#), (3, vec![3]));
        assert_eq!(
            ids(r#"{"prompt":["a b","c"]}"#),
            (3, vec![4]),
            "several prompts are joined"
        );
    }

    #[test]
    fn the_pieces_of_a_chat_are_one_prompt() {
        let counter = counter(true, false);
        let chat = |body: &str| counter.order(Api::Chat, body.as_bytes()).unwrap();
        let two =
            r#"{"messages":[{"role":"system","content":"a b"},{"role":"user","content":"c d e"}]}"#;
        let order = chat(two);
        assert_eq!((order.input_tokens, order.hash_ids), (5, vec![0, 1]));
        let one = r#"{"messages":[{"role":"user","content":"a b c d"}]}"#;
        assert_eq!(chat(one).hash_ids, [0]);
    }

    #[test]
    fn text_is_kept_only_if_asked_for_and_as_it_was() {
        let body = "{\"prompt\":\"a\\u00e9 b\"}";
        assert_eq!(order(&counter(true, false), body).text, b"");
        assert_eq!(
            order(&counter(true, true), body).text,
            b",\"text_input\":\"a\\u00e9 b\""
        );
        let body = "{\"messages\":[ {\"role\":\"user\",\n\"content\":\"x\"}],\"tools\":[1]}";
        let chat = counter(false, true)
            .order(Api::Chat, body.as_bytes())
            .unwrap();
        let expected = ",\"messages\":[ {\"role\":\"user\", \"content\":\"x\"}],\"tools\":[1]";
        assert_eq!(String::from_utf8(chat.text).unwrap(), expected);
        let ids = order(&counter(false, true), "{\"prompt\":[1,2]}");
        assert_eq!(ids.text, b",\"payload\":{\"prompt\":[1,2]}");
    }
}
