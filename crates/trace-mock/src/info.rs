//! What is there besides answers: models, health, metrics, tokens.

use std::time::Instant;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;

use crate::answer::Answer;
use crate::api::{Api, Family};
use crate::ask;
use crate::engine::Gauges;
use crate::reply::{JSON, PROMETHEUS, Refusal, TEXT, not_allowed, whole};
use crate::service::Service;

const ANTHROPIC: HeaderName = HeaderName::from_static("anthropic-version");

/// A path that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Info<'a> {
    Root,
    Models,
    Model(&'a str),
    /// The same as Anthropic has them.
    AnthropicModels,
    AnthropicModel(&'a str),
    LoadAdapter,
    UnloadAdapter,
    Tags,
    Show,
    Loaded,
    OllamaVersion,
    Health,
    Ready,
    Metrics,
    Version,
    Load,
    Tgi,
    Tokenize,
    Detokenize,
    CountTokens,
    ResetPrefixCache,
}

impl<'a> Info<'a> {
    pub(crate) fn at(path: &'a str) -> Option<Info<'a>> {
        Some(match path {
            "/" => Info::Root,
            "/v1/models" => Info::Models,
            "/v1/load_lora_adapter" => Info::LoadAdapter,
            "/v1/unload_lora_adapter" => Info::UnloadAdapter,
            "/api/tags" => Info::Tags,
            "/api/show" => Info::Show,
            "/api/ps" => Info::Loaded,
            "/api/version" => Info::OllamaVersion,
            "/health" | "/ping" => Info::Health,
            "/ready" | "/health/ready" => Info::Ready,
            "/metrics" => Info::Metrics,
            "/version" => Info::Version,
            "/load" => Info::Load,
            "/info" => Info::Tgi,
            "/tokenize" => Info::Tokenize,
            "/detokenize" => Info::Detokenize,
            "/v1/messages/count_tokens" => Info::CountTokens,
            "/reset_prefix_cache" => Info::ResetPrefixCache,
            _ => return path.strip_prefix("/v1/models/").map(Info::Model),
        })
    }

    /// The same for who asked with these headers: Anthropic's clients say so.
    pub(crate) fn asked(self, headers: &HeaderMap) -> Info<'a> {
        match self {
            Info::Models if headers.contains_key(ANTHROPIC) => Info::AnthropicModels,
            Info::Model(name) if headers.contains_key(ANTHROPIC) => Info::AnthropicModel(name),
            info => info,
        }
    }

    /// Whether it is there without a key: what supervisors ask for.
    pub(crate) fn is_open(self) -> bool {
        matches!(
            self,
            Info::Root | Info::Health | Info::Ready | Info::Metrics
        )
    }

    fn is_posted(self) -> bool {
        use Info::{
            CountTokens, Detokenize, LoadAdapter, ResetPrefixCache, Show, Tokenize, UnloadAdapter,
        };
        matches!(
            self,
            Tokenize
                | Detokenize
                | CountTokens
                | ResetPrefixCache
                | LoadAdapter
                | UnloadAdapter
                | Show
        )
    }

    fn family(self) -> Family {
        match self {
            Info::CountTokens | Info::AnthropicModels | Info::AnthropicModel(_) => {
                Family::Anthropic
            }
            Info::Tags | Info::Show | Info::Loaded | Info::OllamaVersion => Family::Ollama,
            _ => Family::OpenAi,
        }
    }
}

impl Service {
    /// Answer a request for `info`.
    pub(crate) fn inform(&self, info: Info<'_>, method: &Method, body: &[u8]) -> Response<Answer> {
        let allowed = if info.is_posted() {
            (method == Method::POST).then_some(()).ok_or("POST")
        } else {
            let reads = method == Method::GET || method == Method::HEAD;
            reads.then_some(()).ok_or("GET, HEAD")
        };
        if let Err(allowed) = allowed {
            return not_allowed(info.family(), allowed);
        }
        match self.information(info, body) {
            Ok(text) if info == Info::Metrics => whole(StatusCode::OK, PROMETHEUS, text),
            Ok(text) if info == Info::Root => whole(StatusCode::OK, TEXT, text),
            Ok(json) => whole(StatusCode::OK, JSON, json),
            Err(refusal) => refusal.respond(info.family()),
        }
    }

    fn information(&self, info: Info<'_>, body: &[u8]) -> Result<Bytes, Refusal> {
        Ok(match info {
            Info::Root => Bytes::from_static(b"trace-mock is running\n"),
            Info::Models => self.models.list().into(),
            Info::Model(name) => self.models.one(name)?.into(),
            Info::AnthropicModels => self.models.anthropic_list().into(),
            Info::AnthropicModel(name) => self.models.anthropic_one(name)?.into(),
            Info::LoadAdapter => self.models.load(body)?.into(),
            Info::UnloadAdapter => self.models.unload(body)?.into(),
            Info::Tags | Info::Loaded => self.catalogue().into(),
            Info::Show => self.show(body)?.into(),
            Info::OllamaVersion => {
                format!("{{\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION")).into()
            }
            Info::Health => Bytes::from_static(b"{\"status\":\"ok\"}"),
            Info::Ready => {
                self.ready()?;
                Bytes::from_static(b"{\"status\":\"ready\"}")
            }
            Info::Version => {
                let version = env!("CARGO_PKG_VERSION");
                format!("{{\"version\":\"trace-mock {version}\"}}").into()
            }
            Info::Load => format!("{{\"server_load\":{}}}", self.books.open_requests()).into(),
            Info::Tgi => self.tgi_info().into(),
            Info::Metrics => {
                let mut text = self.books.metrics.text(|group| self.gauges(group));
                text.push_str(&self.cache_config());
                text.push_str(&self.adapters());
                text.into()
            }
            Info::ResetPrefixCache => {
                let all = self
                    .driver
                    .as_ref()
                    .is_none_or(|driver| driver.reset_prefix_cache());
                format!("{{\"reset\":{all}}}").into()
            }
            Info::Tokenize => self.tokenize(body).map_err(Refusal::bad)?,
            Info::Detokenize => self.detokenize(body).map_err(Refusal::bad)?,
            Info::CountTokens => {
                let ask = ask::read(Api::Messages, body);
                // Counting needs no limit.
                let ask = ask
                    .or_else(|_| ask::read(Api::Chat, body))
                    .map_err(Refusal::bad)?;
                let tokens = self.counter.tokens(&ask.prompts[0]).map_err(Refusal::bad)?;
                format!("{{\"input_tokens\":{}}}", tokens.len()).into()
            }
        })
    }

    /// Whether it has started.
    pub(crate) fn ready(&self) -> Result<(), Refusal> {
        match self.ready_at.saturating_duration_since(Instant::now()) {
            left if left.is_zero() => Ok(()),
            left => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("still starting; ready in {} ms", left.as_millis() + 1),
            )),
        }
    }

    /// How the engine stands for the requests of a group; without one, all of them run.
    pub(crate) fn gauges(&self, group: u64) -> Gauges {
        match &self.driver {
            Some(driver) => driver.gauges(group),
            None => Gauges {
                running: self.books.metrics.open(group),
                ..Gauges::default()
            },
        }
    }

    /// vLLM's `/tokenize`: a `prompt`, or the content of `messages`.
    fn tokenize(&self, body: &[u8]) -> Result<Bytes, String> {
        let ask = match ask::read(Api::Completions, body) {
            Err(reason) if reason.contains("`prompt` is missing") => ask::read(Api::Chat, body)?,
            ask => ask?,
        };
        let [prompt] = &ask.prompts[..] else {
            return Err("one prompt is tokenized at a time".into());
        };
        let tokens = self.counter.tokens(prompt)?;
        let mut json = format!("{{\"count\":{},\"max_model_len\":", tokens.len());
        match self.max_model_len {
            Some(tokens) => json.push_str(&tokens.to_string()),
            None => json.push_str("null"),
        }
        json.push_str(",\"tokens\":[");
        let mut number = itoa::Buffer::new();
        for (at, token) in tokens.into_iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            json.push_str(number.format(token));
        }
        json.push_str("],\"token_strs\":null}");
        Ok(json.into())
    }

    fn detokenize(&self, body: &[u8]) -> Result<Bytes, String> {
        #[derive(Deserialize)]
        struct Body {
            tokens: Vec<u32>,
        }
        let body: Body = serde_json::from_slice(body).map_err(|err| err.to_string())?;
        let bytes = self
            .counter
            .tokenizer
            .decode(&body.tokens)
            .map_err(|err| err.to_string())?;
        let text = crate::reply::quoted(&String::from_utf8_lossy(&bytes));
        Ok(format!("{{\"prompt\":{text}}}").into())
    }
}
