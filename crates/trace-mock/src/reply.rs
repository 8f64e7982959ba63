//! Responses: heads around bodies, and refusals.

use bytes::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use trace_core::push_string;

use crate::answer::{Answer, Whole};
use crate::api::{Family, error_about};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub(crate) const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// A status and a reason, for a request that cannot be answered.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    /// The parameter that is wrong, if it is one.
    param: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Refusal {
        let reason = reason.into();
        Refusal {
            status,
            reason,
            param: None,
        }
    }

    /// The same for what is wrong with a parameter.
    pub(crate) fn about(self, param: &'static str) -> Refusal {
        Refusal {
            param: Some(param),
            ..self
        }
    }

    /// The client's fault.
    pub(crate) fn bad(reason: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, reason)
    }

    /// As a response in the shape of `family`.
    pub(crate) fn respond(&self, family: Family) -> Response<Answer> {
        let json = error_about(family, self.status.as_u16(), &self.reason, self.param);
        let mut response = whole(self.status, JSON, json.into());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            retry_after(&mut response, 1);
        }
        response
    }
}

/// A body under a head.
pub(crate) fn response(status: StatusCode, kind: HeaderValue, answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Something of known length that is not recorded.
pub(crate) fn whole(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Answer> {
    response(status, kind, Answer::Whole(Whole::new(body)))
}

/// A method that is not for this path.
pub(crate) fn not_allowed(family: Family, allowed: &'static str) -> Response<Answer> {
    let reason = format!("the method must be one of: {allowed}");
    let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason).respond(family);
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// Say when to come again.
pub(crate) fn retry_after(response: &mut Response<Answer>, seconds: u32) {
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(&mut json, text);
    String::from_utf8(json).expect("a JSON string is text")
}

/// A header as a JSON string; `None` also where it is not UTF-8.
pub(crate) fn quoted_header(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    quoted_bytes(headers.get(name)?.as_bytes())
}

/// The value of a header as a JSON string; `None` where it is not UTF-8.
pub(crate) fn quoted_bytes(value: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(value).ok()?;
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(&mut json, text);
    Some(json)
}
