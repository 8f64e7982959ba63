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
        ran.stderr.contains("debug has no counterpart"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("sk-secret") && !ran.stdout.contains("sk-secret"));
}

#[test]
fn a_stage_that_cannot_do_its_job_ends_the_recipe() {
    let folder = folder();
    let recipe = "stages:\n- {name: bad, url: 'mock:', files: [none.jsonl]}\n- {name: never, url: 'mock:', files: [t.jsonl]}\n";
    let ran = cook(folder.path(), recipe, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("cannot open none.jsonl"),
        "{}",
        ran.stderr
    );
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
