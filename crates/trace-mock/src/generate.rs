//! A request for an answer, from its body to the response that will give it.

use std::future::pending;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::answer::{Answer, Whole};
use crate::api::{Api, error_json};
use crate::ask::{Ask, Wanted};
use crate::count::Order;
use crate::drip::Drip;
use crate::engine::{Jitter, Job};
use crate::fault::Fault;
use crate::line::Said;
use crate::pace::{Pace, Scattered};
use crate::plan::{Plan, Reason};
use crate::record::Record;
use crate::reply::{HTML, JSON, Refusal, quoted, quoted_header, response, retry_after};
use crate::service::{REQUEST, Service};
use crate::speech::Speech;
use crate::stream::Stream;
use crate::wire::{End, Form, Manner, Title, Usage, Vectors};

/// Bodies longer than this are read and counted on another thread: some milliseconds of work would
/// make streams late.
const LONG_BODY_BYTES: usize = 32 << 10;

const FAULT: HeaderName = HeaderName::from_static("x-mock-fault");

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
    <body><h1>Bad Gateway</h1></body></html>\n";

impl Service {
    /// Answer the request with this body, as its record and its fault say.
    pub(crate) async fn generate(
        &self,
        api: Api,
        arrival: Instant,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Answer>, Refusal> {
        let ordered = ordered_fault(headers).map_err(Refusal::bad)?;
        let mut order = self.order(api, body).await?;
        if let Some(model) = &order.ask.model {
            self.models.allow(model)?;
        }
        let default = self.room(&order)?;
        if let Some(driver) = &self.driver {
            driver
                .fits(&self.job(&order, default))
                .map_err(Refusal::bad)?;
        }
        let wanted = order.ask.wanted().map_err(Refusal::bad)?;
        if let Some(wrong) = &order.ask.wrong {
            return Err(Refusal::bad(wrong.reason.as_str()).about(wrong.param));
        }
        let (number, mut record) = self.open(arrival, headers, &order, default);
        let fault = ordered.unwrap_or_else(|| self.faults.of(number, self.streams));
        record.suffer(fault);
        Ok(match fault {
            Some(Fault::Status { code, retry_after }) => failure(api, code, retry_after, record),
            Some(Fault::Html) => {
                let page = Bytes::from_static(PAGE);
                let page = Whole::recorded(page, record, (0, Reason::Stop), None, Drip::None);
                response(StatusCode::OK, HTML, Answer::Whole(page))
            }
            Some(Fault::Reset) => Response::new(Answer::Cut),
            Some(Fault::Stall) => {
                // Held until the client goes away.
                let _record = record;
                pending().await
            }
            _ => {
                order.ask.limit = order.ask.limit.or(api.embeds().then_some(0));
                let mut response = self
                    .speak(api, (order, &wanted), default, number, record, fault)
                    .await;
                if fault == Some(Fault::Close) {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                response
            }
        })
    }

    /// Read and count a body.
    async fn order(&self, api: Api, body: Bytes) -> Result<Order, Refusal> {
        let order = if body.len() <= LONG_BODY_BYTES {
            self.counter.order(api, &body)
        } else {
            let counter = Arc::clone(&self.counter);
            let counted = tokio::task::spawn_blocking(move || counter.order(api, &body));
            let failed = |err: tokio::task::JoinError| {
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, err.to_string())
            };
            counted.await.map_err(failed)?
        };
        order.map_err(Refusal::bad)
    }

    /// How many tokens an answer gets that has no limit of its own, within the context.
    fn room(&self, order: &Order) -> Result<u64, Refusal> {
        let Some(most) = self.max_model_len else {
            return Ok(self.output_tokens);
        };
        // Of several prompts, as long as each other, one.
        let prompts = (order.choices / order.ask.n.max(1)).max(1);
        let input = order.input_tokens / prompts;
        let asked = order.ask.limit.unwrap_or(0);
        if input + asked > most || input >= most {
            // As vLLM says it, which clients look for.
            return Err(Refusal::bad(format!(
                "This model's maximum context length is {most} tokens. However, you requested \
                 {asked} output tokens and your prompt contains at least {input} input tokens, for \
                 a total of at least {} tokens. Please reduce the length of the input prompt or the \
                 number of requested output tokens. (parameter=input_tokens, value={input})",
                input + asked
            ))
            .about("input_tokens"));
        }
        Ok(self.output_tokens.min(most - input))
    }

    /// What the engine is asked for, at most.
    fn job(&self, order: &Order, default: u64) -> Job {
        Job {
            id: 0,
            input: order.input_tokens,
            output: order.ask.limit.unwrap_or(default),
            width: order.choices,
            priority: order.ask.priority,
            blocks: order.chain.blocks.clone(),
            group: self.books.metrics.group(order.ask.model.as_deref()),
        }
    }

    /// Begin the record of a request. Returns its number too.
    fn open(
        &self,
        arrival: Instant,
        headers: &HeaderMap,
        order: &Order,
        default: u64,
    ) -> (u64, Record) {
        let session = quoted_header(headers, &self.session_header);
        let session = session.or_else(|| self.session(order));
        let request = quoted_header(headers, &REQUEST);
        let said = Said {
            input_length: order.input_tokens,
            output_length: Some(order.ask.limit.unwrap_or(default)),
            hash_ids: if self.hash_ids { &order.hash_ids } else { &[] },
            session_id: session.as_deref(),
            model: order.ask.model.as_deref(),
            request_id: request.as_deref(),
            text: &order.text,
        };
        Record::open(&self.books, arrival, &said)
    }

    /// The session of a prompt by what it shares with earlier ones, if that is wanted.
    pub(crate) fn session(&self, order: &Order) -> Option<Vec<u8>> {
        let sessions = self.sessions.as_ref()?;
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let number = sessions.of(self.full_blocks(order), order.input_tokens);
        Some(format!("\"{number}\"").into_bytes())
    }

    /// The blocks of a prompt that are full.
    fn full_blocks<'a>(&self, order: &'a Order) -> &'a [u64] {
        let full = usize::try_from(order.input_tokens / self.block_size).unwrap_or(usize::MAX);
        &order.hash_ids[..full.min(order.hash_ids.len())]
    }

    /// Answer with tokens.
    async fn speak(
        &self,
        api: Api,
        (order, wanted): (Order, &Wanted),
        default: u64,
        number: u64,
        mut record: Record,
        fault: Option<Fault>,
    ) -> Response<Answer> {
        let ask = &order.ask;
        record.widen(order.choices);
        let speech = self.speech(&order, wanted, (default, number));
        let plan = match (fault, &speech) {
            (Some(Fault::Empty), _) => Plan::EMPTY,
            (_, Some(speech)) => speech.plan(ask.limit),
            _ => Plan::of(ask, default, self.end_of_sequence(number)),
        };
        let usual = speech.is_none();
        let usage = (fault != Some(Fault::NoUsage)).then_some(Usage {
            prompt: order.input_tokens,
            completion: plan.tokens.saturating_mul(order.choices),
            cached: None,
        });
        let arrival = record.arrival();
        let title = Title {
            api,
            stream: ask.stream,
            number,
            created: self.books.unix(arrival),
            model: ask.model.as_deref().unwrap_or(&self.models.first),
            prompt_tokens: order.input_tokens,
            told: &ask.told,
        };
        let mut form = Form::new(&title, order.choices, plan)
            .with_vectors(self.vectors(ask))
            .with_manner(manner(&order, speech, plan.stop));
        if let Some(Fault::Chunks(tokens)) = fault {
            form = form.in_chunks(tokens.into());
        }
        let origin = self.origin(arrival, fault).await;
        let drip = Drip::of(fault, &self.timer);
        let mut pace = self.pace(&order, number, (default, plan.tokens, usual), origin);
        if ask.stream {
            let kind = form.stream_type();
            let usage = usage.filter(|_| ask.usage);
            let stream = Stream::new(form, pace, (usage, plan.reason), record, fault, drip);
            return streamed(kind, stream);
        }
        pace.reach(plan.tokens.max(1)).await;
        record.queued(pace.waited());
        let cached = pace.cached();
        let end = End {
            usage: usage.map(|usage| Usage { cached, ..usage }),
            // Nothing was seen of it before.
            first: arrival.elapsed(),
            total: arrival.elapsed(),
        };
        if fault == Some(Fault::ResetHead) {
            return Response::new(Answer::Cut);
        }
        let json = spoilt(form.whole(&end), fault);
        let json = Whole::recorded(json.into(), record, (plan.tokens, plan.reason), fault, drip);
        response(StatusCode::OK, JSON, Answer::Whole(json))
    }

    /// When an answer begins to be due, once a delay that was asked for is over.
    async fn origin(&self, arrival: Instant, fault: Option<Fault>) -> Instant {
        let Some(Fault::Delay(delay)) = fault else {
            return arrival;
        };
        let Some(later) = arrival.checked_add(delay.into()) else {
            return pending().await; // after the end of time
        };
        self.timer.sleep_until(later).await;
        later
    }

    /// The chance that an answer ends by itself at a token, and what to draw it from.
    fn end_of_sequence(&self, number: u64) -> Option<(f64, trace_core::Random)> {
        let random = || self.streams.stream_of("mock.eos", number);
        (self.eos_rate > 0.0).then(|| (self.eos_rate, random()))
    }

    fn vectors(&self, ask: &Ask<'_>) -> Vectors {
        Vectors {
            dimensions: ask.dimensions.unwrap_or(self.embedding_dimensions),
            base64: ask.base64,
        }
    }

    /// The full blocks of a prompt and of an answer of `tokens`, if those are the `usual` words, as
    /// the next turn will have them.
    fn blocks(&self, order: &Order, tokens: u64, usual: bool) -> Vec<u64> {
        let mut chain = order.chain.clone();
        if let Some(words) = &self.words
            && usual
            && order.choices == order.ask.n
        {
            let answer = words.iter().copied().cycle();
            let count = usize::try_from(tokens).unwrap_or(usize::MAX);
            let answer: Vec<u32> = answer.take(count).collect();
            chain.push(&answer, self.block_size);
        }
        chain.blocks
    }

    /// What paces `tokens` of the answer to request `number`, from `origin` on.
    fn pace(
        &self,
        order: &Order,
        number: u64,
        (default, tokens, usual): (u64, u64, bool),
        origin: Instant,
    ) -> Pace {
        match &self.driver {
            Some(driver) => Pace::Engine(driver.submit(Job {
                output: tokens,
                blocks: self.blocks(order, tokens, usual),
                ..self.job(order, default)
            })),
            None if self.jitter != Jitter::None => {
                let random = self.streams.stream_of("mock.scatter", number);
                let sleep = self.timer.sleep_until(origin);
                let scattered = Scattered::new(self.schedule, self.jitter, random, origin, sleep);
                Pace::Scattered(Box::new(scattered))
            }
            None => Pace::Fixed {
                schedule: self.schedule,
                origin,
                sleep: self.timer.sleep_until(origin),
            },
        }
    }
}

