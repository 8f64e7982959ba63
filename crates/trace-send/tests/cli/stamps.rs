//! Times of answers that came while the tool did not run.

use crate::harness::{Ran, chunks, read_request, requests, start, tool};
use crate::secure::identity;
use rustix::process::{Pid, Signal, kill_process};
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use trace_core::Outcome;

/// How long the tool is kept from running after the first token was sent.
const ASLEEP: Duration = Duration::from_millis(400);

/// What a busy machine may add.
const PATIENCE: f64 = 200.0;

/// What really was, in ms since the server had the request.
struct Truth {
    first: f64,
    last: f64,
}

/// Answer one request on `stream`: the tool with the id `pid` sleeps while the
/// first token comes, and again while the last does.
fn converse(stream: &mut (impl Read + Write), pid: Pid) -> Truth {
    read_request(stream).unwrap();
    let begun = Instant::now();
    let ms = || begun.elapsed().as_secs_f64() * 1_000.0;
    let body = |words| {
        let data = chunks(words);
        format!("{:x}\r\n{data}\r\n", data.len())
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked";
    let mut asleep = |bytes: String| {
        sleep(pid);
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.flush().unwrap();
        let sent = ms();
        thread::sleep(ASLEEP);
        kill_process(pid, Signal::CONT).unwrap();
        thread::sleep(Duration::from_millis(20));
        sent
    };
    let first = asleep(format!("{head}\r\n\r\n{}", body(1)));
    let last = asleep(format!("{}0\r\n\r\n", body(1)));
    Truth { first, last }
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
    accept: impl FnOnce() -> S + Send + 'static,
) -> (Outcome, Truth, String) {
    let mut child = start(command.args(["--model", "m", "--concurrency", "1"]));
    let pid = Pid::from_child(&child);
    let serving = thread::spawn(move || converse(&mut accept(), pid));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(requests(1).as_bytes()).unwrap();
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().unwrap());
    let truth = serving.join().unwrap();
    assert_eq!(ran.kinds(), ["ok"], "{}{}", ran.stdout, ran.stderr);
    (ran.outcomes().remove(0), truth, ran.stderr)
}

fn near(what: &str, told: Option<trace_core::Micros>, truth: f64) {
    let told = told.unwrap().as_millis();
    // The request took its way to the server, too.
    assert!(
        (truth - 1.0..truth + PATIENCE).contains(&told),
        "{what}: told {told} ms, truth {truth} ms"
    );
}

fn assert_true(outcome: &Outcome, truth: &Truth, stderr: &str) {
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
}

#[test]
fn what_comes_while_the_tool_does_not_run_has_its_true_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accept = move || listener.accept().unwrap().0;
    let (outcome, truth, stderr) = held(tool().args(["--url", &url]), accept);
    assert_true(&outcome, &truth, &stderr);
}

#[test]
fn so_it_has_below_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let accept = move || {
        let tls = ServerConnection::new(identity().0).unwrap();
        StreamOwned::new(tls, listener.accept().unwrap().0)
    };
    let (outcome, truth, stderr) = held(tool().args(["--url", &url, "--insecure"]), accept);
    assert_true(&outcome, &truth, &stderr);
}

#[test]
fn a_unix_socket_has_no_such_times_and_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let accept = move || listener.accept().unwrap().0;
    let mut tool = tool();
    tool.args(["--url", "http://localhost", "--unix-socket"]);
    let (outcome, truth, stderr) = held(tool.arg(&path), accept);
    let told = outcome.ttft_ms.unwrap().as_millis();
    assert!(told >= truth.first + ASLEEP.as_secs_f64() * 990.0, "{told}");
    assert!(!stderr.contains("answers lay"), "{stderr}");
}
