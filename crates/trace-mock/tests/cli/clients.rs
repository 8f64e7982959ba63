//! Clients that are not ours. Those that need no network; the script knows more.

use std::process::{Command, Stdio};

#[test]
fn curl_gets_what_it_asks_for() {
    let installed = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if installed.is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/check-clients");
    let output = Command::new("bash")
        .args([script, "curl"])
        .env("TRACE_MOCK", env!("CARGO_BIN_EXE_trace-mock"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert_eq!(output.stdout, b"curl: ok\n", "{words}");
}
