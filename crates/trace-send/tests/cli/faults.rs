use crate::harness::{answering, chunks, read_request, requests, response, send, server, tool};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use trace_core::ErrorKind;

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

/// Flags for a server that is not asked for its models.
fn at(address: SocketAddr) -> [String; 4] {
    [
        "--url".into(),
        format!("http://{address}"),
        "--model".into(),
        "m".into(),
    ]
}

fn send_to(address: SocketAddr, flags: &[&str], count: usize) -> crate::harness::Ran {
    let all = at(address);
    let all: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .chain(flags.iter().copied())
        .collect();
    send(&all, &requests(count))
}

#[test]
fn a_server_that_is_down_gives_every_line_its_error() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = send_to(address, &[], 5);
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["connect"; 5]));
    assert!(
        ran.message().contains("Connection refused"),
        "{}",
        ran.message()
    );
    assert!(
        ran.stderr.contains("5 failed (connect 5)") && ran.stderr.contains("Connection refused"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_name_without_an_address_is_a_connect_error() {
    let ran = send(
        &["--url", "http://no-such-host.invalid", "--model", "m"],
        &requests(2),
    );
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["connect"; 2]));
    assert!(
        ran.message().contains("no-such-host.invalid"),
        "{}",
        ran.message()
    );
}

#[test]
fn a_status_is_told_with_the_servers_own_words() {
    let body = "{\"error\":{\"message\":\"out of memory\",\"type\":\"x\"}}";
    let ran = send_to(
        answering(response("500 Oops", "application/json", body), false),
        &[],
        3,
    );
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["http"; 3]));
    assert_eq!(
        (ran.message().as_str(), ran.outcomes()[0].status),
        ("status 500: out of memory", Some(500))
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let answer = "HTTP/1.1 307 Go\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(
        send_to(answering(answer.into(), false), &[], 1).message(),
        "status 307: a redirect to \"http://example.com/\", which is not followed"
    );
}

#[test]
fn html_is_no_answer_even_with_status_200() {
    let ran = send_to(
        answering(
            response("200 OK", "text/html", "<html>welcome</html>"),
            false,
        ),
        &[],
        2,
    );
    assert_eq!(ran.kinds(), ["content"; 2]);
}

#[test]
fn an_endless_refusal_is_not_read_to_its_end() {
    let address = server(|_, mut stream| {
        read_request(&mut stream);
        let head = "HTTP/1.1 500 Oops\r\ncontent-length: 100000000000\r\n\r\n";
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 65_536]);
        }
    });
    assert_eq!(send_to(address, &[], 1).kinds(), ["http"]);
}

#[test]
fn a_stall_ends_at_the_timeout_and_keeps_what_was_measured() {
    let address = server(|_, mut stream| {
        read_request(&mut stream);
        let head = format!("{SSE}content-length: 5000\r\n\r\n{}", chunks(2));
        stream.write_all(head.as_bytes()).unwrap();
        read_request(&mut stream);
    });
    let ran = send_to(address, &["--timeout", "300ms"], 1);
    assert_eq!(ran.kinds(), ["timeout"]);
    let outcome = &ran.outcomes()[0];
    assert_eq!((outcome.chunks, outcome.status), (Some(2), Some(200)));
    assert!(outcome.ttft_ms.is_some());
    assert_eq!(ran.message(), "no complete answer within 0.3 s");
}

#[test]
fn a_server_that_never_answers_times_out() {
    let address = server(|_, mut stream| while read_request(&mut stream).is_some() {});
    assert_eq!(
        send_to(address, &["--timeout", "200ms"], 3).kinds(),
        ["timeout"; 3]
    );
}

#[test]
fn a_cut_stream_is_an_error() {
    let cut = |framing: &str| {
        let answer = format!("{SSE}{framing}\r\n\r\n{}", chunks(3));
        send_to(answering(answer, true), &[], 1)
    };
    let ran = cut("content-length: 5000");
    assert_eq!(
        (ran.kinds(), ran.outcomes()[0].chunks),
        (vec!["stream"], Some(3))
    );
    assert!(
        ran.message().contains("cut after 3 chunks"),
        "{}",
        ran.message()
    );
    assert_eq!(
        cut("connection: close").kinds(),
        ["stream"],
        "neither [DONE] nor a finish reason"
    );
}

