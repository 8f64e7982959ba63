//! Clients and servers that do not do what they should.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::harness::{Mock, Response};
use crate::{PROMPT, STREAM};

/// What a mock or a proxy says to these bytes until it closes.
fn say(mock: &Mock, bytes: &[u8]) -> String {
    let mut stream = mock.connect();
    // It may close before it has read all of them.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A mock, and a proxy before another.
fn both() -> (Mock, [Mock; 2]) {
    let server = Mock::start(&[]);
    let url = format!("http://{}", server.address);
    let proxy = Mock::start(&["--upstream", &url]);
    (server, [Mock::start(&[]), proxy])
}

#[test]
fn what_is_no_request_harms_nobody() {
    let (_server, mocks) = both();
    let huge = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for mock in &mocks {
        for bytes in [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            huge.as_bytes(),
            many.as_bytes(),
        ] {
            let answer = say(mock, bytes);
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{answer}"
            );
        }
        // Half a request, and nothing more.
        let mut half = mock.connect();
        half.write_all(b"POST /v1/completions HTTP/1.1\r\ncontent-length: 99\r\n\r\n{")
            .unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        let _ = half.read_to_end(&mut Vec::new());
        assert_eq!(mock.post("/v1/completions", "", PROMPT).status, 200);
    }
}

#[test]
fn old_clients_get_an_answer_without_chunks() {
    let (_server, mocks) = both();
    for mock in &mocks {
        let length = STREAM.len();
        let request =
            format!("POST /v1/completions HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{STREAM}");
        let answer = say(mock, request.as_bytes());
        assert!(
            answer.contains(" 200 OK\r\n") && !answer.contains("chunked"),
            "{answer}"
        );
        assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    }
}

#[test]
fn other_methods_are_told_what_would_do() {
    let (_server, mocks) = both();
    for mock in &mocks {
        let head = say(
            mock,
            b"HEAD /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        );
        assert!(
            head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        for method in ["OPTIONS", "DELETE", "GET"] {
            let response = mock.ask(&format!("{method} /v1/completions HTTP/1.1"), "");
            assert_eq!(response.status, 405);
            assert!(response.head.contains("allow: POST"), "{}", response.head);
        }
    }
}

#[test]
fn a_compressed_body_is_said_to_be_one() {
    let (_server, mocks) = both();
    for mock in &mocks {
        let response = mock.post("/v1/completions", "\r\ncontent-encoding: gzip", "\u{1f}");
        assert_eq!(response.status, 415);
        assert!(response.text().contains("gzip"), "{}", response.text());
    }
}

/// A server of one's own, which does this with each connection, and a proxy before it.
fn before(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    // Long prompts are counted in no time.
    Mock::start(&["--upstream", &url, "--tokenizer", "words"])
}

/// Read the head of a request.
fn head(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        seen.extend_from_slice(&byte);
    }
}

#[test]
fn an_answer_that_comes_before_the_body_ends_is_passed_on() {
    let mut proxy = before(|mut stream| {
        head(&mut stream);
        let answer = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\nno";
        stream.write_all(answer.as_bytes()).unwrap();
        // It reads no more, and keeps the connection.
        loop {
            thread::park();
        }
    });
    let prompt = format!("{{\"prompt\":\"{}\"}}", "a ".repeat(8 << 20));
    let mut stream = proxy.connect();
    for round in 0..2 {
        let length = prompt.len();
        let ask = format!("POST /v1/completions HTTP/1.1\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        stream.write_all(prompt.as_bytes()).unwrap();
        let mut answer = [0; 64];
        let mut size = 0;
        while !answer[..size].ends_with(b"no") {
            let count = stream.read(&mut answer[size..]).unwrap();
            assert_ne!(count, 0, "round {round}");
            size += count;
        }
        assert!(answer.starts_with(b"HTTP/1.1 413"));
        let record = proxy.record();
        assert_eq!(
            (&record["status"], &record["seq"]),
            (&413.into(), &round.into())
        );
        assert!(record["input_length"].as_u64().unwrap() > 1 << 20);
    }
}

#[test]
fn an_answer_that_ends_with_its_connection_ends_the_client_s_too() {
    for framing in ["", "connection: close\r\ncontent-length: 5\r\n"] {
        let mut proxy = before(move |mut stream| {
            head(&mut stream);
            stream.read_exact(&mut vec![0; PROMPT.len()]).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\n{framing}\r\nhello").unwrap();
        });
        let request = format!(
            "POST /v1/completions HTTP/1.1\r\ncontent-length: {}\r\n\r\n{PROMPT}",
            PROMPT.len()
        );
        let answer = say(&proxy, request.as_bytes());
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
        assert_eq!(proxy.record()["status"], 200);
    }
}

#[test]
fn a_server_that_breaks_off_cuts_its_client_too() {
    for (answer, said) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n0123456789",
            10,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            5,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-le", 0),
    ] {
        let mut proxy = before(move |mut stream| {
            head(&mut stream);
            let mut body = vec![0; PROMPT.len()];
            stream.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let mut stream = proxy.send("POST /v1/completions HTTP/1.1", PROMPT);
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes);
        let response = bytes.windows(4).any(|end| end == b"\r\n\r\n");
        if response {
            let response = Response::read(&bytes, end.err().map(|err| err.kind()));
            assert!(!response.whole && response.body.len() >= said, "{answer}");
        }
        assert_eq!(proxy.record()["error"]["kind"], "stream", "{answer}");
    }
}

#[test]
fn a_server_that_says_nothing_or_nonsense_is_no_server() {
    let proxy = before(drop);
    assert_eq!(proxy.post("/v1/completions", "", PROMPT).status, 502);
    let mut proxy = before(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"hello\r\n\r\n");
    });
    let mut stream = proxy.send("POST /v1/completions HTTP/1.1", PROMPT);
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(proxy.record()["error"]["kind"], "stream");
}
