//! Who may ask.

use crate::harness::{Server, command, design};
use serde_json::json;
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;

/// Every address, with what is asked of it.
const ADDRESSES: [(&str, &str); 18] = [
    ("GET", "/api/design"),
    ("PUT", "/api/design"),
    ("POST", "/api/preview"),
    ("POST", "/api/trace"),
    ("POST", "/api/underlay"),
    ("POST", "/api/import"),
    ("POST", "/api/export"),
    ("POST", "/api/preset"),
    ("GET", "/api/files"),
    ("GET", "/api/files/a.json"),
    ("PUT", "/api/files/a.json"),
    ("POST", "/api/send"),
    ("GET", "/api/send"),
    ("GET", "/api/send/1/events"),
    ("GET", "/api/send/1/outcomes"),
    ("GET", "/api/send/1/plots/latency_cdf.png"),
    ("POST", "/api/send/1/stop"),
    ("POST", "/api/done"),
];

#[test]
fn without_the_token_nothing_is_answered() {
    let mut server = Server::start(&[]);
    let wrong = "0".repeat(32);
    for (method, path) in ADDRESSES {
        server.ask(method, path, &[], b"{}").refused(403);
        server
            .ask(method, path, &[("x-trace-design", &wrong)], b"{}")
            .refused(403);
        let query = format!("{path}?token={wrong}");
        server.ask(method, &query, &[], b"{}").refused(403);
    }
    // The address alone is enough only where a header cannot be.
    let query = |path: &str| format!("{path}?token={}", server.token);
    server
        .ask("GET", &query("/api/design"), &[], b"")
        .refused(403);
    server
        .ask("POST", &query("/api/done"), &[], b"{}")
        .refused(403);
    server
        .ask("GET", &query("/api/send/1/events"), &[], b"")
        .refused(404);
    assert!(server.is_alive());
}

#[test]
fn another_name_of_the_server_is_refused() {
    let server = Server::start(&[]);
    let token = server.token.clone();
    for host in [
        "evil.example",
        "evil.example:5000",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
    ] {
        for (method, path) in ADDRESSES
            .into_iter()
            .chain([("GET", "/"), ("GET", "/assets/app.js")])
        {
            let headers = [("Host", host), ("x-trace-design", token.as_str())];
            server.ask(method, path, &headers, b"{}").refused(403);
        }
    }
    for host in ["localhost", "localhost:9", "[::1]:5000", "127.0.0.1"] {
        let headers = [("Host", host), ("x-trace-design", token.as_str())];
        server.ask("GET", "/api/design", &headers, b"").ok();
    }
}

#[test]
fn another_page_is_refused() {
    let server = Server::start(&[]);
    let ours = format!("http://{}", server.host());
    let ask = |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("x-trace-design", server.token.as_str()),
        ];
        server.ask("GET", "/api/design", &headers, b"")
    };
    for origin in [
        "null",
        "http://evil.example",
        "http://127.0.0.1:1",
        &ours.replace("http", "https"),
        "",
    ] {
        ask(origin).refused(403);
    }
    let answer = ask(&ours);
    answer.ok();
    assert!(
        !answer.head.to_lowercase().contains("access-control"),
        "{}",
        answer.head
    );
    // No preflight is ever answered well.
    let preflight = [
        ("Origin", "http://evil.example"),
        ("Access-Control-Request-Method", "POST"),
    ];
    server
        .ask("OPTIONS", "/api/done", &preflight, b"")
        .refused(403);
}

#[test]
fn the_page_runs_only_its_own_files() {
    let server = Server::start(&[]);
    let page = server.ask("GET", "/", &[], b"");
    let head = page.head.to_lowercase();
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cross-origin-resource-policy: same-origin",
        "cache-control: no-store",
        "content-type: text/html",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    for path in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/assets/",
        "/../../etc/passwd",
        "/etc/passwd",
        "/assets",
        "/api",
        "/api/",
        "/api/nothing",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
    }
    server.api("POST", "/", b"").refused(404);
    server.api("DELETE", "/api/design", b"").refused(404);
}

