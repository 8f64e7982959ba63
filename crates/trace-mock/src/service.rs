//! One request in, one response out.

use std::future::pending;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Method, Request, Response, StatusCode};
use trace_core::clock::Timer;
use trace_core::push_string;

use crate::answer::{Answer, Stream, Whole};
use crate::ask::{self, Ask};
use crate::fault::Fault;
use crate::record::{Books, Record, Said};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::wire::{Endpoint, Form, Usage};

/// The largest body that is read: room for a prompt of ten million tokens.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 20;

const FAULT: HeaderName = HeaderName::from_static("x-mock-fault");
const SESSION: HeaderName = HeaderName::from_static("x-session-id");
const REQUEST: HeaderName = HeaderName::from_static("x-request-id");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
    <body><h1>Bad Gateway</h1></body></html>\n";

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) books: Arc<Books>,
    timer: Timer,
    schedule: Schedule,
    output_tokens: u64,
    fault: Option<Fault>,
    /// The model that answers where none is asked for, as a JSON string.
    model: String,
    /// The answer of `/v1/models`.
    models: Bytes,
}

impl Service {
    pub(crate) fn new(settings: &Settings, books: Arc<Books>, timer: Timer) -> Service {
        let names = settings
            .models
            .iter()
            .map(|name| quoted(name))
            .collect::<Vec<_>>();
        Service {
            models: models(&names, books.unix(Instant::now()).as_secs()),
            books,
            timer,
            schedule: Schedule {
                ttft: settings.ttft.into(),
                itl: settings.itl.into(),
            },
            output_tokens: settings.output_tokens,
            fault: settings.fault,
            model: names.into_iter().next().unwrap_or_else(|| quoted("mock")),
        }
    }

    /// Answer `request`.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let arrival = Instant::now();
        let (head, mut body) = request.into_parts();
        let endpoint = match head.uri.path() {
            "/v1/completions" => Some(Endpoint::Completions),
            "/v1/chat/completions" => Some(Endpoint::Chat),
            _ => None,
        };
        let generates = endpoint.is_some() && head.method == Method::POST;
        if generates {
            self.books.arrive(arrival);
        }
        // To its end whatever the answer: who still writes would not see it.
        let body = read(&mut body).await;
        let answered = match (endpoint, body) {
            (Some(endpoint), Ok(body)) if generates => {
                self.generate(endpoint, arrival, &head.headers, &body).await
            }
            (Some(_), Err(refusal)) if generates => Err(refusal),
            (Some(_), _) => return not_allowed("POST"),
            (None, _) => return self.read_only(&head.method, head.uri.path()),
        };
        answered.unwrap_or_else(|(status, reason)| {
            self.books.refuse();
            error(status, &reason)
        })
    }

    /// What there is to read at `path`.
    fn read_only(&self, method: &Method, path: &str) -> Response<Answer> {
        let json = match path {
            "/v1/models" => self.models.clone(),
            "/health" => Bytes::from_static(b"{\"status\":\"ok\"}"),
            _ => {
                return error(
                    StatusCode::NOT_FOUND,
                    &format!("there is nothing at {path}"),
                );
            }
        };
        match *method {
            Method::GET | Method::HEAD => {
                response(StatusCode::OK, JSON, Answer::Whole(Whole::new(json)))
            }
            _ => not_allowed("GET, HEAD"),
        }
    }

    async fn generate(
        &self,
        endpoint: Endpoint,
        arrival: Instant,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Answer>, Refusal> {
        let bad = |reason| (StatusCode::BAD_REQUEST, reason);
        let fault = self.fault(headers).map_err(bad)?;
        let ask = match endpoint {
            Endpoint::Completions => ask::completion(body),
            Endpoint::Chat => ask::chat(body),
        };
        let ask = ask.map_err(bad)?;
        let output_length = ask.output_tokens.unwrap_or(self.output_tokens);
        let session_id = quoted_header(headers, &SESSION);
        let request_id = quoted_header(headers, &REQUEST);
        let said = Said {
            input_length: ask.input_tokens,
            output_length,
            session_id: session_id.as_deref(),
            model: ask.model,
            request_id: request_id.as_deref(),
        };
        let (number, record) = self.books.open(arrival, &said, fault);
        match fault {
            Some(Fault::Status(status)) => {
                let status = StatusCode::from_u16(status).expect("400 to 599 are statuses");
                Ok(failure(status, record))
            }
            Some(Fault::Html) => {
                let page = Bytes::from_static(PAGE);
                let page = Answer::Whole(Whole::recorded(page, record, 0, None));
                Ok(response(StatusCode::OK, HTML, page))
            }
            Some(Fault::Stall) => {
                // Held until the client goes away.
                let _record = record;
                pending().await
            }
            _ => Ok(self.speak(endpoint, &ask, number, record, fault).await),
        }
    }

    /// Answer with tokens.
    async fn speak(
        &self,
        endpoint: Endpoint,
        ask: &Ask<'_>,
        number: u64,
        record: Record,
        fault: Option<Fault>,
    ) -> Response<Answer> {
        // An answer ends by itself unless it comes to the limit that was asked for.
        let (tokens, cut) = match (fault, ask.output_tokens) {
            (Some(Fault::Empty), _) => (0, false),
            (_, Some(limit)) => (limit, true),
            (_, None) => (self.output_tokens, false),
        };
        let usage = Usage {
            prompt_tokens: ask.input_tokens,
            completion_tokens: tokens.saturating_mul(ask.choices),
        };
        let told = fault != Some(Fault::NoUsage);
        let arrival = record.arrival();
        let form = Form::new(
            endpoint,
            ask.stream,
            (number, self.books.unix(arrival).as_secs()),
            ask.model.unwrap_or(&self.model),
            ask.choices,
            (tokens, cut),
        );
        if ask.stream {
            let usage = (ask.usage && told).then_some(usage);
            let sleep = self.timer.sleep_until(arrival);
            let stream = Stream::new(form, self.schedule, usage, record, fault, sleep);
            let stream = Answer::Stream(Box::new(stream));
            let mut response = response(StatusCode::OK, EVENTS, stream);
            let no_cache = HeaderValue::from_static("no-cache");
            response.headers_mut().insert(CACHE_CONTROL, no_cache);
            return response;
        }
        let whole = self.schedule.deadline(form.steps() - 1);
        match arrival.checked_add(whole) {
            Some(deadline) => self.timer.sleep_until(deadline).await,
            None => pending().await, // after the end of time
        }
        let mut json = form.whole(told.then_some(usage));
        if fault == Some(Fault::Garbage) {
            json.truncate(json.len() / 2);
        }
        let json = Whole::recorded(json.into(), record, tokens, fault);
        response(StatusCode::OK, JSON, Answer::Whole(json))
    }

    /// The fault for a request: what its header says, else what all requests get.
    fn fault(&self, headers: &HeaderMap) -> Result<Option<Fault>, String> {
        match headers.get(&FAULT).map(HeaderValue::as_bytes) {
            None => Ok(self.fault),
            Some(b"none") => Ok(None),
            Some(name) => String::from_utf8_lossy(name).parse().map(Some),
        }
    }
}

