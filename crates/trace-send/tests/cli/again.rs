use crate::harness::{
    answering, good, marks, number, read_request, requests, response, send, server,
};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_server_may_say_by_a_date_when_to_come_back() {
    let count = AtomicUsize::new(0);
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let answer = match count.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    let then = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
                    let date = httpdate::fmt_http_date(then);
                    format!("HTTP/1.1 429 Slow\r\nretry-after: {date}\r\ncontent-length: 0\r\n\r\n")
                }
                _ => good(),
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = ["--url", &url, "--model", "m", "--retries", "1"];
    let ran = send(&flags, &requests(1));
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stdout);
    let latency = ran.outcomes()[0].latency_ms.unwrap().as_millis();
    // A date has no fractions: between one second and two.
    assert!(latency >= 800.0, "{latency}");
    assert_eq!(ran.outcomes()[0].attempts, Some(2));
}

#[test]
fn a_request_may_be_tried_again_and_that_shows() {
    let count = AtomicUsize::new(0);
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let answer = match count.fetch_add(1, Ordering::SeqCst) {
                0 => "HTTP/1.1 429 Slow\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_owned(),
                1 => response("503 Busy", "text/plain", ""),
                _ => good(),
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = ["--url", &url, "--model", "m", "--retries", "3"];
    let ran = send(&flags, &requests(1));
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stdout);
    let outcome = &ran.outcomes()[0];
    assert_eq!(outcome.attempts, Some(3));
    assert!(
        outcome.latency_ms.unwrap().as_millis() > 1_100.0,
        "a second, as it was told, and 200 ms"
    );
    assert!(
        ran.stderr.contains("2 times a request was tried again"),
        "{}",
        ran.stderr
    );
    let refusing = answering(response("400 No", "text/plain", ""), false);
    let url = format!("http://{refusing}");
    let flags = ["--url", &url, "--model", "m", "--retries", "3"];
    assert_eq!(send(&flags, &requests(1)).outcomes()[0].attempts, None);
}

#[test]
fn what_is_done_is_not_done_again() {
    let input = requests(10);
    let first = send(&["--url", "mock:", "-n", "6"], &input);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outcomes.jsonl");
    // Killed in the middle of a line.
    let half = &first.stdout[..first.stdout.len() - 20];
    std::fs::write(&file, half).unwrap();
    let ran = send(
        &["--url", "mock:", "--resume", file.to_str().unwrap()],
        &input,
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stdout.lines().count(),
        5,
        "four, and the one that was cut"
    );
    assert!(
        ran.stderr.contains("5 requests are done already"),
        "{}",
        ran.stderr
    );
    let mut seqs = [
        marks(&ran, "seq"),
        half.lines()
            .take(5)
            .map(|line| number(&trace_core::Line::parse("t", line).unwrap(), "seq"))
            .collect(),
    ]
    .concat();
    seqs.sort_by(f64::total_cmp);
    assert_eq!(seqs, (0..10).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn what_are_no_outcomes_cannot_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture.png");
    std::fs::write(&file, "\u{89}PNG\nx\ny\n").unwrap();
    let flags = ["--url", "mock:", "--resume", file.to_str().unwrap()];
    let ran = send(&flags, &requests(2));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("these are no outcomes"),
        "{}",
        ran.stderr
    );
}

#[test]
fn shards_share_the_input_without_overlap() {
    let mut seqs = Vec::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let ran = send(&["--url", "mock:", "--shard", shard], &requests(20));
        assert_eq!(ran.code, Some(0));
        seqs.extend(marks(&ran, "seq"));
    }
    seqs.sort_by(f64::total_cmp);
    assert_eq!(seqs, (0..20).map(f64::from).collect::<Vec<_>>());
}
