//! Heads of messages: bytes → what the proxy must know of them, and the bytes that go on.
//!
//! One look at each field: a request waits for nothing else before it goes on.

use std::mem::MaybeUninit;

use bytes::BytesMut;
use trace_core::answer;

use super::fields::{Framing, text, value};
use super::framing::Body;
use crate::api::Api;

/// The longest head, and the most fields of one.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_FIELDS: usize = 128;

/// Room that is made for a body at once, whatever it says of its length.
const ROOM_BYTES: u64 = 1 << 20;

/// Fields that are about one connection, and not passed on, or written anew. Nor is the wish for
/// compression: what is compressed could not be looked at.
const OURS: [&str; 11] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "transfer-encoding",
    "expect",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
];

/// Where requests go on to, as their heads have it.
#[derive(Debug)]
pub(super) struct Way {
    /// The `host`.
    pub(super) authority: String,
    /// What stands before their paths, without a slash at the end.
    pub(super) prefix: String,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct Asked {
    /// Bytes of it.
    pub(super) length: usize,
    /// The head that goes on.
    pub(super) onward: BytesMut,
    /// The endpoint, if it is one that answers.
    pub(super) api: Option<Api>,
    /// Whether its answer has no body.
    pub(super) bare: bool,
    pub(super) body: Body,
    /// The API key that it has.
    pub(super) key: Option<Vec<u8>>,
    /// The origin of the page in a browser that asks.
    pub(super) origin: Option<Vec<u8>>,
    /// Whether it only wants to know what it may, for which nobody has a key.
    pub(super) inquires: bool,
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
    /// How the body is packed, if it is.
    pub(super) encoding: Option<String>,
    pub(super) body: Body,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

impl Told {
    /// As far as it tells how to read the body.
    pub(super) fn head(&self) -> answer::Head<'_> {
        answer::Head {
            status: self.status,
            media: &self.media,
            encoding: self.encoding.as_deref(),
            // Whoever asked may follow it.
            location: None,
        }
    }
}

/// The head of a request at the beginning of `bytes`, if all of it is there, to go on by `way`.
///
/// # Errors
/// It is none.
pub(super) fn request(bytes: &[u8], way: &Way) -> Result<Option<Asked>, String> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut []);
    let parsed = head.parse_with_uninit_headers(bytes, &mut fields);
    let length = match parsed.map_err(|err| err.to_string())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return unfinished(bytes),
    };
    let framing = Framing::of(head.headers)?;
    let (method, path) = (head.method.unwrap_or_default(), head.path.unwrap_or("/"));
    let old = head.version == Some(0);
    let closes = framing.closes(old);
    // Without a word of its length a request has no body.
    let body = framing.body.unwrap_or(Body::Length(0));

    // With room for the body, unless that is a long one.
    let room = match body {
        Body::Length(length) => length.min(ROOM_BYTES) as usize,
        _ => 0,
    };
    let own = way.prefix.len() + way.authority.len() + 128;
    let mut onward = BytesMut::with_capacity(length + own + room);
    let version = if old {
        " HTTP/1.0\r\n"
    } else {
        " HTTP/1.1\r\n"
    };
    for part in [method, " ", &way.prefix, path, version] {
        onward.extend_from_slice(part.as_bytes());
    }
    push(&mut onward, "host", way.authority.as_bytes());
    push(&mut onward, "accept-encoding", b"identity");
    match (closes, old) {
        (true, _) => push(&mut onward, "connection", b"close"),
        (false, true) => push(&mut onward, "connection", b"keep-alive"),
        (false, false) => {}
    }
    match body {
        Body::Length(0) if method == "GET" || method == "HEAD" => {}
        Body::Length(length) => {
            let mut digits = itoa::Buffer::new();
            push(
                &mut onward,
                "content-length",
                digits.format(length).as_bytes(),
            );
        }
        _ => push(&mut onward, "transfer-encoding", b"chunked"),
    }
    let (mut key, mut origin) = (None, None);
    for field in head.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        // What `connection` names is about the connection too.
        if OURS.iter().any(|name| is(name)) || framing.names(field.name) {
            continue;
        }
        if is("authorization") {
            key = field.value.strip_prefix(b"Bearer ").or(key);
        } else if is("x-api-key") {
            key = key.or(Some(field.value));
        } else if is("origin") {
            origin = Some(field.value.to_vec());
        }
        push(&mut onward, field.name, field.value);
    }
    onward.extend_from_slice(b"\r\n");
    let endpoint = path.split('?').next().unwrap_or_default();
    Ok(Some(Asked {
        length,
        onward,
        api: Api::behind(endpoint).filter(|_| method == "POST"),
        bare: method == "HEAD",
        body,
        key: key.map(<[u8]>::to_vec),
        origin,
        inquires: method == "OPTIONS",
        // HTTP/1.0 does not know what it would be told: RFC 9110, 10.1.1.
        expects: framing.expects && !old,
        closes,
    }))
}

