//! The design that all tabs draw on.

use crate::harness::{Server, command, design, synth};
use serde_json::json;
use std::io::Read;

#[test]
fn two_tabs_never_overwrite_each_other_unseen() {
    let server = Server::start(&["--seed", "9"]);
    let first = server.get("/api/design").ok();
    assert_eq!(first["revision"], 1);
    assert_eq!(first["design"]["models"].as_array().unwrap().len(), 1);
    assert_eq!(first["design"]["seed"], 9);
    assert_eq!(first["outlet"], json!({ "to": "stdout", "problem": null }));
    // Both tabs begin with revision 1.
    let mine = server.put("/api/design", &json!({ "revision": 1, "design": design() }));
    assert_eq!(mine.ok(), json!({ "revision": 2 }));
    let mut other = design();
    other["duration_ms"] = json!(2000);
    let answer = server.put("/api/design", &json!({ "revision": 1, "design": other }));
    assert_eq!(answer.refused(409), "the design was changed in another tab");
    assert_eq!(answer.json()["revision"], 2);
    assert_eq!(answer.json()["design"], design());
    let again = server.put("/api/design", &json!({ "revision": 2, "design": other }));
    assert_eq!(again.ok(), json!({ "revision": 3 }));
    // A page that reloads finds what was drawn, with what is the page's own.
    let reloaded = server.get("/api/design").ok();
    assert_eq!(reloaded["design"], other);
    assert_eq!(reloaded["design"]["models"][0]["color"], "#123456");
}

#[test]
fn a_seed_of_many_digits_is_text_to_the_page_and_a_number_in_files() {
    let most = u64::MAX.to_string();
    let server = Server::start(&["--seed", &most]);
    let begun = server.get("/api/design").ok()["design"].clone();
    assert_eq!(begun["seed"], most);
    let mut drawn = design();
    drawn["seed"] = json!("9007199254740993");
    server
        .put("/api/design", &json!({ "revision": 1, "design": drawn }))
        .ok();
    assert_eq!(server.get("/api/design").ok()["design"], drawn);
    let body = json!({ "design": drawn });
    let file = server.post("/api/export?format=json", &body).ok();
    assert_eq!(file["seed"], 9_007_199_254_740_993_u64);
    assert_eq!(server.post("/api/trace", &body).body, synth(&file));
    assert_eq!(
        server
            .api(
                "POST",
                "/api/import?name=c.json",
                file.to_string().as_bytes()
            )
            .ok()["design"]["seed"],
        "9007199254740993"
    );
    // One more than there are.
    drawn["seed"] = json!("18446744073709551616");
    let line = server
        .post("/api/preview", &json!({ "design": drawn }))
        .refused(400);
    assert!(line.contains("seed is not a whole number"), "{line}");
}

#[test]
fn what_is_no_design_is_refused_and_changes_nothing() {
    let server = Server::start(&[]);
    let mut twice = design();
    twice["models"][1]["name"] = twice["models"][0]["name"].clone();
    let mut negative = design();
    negative["models"][0]["points"][0]["rate"] = json!(-1);
    let mut later = design();
    later["version"] = json!(2);
    for (bad, said) in [
        (twice, "is there twice"),
        (negative, "rate -1 is not 0 or more"),
        (later, "version 2"),
        (json!({}), "missing field"),
        (json!([1]), "invalid"),
        (json!(null), "invalid"),
    ] {
        let body = json!({ "revision": 1, "design": bad });
        let line = server.put("/api/design", &body).refused(400);
        assert!(line.starts_with("design") && line.contains(said), "{line}");
    }
    for bad in [
        "",
        "oops",
        "[]",
        "{}",
        "{\"revision\":1}",
        "{\"revision\":-1,\"design\":{}}",
        "\u{1}PNG",
    ] {
        server
            .api("PUT", "/api/design", bad.as_bytes())
            .refused(400);
    }
    server.api("PUT", "/api/design", b"\xff\xfe").refused(400);
    assert_eq!(server.get("/api/design").ok()["revision"], 1);
}

#[test]
fn a_file_is_what_the_page_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    std::fs::write(&path, design().to_string()).unwrap();
    let server = Server::start(&[path.to_str().unwrap(), "--seed", "8"]);
    let shown = server.get("/api/design").ok()["design"].clone();
    // The file's own seed stays, and so does what is the page's.
    assert_eq!(
        (&shown["seed"], &shown["max_rate"]),
        (&json!(5), &json!(200))
    );
    assert_eq!(shown["models"][0]["name"], design()["models"][0]["name"]);
    assert_eq!(shown["models"][1]["prefixes"], "pool:3,64");
}

#[test]
fn a_file_that_is_no_curve_is_said_before_anybody_draws() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wrong = design().to_string().replace("lognormal:90", "often:90");
    for (path, said) in [
        (file("empty", b""), "empty:1:1: nothing is in it"),
        (
            file("p.png", b"\x89PNG\r\n\x1a\n\0"),
            "p.png:1:1: neither a curve file nor a pickle",
        ),
        (
            file("late", b"{}\n\n  \xff"),
            "late:3:3: neither a curve file nor a pickle",
        ),
        (
            file("w", wrong.as_bytes()),
            "input_length: unknown distribution",
        ),
        (
            file("evil", b"\x80\x04cposix\nsystem\n."),
            "GLOBAL would import posix.system",
        ),
        (
            folder.path().join("none").to_str().unwrap().to_owned(),
            "cannot open ",
        ),
    ] {
        let mut child = command(&[&path, "--port", "0"]).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2));
        let mut line = String::new();
        child.stderr.unwrap().read_to_string(&mut line).unwrap();
        assert!(
            line.contains(said) && line.contains(&path) && line.lines().count() == 1,
            "{line}"
        );
    }
}