#[test]
fn a_done_without_the_end_of_the_response_is_enough() {
    let answer = format!(
        "{SSE}content-length: 5000\r\n\r\n{}data: [DONE]\n\n",
        chunks(3)
    );
    assert_eq!(send_to(answering(answer, true), &[], 1).kinds(), ["ok"]);
}

#[test]
fn nothing_but_a_role_is_an_empty_answer() {
    let body = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\ndata: [DONE]\n\n";
    assert_eq!(
        send_to(
            answering(response("200 OK", "text/event-stream", body), false),
            &[],
            1
        )
        .kinds(),
        ["empty"]
    );
}

#[test]
fn an_answer_split_at_every_byte_is_the_same_answer() {
    let body = format!(
        ": hello\r\n\r\n{}data: {{\"choices\":[{{\"text\":\"ä\"}}]}}\r\n\r\ndata:[DONE]\r\n\r\n",
        chunks(2)
    );
    let framed: String = body
        .split_inclusive('e')
        .map(|part| format!("{:x};x=y\r\n{part}\r\n", part.len()))
        .collect();
    let answer =
        format!("{SSE}transfer-encoding: chunked\r\n\r\n{framed}0\r\nx-trailer: 1\r\n\r\n");
    let address = server(move |_, mut stream| {
        stream.set_nodelay(true).unwrap();
        while read_request(&mut stream).is_some() {
            for byte in answer.as_bytes() {
                stream.write_all(&[*byte]).unwrap();
            }
        }
    });
    let ran = send_to(address, &["--concurrency", "1"], 3);
    assert_eq!(ran.kinds(), ["ok"; 3], "{}", ran.stdout);
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.chunks == Some(3))
    );
}

#[test]
fn a_server_that_closes_after_each_answer_loses_none() {
    let answer = response(
        "200 OK",
        "text/event-stream",
        &format!("{}data: [DONE]\n\n", chunks(2)),
    );
    let ran = send_to(answering(answer, true), &["--concurrency", "2"], 20);
    assert_eq!(ran.kinds(), ["ok"; 20], "{}", ran.stdout);
}