/// A status and a reason, for a request that cannot be answered.
type Refusal = (StatusCode, String);

/// The whole body of a request, in one piece without a copy where it came in one.
async fn read(body: &mut Incoming) -> Result<Bytes, Refusal> {
    let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
    let mut size = 0;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|err| {
            let reason = format!("cannot read the body: {err}");
            (StatusCode::BAD_REQUEST, reason)
        })?;
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
            Err((StatusCode::PAYLOAD_TOO_LARGE, reason))
        }
        _ if joined.is_empty() => Ok(first),
        _ => Ok(joined.freeze()),
    }
}

fn response(status: StatusCode, kind: HeaderValue, answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn not_allowed(allowed: &'static str) -> Response<Answer> {
    let reason = format!("the method must be one of: {allowed}");
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, &reason);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// An error of the client's, unrecorded.
fn error(status: StatusCode, reason: &str) -> Response<Answer> {
    let json = error_json(status, reason);
    response(status, JSON, Answer::Whole(Whole::new(json)))
}

/// The error that was ordered.
fn failure(status: StatusCode, record: Record) -> Response<Answer> {
    let json = error_json(status, "this request was asked to fail");
    let whole = Whole::recorded(json, record, 0, None);
    let mut response = response(status, JSON, Answer::Whole(whole));
    if status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An error in OpenAI's shape.
fn error_json(status: StatusCode, reason: &str) -> Bytes {
    let kind = if status.is_server_error() {
        "server_error"
    } else {
        "invalid_request_error"
    };
    let code = status.as_u16();
    let reason = quoted(reason);
    format!(
        "{{\"error\":{{\"message\":{reason},\"type\":\"{kind}\",\"param\":null,\"code\":{code}}}}}"
    )
    .into()
}

fn models(names: &[String], created: u64) -> Bytes {
    let model = |name: &String| {
        format!(
            "{{\"id\":{name},\"object\":\"model\",\"created\":{created},\"owned_by\":\"trace-mock\"}}"
        )
    };
    let models: Vec<_> = names.iter().map(model).collect();
    format!("{{\"object\":\"list\",\"data\":[{}]}}", models.join(",")).into()
}

/// `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(&mut json, text);
    String::from_utf8(json).expect("a JSON string is text")
}

/// A header as a JSON string; `None` also where it is not UTF-8.
fn quoted_header(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?;
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(&mut json, text);
    Some(json)
}
