use crate::harness::{
    Mock, Ran, answering, number, read_request, requests, response, send, server, start, tool,
};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const OK: &str = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";

fn good() -> String {
    response("200 OK", "text/event-stream", OK)
}

/// Which of `key` the outcomes have, in the order they came.
fn marks(ran: &Ran, key: &str) -> Vec<f64> {
    let lines = ran
        .stdout
        .lines()
        .map(|line| trace_core::Line::parse("t", line).unwrap());
    lines.map(|line| number(&line, key)).collect()
}

fn distinct(mut marks: Vec<f64>) -> Vec<f64> {
    marks.dedup();
    marks
}

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
fn a_search_finds_where_the_limit_breaks() {
    // Each request takes 20 ms, one at a time: in flight n, the last waits n·20.
    let gate = Arc::new(std::sync::Mutex::new(()));
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let alone = gate.lock().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
            drop(alone);
            if stream.write_all(good().as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--search",
        "concurrency=1..64",
        "--slo",
        "latency_ms=170",
        "--good-share",
        "0.5",
    ];
    let ran = send(&flags, &requests(40));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = ran.stderr.lines().last().unwrap();
    let found = said.split("the highest concurrency that holds is ").nth(1);
    let found: u32 = found
        .and_then(|words| words.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{}", ran.stderr));
    assert!((3..=8).contains(&found), "{}", ran.stderr);
    assert!(distinct(marks(&ran, "concurrency")).len() > 3);
    assert!(ran.stderr.contains("the curve:"), "{}", ran.stderr);
    let hopeless = [
        "--url",
        &url,
        "--model",
        "m",
        "--search",
        "concurrency=1..2",
        "--slo",
        "latency_ms=1",
    ];
    let ran = send(&hopeless, &requests(3));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
}

#[test]
fn a_search_repeats_a_level_until_it_is_certain() {
    // Every tenth answer is late: 90 % are good.
    let count = AtomicUsize::new(0);
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(10) {
                std::thread::sleep(std::time::Duration::from_millis(60));
            }
            if stream.write_all(good().as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let search = |share: &str, rounds: &str| {
        let flags = [
            "--url",
            &url,
            "--model",
            "m",
            "--search",
            "concurrency=1..1",
            "--slo",
            "latency_ms=50",
            "--good-share",
            share,
            "--rounds",
            rounds,
        ];
        send(&flags, &requests(30))
    };
    let sure = search("0.5", "9");
    assert_eq!(sure.code, Some(0), "{}", sure.stderr);
    assert!(
        sure.stderr
            .contains("concurrency 1 holds (with 95 % confidence)"),
        "{}",
        sure.stderr
    );
    assert_eq!(sure.stdout.lines().count(), 30, "one round was enough");
    let unsure = search("0.89", "3");
    assert!(
        unsure.stderr.contains("3 rounds") && unsure.stderr.contains("more --requests or --rounds"),
        "{}",
        unsure.stderr
    );
    assert_eq!(distinct(marks(&unsure, "round")), [1.0, 2.0, 3.0]);
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
    assert!((800.0..2_500.0).contains(&latency), "{latency}");
}

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

#[test]
fn a_server_that_falls_behind_ends_the_run() {
    // One answer at a time, in 50 ms: a quarter of the rate that is asked for.
    let gate = Arc::new(std::sync::Mutex::new(()));
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let alone = gate.lock().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(50));
            drop(alone);
            if stream.write_all(good().as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--rate",
        "80",
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
        let begun = std::time::Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed().as_secs() < 20, "it waits for its input");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.kinds(), ["connect"; 2], "{}", ran.stderr);
        drop(stdin);
    }
}
