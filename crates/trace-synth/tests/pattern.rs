//! AIBrix's patterns, against its own series and against arithmetic.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use std::io::Write as _;
use trace_core::{Reader, Request, Streams};
use trace_synth::pattern::series::{Config, PRESETS, Preset};
use trace_synth::{Args, run};

fn try_requests(flags: &str) -> anyhow::Result<Vec<Request>> {
    let words = ["trace-synth", "pattern"]
        .into_iter()
        .chain(flags.split_whitespace());
    let mut bytes = Vec::new();
    run(&Args::try_parse_from(words)?, &mut bytes)?;
    let requests = Reader::new("trace", &bytes[..]).map(|line| line.unwrap().request);
    Ok(requests.collect())
}

fn requests(flags: &str) -> Vec<Request> {
    try_requests(flags).unwrap_or_else(|err| panic!("{flags}: {err}"))
}

/// Requests in each second.
fn counts(trace: &[Request], seconds: usize) -> Vec<usize> {
    let mut counts = vec![0; seconds];
    for request in trace {
        counts[(request.timestamp.unwrap().as_millis() / 1000.0) as usize] += 1;
    }
    counts
}

fn quiet(config: Config, steps: u64, duration_ms: f64) -> Vec<i64> {
    let config = Config {
        noise: 0.0,
        ..config
    };
    let mut rng = Streams::new(0).stream("test");
    let series = config.series(steps, duration_ms, false, &mut rng);
    series.map(|value| value as i64).collect()
}

/// The series that AIBrix's own code gives without noise, if the folder of
/// real data has them.
#[test]
fn the_series_are_those_of_aibrix() {
    let Some(folder) = std::env::var_os("TRACE_DATA") else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: TRACE_DATA is not set: series not compared with AIBrix's"
        )
        .unwrap();
        return;
    };
    let path = std::path::Path::new(&folder).join("../specs/golden/patterns_noise0.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: {} is not there: series not compared",
            path.display()
        )
        .unwrap();
        return;
    };
    let golden: std::collections::BTreeMap<String, Vec<i64>> = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for (name, expected) in &golden {
        let number = |key: &str| -> Option<f64> {
            let (_, rest) = name.split_once(key)?;
            rest.split('_').next()?.parse().ok()
        };
        let (duration, steps) = (number("_dur").unwrap(), number("_n").unwrap() as u64);
        let config = match number("_mean") {
            Some(mean) => {
                let preset = PRESETS.iter().find(|(preset, _)| name.starts_with(preset));
                preset.unwrap().1.config(mean, duration)
            }
            None => {
                let (fluctuate, mean) = match name.split("_dur").next() {
                    Some("example_traffic") => (2.0, 6.0),
                    Some("example_prompt-len") => (15.0, 309.0),
                    Some("example_completion-len") => (8.0, 169.0),
                    other => panic!("{other:?}"),
                };
                Config {
                    fluctuate,
                    mean,
                    period_len_ms: 300_000.0,
                    ..Preset::Constant.config(mean, duration)
                }
            }
        };
        assert_eq!(&quiet(config, steps, duration), expected, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 19);
}

#[test]
fn constant_arrivals_have_the_rate_of_every_second() {
    let trace = requests("--traffic severe_fluctuation --noise 0 --arrival constant");
    let config = Preset::SevereFluctuation.config(6.0, 60_000.0);
    let expected: Vec<usize> = quiet(config, 61, 60_000.0)[..60]
        .iter()
        .map(|&rate| rate as usize)
        .collect();
    assert_eq!(counts(&trace, 60), expected);
    // Half of everything.
    let half = requests("--traffic severe_fluctuation --noise 0 --arrival constant --qps-scale 2");
    assert_eq!(half.len(), trace.len().div_ceil(2));
}

#[test]
fn any_interval_keeps_the_axis_of_time() {
    // AIBrix itself gives 12 s of load for the longer interval and the first
    // tenth of the pattern for the shorter one.
    for interval in ["100ms", "1s", "5s", "7s", "60s", "90s"] {
        let trace = requests(&format!(
            "--traffic constant:50 --noise 0 --interval {interval}"
        ));
        let counts = counts(&trace, 60);
        // A Poisson count of 3000, within four standard deviations, and none
        // of its halves empty.
        assert!(
            (2_780..3_220).contains(&trace.len()),
            "{interval}: {}",
            trace.len()
        );
        assert!(counts[30..].iter().sum::<usize>() > 1_300, "{interval}");
    }
}

#[test]
fn lengths_are_those_of_the_moment() {
    let flags = "--traffic constant:20 --prompt-len slow_rising --completion-len constant:300 \
                 --noise 0 --input-scale 2 --output-scale 3";
    let trace = requests(flags);
    let config = Preset::SlowRising.config(1024.0, 60_000.0);
    let lengths = quiet(config, 61, 60_000.0);
    for request in &trace {
        let second = (request.timestamp.unwrap().as_millis() / 1000.0) as usize;
        let expected = (lengths[second] as f64 / 2.0).round() as u64;
        assert_eq!(request.input_length, Some(expected));
        assert_eq!(request.output_length, Some(100));
    }
    // What has no pattern is as the flags say.
    let mixed = requests("--traffic constant --prompt-len constant --output-length 7");
    assert!(mixed.iter().all(|request| request.output_length == Some(7)));
}

#[test]
fn fractional_rates_are_kept_if_asked_for() {
    let flags = "--traffic constant:0.2 --noise 0 --duration 10000s";
    let refused = try_requests(flags).unwrap_err().to_string();
    assert!(refused.contains("--fractional"), "{refused}");
    let trace = requests(&format!("{flags} --fractional"));
    assert!((1_820..2_180).contains(&trace.len()), "{}", trace.len());
}

#[test]
fn a_file_is_read_and_what_is_wrong_with_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("p.json");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = r#"{"fluctuate":0,"mean":9,"noise":0,"period_len_ms":1000,"only_rise":false}"#;
    let trace = requests(&format!("--traffic {} --arrival constant", file(good)));
    assert_eq!(trace.len(), 540);
    for (text, reason) in [
        (
            good.replace("\"noise\":0,", ""),
            "p.json:1:63: missing field `noise`",
        ),
        (good.replace("mean", "meen"), "unknown field `meen`"),
        (
            good.replace(":9", ":\"9\""),
            "p.json:1:25: invalid type: string \"9\"",
        ),
        (
            good.replace(":1000", ":-1"),
            "p.json: period_len_ms -1 is not above 0",
        ),
        ("\u{89}PNG".to_owned(), "p.json:1:1: expected value"),
        (String::new(), "p.json:1:1: EOF"),
    ] {
        let error = try_requests(&format!("--traffic {}", file(&text))).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.starts_with("--traffic: ") && error.contains(reason),
            "{error}"
        );
    }
    let error = format!("{:#}", try_requests("--traffic quick_risng").unwrap_err());
    assert!(
        error.contains("quick_risng is no pattern (quick_rising,"),
        "{error}"
    );
}
