//! The folder that the page may use.

use crate::harness::{Server, design};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn designs_are_saved_listed_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--dir", folder.path().to_str().unwrap()]);
    let listed = server.get("/api/files").ok();
    assert_eq!(listed["files"], json!([]));
    let saved = server.put(
        "/api/files/day%20one%20%E2%98%83.json",
        &json!({ "design": design() }),
    );
    assert_eq!(saved.ok(), json!({ "name": "day one ☃.json", "notes": [] }));
    let pickled = server.put("/api/files/day.pkl", &design()).ok();
    assert_eq!(pickled["notes"].as_array().unwrap().len(), 4, "{pickled}");
    assert_eq!(
        server.get("/api/files").ok()["files"],
        json!(["day one ☃.json", "day.pkl"])
    );
    let loaded = server.get("/api/files/day%20one%20%E2%98%83.json").ok();
    assert_eq!(loaded["design"]["models"][0]["color"], "#123456");
    assert_eq!(loaded["design"]["models"][1]["prefixes"], "pool:3,64");
    let loaded = server.get("/api/files/day.pkl").ok();
    assert_eq!(loaded["design"]["max_rate"], 200.0);
    assert_eq!(
        loaded["design"]["models"][0]["points"][1],
        json!({ "t_ms": 1000.0, "rate": 100.0 })
    );
    server.get("/api/files/none.json").refused(404);
    server
        .put("/api/files/bad.json", &json!({ "design": {} }))
        .refused(400);
    assert!(!folder.path().join("bad.json").exists());
}

#[test]
fn no_address_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.json");
    fs::write(&secret, design().to_string()).unwrap();
    let folder = outside.path().join("inside");
    fs::create_dir(&folder).unwrap();
    symlink(&secret, folder.join("link.json")).unwrap();
    let server = Server::start(&["--dir", folder.to_str().unwrap()]);
    for name in [
        "..%2Fsecret.json",
        "%2e%2e%2fsecret.json",
        "..%5csecret.json",
        "link.json",
        ".json",
        "%2Fetc%2Fpasswd",
        "a%00.json",
        "a%0A.json",
        "inside",
        "..",
        "x.txt",
    ] {
        let path = format!("/api/files/{name}");
        assert!([403, 404].contains(&server.get(&path).status), "{name}");
        let written = server.put(&path, &json!({ "design": design() }));
        assert!([403, 404].contains(&written.status), "{name}");
    }
    for path in [
        "/api/files/../secret.json",
        "/api/files/../../etc/passwd",
        "/api/files//secret.json",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), design().to_string());
    assert_eq!(server.get("/api/files").ok()["files"], json!([]));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
}

#[test]
fn without_a_folder_nothing_is_kept() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/api/files").ok(), json!({ "dir": null }));
    let line = server
        .put("/api/files/a.json", &json!({ "design": design() }))
        .refused(404);
    assert!(line.contains("--dir"), "{line}");
    server.get("/api/files/a.json").refused(404);
}
