use crate::harness::{
    Ran, answering, good, read_request, requests, response, send, server, start, tool,
};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_run_ends_when_too_much_fails() {
    let failing = answering(response("500 No", "text/plain", "no"), false);
    let url = format!("http://{failing}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--rate",
        "200",
        "--stop-on",
        "error_rate>0.5",
    ];
    let ran = send(&flags, &requests(4_000));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.lines().count() < 2_000);
    assert!(
        ran.stderr.contains("--stop-on error_rate>0.5: it is 1.000"),
        "{}",
        ran.stderr
    );
}

/// A server that gives one answer at a time, in 100 ms, for the first `seconds`.
fn slow(seconds: u64) -> SocketAddr {
    let gate = Mutex::new(None);
    server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let mut alone = gate.lock().unwrap();
            if alone.get_or_insert_with(Instant::now).elapsed().as_secs() < seconds {
                thread::sleep(Duration::from_millis(100));
            }
            drop(alone);
            if stream.write_all(good().as_bytes()).is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_server_that_falls_behind_ends_the_run() {
    // A quarter of the rate that is asked for.
    let url = format!("http://{}", slow(1_000));
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--rate",
        "40",
        "--stop-on",
        "saturation>2",
        "--drain",
        "1s",
    ];
    let ran = send(&flags, &requests(4_000));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("--stop-on saturation>2: it is"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.lines().count() < 3_000, "{}", ran.stderr);
    assert!(!ran.stderr.contains("server-limited"), "it is known");
}

#[test]
fn a_server_that_was_behind_to_the_end_is_called_the_limit() {
    let url = format!("http://{}", slow(20));
    let flags = ["--url", &url, "--model", "m", "--rate", "40"];
    let ran = send(&flags, &requests(720));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.kinds(), ["ok"; 720], "{}", ran.stderr);
    for part in [
        "server-limited: for the last ",
        " s of sending, requests came faster than they were answered",
        "--max-concurrency",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
}

#[test]
fn a_late_client_can_be_a_failure() {
    // Requests that come out of order are late as they are read.
    let line = |ms: u32| format!("{{\"timestamp\":{ms},\"input_length\":1,\"output_length\":1}}\n");
    let mut input: String = (0..2_100).map(|_| line(300)).collect();
    input += &line(0).repeat(100);
    let lax = send(&["--url", "mock:"], &input);
    assert!(lax.stderr.contains("client-limited"), "{}", lax.stderr);
    assert_eq!(lax.code, Some(0));
    let strict = send(&["--url", "mock:", "--strict-clock"], &input);
    assert_eq!(strict.code, Some(1), "{}", strict.stderr);
}

#[test]
fn an_input_that_stays_open_does_not_keep_a_run_that_is_over() {
    for flags in [["--duration", "300ms"], ["--stop-on", "errors>0"]] {
        let mut tool = tool();
        tool.args(["--url", "http://127.0.0.1:1", "--model", "m"]);
        let mut child = start(tool.args(flags));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(requests(2).as_bytes()).unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed().as_secs() < 20, "it waits for its input");
            thread::sleep(Duration::from_millis(20));
        }
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.kinds(), ["connect"; 2], "{}", ran.stderr);
        drop(stdin);
    }
}
