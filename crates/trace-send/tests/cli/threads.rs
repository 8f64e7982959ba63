use crate::harness::{Mock, Ran, read_request, requests, response, send, server, tool};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

/// The most that were in flight at one moment.
fn most_at_once(ran: &Ran) -> i32 {
    let mut steps = Vec::new();
    for outcome in ran.outcomes() {
        let sent = outcome.sent_ms.unwrap();
        steps.push((sent, 1));
        steps.push((sent + outcome.latency_ms.unwrap(), -1));
    }
    // One that ended makes room at the same moment.
    steps.sort_unstable();
    let mut flying = 0;
    let counts = steps.iter().map(|(_, step)| {
        flying += step;
        flying
    });
    counts.max().unwrap()
}

#[test]
fn three_threads_send_what_one_sends() {
    let input: String = (0..300)
        .map(|i| {
            format!(
                "{{\"timestamp\":{},\"input_length\":3,\"output_length\":2}}\n",
                i / 10
            )
        })
        .collect();
    let scheduled = |threads: &str| {
        let mock = Mock::start(1, 1);
        let ran = send(&["--url", &mock.url(), "--threads", threads], &input);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(
            ran.kinds().iter().all(|kind| *kind == "ok"),
            "{}",
            ran.stderr
        );
        assert_eq!(mock.finish().len(), 300);
        let outcomes = ran.outcomes();
        assert!(outcomes.iter().all(|outcome| outcome.lateness_ms.is_some()));
        let times = outcomes
            .iter()
            .map(|outcome| (outcome.seq, outcome.scheduled_ms));
        times.collect::<Vec<_>>()
    };
    assert_eq!(scheduled("1"), scheduled("3"));
}

#[test]
fn a_closed_loop_keeps_its_level_whoever_sends() {
    let mock = Mock::start(20, 0);
    let ran = send(
        &["--url", &mock.url(), "-c", "5", "--threads", "2"],
        &requests(40),
    );
    assert_eq!(ran.kinds(), ["ok"; 40], "{}", ran.stderr);
    assert_eq!(most_at_once(&ran), 5);
    let ran = send(
        &["--url", &mock.url(), "-c", "1", "--threads", "4"],
        &requests(5),
    );
    assert_eq!(most_at_once(&ran), 1, "{}", ran.stderr);
}

#[test]
fn a_cap_is_never_exceeded_by_several() {
    let mock = Mock::start(20, 0);
    let flags = [
        "--url",
        &mock.url(),
        "--max-concurrency",
        "3",
        "--threads",
        "2",
    ];
    let ran = send(&flags, &requests(15));
    assert_eq!(most_at_once(&ran), 3, "{}", ran.stderr);
    assert!(
        ran.outcomes()
            .iter()
            .any(|outcome| outcome.queue_ms > outcome.lateness_ms)
    );
}

#[test]
fn turns_keep_their_order_on_any_thread() {
    let mut input = String::new();
    for turn in 0..4 {
        for session in 0..7 {
            input += &format!(
                "{{\"timestamp\":{turn},\"session_id\":{session},\"text_input\":\"t{turn}\",\"output_length\":2}}\n"
            );
        }
    }
    let mock = Mock::start(10, 1);
    let ran = send(&["--url", &mock.url(), "--threads", "3"], &input);
    assert_eq!(ran.kinds(), ["ok"; 28], "{}", ran.stderr);
    let outcomes = ran.outcomes();
    for (turn, next) in outcomes.iter().zip(&outcomes[7..]) {
        let ended = turn.sent_ms.unwrap() + turn.latency_ms.unwrap();
        assert!(next.sent_ms.unwrap() >= ended, "{turn:?} {next:?}");
        assert!(
            next.input_tokens > turn.input_tokens,
            "live history follows"
        );
    }
}

#[test]
fn a_condition_ends_every_thread() {
    let address = server(|_, mut stream| {
        while read_request(&mut stream).is_some() {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let refusal = response("500 No", "application/json", "{}");
            if stream.write_all(refusal.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "-c",
        "4",
        "--threads",
        "2",
        "--stop-on",
        "error_rate>0.5",
    ];
    let ran = send(&flags, &requests(5_000));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.outcomes().len() < 4_000, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("nothing more is sent"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_reader_that_leaves_ends_every_thread() {
    let mock = Mock::start(0, 0);
    let mut child = tool()
        .args(["--url", &mock.url(), "-c", "8", "--threads", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding =
        std::thread::spawn(move || while stdin.write_all(requests(100).as_bytes()).is_ok() {});
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    feeding.join().unwrap();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
}
