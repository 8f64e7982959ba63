//! Who may ask.

use crate::harness::Server;

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