/// The head of an answer at the beginning of `bytes` and its length, if all of it is there.
/// `bare`, if the request was of a kind whose answers have no body.
///
/// # Errors
/// It is none.
pub(super) fn answer(bytes: &[u8], bare: bool) -> Result<Option<(Told, usize)>, String> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut head,
        bytes,
        &mut fields,
    );
    let length = match parsed.map_err(|err| err.to_string())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return unfinished(bytes),
    };
    let framing = Framing::of(head.headers)?;
    let status = head.code.unwrap_or_default();
    let body = match framing.body {
        _ if bare || matches!(status, 100..=199 | 204 | 304) => Body::Length(0),
        body => body.unwrap_or(Body::Rest),
    };
    let said = |name| value(head.headers, name).map(|value| text(value).trim().to_owned());
    let packed = |how: &String| !how.eq_ignore_ascii_case("identity");
    let told = Told {
        status,
        media: said("content-type").unwrap_or_default(),
        encoding: said("content-encoding").filter(packed),
        body,
        closes: body == Body::Rest || framing.closes(head.version == Some(0)),
    };
    Ok(Some((told, length)))
}

/// The value of a field in the whole head of a request.
pub(super) fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    request.parse_with_uninit_headers(head, &mut fields).ok()?;
    value(request.headers, name)
}

fn unfinished<T>(bytes: &[u8]) -> Result<Option<T>, String> {
    if bytes.len() > MAX_HEAD_BYTES {
        return Err(format!("the head has more than {MAX_HEAD_BYTES} bytes"));
    }
    Ok(None)
}

fn push(out: &mut BytesMut, name: &str, value: &[u8]) {
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

    fn asked(head: &str) -> Asked {
        let way = Way {
            authority: "h:1".into(),
            prefix: "/gateway".into(),
        };
        request(head.as_bytes(), &way).unwrap().unwrap()
    }

    fn onward(head: &str) -> String {
        String::from_utf8(asked(head).onward.to_vec()).unwrap()
    }

    #[test]
    fn a_request_goes_on_without_what_was_for_the_proxy() {
        let asked = asked(ASK);
        assert_eq!(&ASK[asked.length..], "5\r\n");
        assert!(asked.expects && !asked.closes && asked.body == Body::CHUNKED);
        assert_eq!(asked.api, Some(Api::Completions));
        assert_eq!(asked.key.as_deref(), Some(b"k".as_slice()));
        assert_eq!(
            onward(ASK),
            "POST /gateway/v1/completions?x=1 HTTP/1.1\r\nhost: h:1\r\naccept-encoding: identity\r\n\
             transfer-encoding: chunked\r\nAuthorization: Bearer k\r\n\r\n"
        );
        assert_eq!(
            field(&asked.onward, "authorization"),
            Some(b"Bearer k".as_slice())
        );
    }

    #[test]
    fn the_length_and_the_version_of_a_request_go_on() {
        assert!(
            onward("POST / HTTP/1.1\r\ncontent-length: 7\r\n\r\n")
                .contains("\r\ncontent-length: 7\r\n")
        );
        assert!(onward("POST / HTTP/1.1\r\n\r\n").contains("\r\ncontent-length: 0\r\n"));
        assert!(!onward("GET / HTTP/1.1\r\n\r\n").contains("content-length"));
        // Who is that old knows no chunks.
        let old = onward("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
        assert!(!asked("POST / HTTP/1.0\r\nexpect: 100-continue\r\n\r\n").expects);
        assert!(
            old.starts_with("GET /gateway/ HTTP/1.0\r\n") && old.contains("connection: keep-alive")
        );
    }

    #[test]
    fn a_head_may_come_in_pieces() {
        let way = Way {
            authority: String::new(),
            prefix: String::new(),
        };
        let head = ASK.len() - 3;
        for length in 0..head {
            assert!(request(&ASK.as_bytes()[..length], &way).unwrap().is_none());
        }
        assert!(request(&[b'A'; MAX_HEAD_BYTES + 1], &way).is_err());
        assert!(request(b"\x89PNG\r\n\x1a\n", &way).is_err());
        let unknown = b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n";
        assert!(request(unknown, &way).is_err());
    }

    #[test]
    fn who_closes_says_so() {
        let closes = |head: &str| asked(head).closes;
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
