//! Drawn curves become traces.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use std::path::Path;
use trace_core::{Reader, Request};
use trace_synth::{Args, run};

const CURVE: &str = r#"{"version":1,"duration_ms":400000,"models":[
    {"name":"chat","interpolation":"linear","points":[{"t_ms":0,"rate":0.2},{"t_ms":400000,"rate":20.2}],
     "input_length":"fixed:700","output_length":9},
    {"name":"code","interpolation":"step","points":[{"t_ms":0,"rate":0.25},{"t_ms":200000,"rate":5}],
     "arrival":"constant","prefixes":"pool:3,1024"},
    {"name":"idle","interpolation":"linear","points":[]}]}"#;

fn try_run(file: &Path, flags: &str) -> anyhow::Result<Vec<u8>> {
    let words = ["trace-synth", "curve", file.to_str().unwrap()];
    let words = words.into_iter().chain(flags.split_whitespace());
    let mut bytes = Vec::new();
    run(&Args::try_parse_from(words)?, &mut bytes)?;
    Ok(bytes)
}

fn requests(text: &str, flags: &str) -> Vec<Request> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    std::fs::write(&file, text).unwrap();
    let bytes = try_run(&file, flags).unwrap_or_else(|err| panic!("{flags}: {err:#}"));
    let requests = Reader::new("trace", &bytes[..]).map(|line| line.unwrap().request);
    requests.collect()
}

fn of<'a>(trace: &'a [Request], model: &str) -> Vec<&'a Request> {
    let mine = |request: &&Request| request.model.as_deref() == Some(model);
    trace.iter().filter(mine).collect()
}

#[test]
fn each_model_has_its_rate_and_its_own_settings() {
    let trace = requests(CURVE, "--input-length 100 --output-length 50");
    assert!(trace.is_sorted_by_key(|request| request.timestamp));
    let chat = of(&trace, "chat");
    // 0.2·400 + 20/2·400 = 4080, within four standard deviations.
    assert!((3_825..4_335).contains(&chat.len()), "{}", chat.len());
    assert!(
        chat.iter()
            .all(|r| r.input_length == Some(700) && r.output_length == Some(9))
    );
    // Fractional rates are kept: a request every 4 s, then 5 a second.
    let code = of(&trace, "code");
    assert_eq!(code.len(), 50 + 1000);
    assert_eq!(code[1].timestamp.unwrap().as_millis(), 4000.0);
    // Two blocks of 512 that three texts share, before a prompt of 100.
    assert!(
        code.iter()
            .all(|r| r.input_length == Some(1124) && r.output_length == Some(50))
    );
    let mut first: Vec<u64> = code
        .iter()
        .map(|r| r.hash_ids.as_ref().unwrap()[0])
        .collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 3);
    // Nothing is shared between models.
    assert!(
        !chat
            .iter()
            .any(|r| first.contains(&r.hash_ids.as_ref().unwrap()[0]))
    );
    assert!(of(&trace, "idle").is_empty());
}

#[test]
fn a_model_does_not_change_when_another_one_goes() {
    let all = requests(CURVE, "--no-hash-ids");
    let (start, rest) = CURVE.split_once("{\"name\":\"chat\"").unwrap();
    let (_, others) = rest.split_once("},\n    {\"name\":\"code\"").unwrap();
    let without = requests(
        &format!("{start}{{\"name\":\"code\"{others}"),
        "--no-hash-ids",
    );
    let times = |trace: &[Request]| -> Vec<_> {
        let code = of(trace, "code").into_iter();
        code.map(|r| (r.timestamp, r.input_length)).collect()
    };
    assert_eq!(times(&all), times(&without));
    assert!(of(&without, "chat").is_empty());
}

