use crate::harness::{chunks, read_request, response, send, server};
use std::io::Write;
use std::sync::{Arc, Mutex};

/// The bodies that a server is sent, in their order.
fn bodies(flags: &[&str], input: &str) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let body = format!("{}data: [DONE]\n\n", chunks(2));
    let answer = response("200 OK", "text/event-stream", &body);
    let address = server(move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
            keep.lock().unwrap().push(body);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}/v1/completions");
    let ran = send(&[&["--url", &url, "-m", "m"], flags].concat(), input);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty());
    seen
}

#[test]
fn the_same_flags_send_the_same_bytes_in_the_same_order() {
    let line = |i: usize| {
        format!(
            "{{\"input_length\":{},\"output_length\":2,\"hash_ids\":[{}]}}\n",
            20 + i,
            i % 3
        )
    };
    let input: String = (0..12).map(line).collect();
    let flags = ["-c", "1", "--rounds", "3", "--seed", "7"];
    let first = bodies(&flags, &input);
    assert_eq!(first.len(), 36);
    assert_eq!(bodies(&flags, &input), first);
    assert_ne!(first[12..24], first[..12], "another order");
    let other = bodies(&["-c", "1", "--rounds", "3", "--seed", "8"], &input);
    assert_ne!(other[..12], first[..12], "another text");
    let kept = bodies(&["-c", "1", "--rounds", "2", "--no-shuffle"], &input);
    assert_eq!(kept[..12], kept[12..]);
}

#[test]
fn levels_send_the_same_requests() {
    let input: String = (0..9)
        .map(|i| format!("{{\"input_length\":{}}}\n", 10 + i))
        .collect();
    let all = bodies(&["-c", "1", "-n", "4"], &input);
    let levels = bodies(&["-c", "1,1", "-n", "4"], &input);
    assert_eq!(levels, [all.clone(), all].concat());
}
