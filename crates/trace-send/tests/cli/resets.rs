use crate::harness::{Ran, chunks, requests, response, run, send, server, tool};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

const SSE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 5000\r\n\r\n";

/// End `stream` by a reset, once the client has begun to write, so that it is
/// past connecting. What was written before can still be read.
fn reset(stream: &TcpStream) {
    let _ = stream.peek(&mut [0]);
    SockRef::from(stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

/// Ask a server that reads `reads` bytes, says `answer` and resets.
fn ask(reads: usize, answer: String) -> Ran {
    let address = server(move |_, mut stream| {
        let mut request = vec![0; reads];
        let _ = stream.read_exact(&mut request);
        let _ = stream.write_all(answer.as_bytes());
        reset(&stream);
    });
    let url = format!("http://{address}");
    send(&["--url", &url, "--model", "m", "-c", "1"], &requests(1))
}

#[test]
fn a_reset_is_told_at_every_stage_and_what_was_measured_is_kept() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    for (stage, reads, answer, chunks_heard) in [
        ("before anything is read", 0, String::new(), None),
        ("in the middle of the request", 20, String::new(), None),
        (
            "in the middle of the head",
            20,
            "HTTP/1.1 200 OK\r\nconte".to_owned(),
            None,
        ),
        ("after the head", 20, SSE.to_owned(), Some(0)),
        ("after the first event", 20, format!("{SSE}{role}"), Some(0)),
        (
            "in the middle of a token",
            20,
            format!("{SSE}{}data: {{\"cho", chunks(2)),
            Some(2),
        ),
    ] {
        let ran = ask(reads, answer);
        assert_eq!(
            (ran.code, ran.kinds()),
            (Some(0), vec!["stream"]),
            "{stage}: {}",
            ran.stdout
        );
        let outcome = &ran.outcomes()[0];
        assert_eq!(
            outcome.chunks.filter(|&n| n > 0),
            chunks_heard.filter(|&n| n > 0),
            "{stage}"
        );
        assert_eq!(
            outcome.status.is_some(),
            chunks_heard.is_some(),
            "{stage}: {}",
            ran.stdout
        );
        assert!(
            ran.message().contains("reset") || ran.message().contains("broke"),
            "{stage}: {}",
            ran.message()
        );
    }
    let whole = format!("{SSE}{}data: [DONE]\n\n", chunks(3));
    assert_eq!(
        ask(20, whole).kinds(),
        ["ok"],
        "after [DONE] nothing is missing"
    );
}

#[test]
fn a_reset_while_tls_is_agreed_on_is_its_failure() {
    let address = server(|_, mut stream| {
        let _ = stream.read_exact(&mut [0; 20]);
        reset(&stream);
    });
    let url = format!("https://{address}");
    let ran = send(&["--url", &url, "--model", "m"], &requests(1));
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["tls"]),
        "{}",
        ran.stdout
    );
}

#[test]
fn too_many_requests_are_an_answer_and_not_tried_again_by_themselves() {
    let answer = response("429 Slow Down", "application/json", "{\"error\":\"later\"}");
    let answer = answer.replacen("\r\n", "\r\nretry-after: 60\r\n", 1);
    let address = crate::harness::answering(answer, false);
    let url = format!("http://{address}");
    let ran = send(&["--url", &url, "--model", "m"], &requests(3));
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["http"; 3]),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.message(), "status 429: later");
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.attempts.is_none())
    );
}

#[test]
fn running_out_of_ports_is_an_error_of_its_own() {
    // A network of its own, with four ports for connections.
    const NETWORK: &str = "ip link set lo up && echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range && exec \"$@\"";
    let unshare = |words: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-rn", "sh", "-c", NETWORK, "sh"]).args(words);
        unshare
    };
    if !unshare(&["true"])
        .output()
        .is_ok_and(|ran| ran.status.success())
    {
        eprintln!("skipped: this system lets nobody have a network of his own");
        return;
    }
    let program = tool().get_program().to_str().unwrap().to_owned();
    let flags = [&program, "--url", "mock:?ttft=500ms"];
    let ran = run(&mut unshare(&flags), &requests(20));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let kinds = ran.kinds();
    assert!(
        kinds.contains(&"ok") && kinds.contains(&"exhausted"),
        "{kinds:?}"
    );
    assert!(
        ran.stderr.contains("no local port is free"),
        "{}",
        ran.stderr
    );
}
