use crate::harness::{Ran, answering, chunks, read_request, requests, response, send, server};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// An HTTP/2 server that allows `streams` at once, and what it saw: how many
/// connections, and the most requests at the same time on one.
struct Http2 {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Http2 {
    fn start(streams: u32) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            most: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, most) = (Arc::clone(&server.connections), Arc::clone(&server.most));
        let seen = Arc::clone(&server.requests);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    let here = Arc::new(AtomicUsize::new(0));
                    let (most, seen) = (Arc::clone(&most), Arc::clone(&seen));
                    let service = service_fn(move |request: Request<Incoming>| {
                        let now = here.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        let said = format!("{} {:?}", request.uri(), request.headers());
                        seen.lock().unwrap().push(said);
                        let here = Arc::clone(&here);
                        async move {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            here.fetch_sub(1, Ordering::SeqCst);
                            let body = format!("{}data: [DONE]\n\n", chunks(3));
                            let answer = Response::builder()
                                .header("content-type", "text/event-stream")
                                .body(Full::new(Bytes::from(body)));
                            Ok::<_, Infallible>(answer.unwrap())
                        }
                    });
                    let mut builder =
                        hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    builder.max_concurrent_streams(streams);
                    tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
                }
            });
        });
        server
    }

    fn send(&self, flags: &[&str], count: usize) -> Ran {
        let url = format!("http://{}", self.address);
        let all = [&["--url", &url, "--model", "m", "--http", "2"], flags].concat();
        send(&all, &requests(count))
    }
}

#[test]
fn requests_share_a_connection_in_http_2() {
    let server = Http2::start(100);
    let ran = server.send(&[], 60);
    assert_eq!(ran.kinds(), ["ok"; 60], "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.chunks == Some(3))
    );
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    let seen = server.requests.lock().unwrap();
    assert!(seen[0].starts_with("http://127.0.0.1:"), "{}", seen[0]);
    assert!(seen[0].contains("x-request-id"), "{}", seen[0]);
    assert!(!seen[0].contains("\"host\""), "{}", seen[0]);
}

#[test]
fn a_server_that_allows_few_streams_gets_more_connections() {
    let server = Http2::start(5);
    let ran = server.send(&["--concurrency", "12"], 60);
    assert_eq!(ran.kinds(), ["ok"; 60], "{}{}", ran.stdout, ran.stderr);
    assert!(server.most.load(Ordering::SeqCst) <= 5);
    assert!(server.connections.load(Ordering::SeqCst) <= 13);
}

#[test]
fn a_server_that_speaks_no_http_2_is_an_error_and_no_hang() {
    let old = answering(
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".into(),
        true,
    );
    let url = format!("http://{old}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--http",
        "2",
        "--timeout",
        "5s",
    ];
    let ran = send(&flags, &requests(3));
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["stream"; 3]),
        "{}",
        ran.stdout
    );
    let said = "the server does not speak HTTP/2; leave out --http 2";
    assert_eq!(ran.message(), said);
}

#[test]
fn hypers_own_http_1_1_tells_the_same() {
    let body = format!("{}data: [DONE]\n\n", chunks(3));
    let address = answering(response("200 OK", "text/event-stream", &body), false);
    let url = format!("http://{address}");
    for version in ["1.1", "1.1-hyper"] {
        let flags = [
            "--url",
            &url,
            "--model",
            "m",
            "--http",
            version,
            "--concurrency",
            "2",
        ];
        let ran = send(&flags, &requests(20));
        assert_eq!(ran.kinds(), ["ok"; 20], "{version} {}", ran.stdout);
        assert!(
            ran.outcomes()
                .iter()
                .all(|outcome| outcome.chunks == Some(3))
        );
    }
}

#[test]
fn a_server_may_listen_at_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let body = format!("{}data: [DONE]\n\n", chunks(3));
    let answer = response("200 OK", "text/event-stream", &body);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            thread::spawn(move || {
                while let Some(request) = read_request(&mut stream) {
                    assert!(request.contains("host: model.example\r\n"), "{request}");
                    std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
                }
            });
        }
    });
    let socket = path.to_str().unwrap();
    let flags = [
        "--url",
        "http://model.example",
        "--model",
        "m",
        "--unix-socket",
        socket,
    ];
    assert_eq!(send(&flags, &requests(5)).kinds(), ["ok"; 5]);
    std::fs::remove_file(&path).unwrap();
    let ran = send(&flags, &requests(1));
    assert_eq!(ran.kinds(), ["connect"]);
    assert!(
        ran.message().contains("server.sock: No such file"),
        "{}",
        ran.message()
    );
}

#[test]
fn every_request_may_have_a_connection_of_its_own() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    let body = format!("{}data: [DONE]\n\n", chunks(3));
    let answer = response("200 OK", "text/event-stream", &body);
    let address = server(move |_, mut stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        while let Some(request) = read_request(&mut stream) {
            assert!(request.contains("connection: close\r\n"), "{request}");
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        }
    });
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--new-connections",
        "--concurrency",
        "2",
    ];
    let ran = send(&flags, &requests(10));
    assert_eq!(ran.kinds(), ["ok"; 10]);
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.connect_ms.is_some())
    );
    assert_eq!(connections.load(Ordering::SeqCst), 10);
}
