//! Times of answers that came while the tool did not run.

use crate::harness::{Ran, chunks, read_request, requests, start, tool};
use crate::secure::identity_speaking;
use rustix::process::{Pid, Signal, kill_process};
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use trace_core::Outcome;

/// How long the tool is kept from running after the first token was sent.
const ASLEEP: Duration = Duration::from_millis(1_000);

/// What a busy machine may add, in milliseconds.
const PATIENCE: f64 = 500.0;

/// What really was, in ms since the server had the request.
struct Truth {
    /// The first token.
    first: f64,
    /// The last of those that came with it, while the tool slept.
    with_it: f64,
    last: f64,
}

/// A side of HTTP that takes one request and answers it in pieces.
#[derive(Debug, Clone, Copy)]
enum Http {
    One,
    Two,
}

impl Http {
    /// Take in the one request of `stream`.
    fn hear(self, stream: &mut (impl Read + Write)) {
        match self {
            Self::One => assert!(read_request(stream).is_some()),
            Self::Two => hear_frames(stream),
        }
    }

    /// What goes before the first token.
    fn head(self) -> Vec<u8> {
        match self {
            Self::One => b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            // `:status: 200` and `content-type` by their numbers in HPACK's table.
            Self::Two => frame(1, 4, b"\x88\x0f\x10\x11text/event-stream"),
        }
    }

    /// One token, and whether it is the last.
    fn token(self, last: bool) -> Vec<u8> {
        let done = if last { "data: [DONE]\n\n" } else { "" };
        let data = chunks(1) + done;
        match self {
            Self::One => {
                let end = if last { "0\r\n\r\n" } else { "" };
                format!("{:x}\r\n{data}\r\n{end}", data.len()).into_bytes()
            }
            Self::Two => frame(0, last.into(), data.as_bytes()),
        }
    }
}

/// A frame of HTTP/2 on the first stream.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = u8::from(kind < 4);
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    [&head, payload].concat()
}

/// Agree on HTTP/2 and read frames to the end of the first request.
fn hear_frames(stream: &mut (impl Read + Write)) {
    const SETTINGS: u8 = 4;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    stream.write_all(&frame(SETTINGS, 0, &[])).unwrap();
    stream.flush().unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let [_, high, low, kind, flags, ..] = head;
        let mut payload = vec![0; u16::from_be_bytes([high, low]).into()];
        stream.read_exact(&mut payload).unwrap();
        match (kind, flags & 1) {
            (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, 1, &[])).unwrap(),
            (0 | 1, 1) => return,
            _ => {}
        }
        stream.flush().unwrap();
    }
}

/// Answer one request on `stream`: the tool with the id `pid` sleeps while the
/// first token comes, and as many as `with_it` after it, and again while the
/// last does.
fn converse(http: Http, stream: &mut (impl Read + Write), pid: Pid, with_it: usize) -> Truth {
    http.hear(stream);
    let begun = Instant::now();
    let mut say = |bytes: &[u8]| {
        stream.write_all(bytes).unwrap();
        stream.flush().unwrap();
        begun.elapsed().as_secs_f64() * 1_000.0
    };
    let wake = || {
        thread::sleep(ASLEEP);
        kill_process(pid, Signal::CONT).unwrap();
        thread::sleep(Duration::from_millis(20));
    };
    sleep(pid);
    let first = say(&[http.head(), http.token(false)].concat());
    let mut truth = Truth {
        first,
        with_it: first,
        last: 0.0,
    };
    for _ in 0..with_it {
        thread::sleep(Duration::from_millis(20));
        truth.with_it = say(&http.token(false));
    }
    wake();
    sleep(pid);
    truth.last = say(&http.token(true));
    wake();
    truth
}

/// Stop the process, and wait until it has stopped.
fn sleep(pid: Pid) {
    kill_process(pid, Signal::STOP).unwrap();
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero().get());
    while !std::fs::read_to_string(&path).unwrap().contains(") T ") {
        thread::sleep(Duration::from_millis(1));
    }
}

