//! Designs come and go as files.

use crate::harness::{Server, design};
use serde_json::{Value, json};
use std::process::Command;

#[test]
fn a_curve_file_goes_out_and_comes_back() {
    let server = Server::start(&[]);
    let file = server.post("/api/export?format=json", &json!({ "design": design() }));
    assert!(
        file.head.contains("filename=\"curve.json\""),
        "{}",
        file.head
    );
    let back = server
        .api("POST", "/api/import?name=curve.json", &file.body)
        .ok();
    assert_eq!(back["notes"], json!([]));
    let again = server.post("/api/export", &json!({ "design": back["design"] }));
    assert_eq!(again.body, file.body);
    assert_eq!(back["design"]["models"][0]["color"], "#123456");
}

#[test]
fn a_pickle_goes_out_and_comes_back() {
    let server = Server::start(&[]);
    let file = server.post("/api/export?format=pickle", &json!({ "design": design() }));
    assert_eq!(file.status, 200);
    let notes = file.head.split_once("x-trace-design-notes: ").unwrap().1;
    let notes: Vec<String> = serde_json::from_str(notes.lines().next().unwrap()).unwrap();
    assert!(
        notes[0].starts_with("model \"chat \\\"q\\\" <script>☃\": left out input_length"),
        "{notes:?}"
    );
    let back = server.api("POST", "/api/import", &file.body).ok();
    assert_eq!(back["notes"], json!([]));
    let back = &back["design"];
    assert_eq!(
        (&back["duration_ms"], &back["max_rate"]),
        (&json!(1000.0), &json!(200.0))
    );
    assert_eq!(
        back["models"][0]["points"],
        json!([{ "t_ms": 0.0, "rate": 10.0 }, { "t_ms": 1000.0, "rate": 100.0 }])
    );
    // What was once a pickle stays as it is.
    let again = server.post("/api/export?format=pickle", &json!({ "design": back }));
    assert_eq!(again.body, file.body);
}

#[test]
fn python_reads_the_pickle() {
    let server = Server::start(&[]);
    let file = server.post("/api/export?format=pickle", &json!({ "design": design() }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traffic_config.pkl");
    std::fs::write(&path, &file.body).unwrap();
    let program =
        "import json, pickle, sys; print(json.dumps(pickle.load(open(sys.argv[1], 'rb'))))";
    let Ok(output) = Command::new("python3")
        .args(["-c", program])
        .arg(&path)
        .output()
    else {
        eprintln!("SKIPPED: there is no python3 to read a pickle with");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = design()["models"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(read["models"], json!([name, "code"]));
    assert_eq!(
        (&read["duration"], &read["max_rate"]),
        (&json!(1), &json!(200))
    );
    assert_eq!(
        read["curves"][&name],
        json!([{ "x": 0.0, "y": 0.05 }, { "x": 1.0, "y": 0.5 }])
    );
    assert_eq!(read["curves"]["code"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_neither_is_refused() {
    let server = Server::start(&[]);
    for (bytes, said) in [
        (&b""[..], "day.pkl:1:1: nothing is in it"),
        (
            b"\x89PNG\r\n\x1a\n",
            "day.pkl:1:1: neither a curve file nor a pickle",
        ),
        (
            b"\x80\x04cposix\nsystem\n.",
            "day.pkl: byte 2: GLOBAL would import posix.system",
        ),
        (b"\x80\x02}.", "day.pkl: the pickle has no "),
    ] {
        let line = server
            .api("POST", "/api/import?name=day.pkl", bytes)
            .refused(400);
        assert!(line.starts_with(said), "{line}");
    }
    server
        .post("/api/export?format=xml", &json!({ "design": design() }))
        .refused(400);
    server
        .post("/api/export", &json!({ "design": {} }))
        .refused(400);
}
