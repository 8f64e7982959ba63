//! What the tools write.

use super::{Judge, schema};
use crate::harness::{Dir, Server, fixture, tool};
use serde_json::Value;

#[test]
fn what_trace_synth_writes_validates() {
    let request = Judge::of("request");
    for command in [
        "sine --time-duration 3 --seed 7",
        "rate --rate 1000 --requests 20 --arrival gamma --cv 3 --model tiny",
        "rate --rate 1000 --requests 20 --no-hash-ids",
    ] {
        request.know_all(&tool("trace-synth").args(command).run().ok());
    }
}

#[test]
fn what_trace_send_and_the_mock_write_validates() {
    let server = Server::start("--ttft 2ms --itl 1ms");
    let outcome = Judge::of("outcome");
    for (file, url) in [
        ("shared_prefixes.jsonl", server.completions()),
        ("sessions.jsonl", server.chat()),
        ("literal_prompts.jsonl", server.chat()),
    ] {
        let sent = tool("trace-send").args("--url").arg(url).arg(fixture(file));
        outcome.know_all(&sent.run().ok());
    }
    let down = tool("trace-send").args("--url http://127.0.0.1:9/v1/completions");
    outcome.know_all(&down.arg(fixture("sessions.jsonl")).run().ok());
    Judge::of("mock").know_all(&server.stop());
}

#[test]
fn what_trace_stats_reports_validates() {
    let stats = Judge::of("stats");
    let metrics = &schema("stats")["$defs"]["report"]["properties"]["metrics"]["properties"];
    let known = |report: &Value| {
        stats.describes(report);
        for name in report["metrics"].as_object().unwrap().keys() {
            assert!(
                metrics.get(name).is_some(),
                "no schema describes the metric {name}"
            );
        }
    };
    let report = |flags: &str, file: &str| {
        let stats = tool("trace-stats").args("--format json").args(flags);
        stats.arg(fixture(file)).run().json()
    };
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "literal_prompts.jsonl",
        "unknown_fields.jsonl",
        "failures.outcomes.jsonl",
    ] {
        let report = report("--confidence --window 0..1h", file);
        stats.accept(&report);
        known(&report);
    }
    let grouped = report("--by session_id,model", "sessions.jsonl");
    stats.accept(&grouped);
    known(&grouped);
    let judged = report(
        "--by round,length-bucket --slo ttft_ms=100,request_output_tps=5 --assert requests>0 --assert ttft_ms.mean>0",
        "failures.outcomes.jsonl",
    );
    stats.accept(&judged);
    known(&judged);
    let groups = grouped["groups"].as_array().expect("--by was given");
    assert_eq!(groups.len(), 3, "two sessions and the rest");
    groups.iter().for_each(known);

    let dir = Dir::new();
    dir.write("empty.jsonl", "");
    let empty = dir
        .tool("trace-stats")
        .args("--format json empty.jsonl")
        .run();
    stats.know(&serde_json::from_slice(&empty.stdout).unwrap());
}

#[test]
fn the_files_of_a_sweep_validate() {
    let judge = Judge::of("round");
    let dir = Dir::new();
    let stats = dir.tool("trace-stats").args("--output-dir files");
    stats.arg(fixture("failures.outcomes.jsonl")).run().ok();
    let mut files = 0;
    for file in std::fs::read_dir(dir.path("files")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            judge.accept(&serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
            files += 1;
        }
    }
    assert!(files > 0, "no round was written");
}

#[test]
fn partial_lines_validate_and_add_up() {
    let judge = Judge::of("partial");
    let dir = Dir::new();
    dir.write("empty.jsonl", "");
    let partial = |file: &str, flags: &str| {
        let stats = tool("trace-stats").args("--partial --by model,session_id");
        let line = stats.args(flags).arg(file).run().ok();
        judge.know_all(&line);
        line
    };
    for flags in ["", "--exact-up-to 0"] {
        let parts = [
            partial(&fixture("failures.outcomes.jsonl"), flags),
            partial(&fixture("sessions.jsonl"), flags),
            partial(&dir.path("empty.jsonl").to_string_lossy(), flags),
        ];
        dir.write("parts.jsonl", parts.concat());
        let sum = dir
            .tool("trace-stats")
            .args("--combine parts.jsonl --format json");
        Judge::of("stats").accept(&sum.run().json());
    }
}

#[test]
fn contests_and_telemetry_validate() {
    let file = fixture("failures.outcomes.jsonl");
    let contest = tool("trace-stats").args("compare --format json --resamples 100");
    let contest = contest.arg(&file).arg(&file);
    Judge::of("contest").know(&contest.run().json());
    let dir = Dir::new();
    let sample = r#"{"t_ms":1.5,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":100,"unit":"W"}"#;
    dir.write("gpu.jsonl", format!("{sample}\n{sample}\n"));
    let telemetry = dir
        .tool("trace-stats")
        .args("telemetry --format json gpu.jsonl");
    Judge::of("telemetry-report").know(&telemetry.run().json());
}

#[test]
fn cache_objects_validate() {
    let cache = Judge::of("cache");
    for flags in [
        "",
        "--full-blocks-only --bytes-per-token 128KiB --capacities 2,1GiB",
        "--sample 0.5",
        "--policy lru,prefix-lru,fifo,lfu,s3-fifo,optimum --capacities 2,5",
        "--policy prefix-lru --replicas 1,3 --routing round-robin,least-loaded,prefix-affinity --capacities 2,5",
    ] {
        let stats = tool("trace-stats").args("cache --format json").args(flags);
        cache.know(&stats.arg(fixture("shared_prefixes.jsonl")).run().json());
    }
}

#[test]
fn what_trace_stats_says_of_prefixes_validates() {
    let (stats, cache) = (Judge::of("stats"), Judge::of("cache"));
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "failures.outcomes.jsonl",
    ] {
        let prefixes = tool("trace-stats").args("prefixes --cache --format json");
        let report = prefixes.arg(fixture(file)).run().json();
        stats.know(&report);
        cache.know(&report["cache"]);
    }
}

#[test]
fn comparisons_validate() {
    let judge = Judge::of("comparison");
    for (a, b, code) in [
        ("shared_prefixes.jsonl", "sessions.jsonl", 1),
        ("sessions.jsonl", "sessions.jsonl", 0),
        ("literal_prompts.jsonl", "failures.outcomes.jsonl", 1),
    ] {
        let compare = tool("trace-stats").args("compare --format json --tolerance *=0.01");
        let run = compare.arg(fixture(a)).arg(fixture(b)).run();
        run.check(run.codes == [Some(code)], "a wrong verdict");
        judge.know(&serde_json::from_slice(&run.stdout).unwrap());
    }
}

#[test]
fn what_lint_finds_validates() {
    let judge = Judge::of("lint");
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "fractional_times.jsonl",
    ] {
        let lint = tool("trace-stats").args("lint --format json --block-size 7");
        let run = lint.arg(fixture(file)).run();
        run.check(matches!(run.codes[..], [Some(0 | 1)]), "lint failed");
        judge.know(&serde_json::from_slice(&run.stdout).unwrap());
    }
}

#[test]
fn windows_validate() {
    let windows = tool("trace-stats").args("windows --format json --length 1ms");
    Judge::of("windows").know(&windows.arg(fixture("shared_prefixes.jsonl")).run().json());
}
