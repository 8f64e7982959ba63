//! What the kinds draw of outcomes, traces and odd inputs.

use std::fs;

use tempfile::TempDir;

use crate::harness::{check_svg, dimensions, outcomes, plot, stderr, sweep};

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

/// What the font lacks is text, for the reader's fonts; all else is outlines.
#[test]
fn names_in_other_letters_are_told_in_svg() {
    let dir = TempDir::new().unwrap();
    let input = dir.path().join("in.jsonl");
    let models = ["通义千问-72B", "<模型> & 🚀", "llama"];
    let line = |i: usize| {
        let (at, model) = (i * 50, models[i % models.len()]);
        format!(
            "{{\"timestamp\":{at},\"input_length\":9,\"model\":\"{model}\",\"seq\":{i},\
             \"scheduled_ms\":{at},\"sent_ms\":{at},\"ttft_ms\":20,\"latency_ms\":40}}\n"
        )
    };
    fs::write(&input, (0..90).map(line).collect::<String>()).unwrap();
    let draw = |kind: &str, format: &str| {
        let assert = plot(&[kind, "--format", format, input.to_str().unwrap()]).assert();
        assert.success().get_output().stdout.clone()
    };
    for kind in ["rate", "latency-cdf", "workload"] {
        let svg = String::from_utf8(draw(kind, "svg")).unwrap();
        assert!(svg.contains(">通义千问-72B</text>"), "{kind}");
        assert!(svg.contains(">&lt;模型&gt; &amp; 🚀</text>"), "{kind}");
        assert!(
            !svg.contains("llama</text>") && !svg.contains("U+"),
            "{kind}"
        );
        let options = resvg::usvg::Options::default();
        resvg::usvg::Tree::from_str(&svg, &options).unwrap();
        assert_eq!(svg.as_bytes(), draw(kind, "svg"), "{kind}");
        dimensions(&draw(kind, "png"));
    }
    let page = plot(&["rate", "--html", "-", input.to_str().unwrap()]).assert();
    let page = String::from_utf8(page.success().get_output().stdout.clone()).unwrap();
    assert!(page.contains(">通义千问-72B</text>"));
}
