//! The end: Done, ^C, and what can go wrong with where the curve goes.

use crate::harness::{Server, command, design, until};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};

#[test]
fn done_writes_the_curve_on_stdout_and_ends() {
    let server = Server::start(&[]);
    let said = server
        .post("/api/done", &json!({ "design": design() }))
        .ok();
    assert_eq!(said, json!({ "written": "stdout" }));
    let (status, stdout, stderr) = server.wait();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let curve: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(curve["models"][0]["color"], "#123456");
    assert_eq!(
        curve["models"][1]["points"][1],
        json!({ "t_ms": 500.0, "rate": 60.0 })
    );
    assert!(stdout.ends_with("}\n"));
}

#[test]
fn done_writes_the_file_that_was_there_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let text = " ".repeat(10_000);
    fs::write(&path, &text).unwrap();
    let args = ["--out", path.to_str().unwrap()];
    let server = Server::start(&args);
    // Not what can be made no trace of.
    let mut bad = design();
    bad["models"][0]["arrival"] = json!("often");
    server
        .post("/api/done", &json!({ "design": bad }))
        .refused(400);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    server
        .post("/api/done", &json!({ "design": design() }))
        .ok();
    let (status, stdout, _) = server.wait();
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""));
    let curve: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(curve["seed"], 5);
}

#[test]
fn an_interrupt_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    for signal in ["-INT", "-TERM"] {
        let server = Server::start(&["--out", path.to_str().unwrap()]);
        server
            .put("/api/design", &json!({ "revision": 1, "design": design() }))
            .ok();
        server.signal(signal);
        let (status, stdout, _) = server.wait();
        assert_eq!((status.code(), stdout.as_str()), (Some(130), ""));
        assert!(!path.exists());
    }
}

#[test]
fn a_signal_right_after_the_address_ends_it_well() {
    for name in ["-INT", "-TERM"] {
        for _ in 0..5 {
            let mut child = command(&["--port", "0"]).spawn().unwrap();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            stderr.read_line(&mut String::new()).unwrap();
            let pid = child.id().to_string();
            let sent = Command::new("sh")
                .args(["-c", "kill \"$0\" \"$1\"", name, &pid])
                .status();
            assert!(sent.unwrap().success());
            assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_said_before_anybody_draws() {
    let folder = tempfile::tempdir().unwrap();
    for out in [folder.path().to_owned(), folder.path().join("no/such.json")] {
        let mut child = command(&["--port", "0", "--out", out.to_str().unwrap()])
            .spawn()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2));
        let mut line = String::new();
        child.stderr.unwrap().read_to_string(&mut line).unwrap();
        assert!(
            line.starts_with("trace-design: cannot write ") && line.lines().count() == 1,
            "{line}"
        );
    }
    let mut child = command(&["--dir", folder.path().join("none").to_str().unwrap()])
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_stdout_that_leads_nowhere_is_said() {
    let mut command = command(&["--port", "0"]);
    let server = Server::of(command.stdout(Stdio::null()));
    let outlet = server.get("/api/design").ok()["outlet"].clone();
    assert_eq!(outlet["problem"], "stdout is closed or /dev/null");
    server.signal("-INT");
    let (_, _, said) = server.wait();
    assert!(said.contains("can only be saved in the page"), "{said}");
}

#[test]
fn a_reader_that_has_gone_leaves_the_page_to_save_with() {
    let mut server = Server::start(&[]);
    drop(server.child.stdout.take());
    until(|| {
        let outlet = server.get("/api/design").ok()["outlet"].clone();
        (outlet["problem"] == "whoever read stdout has gone").then_some(())
    });
    let line = server
        .post("/api/done", &json!({ "design": design() }))
        .refused(500);
    assert!(
        line.starts_with("cannot write the curve to stdout: "),
        "{line}"
    );
    assert!(server.is_alive());
    server
        .post("/api/export", &json!({ "design": design() }))
        .ok();
}

#[test]
fn a_port_that_is_taken_is_followed_by_the_next() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::of(&mut command(&["--port", &port.to_string()]));
    assert!(
        server.port > port && server.port <= port + 100,
        "{} {port}",
        server.port
    );
    server.get("/api/design").ok();
    let mut child = command(&["--listen", "192.0.2.1"]).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
