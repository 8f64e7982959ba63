//! `scripts/fetch-dataset` against a file server of our own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A zip archive of one stored file.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let mut common = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    common.extend(sum.sum().to_le_bytes());
    common.extend(size);
    common.extend(size);
    common.extend(length);
    common.extend([0, 0]);
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&common);
    archive.extend(name.as_bytes());
    archive.extend(content);
    let directory = archive.len();
    archive.extend(b"PK\x01\x02\x0a\x00");
    archive.extend(&common);
    // No comment, first disk, no attributes, at the archive's beginning.
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());
    let length = u32::try_from(archive.len() - directory).unwrap();
    archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    archive.extend(length.to_le_bytes());
    archive.extend(u32::try_from(directory).unwrap().to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// Serves `archive` as `/set/data.zip` until the test ends.
fn serve(archive: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/set", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            lines.read_line(&mut request).unwrap();
            let mut rest = String::new();
            while lines.read_line(&mut rest).unwrap() > 2 {
                rest.clear();
            }
            let found = request.starts_with("GET /set/data.zip ");
            let (status, body) = if found {
                ("200 OK", &archive[..])
            } else {
                ("404 Not Found", &b""[..])
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body).unwrap();
        }
    });
    base
}

/// The script's run, or nothing where what it needs is not installed.
fn fetch(dir: &Path, arguments: &[&str]) -> Option<Output> {
    let there = |tool: &str| Command::new(tool).arg("--help").output().is_ok();
    if !["bash", "curl", "unzip"].into_iter().all(there) {
        eprintln!("skipped: bash, curl and unzip are needed");
        return None;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/fetch-dataset");
    let mut command = Command::new("bash");
    command
        .arg(std::fs::canonicalize(script).unwrap())
        .args(arguments);
    Some(
        command
            .current_dir(dir)
            .env("no_proxy", "127.0.0.1")
            .output()
            .unwrap(),
    )
}

const ENTRY: &str = "{\"input\":\"q\",\"context\":\"c\",\"answers\":[\"a\"],\"length\":2,\"dataset\":\"hotpotqa\",\"language\":\"en\",\"all_classes\":null,\"_id\":\"1\"}\n";

#[test]
fn a_data_set_is_taken_out_of_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let base = serve(zip("data/hotpotqa.jsonl", ENTRY.as_bytes()));
    let Some(run) = fetch(
        dir.path(),
        &["longbench", "hotpotqa", "--base-url", &base, "--dir", "d"],
    ) else {
        return;
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert_eq!(run.stdout, b"d/hotpotqa.jsonl\n");
    assert_eq!(
        std::fs::read_to_string(dir.path().join("d/hotpotqa.jsonl")).unwrap(),
        ENTRY
    );
    // What is there is not fetched again, and what is not there is named.
    let again = fetch(
        dir.path(),
        &[
            "longbench",
            "hotpotqa",
            "--base-url",
            "http://127.0.0.1:1",
            "--dir",
            "d",
        ],
    )
    .unwrap();
    assert!(again.status.success());
    let other = fetch(
        dir.path(),
        &["longbench", "qasper", "--base-url", &base, "--dir", "d"],
    )
    .unwrap();
    let message = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(2), "{message}");
    assert!(
        message.contains("no data/qasper.jsonl") && message.contains("it holds hotpotqa"),
        "{message}"
    );
    assert!(!dir.path().join("d/qasper.jsonl").exists());
}

#[test]
fn a_server_without_the_archive_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let base = serve(Vec::new()).replace("/set", "/elsewhere");
    let Some(run) = fetch(
        dir.path(),
        &["longbench", "qasper", "--base-url", &base, "--dir", "d"],
    ) else {
        return;
    };
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("cannot fetch"));
    assert_eq!(std::fs::read_dir(dir.path().join("d")).unwrap().count(), 0);
}
