//! ServeGen's clients: rates, gaps and lengths are those of the files.
//!
//! Statistics as in `rates.rs`: Kolmogorov and Smirnov's distance and
//! chi-square at a significance of 0.001, means within four standard errors.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use statrs::distribution::{ChiSquared, ContinuousCDF, Gamma, Weibull};
use std::fs;
use std::io::Write as _;
use tempfile::TempDir;
use trace_core::{Line, Reader, Streams};
use trace_synth::gap::Gap;
use trace_synth::intensity::Intensity;
use trace_synth::pieces::Points;
use trace_synth::servegen::windowed::Windowed;
use trace_synth::{Args, run};

/// Client, seconds, input and output tokens.
type Seen = (u64, f64, u64, u64);

fn try_run(folder: &str, flags: &str) -> anyhow::Result<Vec<Seen>> {
    let words = ["trace-synth", "servegen", folder];
    let words = words.into_iter().chain(flags.split_whitespace());
    let mut bytes = Vec::new();
    run(&Args::try_parse_from(words)?, &mut bytes)?;
    let (mut reader, mut line) = (Reader::new("trace", &bytes[..]), Line::default());
    let mut seen = Vec::new();
    while reader.read(&mut line)? {
        let client = std::str::from_utf8(line.raw("client").unwrap())?.parse()?;
        let request = &line.request;
        seen.push((
            client,
            request.timestamp.unwrap().as_secs(),
            request.input_length.unwrap(),
            request.output_length.unwrap(),
        ));
    }
    Ok(seen)
}

const FOLDER: &str = "tests/data/servegen";

fn seen(flags: &str) -> Vec<Seen> {
    try_run(FOLDER, flags).unwrap_or_else(|err| panic!("{flags}: {err:#}"))
}

/// Requests of `client` from one second to another.
fn count(seen: &[Seen], client: u64, from: f64, to: f64) -> f64 {
    let inside = |one: &&Seen| one.0 == client && (from..to).contains(&one.1);
    seen.iter().filter(inside).count() as f64
}

fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().map(|(i, &x)| {
        let expected = cdf(x);
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    });
    distance.fold(0.0, f64::max) * n.sqrt() / 1.949
}

#[test]
fn a_gap_beyond_an_age_follows_what_is_left_of_its_distribution() {
    for age in [0.001, 0.05, 0.3, 1.0, 4.0] {
        for shape in [0.05, 0.3, 1.0, 2.5, 12.0] {
            let mut rng = Streams::new(3).stream("test");
            let gamma = Gamma::new(shape, shape).unwrap();
            let weibull_gap = Gap::weibull_of_shape(shape.max(0.2));
            let Gap::Weibull { shape: k, scale } = weibull_gap else {
                unreachable!()
            };
            let weibull = Weibull::new(k, scale).unwrap();
            let mut check = |gap: Gap, cdf: &dyn Fn(f64) -> f64| {
                let left = 1.0 - cdf(age);
                if left < 1e-9 {
                    return;
                }
                let sample = (0..4_000).map(|_| gap.beyond(age, &mut rng)).collect();
                let excess = ks(sample, |x| (cdf(x) - cdf(age)) / left);
                assert!(excess < 1.0, "{gap:?} beyond {age}: {excess}");
            };
            check(Gap::gamma_of_shape(shape), &|x| gamma.cdf(x));
            check(weibull_gap, &|x| weibull.cdf(x));
        }
    }
}

