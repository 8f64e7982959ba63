//! Pages in browsers that may ask: cross-origin resource sharing.
//!
//! A browser lets a page of one origin read what a server at another answered only if that says so,
//! and asks before it sends JSON or a key.

use std::str::FromStr;

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Response, StatusCode};

use crate::answer::Answer;
use crate::reply::{TEXT, whole};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
/// What may be sent where a browser does not say what it will.
const FIELDS: HeaderValue = HeaderValue::from_static("authorization, content-type, x-api-key");
/// Seconds for which a browser need not ask again, as with vLLM.
const AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins of pages that may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// These, such as `https://chat.example.com`.
    Of(Vec<String>),
}

impl Origins {
    /// What is said to a page of `origin`, if it may ask.
    pub(crate) fn allow(&self, origin: &[u8]) -> Option<HeaderValue> {
        match self {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Of(origins) => {
                let known = origins.iter().any(|known| known.as_bytes() == origin);
                HeaderValue::from_bytes(origin).ok().filter(|_| known)
            }
        }
    }

    /// Tell a browser that its page, of this origin, may read `response`, if it may.
    pub(crate) fn share(&self, origin: &HeaderValue, response: &mut Response<Answer>) {
        let Some(allowed) = self.allow(origin.as_bytes()) else {
            return;
        };
        let headers = response.headers_mut();
        if *self != Origins::Any {
            headers.insert(VARY, HeaderValue::from_static("origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }

    /// The answer to a browser that asks whether its page may; `None` if the request is no such
    /// question.
    pub(crate) fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<Response<Answer>> {
        let asks = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = headers.get(ORIGIN).filter(|_| asks)?;
        if method != Method::OPTIONS {
            return None;
        }
        if self.allow(origin.as_bytes()).is_none() {
            let no = "pages of this origin may not ask\n".into();
            return Some(whole(StatusCode::BAD_REQUEST, TEXT, no));
        }
        let mut response = whole(StatusCode::OK, TEXT, "OK".into());
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let fields = wanted.cloned().unwrap_or(FIELDS);
        let told = response.headers_mut();
        told.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        told.insert(ACCESS_CONTROL_ALLOW_HEADERS, fields);
        told.insert(ACCESS_CONTROL_MAX_AGE, AGE);
        Some(response)
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Origins, String> {
        let origins: Vec<String> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|err| format!("no array of origins: {err}"))?
        } else {
            text.split(',')
                .map(|origin| origin.trim().to_owned())
                .collect()
        };
        if origins.iter().any(|origin| origin == "*") {
            return Ok(Origins::Any);
        }
        if origins == ["none"] {
            return Ok(Origins::Of(Vec::new()));
        }
        match origins.iter().find(|origin| !is_origin(origin)) {
            Some(wrong) => Err(format!(
                "{wrong:?} is no origin, such as https://chat.example.com"
            )),
            None => Ok(Origins::Of(origins)),
        }
    }
}

/// Whether it is a scheme and a host, as browsers say it: without a path.
fn is_origin(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_said_with_commas_or_as_json() {
        let parse = str::parse::<Origins>;
        assert_eq!(parse("*"), Ok(Origins::Any));
        assert_eq!(parse("[\"*\"]"), Ok(Origins::Any));
        assert_eq!(parse("none"), Ok(Origins::Of(Vec::new())));
        let two = Origins::Of(vec!["http://a:1".into(), "https://b".into()]);
        assert_eq!(parse("http://a:1, https://b"), Ok(two.clone()));
        assert_eq!(parse(r#"["http://a:1","https://b"]"#), Ok(two));
        for wrong in ["", "a", "http://a/path", "[1]", "://x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_known_pages_may_ask() {
        let origins: Origins = "http://a".parse().unwrap();
        assert_eq!(origins.allow(b"http://a").unwrap(), "http://a");
        assert_eq!(origins.allow(b"http://b"), None);
        assert_eq!(Origins::Any.allow(b"null").unwrap(), "*");
    }
}
