//! Bad usage, bad input, nothing to draw; stdout and files.

use std::fs;

use tempfile::TempDir;

use crate::harness::{dimensions, outcomes, plot, stderr};

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
    assert!(stderr.contains("skipped 2 invalid line"), "{stderr}");
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
