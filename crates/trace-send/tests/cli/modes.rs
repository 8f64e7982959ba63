use crate::harness::{Mock, distinct, good, marks, read_request, requests, response, send, server};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn levels_are_run_one_after_the_other() {
    let ran = send(
        &["--url", "mock:", "-c", "1,3,2", "-n", "2,4,6"],
        &requests(9),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let levels = marks(&ran, "concurrency");
    assert_eq!(distinct(levels.clone()), [1.0, 3.0, 2.0]);
    let count = |level: f64| levels.iter().filter(|&&l| l == level).count();
    assert_eq!([count(1.0), count(3.0), count(2.0)], [2, 4, 6]);
    assert!(
        ran.stderr.contains("concurrency 3: 4 requests in"),
        "{}",
        ran.stderr
    );
    let sent = marks(&ran, "sent_ms");
    assert!(sent[11] > sent[0], "one clock for all: {sent:?}");
}

#[test]
fn rounds_send_the_same_in_another_order_and_something_happens_between() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("between");
    let between = format!("echo x >> {}", file.display());
    let flags = [
        "--url",
        "mock:",
        "-c",
        "1",
        "--rounds",
        "3",
        "--between",
        &between,
    ];
    let ran = send(&flags, &requests(30));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(distinct(marks(&ran, "round")), [1.0, 2.0, 3.0]);
    let seqs = marks(&ran, "seq");
    assert!(seqs[..30].is_sorted() && !seqs[30..60].is_sorted() && seqs[30..60] != seqs[60..]);
    let mut second = seqs[30..60].to_vec();
    second.sort_by(f64::total_cmp);
    assert_eq!(second, seqs[..30]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "x\nx\n");
    let failing = ["--url", "mock:", "--rounds", "2", "--between", "exit 3"];
    let ran = send(&failing, &requests(2));
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(2), 2));
    assert!(
        ran.stderr.contains("--between: \"exit 3\" ended with"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_cache_is_reset_by_a_post() {
    let resets = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&resets);
    let address = server(move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let reset = request.starts_with("POST /reset HTTP/1.1\r\n");
            seen.fetch_add(usize::from(reset), Ordering::SeqCst);
            let answer = if reset {
                response("200 OK", "text/plain", "")
            } else {
                good()
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let (url, reset) = (
        format!("http://{address}"),
        format!("http://{address}/reset"),
    );
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--rounds",
        "3",
        "--between",
        &reset,
    ];
    let ran = send(&flags, &requests(2));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(resets.load(Ordering::SeqCst), 2);
}

#[test]
fn the_cache_is_emptied_between_the_runs_that_were_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (which, times) in [("all", 3), ("rounds", 2), ("levels", 1)] {
        let file = folder.path().join(which);
        let between = format!("echo x >> {}", file.display());
        let flags = [
            "--url",
            "mock:",
            "-c",
            "1,2",
            "--rounds",
            "2",
            "--between",
            &between,
            "--between-which",
            which,
        ];
        let ran = send(&flags, &requests(2));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let done = std::fs::read_to_string(&file).unwrap();
        assert_eq!(done.lines().count(), times, "{which}");
    }
}

#[test]
fn a_rate_wins_over_timestamps_and_may_rise() {
    let input = "{\"input_length\":1,\"output_length\":1}\n".repeat(20);
    let even = send(&["--url", "mock:", "--rate", "100"], &input);
    assert_eq!(even.code, Some(0), "{}", even.stderr);
    let mut scheduled = marks(&even, "scheduled_ms");
    scheduled.sort_by(f64::total_cmp);
    assert_eq!(&scheduled[..3], [0.0, 10.0, 20.0]);
    let rising = send(
        &["--url", "mock:", "--rate", "100", "--ramp-up", "200ms"],
        &input,
    );
    let mut scheduled = marks(&rising, "scheduled_ms");
    scheduled.sort_by(f64::total_cmp);
    assert!((scheduled[5] - 141.421).abs() < 0.01, "{scheduled:?}");
    assert!((scheduled[15] - 250.0).abs() < 0.01, "{scheduled:?}");
}

#[test]
fn a_dry_run_tells_what_would_be_sent() {
    let input = "{\"timestamp\":0,\"input_length\":2}\n{\"timestamp\":900,\"input_length\":2}\n{\"timestamp\":2500,\"input_length\":2}\n";
    let flags = ["--url", "http://127.0.0.1:1", "--dry-run", "--speed", "2"];
    let ran = send(&flags, input);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(marks(&ran, "scheduled_ms"), [0.0, 450.0, 1_250.0]);
    assert!(
        ran.stderr.contains("nothing is sent: 3 requests from 0.000 to 1.250 s, 2.4/s on average, up to 2 in a second"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("sent_ms"));
}

#[test]
fn a_run_may_begin_at_a_moment() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let start = now.as_secs_f64() + 1.0;
    let ran = send(
        &["--url", "mock:", "--start-at", &format!("{start:.3}")],
        &requests(1),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sent = marks(&ran, "sent_unix_ms")[0];
    assert!(
        sent >= start * 1e3 - 1.0 && sent < start * 1e3 + 500.0,
        "{sent} {start}"
    );
    let missed = ["--url", "mock:", "--start-at", "2020-01-01T00:00:00Z"];
    let ran = send(&missed, &requests(1));
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stderr);
    let said = "s ago: the run begins now";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn a_warm_up_is_in_no_result() {
    let mock = Mock::start(0, 0);
    let ran = send(&["--url", &mock.url(), "--warmup", "12"], &requests(3));
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (Some(0), 3),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("warmed up with 12 requests, 0 failed"),
        "{}",
        ran.stderr
    );
    assert_eq!(mock.seen(), 15);
    let ran = send(
        &[
            "--url",
            "http://127.0.0.1:1",
            "--model",
            "m",
            "--warmup",
            "2",
        ],
        &requests(3),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr
            .contains("--warmup: all 2 requests failed: cannot connect"),
        "{}",
        ran.stderr
    );
}