/// How the answer to `order` is unusual, with that speech.
fn manner(order: &Order, speech: Option<Speech>, stop: Option<usize>) -> Manner {
    Manner {
        speech,
        stop: stop.map(|at| quoted(&order.ask.stop[at])),
        echoes: order.echoes.clone(),
        logprobs: order.ask.logprobs,
        running_usage: order.ask.running_usage,
    }
}

/// The response that a stream is.
fn streamed(kind: &'static str, stream: Stream) -> Response<Answer> {
    let kind = HeaderValue::from_static(kind);
    let mut response = response(StatusCode::OK, kind, Answer::Stream(Box::new(stream)));
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, no_cache);
    response
}

/// A whole answer as a fault leaves it.
fn spoilt(mut json: Vec<u8>, fault: Option<Fault>) -> Vec<u8> {
    match fault {
        Some(Fault::Garbage | Fault::Truncate) => json.truncate(json.len() / 2),
        Some(Fault::Big(bytes)) => json.resize(json.len() + bytes as usize, b' '),
        _ => {}
    }
    json
}

/// The fault that the request itself asks for; `None` within, if it asks for none.
#[expect(
    clippy::option_option,
    reason = "not asked, asked for none, asked for one"
)]
fn ordered_fault(headers: &HeaderMap) -> Result<Option<Option<Fault>>, String> {
    match headers.get(&FAULT).map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"none") => Ok(Some(None)),
        Some(name) => {
            let fault = String::from_utf8_lossy(name).parse()?;
            Ok(Some(Some(fault)))
        }
    }
}

/// The error that was ordered.
fn failure(api: Api, code: u16, retry: Option<u32>, record: Record) -> Response<Answer> {
    let status = StatusCode::from_u16(code).expect("400 to 599 are statuses");
    let json = error_json(api.family(), code, "this request was asked to fail");
    let whole = Whole::recorded(json.into(), record, (0, Reason::Stop), None, Drip::None);
    let mut response = response(status, JSON, Answer::Whole(whole));
    if let Some(seconds) = retry {
        retry_after(&mut response, seconds);
    }
    response
}