#[test]
fn every_address_of_this_machine_is_guarded_alike() {
    for address in ["127.0.0.2", "127.255.255.254", "::1"] {
        if std::net::TcpListener::bind((address, 0)).is_err() {
            eprintln!("SKIPPED: this machine has no {address}");
            continue;
        }
        let server = Server::start(&["--listen", address]);
        assert_eq!(server.address.ip().to_string(), address);
        // It is the page's own, so no link with a word in it is needed.
        assert!(!server.announced.contains("token="), "{}", server.announced);
        server.get("/api/design").ok();
        let ask = |headers: &[(&str, &str)]| {
            let token = ("x-trace-design", server.token.as_str());
            let headers: Vec<_> = headers.iter().copied().chain([token]).collect();
            server.ask("GET", "/api/design", &headers, b"")
        };
        let ours = format!("http://{}", server.address);
        ask(&[("Origin", &ours)]).ok();
        ask(&[("Host", "localhost:5000")]).ok();
        for host in [
            "evil.example",
            "10.1.2.3",
            "0.0.0.0",
            "[::]",
            "[fe80::1]:80",
        ] {
            ask(&[("Host", host)]).refused(403);
        }
        ask(&[("Origin", "http://evil.example")]).refused(403);
        ask(&[("Origin", "http://127.0.0.1:1")]).refused(403);
    }
}

#[test]
fn every_address_at_once_is_told_as_one_that_can_be_opened() {
    for (address, opened) in [("0.0.0.0", "127.0.0.1"), ("::", "::1")] {
        if std::net::TcpListener::bind((address, 0)).is_err() {
            eprintln!("SKIPPED: this machine has no {address}");
            continue;
        }
        let mut server = Server::start(&["--listen", address]);
        assert_eq!(server.address.ip().to_string(), opened);
        let token = server.announced.split_once("?token=").unwrap().1;
        server.token = token.split_whitespace().next().unwrap().to_owned();
        server.get("/api/design").ok();
        // A number is good, as it cannot be led elsewhere; a name is not.
        let ask = |host: &str| {
            let headers = [("Host", host), ("x-trace-design", server.token.as_str())];
            server.ask("GET", "/api/design", &headers, b"")
        };
        for host in [
            "10.1.2.3:5000",
            "[2001:db8::1]:5000",
            "127.0.0.2",
            "localhost",
        ] {
            ask(host).ok();
        }
        ask("evil.example").refused(403);
        ask("10.1.2.3.evil.example").refused(403);
        // Whoever has the link may draw, but not have our keys sent.
        let wish = json!({ "design": design(), "url": "mock:", "api_key_env": "PATH" });
        let line = server.post("/api/send", &wish).refused(403);
        assert!(line.starts_with("keys of the environment"), "{line}");
    }
}

#[test]
fn a_browser_that_does_not_open_is_said_and_the_page_stays() {
    let folder = tempfile::tempdir().unwrap();
    let opener = folder.path().join("xdg-open");
    let open = |said: &str| {
        let mut command = command(&["--port", "0", "--open"]);
        let mut server = Server::of(command.env("PATH", folder.path()));
        let mut line = String::new();
        server.stderr.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("trace-design: cannot open a browser: ") && line.contains(said),
            "{line}"
        );
        server.get("/api/design").ok();
        assert!(server.is_alive());
    };
    open("No such file");
    std::fs::write(&opener, "#!/bin/sh\nexit 3\n").unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    open("exit status: 3");
}

#[test]
fn beyond_this_machine_the_page_wants_the_link() {
    let mut server = Server::start(&["--listen", "0.0.0.0"]);
    assert_eq!(server.token, "");
    server.ask("GET", "/", &[], b"").refused(403);
    let token = server.announced.split_once("?token=").unwrap().1;
    let token = token.split_whitespace().next().unwrap().to_owned();
    assert_eq!(
        server
            .ask("GET", &format!("/?token={token}"), &[], b"")
            .status,
        200
    );
    server.token = token;
    server.get("/api/design").ok();
    let lan = [
        ("Host", "10.1.2.3:5000"),
        ("x-trace-design", server.token.as_str()),
    ];
    server.ask("GET", "/api/design", &lan, b"").ok();
    let named = [
        ("Host", "evil.example"),
        ("x-trace-design", server.token.as_str()),
    ];
    server.ask("GET", "/api/design", &named, b"").refused(403);
    server.signal("-INT");
    let (_, _, said) = server.wait();
    assert!(
        said.contains("can be reached from other machines"),
        "{said}"
    );
}
