//! A recording proxy: requests go on to a server, and are written down with what happened.
//!
//! The body of a request is read whole and sent on at once; its prompt is counted on another
//! thread meanwhile. Bytes of an answer pass as they come, each piece looked at on its way for the
//! times of tokens and the server's own counts, which takes some microseconds.

mod observe;
mod passage;
mod upstream;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use trace_core::{ErrorKind, Outcome};

use crate::answer::Answer;
use crate::api::{Api, Family};
use crate::count::Order;
use crate::record::Said;
use crate::reply::{Refusal, quoted_header};
use crate::service::{REQUEST, Service};

pub(crate) use passage::Passing;
pub(crate) use upstream::Upstream;

use observe::{Kind, Observer};
use passage::Passage;
use upstream::Unanswered;

/// Headers that are about one connection, and not passed on. Nor is the wish for compression:
/// what is compressed could not be looked at.
const HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    CONTENT_LENGTH,
];

impl Service {
    /// Pass a request on to `upstream`, and its answer back.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        head: Parts,
        arrival: Instant,
        body: Bytes,
    ) -> Response<Answer> {
        let api = Api::at(head.uri.path()).filter(|_| head.method == Method::POST);
        let family = api.map_or(Family::OpenAi, Api::family);
        let names = [&self.session_header, &REQUEST].map(|name| quoted_header(&head.headers, name));
        let counting = api.map(|api| (api, body.clone()));
        let request = match request(upstream, head, body) {
            Ok(request) => request,
            Err(err) => return Refusal::bad(err.to_string()).respond(family),
        };
        let sending = upstream.send(request);
        let mut passage = counting.map(|(api, body)| self.begin(api, arrival, names, body));
        match sending.await {
            Ok((response, connection)) => {
                let (mut head, body) = response.into_parts();
                if let Some(passage) = &mut passage {
                    let media = head.headers.get(CONTENT_TYPE);
                    let media = media.and_then(|media| media.to_str().ok());
                    passage.head(head.status.as_u16(), media.unwrap_or_default());
                }
                clean(&mut head.headers);
                let passing = Passing::new(body, passage, Arc::clone(upstream), connection);
                Response::from_parts(head, Answer::Passing(Box::new(passing)))
            }
            Err(unanswered) => {
                let (kind, reason) = match unanswered {
                    Unanswered::Connect(err) => (ErrorKind::Connect, trace_core::in_words(&err)),
                    Unanswered::Closed(err) => (ErrorKind::Stream, err.to_string()),
                };
                let reason = format!("no answer from the server: {reason}");
                if let Some(passage) = &mut passage {
                    passage.ended = Some(Instant::now());
                    passage.fail(kind, reason.clone());
                }
                Refusal::new(StatusCode::BAD_GATEWAY, reason).respond(family)
            }
        }
    }

    /// Begin the record of a request, and let its prompt be counted.
    fn begin(
        self: &Arc<Self>,
        api: Api,
        arrival: Instant,
        [session, request]: [Option<Vec<u8>>; 2],
        body: Bytes,
    ) -> Passage {
        let counter = Arc::clone(&self.counter);
        Passage {
            service: Arc::clone(self),
            seq: self.books.count(arrival),
            arrival,
            sent: Instant::now(),
            session,
            request,
            status: None,
            observer: Observer::new(Kind::Other),
            ended: None,
            failure: None,
            counted: Some(tokio::task::spawn_blocking(move || {
                counter.order(api, &body)
            })),
        }
    }

    /// Write the line of a request that has passed.
    fn write(
        &self,
        arrival: Instant,
        order: &Order,
        [session, request]: [Option<&[u8]>; 2],
        outcome: &Outcome,
        complete: bool,
    ) {
        let found = session.is_none().then(|| self.session(order)).flatten();
        let said = Said {
            input_length: order.input_tokens,
            // What it gave is what to ask for again.
            output_length: outcome
                .output_tokens
                .filter(|_| complete)
                .map(|tokens| tokens / order.choices.max(1))
                .or(order.ask.limit),
            hash_ids: if self.hash_ids { &order.hash_ids } else { &[] },
            session_id: session.or(found.as_deref()),
            model: order.ask.model.as_deref(),
            request_id: request,
            text: &order.text,
        };
        self.books.write(arrival, &said, outcome);
    }
}

fn clean(headers: &mut HeaderMap) {
    // What `connection` names is about the connection too.
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// The request as the server gets it.
fn request(
    upstream: &Upstream,
    mut head: Parts,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let place = upstream.place(path)?;
    clean(&mut head.headers);
    head.headers.remove(ACCEPT_ENCODING);
    head.headers.insert(HOST, upstream.authority.clone());
    head.headers
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = head.method;
    *request.uri_mut() = place;
    *request.headers_mut() = head.headers;
    Ok(request)
}