/// The race that a check before writing cannot win: the server reads the
/// request on its old connection, and closes it without a word.
#[test]
fn a_request_on_a_dead_connection_is_sent_once_more_and_it_shows() {
    let answer = response(
        "200 OK",
        "text/event-stream",
        &format!("{}data: [DONE]\n\n", chunks(2)),
    );
    let address = server(move |_, mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(answer.as_bytes());
        read_request(&mut stream);
    });
    let ran = send_to(address, &["--concurrency", "1"], 4);
    assert_eq!(ran.kinds(), ["ok"; 4], "{}", ran.stdout);
    // The second learns it; those after it have connections of their own.
    let opened: Vec<_> = ran
        .outcomes()
        .iter()
        .map(|outcome| outcome.connect_ms.is_some())
        .collect();
    assert_eq!(opened, [false, true, true, true]);
    let tried: Vec<_> = ran.outcomes().iter().map(|line| line.attempts).collect();
    // The fourth, too, if the third's connection had not died when it was taken.
    assert_eq!(tried[..3], [None, Some(2), None]);
    assert!(
        ran.stderr.contains("sent again because the server"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_fresh_connection_that_dies_is_no_reason_to_try_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    let address = server(move |_, mut stream| {
        if read_request(&mut stream).is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    // Each on its own connection, opened ahead or not: tried at most twice.
    let ran = send_to(address, &["--concurrency", "1"], 3);
    assert_eq!(ran.kinds(), ["stream"; 3]);
    assert!(
        ran.message().contains("closed before an answer"),
        "{}",
        ran.message()
    );
    assert!(connections.load(Ordering::SeqCst) <= 4);
}

#[test]
fn what_is_no_http_is_said_so() {
    let ran = send_to(answering("SSH-2.0-OpenSSH_9\r\n\r\n".into(), false), &[], 1);
    assert_eq!(ran.kinds(), ["stream"]);
    assert!(
        ran.message().contains("not an HTTP response"),
        "{}",
        ran.message()
    );
}

#[test]
fn a_long_prompt_may_be_refused_before_it_is_read() {
    let address = server(|_, mut stream| {
        let answer = response(
            "413 Too Large",
            "application/json",
            "{\"error\":\"too long\"}",
        );
        stream.write_all(answer.as_bytes()).unwrap();
        // Not reading: the client's write would never end.
        thread::sleep(Duration::from_secs(20));
    });
    let all = at(address);
    let all: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .chain(["--timeout", "15s"])
        .collect();
    let ran = send(&all, "{\"timestamp\":0,\"input_length\":4000000}\n");
    assert_eq!(ran.message(), "status 413: too long");
}

#[test]
fn running_out_of_descriptors_is_an_error_of_its_own() {
    let address = server(|_, mut stream| while read_request(&mut stream).is_some() {});
    let program = tool().get_program().to_owned();
    let script = format!("ulimit -n 24; exec \"$0\" --url http://{address} --model m --timeout 1s");
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &script])
        .arg(program)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = shell.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(requests(60).as_bytes())
        .unwrap();
    let ran: crate::harness::Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let kinds = ran.kinds();
    assert_eq!(kinds.len(), 60);
    assert!(
        kinds.contains(&ErrorKind::Exhausted.as_str()) && kinds.contains(&"timeout"),
        "{kinds:?}"
    );
    let said = "were not sent for want of descriptors or ports on this side";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn a_line_the_endpoint_cannot_be_asked_fails_alone() {
    let input = "{\"timestamp\":0,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n{\"timestamp\":0,\"input_length\":3}\n";
    let ran = send(&["--url", "mock:"], input);
    assert_eq!(ran.kinds(), ["request", "ok"], "{}", ran.stdout);
    assert!(
        ran.message().contains("--endpoint-type chat"),
        "{}",
        ran.message()
    );
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused_and_not_held() {
    let address = server(|_, mut stream| {
        read_request(&mut stream);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n";
        let mut sent = stream.write_all(head.as_bytes());
        let blank = vec![b' '; 1 << 20];
        for _ in 0..100 {
            if sent.is_ok() {
                sent = stream.write_all(&blank);
            }
        }
    });
    let ran = send_to(address, &["--no-stream"], 1);
    assert_eq!(ran.kinds(), ["content"], "{}", ran.stdout);
}

#[test]
fn a_stream_of_a_hundred_megabytes_is_read_piece_by_piece() {
    let words = format!(
        "data: {{\"choices\":[{{\"text\":\"{}\"}}]}}\n\n",
        "a".repeat(1 << 20)
    );
    let address = server(move |_, mut stream| {
        read_request(&mut stream);
        let done = "data: [DONE]\n\n";
        let length = words.len() * 100 + done.len();
        let head = format!("{SSE}content-length: {length}\r\n\r\n");
        let mut sent = stream.write_all(head.as_bytes());
        for _ in 0..100 {
            if sent.is_ok() {
                sent = stream.write_all(words.as_bytes());
            }
        }
        let _ = stream.write_all(done.as_bytes());
    });
    let ran = send_to(address, &["--timeout", "60s"], 1);
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stdout);
    assert_eq!(ran.outcomes()[0].chunks, Some(100));
}

#[test]
fn a_body_that_drips_ends_at_the_timeout() {
    let address = server(|_, mut stream| {
        read_request(&mut stream);
        let head = format!("{SSE}content-length: 500000\r\n\r\ndata: ");
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() {
            thread::sleep(Duration::from_millis(20));
            sent = stream.write_all(b" ");
        }
    });
    let ran = send_to(address, &["--timeout", "300ms"], 2);
    assert_eq!(ran.kinds(), ["timeout"; 2]);
}

#[test]
fn a_connection_that_is_reset_is_told_from_one_that_is_closed() {
    for (answer, kind) in [("", "stream"), ("HTTP/1.1 200 OK\r\n", "stream")] {
        let address = server(move |_, mut stream| {
            // Bytes that were not read turn the closing into a reset.
            let mut first = [0; 8];
            let _ = std::io::Read::read(&mut stream, &mut first);
            let _ = stream.write_all(answer.as_bytes());
        });
        let ran = send_to(address, &["--concurrency", "1"], 1);
        assert_eq!(ran.kinds(), [kind], "{}", ran.stdout);
    }
}
