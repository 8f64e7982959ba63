use crate::harness::send;
use std::io::Write as _;

/// llama.cpp's own server, or any other: start one and set TRACE_REAL_SERVER
/// to its URL.
#[test]
fn a_server_nobody_here_wrote_is_understood() {
    let Ok(url) = std::env::var("TRACE_REAL_SERVER") else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: TRACE_REAL_SERVER names no server").unwrap();
        return;
    };
    for path in ["/v1/completions", "/v1/chat/completions"] {
        let input = "{\"timestamp\":0,\"input_length\":40,\"output_length\":12}\n".repeat(6);
        let ran = send(&["--url", &format!("{url}{path}"), "--ignore-eos"], &input);
        assert_eq!(
            ran.kinds(),
            ["ok"; 6],
            "{path}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        for outcome in ran.outcomes() {
            assert_eq!(outcome.output_tokens, Some(12), "{path}");
            assert!(
                outcome.input_tokens > Some(0) && outcome.ttft_ms.is_some(),
                "{path}"
            );
            assert!(outcome.chunks <= Some(12), "{path}");
        }
    }
}
