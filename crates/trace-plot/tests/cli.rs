//! The tool as a process: what it writes, says and returns.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use assert_cmd::Command;
use tempfile::TempDir;

fn plot(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    command.args(arguments);
    command
}

/// Outcomes of two models over a minute, one in twenty failed.
fn outcomes() -> String {
    let line = |i: u32| {
        let model = if i.is_multiple_of(3) {
            "small"
        } else {
            "large <&> model"
        };
        let at = i * 150;
        let end = if i % 20 == 7 {
            r#""status":500,"error":{"kind":"http","message":"500"}"#.to_owned()
        } else {
            let ttft = 50 + i * 37 % 90;
            format!(
                r#""ttft_ms":{ttft},"latency_ms":{},"status":200"#,
                ttft + 400 + i % 50
            )
        };
        format!(
            "{{\"timestamp\":{at},\"input_length\":9,\"model\":\"{model}\",\"seq\":{i},\
             \"scheduled_ms\":{at},\"sent_ms\":{at}.25,{end}}}\n"
        )
    };
    (0..400).map(line).collect()
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Width and height in a PNG's header.
fn dimensions(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// The SVG is well-formed and can be drawn without any font.
fn check_svg(path: &Path) -> String {
    let svg = fs::read_to_string(path).unwrap();
    let options = resvg::usvg::Options::default();
    let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
    // nothing is cut off at an edge: the background spans it all, and no
    // outline goes beyond
    let (all, size) = (tree.root().abs_bounding_box(), tree.size());
    assert!(
        all.left() >= 0.0 && all.right() <= size.width() + 0.01,
        "{all:?} in {size:?}"
    );
    assert!(
        all.top() >= 0.0 && all.bottom() <= size.height() + 0.01,
        "{all:?} in {size:?}"
    );
    assert!(!svg.contains("<text"), "text needs a font of the system");
    assert!(!svg.contains("href=\"http"), "nothing is fetched");
    assert!(svg.contains("<title>") && svg.contains("<desc>"));
    svg
}

#[test]
fn outcomes_become_a_report_folder() {
    let dir = TempDir::new().unwrap();
    let report = dir.path().join("new/report/");
    let input = dir.path().join("out.jsonl");
    fs::write(&input, outcomes()).unwrap();
    let paths = [input.to_str().unwrap(), "--out", report.to_str().unwrap()];
    plot(&paths).assert().success().stdout("");
    let kinds = [
        "rate",
        "totals",
        "workload",
        "lengths",
        "latency-cdf",
        "ttft-histogram",
        "in-flight",
        "timeline",
        "time-series",
    ];
    for kind in kinds {
        let png = fs::read(report.join(kind).with_extension("png")).unwrap();
        let (width, height) = dimensions(&png);
        assert_eq!(width, 1920);
        assert!(height >= 1080, "{kind}: {height}");
        check_svg(&report.join(kind).with_extension("svg"));
    }
    assert_eq!(fs::read_dir(&report).unwrap().count(), 2 * kinds.len());
}

#[test]
fn what_is_drawn_is_told_in_words_too() {
    let dir = TempDir::new().unwrap();
    let cdf = dir.path().join("cdf.svg");
    plot(&["latency-cdf", "--by", "status", "-o", cdf.to_str().unwrap()])
        .write_stdin(outcomes())
        .assert()
        .success();
    let svg = check_svg(&cdf);
    assert!(
        svg.contains("400 requests · from schedule: p50"),
        "{}",
        &svg[..600]
    );
    assert!(
        svg.contains("20 of 400 requests failed (http 20)"),
        "{}",
        &svg[..600]
    );
    assert!(svg.contains("ends at 95 %"), "{}", &svg[..600]);
}

#[test]
fn a_trace_has_a_rate_and_no_latency() {
    let dir = TempDir::new().unwrap();
    let assert = plot(&["-o", dir.path().to_str().unwrap(), "--format", "svg"])
        .write_stdin(
            "{\"timestamp\":0,\"input_length\":1}\n{\"timestamp\":5000,\"input_length\":1}\n",
        )
        .assert()
        .success();
    let stderr = stderr(assert.get_output());
    assert!(stderr.contains("trace-plot: not drawn: "), "{stderr}");
    assert!(
        stderr.contains("time-series, lateness, rounds, sweep: no line is an outcome"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
    let files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    let mut files = files;
    files.sort();
    assert_eq!(
        files,
        ["lengths.svg", "rate.svg", "totals.svg", "workload.svg"]
    );
}

/// Two rounds at three concurrencies, all with tokens and sessions.
fn sweep() -> String {
    let line = |i: u64| {
        let (round, concurrency) = (i / 30 % 2 + 1, [1, 4, 16][(i / 60) as usize]);
        let (seq, at) = (i % 30, i * 40);
        let ttft = 20 * concurrency / round;
        format!(
            "{{\"input_length\":{},\"session_id\":{},\"seq\":{seq},\"round\":{round},\
             \"concurrency\":{concurrency},\"scheduled_ms\":{at},\"due_ms\":{at},\"sent_ms\":{at}.1,\
             \"lateness_ms\":0.1,\"queue_ms\":0,\"ttft_ms\":{ttft},\"latency_ms\":{},\
             \"tpot_ms\":5,\"output_tokens\":20,\"status\":200}}\n",
            50 + seq,
            seq % 7,
            ttft + 95,
        )
    };
    (0..180).map(line).collect()
}

#[test]
fn a_preset_writes_the_files_that_its_tool_writes() {
    let trace = "{\"timestamp\":0,\"input_length\":1}\n{\"timestamp\":5000,\"input_length\":1}\n";
    let cases: [(&str, &str, &[&str]); 6] = [
        ("traffic-designer", trace, &["scheduled_request_rate.png"]),
        (
            "traffic-designer",
            &sweep(),
            &[
                "actual_request_rate.png",
                "latency_cdf.png",
                "request_token_num.png",
                "scheduled_request_rate.png",
            ],
        ),
        (
            "phase02",
            &sweep(),
            &[
                "plot_throughput_vs_latency.png",
                "tokens_per_sec.png",
                "ttft_distribution.png",
            ],
        ),
        ("aibrix", trace, &["workload.png"]),
        (
            "aibrix",
            &sweep(),
            &["performance_metrics_time_series.png", "workload.png"],
        ),
        (
            "dynamo",
            &sweep(),
            &[
                "SUMMARY.txt",
                "avg_inter_token_latency_vs_concurrency.png",
                "avg_time_to_first_token_vs_concurrency.png",
                "efficiency_tok_s_gpu_vs_user.png",
                "p50_inter_token_latency_vs_concurrency.png",
                "request_throughput_vs_concurrency.png",
            ],
        ),
    ];
    for (preset, input, files) in cases {
        let dir = TempDir::new().unwrap();
        plot(&["--preset", preset, "--scale", "0.5"])
            .current_dir(&dir)
            .write_stdin(input)
            .assert()
            .success();
        let mut found: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        found.sort();
        assert_eq!(found, files, "{preset}");
        let pictures = files.iter().filter(|file| file.ends_with(".png"));
        for file in pictures {
            let (width, height) = dimensions(&fs::read(dir.path().join(file)).unwrap());
            assert!(width >= 480 && height >= 270, "{file}");
        }
    }
}

#[test]
fn a_summary_tells_every_level() {
    let dir = TempDir::new().unwrap();
    plot(&["--preset", "dynamo", "--scale", "0.5", "--out", "p/"])
        .current_dir(&dir)
        .write_stdin(sweep())
        .assert()
        .success();
    let text = fs::read_to_string(dir.path().join("p/SUMMARY.txt")).unwrap();
    println!("{text}");
    assert!(text.contains("concurrency levels ("), "{text}");
    assert!(text.contains("    concurrency 1: "), "{text}");
    assert!(
        text.contains("\n  request_throughput_vs_concurrency.png\n"),
        "{text}"
    );
}

#[test]
fn a_preset_of_outcomes_says_that_a_trace_has_none() {
    let assert = plot(&["--preset", "dynamo"])
        .write_stdin("{\"timestamp\":0,\"input_length\":1}\n")
        .assert()
        .code(2);
    assert!(stderr(assert.get_output()).contains("that tool draws outcomes, and no line is one"));
}

#[test]
fn every_kind_can_be_drawn_in_both_formats() {
    let dir = TempDir::new().unwrap();
    let mut kinds: Vec<&str> = trace_plot::kinds::KINDS
        .iter()
        .map(|kind| kind.name)
        .collect();
    let mut arguments = vec!["--out", dir.path().to_str().unwrap(), "--scale", "0.5"];
    arguments.extend(["--slo", "ttft_ms=50"]);
    arguments.append(&mut kinds.clone());
    plot(&arguments).write_stdin(sweep()).assert().success();
    for kind in kinds.drain(..) {
        check_svg(&dir.path().join(kind).with_extension("svg"));
        dimensions(&fs::read(dir.path().join(kind).with_extension("png")).unwrap());
    }
}

#[test]
fn one_picture_goes_to_stdout() {
    let png = plot(&[
        "rate", "--width", "600", "--height", "400", "--scale", "1.5",
    ])
    .write_stdin(outcomes())
    .assert()
    .success();
    assert_eq!(dimensions(&png.get_output().stdout), (900, 600));
    let svg = plot(&["rate", "--format", "svg"])
        .write_stdin(outcomes())
        .assert()
        .success();
    assert!(svg.get_output().stdout.starts_with(b"<svg "));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let draw = || {
        plot(&["ttft-histogram"])
            .write_stdin(outcomes())
            .assert()
            .success()
    };
    assert_eq!(draw().get_output().stdout, draw().get_output().stdout);
}

#[test]
fn themes_differ() {
    let draw = |theme| {
        let assert = plot(&["rate", "--format", "svg", "--theme", theme])
            .write_stdin(outcomes())
            .assert();
        assert.success().get_output().stdout.clone()
    };
    assert_ne!(draw("light"), draw("dark"));
}

#[test]
fn nothing_to_draw_is_an_error_that_says_why() {
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("none");
    let cases = [
        ("", &[][..], "nothing to draw: the input has no requests"),
        (
            "{\"text_input\":\"x\"}\n",
            &[],
            "rate, workload: no line has a timestamp or scheduled_ms",
        ),
        (
            "{\"input_length\":1}\n",
            &["rate"],
            "nothing to draw: rate: no line has a timestamp",
        ),
        (
            "{\"input_length\":1,\"scheduled_ms\":0,\"error\":{\"kind\":\"connect\",\"message\":\"\"}}\n",
            &["latency-cdf"],
            "nothing to draw: latency-cdf: every request failed (connect 1)",
        ),
    ];
    for (input, kinds, message) in cases {
        let mut arguments = kinds.to_vec();
        arguments.extend(["--out", out.to_str().unwrap()]);
        let assert = plot(&arguments).write_stdin(input).assert().code(2);
        let stderr = stderr(assert.get_output());
        assert!(stderr.contains(message), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(!out.exists());
    }
}

#[test]
fn odd_inputs_are_drawn() {
    let one = r#"{"timestamp":7,"input_length":1,"scheduled_ms":7,"sent_ms":7,"ttft_ms":0,"latency_ms":0}"#;
    let huge = r#"{"timestamp":9007199254740991,"input_length":1,"scheduled_ms":9007199254740991,"sent_ms":9007199254740991,"ttft_ms":9007199254740991,"latency_ms":9007199254740991}"#;
    let weird = format!(
        "{{\"input_length\":1,\"timestamp\":1,\"model\":\"\\u0000\\uffff<\\\"'&{}\"}}",
        "w".repeat(5_000)
    );
    let models: String = (0..30)
        .map(|i| format!("{{\"input_length\":1,\"timestamp\":{i},\"model\":\"m{i}\"}}\n"))
        .collect();
    for input in [
        one.to_owned(),
        format!("{one}\n").repeat(50),
        format!("{one}\n{huge}"),
        weird,
        models,
    ] {
        for axis in ["auto", "linear", "log"] {
            let dir = TempDir::new().unwrap();
            plot(&[
                "--x-axis",
                axis,
                "--scale",
                "0.5",
                "--out",
                dir.path().to_str().unwrap(),
            ])
            .write_stdin(input.clone())
            .assert()
            .success();
            check_svg(&dir.path().join("rate.svg"));
        }
    }
}

#[test]
fn bad_usage_is_refused_before_reading() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["latency-cfd", "-o", "x"],
            "neither a file nor a kind of plot",
        ),
        (&["-o", "x.png"], "x.png holds one plot"),
        (&["rate", "-o", "x.pdf"], "cannot write pdf"),
        (&["rate", "-o", "x.svg", "--format", "png"], "do not agree"),
        (&[], "several pictures need --out DIR"),
        (&["rate", "missing.jsonl"], "cannot open missing.jsonl"),
        (
            &[
                "rate", "--scale", "8", "--width", "10000", "--height", "10000",
            ],
            "too large",
        ),
    ];
    for (arguments, message) in cases {
        let assert = plot(arguments).write_stdin("not read").assert().code(2);
        let stderr = stderr(assert.get_output());
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_bad_line_stops_the_tool_unless_skipped() {
    let input = "{\"timestamp\":0,\"input_length\":1}\noops\n{\"timestamp\":9,\"input_length\":1,\"seq\":true}\n";
    let assert = plot(&["rate"])
        .write_stdin(input)
        .assert()
        .code(2)
        .stdout("");
    assert!(stderr(assert.get_output()).contains("<stdin>:2:1"));
    let assert = plot(&["rate", "--skip-invalid"])
        .write_stdin(input)
        .assert()
        .success();
    let stderr = stderr(assert.get_output());
    assert!(stderr.contains("skipped 1 invalid line"), "{stderr}");
    assert!(stderr.contains("skipped 1 outcome"), "{stderr}");
}

#[test]
fn a_file_in_the_way_is_told() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("report");
    fs::write(&file, "").unwrap();
    let out = file.to_str().unwrap();
    let assert = plot(&["rate", "--out", out])
        .write_stdin(outcomes())
        .assert()
        .code(2);
    assert!(
        stderr(assert.get_output()).contains("cannot create"),
        "{}",
        stderr(assert.get_output())
    );
}

#[test]
fn runs_are_told_apart_by_source() {
    let dir = TempDir::new().unwrap();
    let input = dir.path().join("a.jsonl");
    fs::write(&input, outcomes()).unwrap();
    let (before, after) = (
        format!("before={}", input.display()),
        format!("after={}", input.display()),
    );
    let svg = dir.path().join("both.svg");
    plot(&[
        "latency-cdf",
        &before,
        &after,
        "--by",
        "source",
        "-o",
        svg.to_str().unwrap(),
    ])
    .assert()
    .success();
    assert!(check_svg(&svg).contains("800 requests"));
}