/// Unit gaps of a process at rate 1 for 40,000 s, in windows of `length`
/// seconds that all have the same kind of gap.
fn gaps_across(gap: Gap, length: f64) -> Vec<f64> {
    let intensity = || {
        let one = Points::steps(vec![(0.0, 1.0)]);
        Intensity::new(vec![Box::new(one)], Vec::new(), 40_000.0)
    };
    let windows = (0..).map(|i| f64::from(i) * length);
    let windows = windows.take_while(|&start| start < 40_000.0);
    let windows = windows.map(|start| (start, gap)).collect();
    let rng = Streams::new(8).stream("test");
    let times: Vec<f64> = Windowed::new(intensity(), intensity(), windows, rng)
        .map(|arrival| arrival.seconds)
        .collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn borders_between_equal_windows_are_not_felt() {
    let gamma = Gamma::new(0.4, 0.4).unwrap();
    let Gap::Weibull { shape, scale } = Gap::weibull_of_shape(0.6) else {
        unreachable!()
    };
    let weibull = Weibull::new(shape, scale).unwrap();
    for length in [0.7, 3.0, 50.0] {
        let excess = ks(gaps_across(Gap::gamma_of_shape(0.4), length), |x| {
            gamma.cdf(x)
        });
        assert!(excess < 1.0, "gamma, {length}: {excess}");
        let excess = ks(gaps_across(Gap::weibull_of_shape(0.6), length), |x| {
            weibull.cdf(x)
        });
        assert!(excess < 1.0, "weibull, {length}: {excess}");
    }
}

#[test]
fn each_client_has_the_rate_of_each_window() {
    // Over many seeds, so that counts have the mean of the rate.
    let windows = [
        (0, 0.0, 600.0, 0.0),
        (0, 600.0, 1200.0, 300.0),
        (0, 1200.0, 1800.0, 1200.0),
        (7, 0.0, 600.0, 600.0),
        (7, 600.0, 1200.0, 0.0),
        (7, 1200.0, 1800.0, 150.0),
    ];
    let runs: Vec<_> = (0..60)
        .map(|seed| seen(&format!("--no-hash-ids --seed {seed}")))
        .collect();
    for (client, from, to, expected) in windows {
        let counts: Vec<f64> = runs
            .iter()
            .map(|run| count(run, client, from, to))
            .collect();
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / (n - 1.0);
        let error = (variance / n).sqrt();
        assert!(
            (mean - expected).abs() <= 4.0 * error,
            "client {client} from {from}: {mean} ± {error}, not {expected}"
        );
    }
    assert!(
        runs.iter()
            .all(|run| run.is_sorted_by_key(|one| (one.1 * 1e6) as u64))
    );
}

#[test]
fn a_rate_for_all_is_shared_as_it_was() {
    // At 1200 s client 0 has 2 of 2.25 requests/s.
    let all = seen("--rate 45 --start 20m --no-hash-ids");
    assert!(all.iter().all(|one| one.1 < 600.0));
    let share = count(&all, 0, 0.0, 600.0) / 27_000.0;
    assert!((share - 2.0 / 2.25).abs() < 0.06, "{share}");
    let total = all.len() as f64;
    // The gaps of client 0 have a cv of 1.9, so a count of 24,000 spreads by 300.
    assert!((total - 27_000.0).abs() < 1_300.0, "{total}");

    let few = seen("--rate 45 --requests 99 --duration 5m --no-hash-ids");
    assert_eq!(few.len(), 99);
    let one = seen("--clients 7 --no-hash-ids");
    assert!(one.iter().all(|one| one.0 == 7));
    // What a client does depends on no other.
    let of_all: Vec<Seen> = seen("--no-hash-ids")
        .into_iter()
        .filter(|one| one.0 == 7)
        .collect();
    assert_eq!(one, of_all);
}

#[test]
fn lengths_are_as_often_as_they_were_found() {
    let all = seen("--rate 45 --start 20m --no-hash-ids");
    let mut cells = std::collections::BTreeMap::new();
    for (_, _, input, output) in all.iter().filter(|one| one.0 == 0) {
        *cells.entry((*input, *output)).or_insert(0.0) += 1.0;
    }
    let n: f64 = cells.values().sum();
    let inputs = [(100, 0.2), (250, 0.3), (900, 0.5)];
    let outputs = [(20, 0.25), (40, 0.25), (400, 0.5)];
    // Each by its weight, and independent of each other: nine cells.
    let mut sum = 0.0;
    for (input, p) in inputs {
        for (output, q) in outputs {
            let found = cells.remove(&(input, output)).unwrap_or(0.0);
            sum += (found - n * p * q) * (found - n * p * q) / (n * p * q);
        }
    }
    assert!(cells.is_empty(), "{cells:?}");
    let limit = ChiSquared::new(8.0).unwrap().inverse_cdf(0.999);
    assert!(sum < limit, "{sum} {limit}");
    // Parts of a prompt add up.
    let parts: Vec<u64> = all
        .iter()
        .filter(|one| one.0 == 7)
        .map(|one| one.2)
        .collect();
    assert!(parts.iter().all(|input| [157, 1057].contains(input)));
    assert!(parts.contains(&157) && parts.contains(&1057));
    // Before the first lengths there are, those are used.
    let early = seen("--no-hash-ids");
    assert!(early.iter().any(|one| one.0 == 0 && one.1 < 900.0));
}

#[test]
fn flags_come_before_the_lengths_of_the_files() {
    let flags = "--rate 45 --duration 2m --no-hash-ids";
    let found = seen(flags);
    let given = seen(&format!("{flags} --output-length 7"));
    assert!(given.iter().all(|one| one.3 == 7));
    let others = |seen: &[Seen]| -> Vec<_> { seen.iter().map(|s| (s.0, s.1, s.2)).collect() };
    assert!(others(&found) == others(&given) && !given.is_empty());
}

#[test]
fn rho_makes_long_prompts_have_long_answers() {
    let longest = |flags: &str| {
        let all = seen(&format!("--rate 45 --start 20m --no-hash-ids {flags}"));
        let long = all.iter().filter(|one| one.0 == 0 && one.2 == 900);
        let both = long.clone().filter(|one| one.3 == 400).count() as f64;
        both / long.count() as f64
    };
    // Of the upper half of prompts, the share with an answer of the upper half:
    // 1/2 + asin(ρ)/π (Sheppard 1899), for a thousand requests and more.
    for (rho, expected) in [("0", 0.5), ("0.5", 2.0 / 3.0), ("1", 1.0), ("-1", 0.0)] {
        let found = longest(&format!("--rho {rho}"));
        assert!((found - expected).abs() < 0.02, "{rho}: {found}");
    }
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let dataset = "{\"0\":{\"input_tokens\":\"{1: 1}\",\"output_tokens\":\"{1: 1}\"}}";
    let folder = |trace: &str, dataset: &str| {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("m_chunk-3-trace.csv"), trace).unwrap();
        fs::write(folder.path().join("m_chunk-3-dataset.json"), dataset).unwrap();
        folder
    };
    let refusal = |folder: &TempDir, flags: &str| {
        let name = folder.path().to_str().unwrap();
        let error = format!("{:#}", try_run(name, flags).unwrap_err());
        assert_eq!(error.lines().count(), 1, "{error}");
        error.replace(&format!("{name}/"), "").replace(name, "DIR")
    };
    let row = "0,1,1,Gamma,1,1\n";
    for (trace, data, said) in [
        ("", dataset, "m_chunk-3-trace.csv has no windows"),
        (
            "0,1,1\n",
            dataset,
            "m_chunk-3-trace.csv:1:1: expected start,rate,cv,name,shape,scale, found 3 fields",
        ),
        (
            "0,-1,1,Gamma,1,1\n",
            dataset,
            "m_chunk-3-trace.csv:1:1: rate \"-1\" is not a number of at least 0",
        ),
        (
            "0,1,1,Pareto,1,1\n",
            dataset,
            "m_chunk-3-trace.csv:1:1: \"Pareto\" is neither Gamma nor Weibull",
        ),
        (
            "0,1,1,Gamma,0,1\n",
            dataset,
            "m_chunk-3-trace.csv:1:1: shape 0 of Gamma gives gaps with a coefficient of variation outside of 0.001 to 100",
        ),
        (
            "9,1,1,Gamma,1,1\n9,1,1,Gamma,1,1\n",
            dataset,
            "m_chunk-3-trace.csv:2:1: 9 is not later than the window before",
        ),
        (
            row,
            "",
            "m_chunk-3-dataset.json:1:1: EOF while parsing a value",
        ),
        (
            row,
            "{\"0\":{\"input_tokens\":\"{1: os}\"}}",
            "m_chunk-3-dataset.json: input_tokens at 0: character 2: \" os\" is not a number of at least 0",
        ),
        (
            row,
            "{\"x\":{}}",
            "m_chunk-3-dataset.json: \"x\" is not a time in seconds",
        ),
        (
            row,
            "{\"0\":{\"input_tokens\":\"{}\"}}",
            "m_chunk-3-dataset.json has no lengths for the requests of m_chunk-3-trace.csv",
        ),
    ] {
        assert_eq!(refusal(&folder(trace, data), ""), said);
    }
    assert_eq!(
        refusal(&folder(row, dataset), "--clients 4"),
        "--clients: there is no client 4 in DIR"
    );
    assert_eq!(
        refusal(&folder(row, dataset), "--start 11m"),
        "--start is after the end of the recording, which has 600 s"
    );
    assert_eq!(
        refusal(&TempDir::new().unwrap(), ""),
        "DIR has no files chunk-N-trace.csv"
    );
    let gone = format!("{:#}", try_run("no/such/folder", "").unwrap_err());
    assert!(gone.starts_with("cannot open no/such/folder: "), "{gone}");
}

