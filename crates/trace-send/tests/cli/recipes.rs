use crate::harness::{Ran, tool};
use std::path::Path;
use std::process::Command;

fn cook(folder: &Path, recipe: &str, flags: &[&str]) -> Ran {
    std::fs::write(folder.join("recipe.yaml"), recipe).unwrap();
    let mut tool = tool();
    tool.current_dir(folder)
        .args(["--recipe", "recipe.yaml"])
        .args(flags);
    tool.output().unwrap().into()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let line = "{\"timestamp\":0,\"input_length\":3,\"output_length\":2}\n";
    std::fs::write(folder.path().join("t.jsonl"), line.repeat(8)).unwrap();
    folder
}

#[test]
fn stages_are_run_one_after_the_other() {
    let folder = folder();
    let recipe = "global: {url: 'mock:', files: [t.jsonl]}\nstages:\n- {name: one, concurrency: [1, 2], requests: [2, 3]}\n- {name: two, rounds: 2, requests: 4, env: {X: y}}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let stages = ran.stdout.lines().map(|line| {
        let line = trace_core::Line::parse("t", line).unwrap();
        line.outcome().unwrap().unwrap().stage.unwrap()
    });
    let mut stages: Vec<_> = stages.collect();
    assert_eq!(stages.len(), 5 + 8);
    stages.dedup();
    assert_eq!(stages, ["one", "two"]);
    let fewer = cook(folder.path(), recipe, &["-n", "1"]);
    assert_eq!(fewer.stdout.lines().count(), 2 + 2, "{}", fewer.stderr);
}

