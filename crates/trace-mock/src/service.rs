//! One request in, one response out.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use rustls::ServerConfig;
use trace_core::Streams;
use trace_core::clock::Timer;
use trace_prompt::{Recover, Tokenizer};

use crate::answer::Answer;
use crate::api::{Api, Family};
use crate::books::Books;
use crate::count::Counter;
use crate::drive::Driver;
use crate::engine::{Engine, Jitter, Limits};
use crate::fault::Faults;
use crate::info::Info;
use crate::models::Models;
use crate::origins::Origins;
use crate::proxy::Upstream;
use crate::reply::{Refusal, not_allowed};
use crate::schedule::Schedule;
use crate::secure::acceptor;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::turn::KeepAlive;
use crate::words;

/// The largest body that is read: room for a prompt of ten million tokens.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 20;

pub(crate) const REQUEST: HeaderName = HeaderName::from_static("x-request-id");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) books: Arc<Books>,
    pub(crate) timer: Timer,
    pub(crate) schedule: Schedule,
    pub(crate) jitter: Jitter,
    pub(crate) driver: Option<Arc<Driver>>,
    /// What bounds the engine.
    pub(crate) limits: Option<Limits>,
    /// The tokens of answers, over and over, where an engine keeps them.
    pub(crate) words: Option<Vec<u32>>,
    pub(crate) counter: Arc<Counter>,
    pub(crate) sessions: Option<Mutex<Sessions>>,
    pub(crate) session_header: HeaderName,
    pub(crate) block_size: u64,
    /// Whether lines have `hash_ids`.
    pub(crate) hash_ids: bool,
    pub(crate) output_tokens: u64,
    pub(crate) eos_rate: f64,
    pub(crate) tool_call_rate: f64,
    pub(crate) tool_calls: usize,
    pub(crate) origins: Origins,
    pub(crate) max_model_len: Option<u64>,
    pub(crate) embedding_dimensions: u64,
    pub(crate) faults: Faults,
    pub(crate) streams: Streams,
    pub(crate) models: Models,
    pub(crate) ready_at: Instant,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) upstream: Option<Arc<Upstream>>,
    pub(crate) keep_alive: KeepAlive,
    api_keys: Vec<String>,
}

impl Service {
    /// A service by `settings`, within the runtime that is to serve it.
    pub(crate) fn new(
        settings: &Settings,
        tokenizer: Tokenizer,
        books: Arc<Books>,
        timer: Timer,
    ) -> Result<Service, String> {
        settings.faults.check()?;
        let record = &settings.record;
        let driver = settings.engine.map(|model| {
            let engine = Engine::new(model.limits, model.cost, model.jitter, settings.seed);
            Driver::start(engine, timer.clone())
        });
        let limits = settings.engine.map(|model| model.limits);
        let answers = limits.is_some_and(|limits| limits.prefix_caching && limits.output_caching);
        let words = answers.then(|| words::tokens(&tokenizer)).flatten();
        let sessions = books.records() && record.sessions_by_prefix;
        let header = record.session_header.to_ascii_lowercase();
        Ok(Service {
            models: models(settings, &books),
            counter: Arc::new(counter(settings, tokenizer, &books)),
            books,
            timer,
            schedule: Schedule {
                ttft: settings.ttft.into(),
                itl: settings.itl.into(),
            },
            jitter: settings.jitter,
            driver,
            limits,
            words,
            sessions: sessions.then(Mutex::default),
            session_header: header
                .parse()
                .map_err(|_| format!("{header:?} is not the name of a header"))?,
            block_size: record.block_size,
            hash_ids: record.hash_ids,
            output_tokens: settings.output_tokens,
            eos_rate: settings.eos_rate,
            tool_call_rate: settings.tool_call_rate,
            tool_calls: settings.tool_calls as usize,
            origins: settings.origins.clone(),
            max_model_len: settings.max_model_len,
            embedding_dimensions: settings.embedding_dimensions,
            faults: settings.faults.clone(),
            streams: Streams::new(settings.seed),
            ready_at: Instant::now() + settings.startup_delay.into(),
            tls: settings.tls.as_ref().map(acceptor).transpose()?,
            upstream: upstream(settings)?,
            keep_alive: settings.keep_alive,
            api_keys: settings.api_keys.clone(),
        })
    }

    /// Answer `request`, whose head came at `arrival`.
    pub(crate) async fn answer(
        self: Arc<Self>,
        arrival: Instant,
        request: Request<Incoming>,
    ) -> Response<Answer> {
        // Only browsers say one.
        let Some(origin) = request.headers().get(ORIGIN).cloned() else {
            return self.respond(arrival, request).await;
        };
        let told = self.origins.preflight(request.method(), request.headers());
        let mut response = match told {
            Some(told) => told,
            None => self.respond(arrival, request).await,
        };
        self.origins.share(&origin, &mut response);
        response
    }

