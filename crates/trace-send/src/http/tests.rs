use super::*;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Debug, Default, PartialEq)]
struct Read {
    head: Option<Head>,
    body: Vec<u8>,
    done: bool,
    taken: usize,
    error: Option<Malformed>,
}

fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let (mut decoder, mut read) = (Decoder::default(), Read::default());
    for bytes in parts {
        let fed = decoder.feed(bytes, |part| match part {
            Part::Head(head) => read.head = Some(head.clone()),
            Part::Body(body) => read.body.extend_from_slice(body),
        });
        match fed {
            Ok(taken) => read.taken += taken,
            Err(error) => {
                read.error = Some(error);
                break;
            }
        }
        if decoder.is_done() {
            break;
        }
    }
    read.done = decoder.is_done();
    read
}

fn whole(text: &str) -> Read {
    read([text.as_bytes()])
}

#[test]
fn a_body_of_known_length_ends_there() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: Application/JSON; charset=utf-8\r\n\r\n{}HTTP";
    let read = whole(text);
    assert_eq!(read.body, b"{}");
    assert!(read.done);
    assert_eq!(
        read.taken,
        text.len() - "HTTP".len(),
        "what follows is not taken"
    );
    let head = read.head.unwrap();
    assert_eq!(
        (head.status, head.content_type.as_str(), head.keep_alive),
        (200, "application/json", true)
    );
}

#[test]
fn chunks_are_joined_and_extensions_and_trailers_skipped() {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n, a\r\nworld\r\n0\r\nX: y\r\n\r\n";
    let read = whole(text);
    assert_eq!(read.body, b"hello, a\r\nworld");
    assert!(read.done);
    assert_eq!(read.taken, text.len());
}

#[test]
fn interim_responses_are_skipped() {
    let read = whole(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    );
    assert_eq!(read.head.unwrap().status, 204);
    assert!(read.done);
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    let mut decoder = Decoder::default();
    decoder
        .feed(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
            |_| {},
        )
        .unwrap();
    assert_eq!(decoder.end(), End::ToEnd);
    assert!(!decoder.head.keep_alive);
}

#[test]
fn an_early_end_is_told_from_none_at_all() {
    let end = |text: &str| {
        let mut decoder = Decoder::default();
        decoder.feed(text.as_bytes(), |_| {}).unwrap();
        decoder.end()
    };
    assert_eq!(end(""), End::BeforeHead);
    assert_eq!(end("HTTP/1.1 200"), End::Cut);
    assert_eq!(
        end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"),
        End::Cut
    );
    assert_eq!(
        end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"),
        End::Cut
    );
}

#[test]
fn keep_alive_follows_version_and_connection() {
    let keeps = |version: &str, connection: &str| {
        whole(&format!(
            "HTTP/{version} 200 OK\r\n{connection}content-length: 0\r\n\r\n"
        ))
        .head
        .unwrap()
        .keep_alive
    };
    assert!(keeps("1.1", ""));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
    assert!(!keeps("1.1", "connection: foo, Close\r\n"));
}

#[test]
fn what_is_no_http_is_refused() {
    for text in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "\x16\x03\x01 tls \r\n\r\n",
    ] {
        assert!(
            matches!(whole(text).error, Some(Malformed::Head(_))),
            "{text}"
        );
    }
    let chunk = |size: &str| {
        whole(&format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size}\r\nab"
        ))
        .error
    };
    for size in ["x", "", "-1", "fffffffffffffffff", "1"] {
        assert!(matches!(chunk(size), Some(Malformed::Chunk(_))), "{size}");
    }
    let length = whole("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").error;
    assert!(length.is_some());
}

#[test]
fn a_head_that_cannot_be_read_is_something_that_came() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "SSH-2.0\r\n\r\n",
    ] {
        for cut in [0, 5] {
            let mut decoder = Decoder::default();
            let (first, rest) = text.as_bytes().split_at(cut);
            let fed = [first, rest].map(|bytes| decoder.feed(bytes, |_| ()).is_err());
            assert!(fed.contains(&true), "{text}");
            // What was sent is not sent again: somebody has read it.
            assert_eq!(decoder.end(), End::Cut);
        }
    }
}

#[test]
fn a_head_or_a_frame_without_end_is_refused() {
    let long = vec![b'a'; 100 << 10];
    assert!(
        read([&b"HTTP/1.1 200 OK\r\nx: "[..], &long])
            .error
            .is_some()
    );
    assert!(
        read([
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;"[..],
            &long
        ])
        .error
        .is_some()
    );
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop::collection::vec(any::<u8>(), 1..40)
        .prop_map(|bytes| [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat());
    let chunked = prop::collection::vec(chunk, 0..5).prop_map(|chunks| {
        [
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..],
            &chunks.concat(),
            b"0\r\n\r\n",
        ]
        .concat()
    });
    let sized = prop::collection::vec(any::<u8>(), 0..60).prop_map(|body| {
        [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
            &body,
        ]
        .concat()
    });
    let alphabet = prop::sample::select(b"HTP/1. 20OK\r\n:ac0;".to_vec());
    prop_oneof![chunked, sized, prop::collection::vec(alphabet, 0..80)]
}

proptest! {
    #[test]
    fn where_the_bytes_are_split_does_not_matter(bytes in response(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let split = read(cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]));
        let whole = read([&bytes[..]]);
        prop_assert_eq!((split.error.is_some(), &split.body, split.done), (whole.error.is_some(), &whole.body, whole.done));
        let single = read(bytes.chunks(1));
        prop_assert_eq!((single.error.is_some(), &single.body, single.done), (whole.error.is_some(), &whole.body, whole.done));
    }
}

#[test]
fn a_server_may_tell_how_long_it_keeps_a_connection() {
    for (field, seconds) in [
        ("Keep-Alive: timeout=5, max=100", Some(5)),
        ("keep-alive: max=3,Timeout=60", Some(60)),
        ("Keep-Alive: timeout=soon", None),
        ("Keep-Alive: 300", None),
    ] {
        let read = whole(&format!("HTTP/1.1 204 No Content\r\n{field}\r\n\r\n"));
        let told = read.head.unwrap().keep_for;
        assert_eq!(told, seconds.map(Duration::from_secs), "{field}");
    }
}
