//! The head of a response.

use super::{Malformed, RetryAfter, State};
use std::time::Duration;

/// The most header fields a head may have.
const MAX_FIELDS: usize = 100;

/// What the head of a response says, as far as anyone here asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code, 200 to 999; interim responses are skipped.
    pub status: u16,
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
    /// For how long, if that is told.
    pub keep_for: Option<Duration>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// When to try again, if that is told.
    pub retry_after: Option<RetryAfter>,
    /// How the body is packed, if it is.
    pub encoding: Option<String>,
}

impl Head {
    /// Take over the field `name` with `value`, if anyone asks for it.
    pub(crate) fn field(&mut self, name: &str, value: &[u8]) {
        let value = value.trim_ascii();
        let text = || String::from_utf8_lossy(value).into_owned();
        if name.eq_ignore_ascii_case("content-type") {
            let media = value.split(|&b| b == b';').next().unwrap_or_default();
            let media = String::from_utf8_lossy(media.trim_ascii());
            self.content_type = media.to_ascii_lowercase();
        } else if name.eq_ignore_ascii_case("location") {
            self.location = Some(text());
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.encoding = Some(text()).filter(|how| !how.eq_ignore_ascii_case("identity"));
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after = RetryAfter::parse(&text());
        } else if name.eq_ignore_ascii_case("keep-alive") {
            let text = text().to_ascii_lowercase();
            let mut parts = text.split(',').map(str::trim);
            let seconds = parts.find_map(|part| part.strip_prefix("timeout="));
            let seconds = seconds.and_then(|seconds| seconds.parse().ok());
            self.keep_for = seconds.map(Duration::from_secs);
        }
    }
}

/// What a head tells, and what its body begins with; neither of an interim
/// response.
type Told = Option<(Head, State)>;

/// The head that `bytes` begin with and its length; nothing while it is not
/// whole.
///
/// # Errors
/// [`Malformed::Head`].
pub(super) fn read(bytes: &[u8]) -> Result<Option<(usize, Told)>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::Version) => {
            return Err(Malformed::Head(
                "it speaks another protocol than HTTP/1 (if TLS, use https://)",
            ));
        }
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Malformed::Head("too many header fields"));
        }
        Err(_) => return Err(Malformed::Head("its head cannot be read")),
    };
    let status = response.code.unwrap_or_default();
    if (100..200).contains(&status) && status != 101 {
        return Ok(Some((length, None)));
    }
    let mut head = Head {
        status,
        keep_alive: response.version == Some(1),
        ..Head::default()
    };
    let mut body = State::ToEnd;
    for field in response.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        let value = field.value.trim_ascii();
        if is("content-length") && body != State::ChunkSize {
            let length = State::Length(content_length(value)?);
            if matches!(body, State::Length(_)) && body != length {
                return Err(Malformed::Head("it has two lengths"));
            }
            body = length;
        } else if is("transfer-encoding") {
            let chunked =
                value.len() >= 7 && value[value.len() - 7..].eq_ignore_ascii_case(b"chunked");
            body = if chunked {
                State::ChunkSize
            } else {
                State::ToEnd
            };
        } else if is("connection") {
            let has = |token: &[u8]| {
                value
                    .split(|&b| b == b',')
                    .any(|t| t.trim_ascii().eq_ignore_ascii_case(token))
            };
            head.keep_alive = !has(b"close") && (head.keep_alive || has(b"keep-alive"));
        } else {
            head.field(field.name, value);
        }
    }
    let body = match body {
        _ if status == 204 || status == 304 => State::Done,
        State::Length(0) => State::Done,
        body => body,
    };
    if body == State::ToEnd {
        head.keep_alive = false;
    }
    Ok(Some((length, Some((head, body)))))
}

fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    text.and_then(|text| text.parse().ok())
        .ok_or(Malformed::Head("its content-length is not a number"))
}
