//! The head of every request: method, path and header fields.
//!
//! All of it but the request's id and the length of its body is the same for
//! a whole run, so it is put together once.

mod fields;

use crate::secret::Secrets;
use crate::target::Target;
use ::http::{HeaderName, HeaderValue};
use fields::Fields;
use std::ops::Range;
use trace_core::SessionId;

/// Writes heads.
#[derive(Clone)]
pub(crate) struct Heads {
    /// Up to the part of the request id that differs.
    start: Vec<u8>,
    /// Where in it the fields are that any request has.
    fields: Range<usize>,
    secrets: Secrets,
    /// The field that tells the session.
    session: Option<HeaderName>,
}

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
        let mut known = Fields::new(target, key, close)?;
        for field in fields {
            known.add(field)?;
        }
        HeaderValue::from_str(run)
            .map_err(|_| format!("--run-id {run}: it has characters that no header can carry"))?;
        let mut start = format!("POST {} HTTP/1.1\r\n", target.path);
        let line = start.len();
        for (name, value) in &known.all {
            start.extend([name, ": ", value, "\r\n"]);
        }
        let fields = line..start.len();
        start.extend(["x-request-id: ", run, "-"]);
        Ok(Self {
            start: start.into_bytes(),
            fields,
            secrets: known.secrets,
            session: None,
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

    /// Tell the session of a request in the field `name`.
    ///
    /// # Errors
    /// A name that is none.
    pub(crate) fn name_sessions(mut self, name: &str) -> Result<Self, String> {
        if !name.is_empty() {
            let name: HeaderName = name
                .parse()
                .map_err(|_| format!("--session-header {name}: not a header name"))?;
            self.session = Some(name);
        }
        Ok(self)
    }

    /// The bytes of the request with number `seq` of `session` and body `body`.
    pub(crate) fn request(&self, seq: u64, session: Option<&SessionId>, body: &[u8]) -> Vec<u8> {
        const LENGTH: &[u8] = b"\r\ncontent-length: ";
        let mut bytes =
            Vec::with_capacity(self.start.len() + LENGTH.len() + 2 * 20 + 4 + body.len());
        bytes.extend_from_slice(&self.start);
        bytes.extend_from_slice(itoa::Buffer::new().format(seq).as_bytes());
        if let (Some(name), Some(session)) = (&self.session, session) {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            push_visible(&mut bytes, &session.to_string());
        }
        bytes.extend_from_slice(LENGTH);
        bytes.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        bytes
    }
}

/// Append `text` as a header field can carry it: what it cannot is written as
/// in a URL.
fn push_visible(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        if (b'!'..=b'~').contains(&byte) && byte != b'%' {
            out.push(byte);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |nibble: u8| DIGITS[usize::from(nibble)];
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(fields: &[&str], key: Option<&str>) -> Result<String, String> {
        let target = Target::parse("http://h:81/v1/completions", None)?;
        let fields: Vec<_> = fields.iter().map(|&field| field.to_owned()).collect();
        let heads = Heads::new(&target, &fields, key, "run", false)?;
        Ok(String::from_utf8(heads.request(7, None, b"{}")).unwrap())
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
    fn a_session_has_its_field() {
        let target = Target::parse("http://h", None).unwrap();
        let heads = Heads::new(&target, &[], None, "run", false).unwrap();
        let heads = heads.name_sessions("X-Session-Id").unwrap();
        let session = SessionId::Text("a b\r\nx: y%".to_owned());
        let request = heads.request(7, Some(&session), b"{}");
        let request = String::from_utf8(request).unwrap();
        let field = "\r\nx-session-id: a%20b%0D%0Ax:%20y%25\r\n";
        assert!(request.contains(field), "{request}");
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