    async fn respond(&self, arrival: Instant, request: Request<Incoming>) -> Response<Answer> {
        let (head, mut body) = request.into_parts();
        let path = head.uri.path();
        // At the root there is something to read, too.
        let reads = head.method != Method::POST && path == "/";
        let api = Api::at(path).filter(|_| !reads);
        let generates = api.is_some() && head.method == Method::POST;
        if generates {
            self.books.arrive(arrival);
        }
        // To its end whatever the answer: who still writes would not see it.
        let body = read(&mut body).await;
        if let Some(api) = api {
            if !generates {
                return not_allowed(api.family(), "POST");
            }
            let admitted = self.admit(&head.headers).and_then(|()| self.ready());
            let admitted = admitted.and_then(|()| plain(&head.headers));
            let answered = match admitted.and(body) {
                Ok(body) => self.generate(api, arrival, &head.headers, body).await,
                Err(refusal) => Err(refusal),
            };
            let mut response = answered.unwrap_or_else(|refusal| {
                self.books.refuse();
                refusal.respond(api.family())
            });
            // Whoever numbers requests finds the number in the answer.
            if let Some(number) = head.headers.get(&REQUEST) {
                response.headers_mut().insert(REQUEST, number.clone());
            }
            return response;
        }
        let answered = match Info::at(path) {
            Some(info) if info.is_open() => Ok(info),
            Some(info) => self.admit(&head.headers).map(|()| info),
            None => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!("there is nothing at {path}"),
            )),
        };
        match answered.and_then(|info| Ok((info, body?))) {
            Ok((info, body)) => self.inform(info.asked(&head.headers), &head.method, &body),
            Err(refusal) => refusal.respond(Family::at(path)),
        }
    }

    /// Whether a request has a key that opens.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        self.unlock(bearer.or_else(|| headers.get(API_KEY).map(HeaderValue::as_bytes)))
    }

    /// Whether this key opens, or none is needed.
    pub(crate) fn unlock(&self, key: Option<&[u8]>) -> Result<(), Refusal> {
        let opens = |given| self.api_keys.iter().any(|key| key.as_bytes() == given);
        match key {
            _ if self.api_keys.is_empty() => Ok(()),
            Some(given) if opens(given) => Ok(()),
            Some(_) => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "the API key is wrong",
            )),
            None => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "an API key is needed, as `authorization: Bearer KEY` or `x-api-key: KEY`",
            )),
        }
    }
}

/// The models on offer by `settings`.
fn models(settings: &Settings, books: &Books) -> Models {
    let created = books.unix(Instant::now()).as_secs();
    Models::new(
        &settings.models,
        settings.strict_models,
        created,
        settings.max_model_len,
    )
    .with_adapters(&settings.adapters)
}

/// What counts prompts by `settings`, and puts them into blocks where `books` or an engine want that.
fn counter(settings: &Settings, tokenizer: Tokenizer, books: &Books) -> Counter {
    let record = &settings.record;
    let ids = books.records() && (record.sessions_by_prefix || record.hash_ids);
    let recover = ids.then(|| {
        let recover = Recover::new(record.block_size);
        match record.salt {
            Some(salt) => recover.keyed(salt),
            None => recover,
        }
    });
    let limits = settings.engine.map(|model| model.limits);
    let caching = limits.filter(|limits| limits.prefix_caching);
    Counter::new(tokenizer, recover, record.keep_text)
        .with_chains(caching.map(|limits| limits.block_size))
        .with_echoes(settings.upstream.is_none())
}

/// The server to pass requests on to by `settings`, if there is one.
fn upstream(settings: &Settings) -> Result<Option<Arc<Upstream>>, String> {
    let upstream = settings.upstream.as_ref().map(Upstream::new).transpose()?;
    Ok(upstream.map(Arc::new))
}

/// Whether a body is as it is, and not compressed.
fn plain(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(CONTENT_ENCODING) {
        Some(coding) if coding != "identity" => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("a body in {coding:?} is not read; send it as it is"),
        )),
        _ => Ok(()),
    }
}

/// The whole body of a request, in one piece without a copy where it came in one.
async fn read(body: &mut Incoming) -> Result<Bytes, Refusal> {
    let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
    let mut size = 0;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|err| Refusal::bad(format!("cannot read the body: {err}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size += data.len();
        if size > MAX_BODY_BYTES {
            joined = BytesMut::new();
        } else if size == data.len() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
    }
    match size {
        _ if size > MAX_BODY_BYTES => {
            let reason = format!("the body has {size} bytes, more than {MAX_BODY_BYTES}");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason))
        }
        _ if joined.is_empty() => Ok(first),
        _ => Ok(joined.freeze()),
    }
}