#[test]
fn fluxperfs_recipe_runs_and_shows_no_key() {
    let folder = folder();
    let recipe = "mock_server: {enabled: true}\nglobal:\n  mode: dual_round\n  api_key: sk-secret\n  debug: true\nsuites:\n- name: s\n  stages:\n  - {name: a, concurrency_levels: [1, 2], num_samples: [3], dataset: t.jsonl, max_output_tokens: 1}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 2 * 2 * 3);
    assert!(ran.stdout.contains("\"stage\":\"s/a\""));
    assert!(
        ran.stdout
            .lines()
            .all(|line| line.contains("\"output_tokens\":1,")),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("recipe: debug is left out"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("sk-secret") && !ran.stdout.contains("sk-secret"));
}

#[test]
fn a_stage_that_cannot_do_its_job_ends_the_recipe() {
    let folder = folder();
    let recipe = "stages:\n- {name: bad, url: 'mock:', files: [bad.jsonl]}\n- {name: never, url: 'mock:', files: [t.jsonl]}\n";
    std::fs::write(folder.path().join("bad.jsonl"), "nothing\n").unwrap();
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("bad.jsonl:1:"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("stage bad ended with"),
        "{}",
        ran.stderr
    );
    let ran = cook(folder.path(), "stages: [{name: a, urll: x}]", &[]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("recipe.yaml: stage a: \"urll\" is no flag"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_wrong_with_a_later_stage_is_said_before_the_first() {
    let folder = folder();
    let first = "stages:\n- {name: a, url: 'mock:', files: [t.jsonl]}\n";
    for (second, words) in [
        (
            "- {name: b, url: 'mock:', files: [none.jsonl]}",
            "stage b: cannot open none.jsonl",
        ),
        (
            "- {name: b, url: 'mock:', concurrency: x, files: [t.jsonl]}",
            "stage b: invalid value 'x'",
        ),
        (
            "- {name: b, url: 'mock:', slo: 'zz=1', files: [t.jsonl]}",
            "stage b: invalid value 'zz=1'",
        ),
        (
            "- {name: b, url: 'mock:', ramp_up: 5s, files: [t.jsonl]}",
            "stage b: --ramp-up needs",
        ),
    ] {
        let ran = cook(folder.path(), &format!("{first}{second}\n"), &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{second}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = cook(folder.path(), "stages: []", &[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("it has no stages"), "{}", ran.stderr);
}

#[test]
fn a_stage_may_bring_its_server_along() {
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|ran| ran.status.success()) {
        eprintln!("skipped: there is no python3 to serve with");
        return;
    }
    let folder = folder();
    let server = "import http.server,os,socketserver\nclass H(http.server.BaseHTTPRequestHandler):\n  protocol_version='HTTP/1.1'\n  def log_message(self,*a): pass\n  def say(self,kind,body):\n    self.send_response(200); self.send_header('content-type',kind); self.send_header('content-length',str(len(body))); self.end_headers(); self.wfile.write(body)\n  def do_GET(self): self.say('application/json',b'{\"data\":[{\"id\":\"m\"}]}')\n  def do_POST(self):\n    self.rfile.read(int(self.headers['content-length']))\n    self.say('text/event-stream',b'data: {\"choices\":[{\"text\":\"a\"}]}\\n\\ndata: [DONE]\\n\\n')\nclass S(socketserver.ThreadingMixIn,http.server.HTTPServer):\n  daemon_threads=True\nS(('127.0.0.1',int(os.environ['PORT'])),H).serve_forever()\n";
    std::fs::write(folder.path().join("server.py"), server).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let recipe = format!(
        "stages:\n- name: a\n  url: http://127.0.0.1:{port}\n  files: [t.jsonl]\n  env: {{PORT: {port}}}\n  server: {{command: 'exec python3 server.py', ready: 30s}}\n"
    );
    let ran = cook(folder.path(), &recipe, &[]);
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["ok"; 8]),
        "{}",
        ran.stderr
    );
    let gone = std::net::TcpStream::connect(("127.0.0.1", port));
    assert!(gone.is_err(), "the server ends with its stage");
}

#[test]
fn fluxperfs_datasets_are_read_and_their_entries_counted() {
    let folder = folder();
    let texts = "[{\"text\":\"one\"},{\"text\":\"two\"},{\"text\":\"three\"}]";
    std::fs::write(folder.path().join("texts.json"), texts).unwrap();
    let talks = "{\"session_id\":\"a\",\"user_messages\":[\"x\",\"y\"]}\n{\"session_id\":\"b\",\"user_messages\":[\"x\",\"y\",\"z\"]}\n";
    std::fs::write(folder.path().join("talks.jsonl"), talks).unwrap();
    std::fs::write(folder.path().join("slo.yaml"), "slo: {ttft_ms: 500}\n").unwrap();
    let recipe = "mock_server: {enabled: true, port: 8765}\nglobal: {max_output_tokens: 2, slo_file: slo.yaml, tokenizer_name: x, output_dir: o}\nstages:\n- {name: texts, concurrency_levels: [1, 2], num_samples: [2], dataset: texts.json}\n- {name: talks, concurrency_levels: [3], num_samples: [1], dataset: talks.jsonl}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let count = |stage: &str| {
        ran.stdout
            .matches(&format!("\"stage\":\"{stage}\""))
            .count()
    };
    assert_eq!(
        [count("texts"), count("talks")],
        [2 * 2, 2],
        "two prompts at both levels, and both turns of a session\n{}",
        ran.stderr
    );
    assert_eq!(ran.kinds(), vec!["ok"; 6], "{}", ran.stdout);
    assert!(ran.stdout.contains("\"text_input\":\"two\""));
    assert!(
        ran.stderr.contains("tokenizer_name is left out")
            && ran.stderr.contains("dataset texts.json: fluxperf"),
        "{}",
        ran.stderr
    );
    let none = "stages: [{name: a, endpoint: 'http://127.0.0.1:1', dataset: no.jsonl}]";
    let ran = cook(folder.path(), none, &[]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("stage a: dataset no.jsonl: No such file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_recipe_shows_its_keys_to_nobody() {
    let folder = folder();
    let address = crate::harness::server(|_, mut stream| {
        use std::io::Write;
        while let Some(request) = crate::harness::read_request(&mut stream) {
            // A server that repeats what it was shown.
            let secret = |line: &&str| line.contains("sk-");
            let lines: Vec<_> = request.lines().filter(secret).collect();
            let said = format!("{{\"error\":{:?}}}", lines.join(", "));
            let answer = crate::harness::response("401 No", "application/json", &said);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let recipe = format!(
        "global: {{url: 'http://{address}/v1/completions?api-key=sk-query', model: m, files: [t.jsonl], header: ['X-Token: sk-header']}}\nstages:\n- {{name: a, api_key: sk-recipe}}\n"
    );
    let ran = cook(folder.path(), &recipe, &[]);
    assert_eq!(ran.kinds(), ["http"; 8], "{}", ran.stderr);
    assert!(ran.message().contains("x-token: ***"), "{}", ran.message());
    let said = ran.stdout + &ran.stderr;
    for secret in ["sk-query", "sk-header", "sk-recipe"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[test]
fn requests_of_every_stage_can_be_told_apart() {
    let folder = folder();
    let recipe = "global: {url: 'mock:', files: [t.jsonl], requests: 2}\nstages:\n- {name: a, concurrency: 2}\n- {name: a, concurrency: 3}\n- {name: a-2}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let marks = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["stage"].to_string(), line["concurrency"].as_u64())
    };
    let mut stages: Vec<_> = ran.stdout.lines().map(marks).collect();
    stages.dedup();
    let expected = [
        ("\"a\"", Some(2)),
        ("\"a-2\"", Some(3)),
        ("\"a-2-2\"", None),
    ];
    let expected = expected.map(|(stage, level)| (stage.to_owned(), level));
    assert_eq!(stages, expected);
    assert!(
        ran.stderr.contains("a second stage a is called a-2"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_server_that_fails_ends_its_stage_at_once() {
    let folder = folder();
    let recipe = "stages:\n- {name: a, url: 'http://127.0.0.1:1', files: [t.jsonl], server: {command: 'exit 3', ready: 10m}}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    let why = "stage a: its server ended with exit status: 3";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
}

#[test]
fn a_dry_run_starts_no_server() {
    let folder = folder();
    // FluxPerf's words for one.
    let recipe = "vllm: {auto_restart: true, startup_command: 'touch started; sleep 60', port: 1}\nstages:\n- {name: a, url: 'http://127.0.0.1:1', files: [t.jsonl]}\n";
    let ran = cook(folder.path(), recipe, &["--dry-run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 8);
    assert!(!folder.path().join("started").exists());
    let ran = cook(folder.path(), recipe, &["--wait-ready", "1s"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(folder.path().join("started").exists());
}

#[test]
fn a_dry_recipe_starts_no_server_and_one_that_falls_is_not_waited_for() {
    let folder = folder();
    let recipe = "global: {url: 'http://127.0.0.1:9', model: m, files: [t.jsonl]}\nstages:\n- name: a\n  server: {command: 'echo begun; exit 3', ready: 10m}\n";
    let dry = cook(folder.path(), recipe, &["--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    assert!(!dry.stderr.contains("begun"), "{}", dry.stderr);
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let said = "stage a: its server ended with exit status: 3";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
