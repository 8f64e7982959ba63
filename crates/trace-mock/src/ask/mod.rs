//! What a request body asks for: JSON → [`Ask`], one reader for each kind of API.
//!
//! Only the few fields that shape an answer are read, borrowed from the body. Fields that are not
//! known are ignored, as servers do.

mod anthropic;
mod ollama;
mod openai;
mod prompt;
mod sampling;
mod tgi;
mod wish;

use std::borrow::Cow;

use serde_json::value::RawValue;

pub(crate) use prompt::Part;
pub(crate) use sampling::Wrong;
pub(crate) use wish::{Choice, Shape, Tool, Wanted, Wish};

use crate::api::Api;

/// Answers longer than this are refused: a million tokens is beyond every context window, and a
/// slip of a zero should not fill the memory.
pub(crate) const MAX_OUTPUT_TOKENS: u64 = 1 << 20;

/// The most answers one request may ask for, over its prompts and its `n`.
pub(crate) const MAX_CHOICES: u64 = 128;

/// The most alternatives of a token that are told, as in vLLM.
const MAX_LOGPROBS: u64 = 20;

/// The most numbers of an embedding.
const MAX_DIMENSIONS: u64 = 1 << 16;

/// What a body asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask<'a> {
    /// The model as a JSON string with its quotes, ready to be copied into other JSON.
    pub(crate) model: Option<Cow<'a, str>>,
    /// Whether to stream.
    pub(crate) stream: bool,
    /// Whether a stream is to tell its usage.
    pub(crate) usage: bool,
    /// Whether each of its events is.
    pub(crate) running_usage: bool,
    /// Tokens of each answer, if said.
    pub(crate) limit: Option<u64>,
    /// Tokens before which an answer does not end by itself.
    pub(crate) min_tokens: u64,
    /// Whether it does not end by itself at all.
    pub(crate) ignore_eos: bool,
    /// What ends an answer when it comes up in its text.
    pub(crate) stop: Vec<String>,
    /// Answers to each prompt.
    pub(crate) n: u64,
    /// Whether prompts are to stand before their answers.
    pub(crate) echo: bool,
    /// How many alternatives of each token are wanted with their log-probabilities, if those are.
    pub(crate) logprobs: Option<u64>,
    /// How many answers the best are to be taken of, if said.
    pub(crate) best_of: Option<u64>,
    /// What is said of the shape of answers.
    pub(crate) wish: Wish,
    /// Lower goes first, where the server heeds it.
    pub(crate) priority: i64,
    /// Prompts, each in pieces that are counted on their own.
    pub(crate) prompts: Vec<Vec<Part<'a>>>,
    /// Numbers of each embedding, if said.
    pub(crate) dimensions: Option<u64>,
    /// Whether embeddings are wanted in base64.
    pub(crate) base64: bool,
    /// What a response repeats of its request, as members of an object.
    pub(crate) told: String,
    /// A parameter that is wrong, for who heeds it.
    pub(crate) wrong: Option<Wrong>,
}

impl Ask<'_> {
    /// The same with nothing of the body's: no prompts.
    pub(crate) fn without_prompts(self) -> Ask<'static> {
        Ask {
            model: self.model.map(|model| Cow::Owned(model.into_owned())),
            stream: self.stream,
            usage: self.usage,
            running_usage: self.running_usage,
            limit: self.limit,
            min_tokens: self.min_tokens,
            ignore_eos: self.ignore_eos,
            stop: self.stop,
            n: self.n,
            echo: self.echo,
            logprobs: self.logprobs,
            best_of: self.best_of,
            wish: self.wish,
            priority: self.priority,
            prompts: Vec::new(),
            dimensions: self.dimensions,
            base64: self.base64,
            told: self.told,
            wrong: self.wrong,
        }
    }

    /// How many answers to give: prompts × `n`.
    pub(crate) fn choices(&self) -> u64 {
        self.n.saturating_mul(self.prompts.len() as u64)
    }

    /// The shape that answers are to have.
    ///
    /// # Errors
    /// It is one that cannot be given.
    pub(crate) fn wanted(&self) -> Result<Wanted, String> {
        if self.logprobs.is_some_and(|count| count > MAX_LOGPROBS) {
            return Err(format!(
                "more than {MAX_LOGPROBS} log-probabilities of a token are asked for"
            ));
        }
        if self.best_of.is_some_and(|best| best < self.n) {
            return Err("`best_of` is less than `n`".into());
        }
        self.wish.read()
    }

    fn check(self) -> Result<Self, String> {
        if self
            .model
            .as_ref()
            .is_some_and(|model| !model.starts_with('"'))
        {
            return Err("`model` must be a string".into());
        }
        if self.limit.is_some_and(|limit| limit > MAX_OUTPUT_TOKENS) {
            return Err(format!(
                "more than {MAX_OUTPUT_TOKENS} tokens are asked for"
            ));
        }
        if self.limit.is_some_and(|limit| limit < self.min_tokens) {
            return Err("`min_tokens` is more than the limit of tokens".into());
        }
        if self
            .dimensions
            .is_some_and(|n| !(1..=MAX_DIMENSIONS).contains(&n))
        {
            return Err(format!("`dimensions` is not 1 to {MAX_DIMENSIONS}"));
        }
        match self.choices() {
            1..=MAX_CHOICES => Ok(self),
            choices => Err(format!(
                "{choices} choices are asked for, not 1 to {MAX_CHOICES}"
            )),
        }
    }
}

/// Read the body of a request to `api`.
///
/// # Errors
///
/// What is wrong, in words for the client.
pub(crate) fn read(api: Api, body: &[u8]) -> Result<Ask<'_>, String> {
    let ask = match api {
        Api::Completions => openai::completion(body),
        Api::Chat => openai::chat(body),
        Api::Responses => openai::response(body),
        Api::Embeddings => openai::embedding(body),
        Api::Generate => tgi::generate(body),
        Api::GenerateStream => tgi::generate_stream(body),
        Api::GenerateEither => tgi::generate_either(body),
        Api::OllamaGenerate => ollama::generate(body),
        Api::OllamaChat => ollama::chat(body),
        Api::OllamaEmbed => ollama::embed(body),
        Api::OllamaEmbedding => ollama::embedding(body),
        Api::Messages => anthropic::message(body),
    }?;
    ask.check()
}

fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    // An array would be read as its fields in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err("cannot read the body: it is an array, not an object".into());
    }
    json(body)
}

fn json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|err| format!("cannot read the body: {err}"))
}

/// A field that must be there.
fn must<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("the field `{name}` is missing"))
}

/// A model's name as it stands in the body.
type Model<'a> = Option<&'a RawValue>;

fn name(model: Model<'_>) -> Option<Cow<'_, str>> {
    model.map(|model| Cow::Borrowed(model.get()))
}

/// The texts of messages, of which there must be some.
fn chat_of(messages: Option<Vec<prompt::Message<'_>>>) -> Result<Vec<Part<'_>>, String> {
    let messages = must(messages, "messages")?;
    if messages.is_empty() {
        return Err("`messages` is empty".into());
    }
    Ok(prompt::texts(messages))
}

/// Prompts of which there must be some, each for itself.
fn several<'a>(
    prompts: Option<prompt::Prompts<'a>>,
    name: &str,
) -> Result<Vec<Vec<Part<'a>>>, String> {
    let prompts = must(prompts, name)?.0;
    if prompts.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    Ok(prompts.into_iter().map(|part| vec![part]).collect())
}