/// What the tool, run by `command`, says of its one request, and the truth of
/// the server, whose side of a connection `accept` gives.
fn held<S: Read + Write>(
    command: &mut Command,
    (http, with_it): (Http, usize),
    accept: impl FnOnce() -> S + Send + 'static,
) -> (Outcome, Truth, String) {
    command.args(["--model", "m", "--concurrency", "1"]);
    let version = if matches!(http, Http::One) {
        "1.1"
    } else {
        "2"
    };
    let mut child = start(command.args(["--http", version]));
    let pid = Pid::from_child(&child);
    let serving = thread::spawn(move || converse(http, &mut accept(), pid, with_it));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(requests(1).as_bytes()).unwrap();
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().unwrap());
    let truth = serving.join().unwrap();
    assert_eq!(ran.kinds(), ["ok"], "{}{}", ran.stdout, ran.stderr);
    (ran.outcomes().remove(0), truth, ran.stderr)
}

/// A place to listen at, and its address.
fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn near(what: &str, told: Option<trace_core::Micros>, truth: f64) {
    let told = told.unwrap().as_millis();
    // The request took its way to the server, too.
    assert!(
        (truth - 1.0..truth + PATIENCE).contains(&told),
        "{what}: told {told} ms, truth {truth} ms"
    );
}

fn assert_true((outcome, truth, stderr): (Outcome, Truth, String)) {
    near("ttft", outcome.ttft_ms, truth.first);
    near("last token", outcome.last_token_ms, truth.last);
    near("latency", outcome.latency_ms, truth.last);
    let gap = outcome.itl_ms.as_ref().unwrap()[0].as_millis();
    let real = truth.last - truth.first;
    assert!(
        (gap - real).abs() < PATIENCE,
        "told {gap} ms, real {real} ms"
    );
    // How long the answer lay is told, for the sleep is ours.
    let (_, lay) = stderr.split_once("answers lay p99 ").unwrap();
    let lay: f64 = lay.split_once(' ').unwrap().0.parse().unwrap();
    assert!(lay >= ASLEEP.as_secs_f64() * 990.0, "{stderr}");
    assert!(!stderr.contains("told no times"), "{stderr}");
}

/// Ask a server that speaks `http` in the clear.
fn plain(http: Http, with_it: usize) -> (Outcome, Truth, String) {
    let (listener, address) = listen();
    let accept = move || listener.accept().unwrap().0;
    let url = format!("http://{address}");
    held(tool().args(["--url", &url]), (http, with_it), accept)
}

/// Ask a server that speaks `http` in secret.
fn secret(http: Http) -> (Outcome, Truth, String) {
    let (listener, address) = listen();
    let protocol: &[u8] = match http {
        Http::One => b"http/1.1",
        Http::Two => b"h2",
    };
    let accept = move || {
        let tls = ServerConnection::new(identity_speaking(protocol).0).unwrap();
        StreamOwned::new(tls, listener.accept().unwrap().0)
    };
    let url = format!("https://{address}");
    held(
        tool().args(["--url", &url, "--insecure"]),
        (http, 0),
        accept,
    )
}

#[test]
fn what_comes_while_the_tool_does_not_run_has_its_true_time() {
    assert_true(plain(Http::One, 0));
}

#[test]
fn so_it_has_below_tls() {
    assert_true(secret(Http::One));
}

#[test]
fn so_it_has_in_http_2() {
    assert_true(plain(Http::Two, 0));
}

#[test]
fn so_it_has_in_http_2_below_tls() {
    assert_true(secret(Http::Two));
}

#[test]
fn what_comes_together_has_the_time_of_the_last_and_not_of_waking() {
    for http in [Http::One, Http::Two] {
        let (outcome, truth, _) = plain(http, 5);
        let told = outcome.ttft_ms.unwrap().as_millis();
        assert!(
            (truth.first - 1.0..truth.with_it + PATIENCE).contains(&told),
            "{http:?}: told {told} ms, truth {} to {} ms",
            truth.first,
            truth.with_it
        );
        // That they did is seen in the line.
        let gaps = outcome.itl_ms.unwrap();
        assert_eq!(gaps[..5], [trace_core::Micros::ZERO; 5], "{http:?}");
    }
}

#[test]
fn a_unix_socket_has_no_such_times_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let accept = move || listener.accept().unwrap().0;
    let mut tool = tool();
    tool.args(["--url", "http://localhost", "--unix-socket"]);
    let (outcome, truth, stderr) = held(tool.arg(&path), (Http::One, 0), accept);
    let told = outcome.ttft_ms.unwrap().as_millis();
    assert!(told >= truth.first + ASLEEP.as_secs_f64() * 990.0, "{told}");
    assert!(!stderr.contains("answers lay"), "{stderr}");
    let said = "the kernel told no times for 1 of 1 answers";
    assert!(stderr.contains(said), "{stderr}");
}