#[test]
fn prompts_can_be_poisson_as_in_the_traffic_designer() {
    let trace = requests(&CURVE.replace("\"fixed:700\"", "null"), "--prompt-len 1000");
    let chat = of(&trace, "chat");
    let n = chat.len() as f64;
    let lengths = chat.iter().map(|r| r.input_length.unwrap() as f64);
    let mean = lengths.clone().sum::<f64>() / n;
    let variance = lengths.map(|l| (l - mean) * (l - mean)).sum::<f64>() / n;
    // Four standard errors of the mean and of the dispersion index.
    assert!((mean - 1000.0).abs() < 4.0 * (1000.0 / n).sqrt(), "{mean}");
    assert!(
        (variance / mean - 1.0).abs() < 4.0 * (2.0 / n).sqrt(),
        "{variance}"
    );
}

#[test]
fn the_seed_of_the_file_holds_without_the_flag() {
    let seeded = |seed: &str| CURVE.replace("\"models\"", &format!("\"seed\":{seed},\"models\""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c");
    let trace = |text: &str, flags: &str| {
        std::fs::write(&file, text).unwrap();
        try_run(&file, flags).unwrap()
    };
    let plain = trace(CURVE, "--seed 7");
    assert!(trace(&seeded("7"), "") == plain);
    assert!(trace(&seeded("3"), "--seed 7") == plain);
    assert!(trace(&seeded("null"), "--seed 7") == plain);
    assert!(trace(CURVE, "") != plain);
    for bad in ["\"7\"", "-1", "0.5"] {
        std::fs::write(&file, seeded(bad)).unwrap();
        let error = format!("{:#}", try_run(&file, "").unwrap_err());
        assert!(
            error.ends_with("c: seed is not a whole number from 0 to 2^64 - 1"),
            "{error}"
        );
    }
}

#[test]
fn a_dry_run_counts_the_trace_it_would_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    std::fs::write(&file, CURVE).unwrap();
    let said = String::from_utf8(try_run(&file, "--dry-run").unwrap()).unwrap();
    let trace = requests(CURVE, "");
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("second\tchat\tcode\tidle\ttotal"));
    for second in 0..10 {
        let count = |model: &str| {
            let inside =
                |r: &&&Request| (r.timestamp.unwrap().as_millis() / 1000.0) as u64 == second;
            of(&trace, model).iter().filter(inside).count()
        };
        let (chat, code) = (count("chat"), count("code"));
        let expected = format!("{second}\t{chat}\t{code}\t0\t{}", chat + code);
        assert_eq!(lines.next(), Some(&expected[..]));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c");
    for (bytes, said) in [
        (
            &b""[..],
            "c:1:1: nothing is in it; expected a curve, such as trace-design writes",
        ),
        (b"{\"version\":1,\n}", "c:2:1: trailing comma"),
        (
            b"\x89PNG\r\n\x1a\n\0",
            "c:1:1: neither a curve file nor a pickle",
        ),
        (b"cposix\nsystem\n(Vtrue\ntR.", "c:1:1: expected value"),
        (
            b"(cposix\nsystem\n(Vtrue\ntR.",
            "c: byte 1: GLOBAL would import posix.system; only plain data is read",
        ),
        (
            CURVE.replace("fixed:700", "fix:7").as_bytes(),
            "c: model \"chat\": input_length: unknown distribution",
        ),
        (
            CURVE.replace("\"constant\"", "\"gamma\"").as_bytes(),
            "c: model \"code\": arrival: \"gamma\" is none of poisson",
        ),
        (
            CURVE.replace("pool:3,1024", "pool:3").as_bytes(),
            "c: model \"code\": prefixes: expected pool:N,DIST",
        ),
        (
            CURVE.replace("\"rate\":5", "\"rate\":1e300").as_bytes(),
            "c: model \"code\": rate 1e300 is more than 1e9",
        ),
        (
            CURVE
                .replace("400000,\"models", "1e300,\"models")
                .as_bytes(),
            "duration_ms 1e300 is more than 3.2e12",
        ),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let error = format!("{:#}", try_run(&file, "").unwrap_err());
        assert!(error.contains(said), "{error}\nnot {said}");
        assert_eq!(error.lines().count(), 1);
    }
}
