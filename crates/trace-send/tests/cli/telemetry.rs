use crate::harness::{Mock, requests, response, run, send, server, tool};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A page of metrics on which a counter grows by ten each time.
fn metrics() -> String {
    let looks = AtomicU32::new(0);
    let address = server(move |_, mut stream| {
        while let Some(request) = crate::harness::read_request(&mut stream) {
            assert!(
                request.starts_with("GET /metrics HTTP/1.1\r\n"),
                "{request}"
            );
            let look = looks.fetch_add(1, Ordering::SeqCst) + 1;
            let page = format!(
                "# TYPE running gauge\nrunning{{model=\"a\"}} {look}\n# TYPE tokens counter\ntokens_total {}\n# TYPE other gauge\nother 1\n",
                look * 10
            );
            if stream
                .write_all(response("200 OK", "text/plain", &page).as_bytes())
                .is_err()
            {
                return;
            }
        }
    });
    format!("http://{address}/metrics")
}

/// The lines of a telemetry file, each held against the schema.
fn lines(path: &Path) -> Vec<Value> {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/telemetry.schema.json"
    );
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let parse = |line| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&line), "{line}");
        line
    };
    text.lines().map(parse).collect()
}

#[test]
fn metrics_are_sampled_while_requests_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telemetry.jsonl");
    let (mock, page) = (Mock::start(0, 0), metrics());
    let url = mock.url();
    let flags = [
        "--url",
        &url,
        "--rate",
        "20",
        "--telemetry",
        file.to_str().unwrap(),
        "--prometheus-url",
        &page,
        "--prometheus-metrics",
        "running,tokens*",
        "--telemetry-interval",
        "100ms",
    ];
    let ran = send(&flags, &requests(20));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = lines(&file);
    let named = |name: &str| {
        lines
            .iter()
            .filter(|line| line["name"] == name)
            .collect::<Vec<_>>()
    };
    let running = named("running");
    assert!(running.len() >= 2, "{} samples in a second", running.len());
    assert_eq!(running[0]["labels"]["model"], "a");
    let times: Vec<f64> = running
        .iter()
        .map(|line| line["t_ms"].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted() && times[0] < 1_000.0, "{times:?}");
    let rates: Vec<f64> = named("tokens_total")
        .iter()
        .map(|line| line["value"].as_f64().unwrap())
        .collect();
    assert!(
        !rates.is_empty() && rates.iter().all(|rate| *rate > 0.0 && *rate <= 1_010.0),
        "{rates:?}"
    );
    assert!(named("other").is_empty());
}

#[test]
fn a_page_that_is_not_there_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telemetry.jsonl");
    let flags = [
        "--url",
        "mock:",
        "--rate",
        "20",
        "--telemetry",
        file.to_str().unwrap(),
        "--prometheus-url",
        "http://127.0.0.1:1/metrics",
        "--telemetry-interval",
        "50ms",
    ];
    let ran = send(&flags, &requests(5));
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["ok"; 5]));
    assert_eq!(
        ran.stderr.matches("--prometheus-url").count(),
        1,
        "{}",
        ran.stderr
    );
}

/// What stands for NVIDIA's library: two GPUs, the second of which tells its
/// memory only.
const STUB: &str = r#"
#include <string.h>
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory;
typedef struct { unsigned gpu, memory; } rates;
static int gpus[2] = { 0, 1 };
static unsigned long long looks = 0;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return "stub"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  if (index > 1) return 2;
  *device = &gpus[index];
  return 0;
}
int nvmlDeviceGetMemoryInfo_v2(void *device, memory *info) {
  info->used = *(int *)device ? 7000000000ull : 1000000000ull * (1 + looks++ % 3);
  info->total = 80000000000ull;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, rates *out) {
  if (*(int *)device) return 3;
  out->gpu = 42; out->memory = 1;
  return 0;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
  if (*(int *)device) return 3;
  *milliwatts = 350500;
  return 0;
}
"#;

#[test]
fn gpus_are_watched_through_their_library() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("stub.c");
    std::fs::write(&source, STUB).unwrap();
    let library = folder.path().join("libnvidia-ml.so.1");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no C compiler to build a library with");
        return;
    }
    let file = folder.path().join("telemetry.jsonl");
    let mut tool = tool();
    let flags = [
        "--url",
        "mock:?ttft=150ms",
        "--rate",
        "10",
        "--gpu",
        "--telemetry",
    ];
    tool.args(flags)
        .arg(&file)
        .env("LD_LIBRARY_PATH", folder.path());
    let ran = run(&mut tool, &requests(5));
    assert_eq!(ran.kinds(), ["ok"; 5], "{}", ran.stderr);
    let peaks: Vec<_> = ran
        .outcomes()
        .iter()
        .map(|outcome| outcome.gpu_memory_mb)
        .collect();
    assert!(
        peaks.iter().skip(1).all(|peak| *peak == Some(7_000.0)),
        "{peaks:?}"
    );
    let lines = lines(&file);
    let of = |name: &str, gpu: &str| {
        let mut found = lines
            .iter()
            .filter(|line| line["name"] == name && line["labels"]["gpu"] == gpu);
        found.next().map(|line| {
            (
                line["value"].as_f64().unwrap(),
                line["unit"].as_str().unwrap(),
            )
        })
    };
    assert_eq!(of("power", "0"), Some((350.5, "W")));
    assert_eq!(of("utilization", "0"), Some((42.0, "%")));
    assert_eq!(of("memory_used", "1"), Some((7_000.0, "MB")));
    assert_eq!(
        of("power", "1"),
        None,
        "what a GPU does not tell is left out"
    );
}

#[test]
fn a_machine_without_gpus_is_said_once() {
    let ran = send(&["--url", "mock:", "--gpu"], &requests(3));
    if !ran.stderr.contains("no GPU is watched") {
        eprintln!("skipped: this machine has a GPU");
        return;
    }
    assert_eq!(ran.kinds(), ["ok"; 3]);
    assert_eq!(ran.stderr.matches("no GPU").count(), 1, "{}", ran.stderr);
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.gpu_memory_mb.is_none())
    );
}

#[test]
fn a_run_shorter_than_the_interval_is_sampled_at_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telemetry.jsonl");
    let page = metrics();
    let file_name = file.to_str().unwrap();
    let flags = ["--url", "mock:", "--rate", "10", "--telemetry", file_name];
    let page = [
        "--prometheus-url",
        &page,
        "--prometheus-metrics",
        "running,tokens,nope",
        "--telemetry-interval",
        "1h",
    ];
    let flags: Vec<_> = flags.into_iter().chain(page).collect();
    let ran = send(&flags, &requests(3));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let named = |name: &str| {
        lines(&file)
            .iter()
            .filter(|line| line["name"] == name)
            .count()
    };
    assert_eq!((named("running"), named("tokens_total")), (2, 1));
    assert!(ran.stderr.contains("no page has nope"), "{}", ran.stderr);
}