#[test]
fn real_clients_keep_their_rates_and_lengths() {
    let Some(data) = std::env::var_os("TRACE_DATA") else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: TRACE_DATA is not set: no real clients were tried"
        )
        .unwrap();
        return;
    };
    let folder = std::path::Path::new(&data).join("servegen/m-small");
    if !folder.is_dir() {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: {} is not there: no real clients were tried",
            folder.display()
        )
        .unwrap();
        return;
    }
    // A day from the third on, at its own rate, by one client that always asks.
    let flags = "--clients 39 --start 48h --duration 24h --no-hash-ids";
    let all = try_run(folder.to_str().unwrap(), flags).unwrap();
    let trace = fs::read_to_string(folder.join("chunk-39-trace.csv")).unwrap();
    let day = 172_800.0..259_200.0;
    let expected: f64 = trace
        .lines()
        .map(|line| {
            line.split(',')
                .map(|f| f.parse().unwrap_or(0.0))
                .collect::<Vec<f64>>()
        })
        .filter(|row| day.contains(&row[0]))
        .map(|row| row[1] * 600.0)
        .sum();
    let off = all.len() as f64 / expected - 1.0;
    assert!(expected > 100_000.0 && off.abs() < 0.02, "{expected} {off}");
    assert!(all.iter().all(|one| one.0 == 39 && one.2 >= 1));
}
