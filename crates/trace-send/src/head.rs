//! The head of every request: method, path and header fields.
//!
//! All of it but the request's id and the length of its body is the same for
//! a whole run, so it is put together once.

use crate::secret::{Secrets, is_secret};
use crate::target::Target;
use ::http::{HeaderName, HeaderValue};
use std::ops::Range;

/// Writes heads.
#[derive(Clone)]
pub(crate) struct Heads {
    /// Up to the part of the request id that differs.
    start: Vec<u8>,
    /// Where in it the fields are that any request has.
    fields: Range<usize>,
    secrets: Secrets,
}

/// Fields that a run sets itself, since the answer could not be understood or
/// found again otherwise.
const OURS: [&str; 6] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "x-request-id",
    "accept-encoding",
    "expect",
];

impl Heads {
    /// Heads of requests to `target` with the header `fields`, each `NAME:
    /// VALUE`; those win over the usual ones. `key` is sent as the endpoint wants it.
    /// `x-request-id` is `run`, a dash and the request's number. `close` asks
    /// for the connection to end with the answer.
    ///
    /// # Errors
    /// A field that is none, or that would break the run. The value is never
    /// repeated: it may be a secret.
    pub(crate) fn new(
        target: &Target,
        fields: &[String],
        key: Option<&str>,
        run: &str,
        close: bool,
    ) -> Result<Self, String> {
        let mut usual = vec![
            ("host", target.authority.clone()),
            (
                "user-agent",
                concat!("trace-send/", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            (
                "accept",
                "text/event-stream, application/json, application/x-ndjson".to_owned(),
            ),
            ("content-type", "application/json".to_owned()),
        ];
        if close {
            usual.push(("connection", "close".to_owned()));
        }
        let mut own = Vec::new();
        let mut secrets = Secrets::default();
        if let Some(key) = key {
            HeaderValue::from_str(key)
                .map_err(|_| "the API key has characters that no header can carry".to_owned())?;
            secrets.keep(key);
            usual.push(target.endpoint.dialect().key(key));
        }
        for &(name, value) in target.endpoint.dialect().fields() {
            usual.push((name, value.to_owned()));
        }
        for field in fields {
            let (name, value) = field
                .split_once(':')
                .ok_or("--header: expected 'NAME: VALUE'")?;
            let name: HeaderName = name
                .trim()
                .parse()
                .map_err(|_| format!("--header {name}: not a header name"))?;
            if OURS.contains(&name.as_str()) {
                return Err(format!("--header {name}: trace-send sets it itself"));
            }
            let value = value.trim();
            HeaderValue::from_str(value).map_err(|_| {
                format!("--header {name}: the value has characters that no header can carry")
            })?;
            if is_secret(name.as_str()) {
                secrets.keep(value);
            }
            usual.retain(|(known, _)| *known != name.as_str());
            own.push((name.as_str().to_owned(), value.to_owned()));
        }
        HeaderValue::from_str(run)
            .map_err(|_| format!("--run-id {run}: it has characters that no header can carry"))?;
        let mut start = format!("POST {} HTTP/1.1\r\n", target.path);
        let line = start.len();
        let usual = usual.iter().map(|(name, value)| (*name, value));
        let own = own.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in usual.chain(own) {
            start.extend([name, ": ", value, "\r\n"]);
        }
        let fields = line..start.len();
        start.extend(["x-request-id: ", run, "-"]);
        Ok(Self {
            start: start.into_bytes(),
            fields,
            secrets,
        })
    }

    /// What in them must not be repeated.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The fields that any request has, each line with its end.
    pub(crate) fn fields(&self) -> &[u8] {
        &self.start[self.fields.clone()]
    }

    /// The bytes of the request with number `seq` and body `body`.
    pub(crate) fn request(&self, seq: u64, body: &[u8]) -> Vec<u8> {
        const LENGTH: &[u8] = b"\r\ncontent-length: ";
        let mut bytes =
            Vec::with_capacity(self.start.len() + LENGTH.len() + 2 * 20 + 4 + body.len());
        bytes.extend_from_slice(&self.start);
        bytes.extend_from_slice(itoa::Buffer::new().format(seq).as_bytes());
        bytes.extend_from_slice(LENGTH);
        bytes.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(fields: &[&str], key: Option<&str>) -> Result<String, String> {
        let target = Target::parse("http://h:81/v1/completions", None)?;
        let fields: Vec<_> = fields.iter().map(|&field| field.to_owned()).collect();
        let heads = Heads::new(&target, &fields, key, "run", false)?;
        Ok(String::from_utf8(heads.request(7, b"{}")).unwrap())
    }

    #[test]
    fn a_request_is_one_piece() {
        let request = heads(&[], Some("sk-1")).unwrap();
        assert!(
            request.starts_with("POST /v1/completions HTTP/1.1\r\nhost: h:81\r\n"),
            "{request}"
        );
        assert!(
            request.ends_with(
                "authorization: Bearer sk-1\r\nx-request-id: run-7\r\ncontent-length: 2\r\n\r\n{}"
            ),
            "{request}"
        );
    }

    #[test]
    fn own_fields_win_and_may_repeat() {
        let request = heads(&["Authorization: Token x", "X-A:1", "x-a: 2"], Some("sk-1")).unwrap();
        assert!(!request.contains("sk-1"), "{request}");
        assert!(
            request.contains("authorization: Token x\r\nx-a: 1\r\nx-a: 2\r\n"),
            "{request}"
        );
    }

    #[test]
    fn a_field_that_would_break_the_run_is_refused_without_its_value() {
        for field in [
            "secret",
            "a b: secret",
            "x: sec\nret",
            "Content-Length: secret",
        ] {
            let error = heads(&[field], None).unwrap_err();
            assert!(
                !error.contains("secret") && error.contains("header"),
                "{error}"
            );
        }
        assert!(heads(&[], Some("sec\nret")).is_err());
    }
}
