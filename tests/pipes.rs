//! What one tool writes the next one reads, from a pipe as from a file.

use crate::harness::{Dir, Server, fixture, records, tool};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::io::Write;

const SINE: &str = "sine --duration 40 --seed 7";

fn stats() -> crate::harness::Tool {
    tool("trace-stats").args("--format json")
}

#[test]
fn synth_into_stats_loses_nothing() {
    let trace = tool("trace-synth").args(SINE).run().ok();
    let lines = records(&trace);
    let report = tool("trace-synth").args(SINE).pipe(stats()).run().json();
    assert_eq!(report["kind"], "trace");
    assert_eq!(report["requests"], lines.len());
    for field in ["input_length", "output_length"] {
        let values = lines.iter().map(|line| line[field].as_f64().unwrap());
        let mean = values.sum::<f64>() / lines.len() as f64;
        let told = report["metrics"][field]["mean"].as_f64().unwrap();
        assert!(
            (told - mean).abs() < 1e-9 * mean,
            "{field}: {told} is not {mean}"
        );
    }
    let last = lines.last().unwrap()["timestamp"].as_f64().unwrap();
    assert_eq!(report["duration_ms"].as_f64().unwrap(), last);
}

#[test]
fn a_pipe_a_file_and_a_packed_file_say_the_same() {
    let dir = Dir::new();
    let trace = tool("trace-synth").args(SINE).run().ok();
    dir.write("trace.jsonl", &trace);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(trace.as_bytes()).unwrap();
    // Not named for what it is: content decides.
    dir.write("packed", packed.finish().unwrap());
    let stats = dir.tool("trace-stats").args("--format json");
    let from_file = stats.clone().args("trace.jsonl").run().ok();
    assert_eq!(stats.clone().reading(trace.as_str()).ok(), from_file);
    assert_eq!(
        stats.clone().args("-").reading(trace.as_str()).ok(),
        from_file
    );
    assert_eq!(stats.args("packed").run().ok(), from_file);
}

#[test]
fn several_files_are_one_stream() {
    let dir = Dir::new();
    let trace = tool("trace-synth").args(SINE).run().ok();
    let lines: Vec<&str> = trace.split_inclusive('\n').collect();
    let (early, late) = lines.split_at(lines.len() / 3);
    dir.write("early", early.concat());
    dir.write("late", late.concat());
    let stats = dir.tool("trace-stats").args("--format json");
    let whole = stats.clone().reading(trace.as_str()).json();
    let parts = stats.clone().args("early -").reading(late.concat()).json();
    assert_eq!(parts, whole);
    // What does not depend on the order of lines does not change with it.
    let turned = stats.args("late early").run().json();
    for metric in [
        "input_length",
        "output_length",
        "context_length",
        "unique_prompt_length",
    ] {
        assert_eq!(
            turned["metrics"][metric], whole["metrics"][metric],
            "{metric}"
        );
    }
}

#[test]
fn a_name_before_a_file_tells_it_apart() {
    let stats = stats().args("--by source");
    let a = format!("a={}", fixture("shared_prefixes.jsonl"));
    let b = format!("b={}", fixture("sessions.jsonl"));
    let report = stats.arg(a).arg(b).run().json();
    let groups = report["groups"].as_array().unwrap();
    let told: Vec<(&Value, &Value)> = groups
        .iter()
        .map(|group| (&group["by"]["source"], &group["requests"]))
        .collect();
    assert_eq!(told, [(&"a".into(), &8.into()), (&"b".into(), &6.into())]);
}

#[test]
fn merge_puts_two_streams_in_order() {
    let other = fixture("fractional_times.jsonl");
    let synth = tool("trace-synth").args("rate --rate 1000 --requests 200 --seed 1");
    let merged = synth.pipe(tool("trace-merge").arg("-").arg(&other)).run();
    let lines = records(&merged.ok());
    merged.check(lines.len() == 205, "no line should be lost");
    let times: Vec<f64> = lines
        .iter()
        .map(|line| line["timestamp"].as_f64().unwrap())
        .collect();
    merged.check(times.is_sorted(), "it should be in the order of time");

    let report = tool("trace-merge")
        .arg(&other)
        .arg(&other)
        .pipe(stats())
        .run()
        .json();
    assert_eq!(report["requests"], 10);
}

#[test]
fn synth_writes_the_same_bytes_for_the_same_seed() {
    let bytes = |flags: &str| tool("trace-synth").args(flags).run().ok();
    assert_eq!(bytes(SINE), bytes(SINE));
    assert_ne!(bytes(SINE), bytes("sine --duration 40 --seed 8"));
    // Lengths do not move arrivals.
    let times = |flags: &str| -> Vec<Value> {
        let lines = records(&bytes(flags));
        lines
            .into_iter()
            .map(|line| line["timestamp"].clone())
            .collect()
    };
    let rate = "rate --rate 1000 --requests 50 --seed 3";
    assert_eq!(
        times(rate),
        times(&format!(
            "{rate} --input-length uniform:1..9000 --output-length fixed:3"
        ))
    );
}

#[test]
fn a_result_is_a_trace_too() {
    let server = Server::start("");
    let send = || tool("trace-send").args("--url").arg(server.completions());
    let first = send().arg(fixture("unknown_fields.jsonl")).run().ok();
    let again = send().pipe(stats()).reading(first.as_str()).json();
    assert_eq!(again["kind"], "outcomes");
    assert_eq!(again["succeeded"], 3);

    let second = send().reading(first.as_str()).ok();
    for line in second.lines() {
        for field in ["seq", "sent_ms", "latency_ms"] {
            let times = line.matches(&format!("\"{field}\":")).count();
            assert_eq!(times, 1, "{field} in {line}");
        }
    }
}

#[test]
fn fields_no_tool_knows_come_through_every_tool() {
    let given = std::fs::read_to_string(fixture("unknown_fields.jsonl")).unwrap();
    let server = Server::start("");
    let send = tool("trace-send").args("--url").arg(server.completions());
    let run = tool("trace-merge")
        .pipe(send)
        .pipe(tool("trace-merge"))
        .reading(given.as_str());
    let came = run.ok();
    for line in given.lines() {
        // Every byte up to where the outcome begins.
        let request = line.trim_end_matches(['}', ' ']);
        run.check(
            came.lines().any(|came| came.starts_with(request)),
            format!("this should come through as it was: {request}"),
        );
    }
}

#[test]
fn plot_draws_what_send_wrote() {
    let dir = Dir::new();
    let server = Server::start("--ttft 5ms --itl 1ms");
    let send = tool("trace-send")
        .args("--speed 10 --url")
        .arg(server.completions());
    let synth = tool("trace-synth").args("sine --duration 10 --osl1 8 --osl2 4 --seed 2");
    let run = synth
        .pipe(send)
        .pipe(dir.tool("trace-plot").args("--out report"))
        .run();
    run.ok();
    for kind in ["rate", "latency-cdf", "ttft-histogram"] {
        let png = std::fs::read(dir.path(&format!("report/{kind}.png"))).unwrap();
        run.check(
            png.starts_with(b"\x89PNG\r\n\x1a\n"),
            format!("{kind}.png should be one"),
        );
        let svg = dir.read(&format!("report/{kind}.svg"));
        run.check(
            svg.contains("<svg") && svg.trim_end().ends_with("</svg>"),
            format!("{kind}.svg"),
        );
    }
}
