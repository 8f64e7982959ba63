//! What other tools draw, under their names.

use std::fs;

use tempfile::TempDir;

use crate::harness::{dimensions, plot, stderr, sweep};

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
