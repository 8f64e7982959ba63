//! Heads of messages: bytes → what the proxy must know of them, and the bytes that go on.

use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::framing::Body;

/// The longest head, and the most fields of one.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_FIELDS: usize = 128;

/// Fields that are about one connection, and not passed on, or written anew. Nor is the wish for
/// compression: what is compressed could not be looked at.
const OURS: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    ACCEPT_ENCODING,
];

/// The head of a request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Whether the client waits for leave to send the body.
    pub(super) expects: bool,
    /// Whether the connection ends with the answer.
    pub(super) closes: bool,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    /// The media type, if it says.
    pub(super) media: String,
    pub(super) body: Body,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// The head of a request at the beginning of `bytes` and its length, if all of it is there.
///
/// # Errors
/// It is none.
pub(super) fn request(bytes: &[u8]) -> Result<Option<(Asked, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes).map_err(|err| err.to_string())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return unfinished(bytes),
    };
    let headers = headers(head.headers)?;
    let old = head.version == Some(0);
    let asked = Asked {
        method: head.method.unwrap_or_default().to_owned(),
        path: head.path.unwrap_or_default().to_owned(),
        // Without a word of its length a request has no body.
        body: body(&headers)?.unwrap_or(Body::Length(0)),
        expects: says(&headers, &EXPECT, "100-continue"),
        closes: says(&headers, &CONNECTION, "close")
            || old && !says(&headers, &CONNECTION, "keep-alive"),
        headers,
    };
    Ok(Some((asked, length)))
}

/// The head of an answer at the beginning of `bytes` and its length, if all of it is there.
/// `bare`, if the request was of a kind whose answers have no body.
///
/// # Errors
/// It is none.
pub(super) fn answer(bytes: &[u8], bare: bool) -> Result<Option<(Told, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let length = match head.parse(bytes).map_err(|err| err.to_string())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return unfinished(bytes),
    };
    let headers = headers(head.headers)?;
    let status = head.code.unwrap_or_default();
    let old = head.version == Some(0);
    let body = match body(&headers)? {
        _ if bare || matches!(status, 100..=199 | 204 | 304) => Body::Length(0),
        body => body.unwrap_or(Body::Rest),
    };
    let media = headers.get(hyper::header::CONTENT_TYPE);
    let told = Told {
        status,
        media: media.map_or("", text).to_owned(),
        body,
        closes: body == Body::Rest
            || says(&headers, &CONNECTION, "close")
            || old && !says(&headers, &CONNECTION, "keep-alive"),
    };
    Ok(Some((told, length)))
}

fn unfinished<T>(bytes: &[u8]) -> Result<Option<T>, String> {
    if bytes.len() > MAX_HEAD_BYTES {
        return Err(format!("the head has more than {MAX_HEAD_BYTES} bytes"));
    }
    Ok(None)
}

fn headers(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|err| err.to_string())?;
        let value = HeaderValue::from_bytes(field.value).map_err(|err| err.to_string())?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The body that `headers` announce, if they do.
fn body(headers: &HeaderMap) -> Result<Option<Body>, String> {
    if says(headers, &TRANSFER_ENCODING, "chunked") {
        return Ok(Some(Body::CHUNKED));
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter().map(|value| {
        let length = text(value).trim();
        let digits = length.bytes().all(|byte| byte.is_ascii_digit());
        let number = length.parse().ok().filter(|_| digits);
        number.ok_or_else(|| format!("{length:?} is no content-length"))
    });
    let Some(first) = lengths.next().transpose()? else {
        return Ok(None);
    };
    for other in lengths {
        if other? != first {
            return Err("there are two content-lengths".into());
        }
    }
    Ok(Some(Body::Length(first)))
}

/// Whether a field that is a list has `word`.
fn says(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| text(value).split(','))
        .any(|said| said.trim().eq_ignore_ascii_case(word))
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

impl Asked {
    /// The request as the server at `authority` gets it, with `body`, its paths behind `prefix`.
    pub(super) fn onward(&self, prefix: &str, authority: &HeaderValue, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len() + 1_024);
        for part in [&self.method, " ", prefix, &self.path, " HTTP/1.1\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        push(&mut out, "host", authority.as_bytes());
        push(&mut out, "accept-encoding", b"identity");
        if self.closes {
            push(&mut out, "connection", b"close");
        }
        if self.body != Body::Length(0) || self.method != "GET" {
            let length = body.len();
            push(&mut out, "content-length", length.to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            // What `connection` names is about the connection too.
            if !OURS.contains(name) && !says(&self.headers, &CONNECTION, name.as_str()) {
                push(&mut out, name.as_str(), value.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        out
    }
}

fn push(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "POST /v1/completions?x=1 HTTP/1.1\r\nHost: proxy\r\nAccept-Encoding: gzip\r\n\
        Connection: keep-alive, x-mine\r\nX-Mine: 1\r\nAuthorization: Bearer k\r\nExpect: 100-continue\r\n\
        Transfer-Encoding: chunked\r\n\r\n5\r\n";

    #[test]
    fn a_request_goes_on_without_what_was_for_the_proxy() {
        let (asked, length) = request(ASK.as_bytes()).unwrap().unwrap();
        assert_eq!(&ASK[length..], "5\r\n");
        assert!(asked.expects && !asked.closes && asked.body == Body::CHUNKED);
        let bytes = asked.onward("/gateway", &HeaderValue::from_static("h:1"), b"hello");
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "POST /gateway/v1/completions?x=1 HTTP/1.1\r\nhost: h:1\r\naccept-encoding: identity\r\n\
             content-length: 5\r\nauthorization: Bearer k\r\n\r\nhello"
        );
    }

    #[test]
    fn a_head_may_come_in_pieces() {
        let head = ASK.len() - 3;
        for length in 0..head {
            assert!(request(&ASK.as_bytes()[..length]).unwrap().is_none());
        }
        assert!(request(&[b'A'; MAX_HEAD_BYTES + 1]).is_err());
        assert!(request(b"\x89PNG\r\n\x1a\n").is_err());
    }

    #[test]
    fn who_closes_says_so() {
        let closes = |head: &str| request(head.as_bytes()).unwrap().unwrap().0.closes;
        assert!(closes("GET / HTTP/1.0\r\n\r\n"));
        assert!(!closes("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"));
        assert!(closes("GET / HTTP/1.1\r\nconnection: Close\r\n\r\n"));
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let told = |head: &str, bare| answer(head.as_bytes(), bare).unwrap().unwrap().0;
        let of = |head: &str| (told(head, false).body, told(head, false).closes);
        let ok = "HTTP/1.1 200 OK\r\n";
        assert_eq!(
            of(&format!("{ok}content-length: 7\r\n\r\n")),
            (Body::Length(7), false)
        );
        let chunked = format!("{ok}transfer-encoding: chunked\r\nconnection: close\r\n\r\n");
        assert_eq!(of(&chunked), (Body::CHUNKED, true));
        assert_eq!(of(&format!("{ok}\r\n")), (Body::Rest, true));
        assert_eq!(
            of("HTTP/1.1 204 No Content\r\n\r\n"),
            (Body::Length(0), false)
        );
        let bare = told(&format!("{ok}content-length: 7\r\n\r\n"), true);
        assert_eq!(bare.body, Body::Length(0));
        for wrong in [
            "content-length: x",
            "content-length: +1",
            "content-length: 1\r\ncontent-length: 2",
        ] {
            assert!(
                answer(format!("{ok}{wrong}\r\n\r\n").as_bytes(), false).is_err(),
                "{wrong}"
            );
        }
    }
}
