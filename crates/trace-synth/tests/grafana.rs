//! What a dashboard measured becomes traffic of the same rate and lengths.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use statrs::distribution::{ContinuousCDF, LogNormal};
use tempfile::TempDir;
use trace_core::{Reader, Request};
use trace_synth::{Args, run};

const TRAFFIC: &str = "\"Time\",\"Total\",\"Success\",\"4xx Error\",\"5xx Error\"
2024-10-01 00:00:00,6,5,1,0
2024-10-01 00:00:30,11,10,1,0
2024-10-01 00:01:00,1,0,1,0
2024-10-01 00:01:30,21,20,1,0
2024-10-01 00:02:00,9,8,1,0
2024-10-01 00:02:30,4,3,1,0
";

/// The same percentiles at all times.
fn lengths(heading: &str, numbers: &str) -> String {
    let clocks = ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30"];
    let rows = clocks.map(|clock| format!("2024-10-01 00:{clock},{numbers}\n"));
    format!("Time,{heading}\n{}", rows.concat())
}

struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    /// Run with `@name` standing for the file of that name.
    fn try_run(&self, flags: &str) -> anyhow::Result<Vec<Request>> {
        let place = format!("{}/", self.0.path().display());
        let words: Vec<String> = flags
            .split_whitespace()
            .map(|word| word.replace('@', &place))
            .collect();
        let words = ["trace-synth", "grafana"]
            .into_iter()
            .chain(words.iter().map(String::as_str));
        let mut bytes = Vec::new();
        run(&Args::try_parse_from(words)?, &mut bytes)?;
        let requests = Reader::new("trace", &bytes[..]).map(|line| line.unwrap().request);
        Ok(requests.collect())
    }

    fn run(&self, flags: &str) -> Vec<Request> {
        let trace = self.try_run(flags);
        trace.unwrap_or_else(|err| panic!("{flags}: {err:#}"))
    }

    fn refusal(&self, flags: &str) -> String {
        let error = format!("{:#}", self.try_run(flags).unwrap_err());
        assert_eq!(error.lines().count(), 1, "{error}");
        error.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Requests from each of `edges` to the next.
fn counts(trace: &[Request], edges: &[f64]) -> Vec<f64> {
    let times: Vec<f64> = trace
        .iter()
        .map(|request| request.timestamp.unwrap().as_secs())
        .collect();
    edges
        .windows(2)
        .map(|edge| {
            times
                .iter()
                .filter(|t| (edge[0]..edge[1]).contains(*t))
                .count() as f64
        })
        .collect()
}

/// Counts with the means `expected`, each within four of its Poisson deviations.
fn assert_poisson(counts: &[f64], expected: &[f64]) {
    assert_eq!(counts.len(), expected.len());
    for (count, mean) in counts.iter().zip(expected) {
        assert!(
            (count - mean).abs() <= 4.0 * mean.sqrt(),
            "{counts:?} {expected:?}"
        );
    }
}

const MAAS: &str = "--kind maas --traffic-file @t.csv";
const EDGES: [f64; 7] = [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0];

#[test]
fn each_row_has_its_rate_and_an_idle_one_nothing() {
    let expected = [150.0, 300.0, 0.0, 600.0, 240.0, 90.0];
    // The code's heading, and the README's, which lacks a column.
    let readme = TRAFFIC
        .replace(",\"5xx Error\"", "")
        .replace(",1,0\n", ",1\n");
    for traffic in [TRAFFIC, &readme] {
        let trace = Folder::with(&[("t.csv", traffic)]).run(MAAS);
        assert_poisson(&counts(&trace, &EDGES), &expected);
    }
    let folder = Folder::with(&[("t.csv", TRAFFIC)]);
    let half = folder.run(&format!("{MAAS} --qps-scale 2 --arrival constant"));
    assert_eq!(half.len(), 690);
    let early = folder.run(&format!("{MAAS} --duration 40s --arrival constant"));
    assert_eq!(early.len(), 250);
}

#[test]
fn rates_below_one_stay_below_one() {
    let quiet = TRAFFIC.replace(",5,", ",0.2,").replace(",20,", ",0,");
    let trace = Folder::with(&[("t.csv", &quiet)]).run(&format!("{MAAS} --arrival constant"));
    assert_eq!(counts(&trace, &EDGES), [6.0, 300.0, 0.0, 0.0, 240.0, 90.0]);
}

#[test]
fn a_gap_between_rows_lasts_as_long_as_it_did() {
    // Without the rows of 00:30 and 01:00: the first one lasts until 01:30.
    let holes: String = TRAFFIC
        .lines()
        .filter(|line| !line.contains("00:00:30") && !line.contains("00:01:00"))
        .map(|line| format!("{line}\n"))
        .collect();
    let trace = Folder::with(&[("t.csv", &holes)]).run(&format!("{MAAS} --arrival constant"));
    let found = counts(&trace, &[0.0, 90.0, 120.0, 150.0, 180.0]);
    assert_eq!(found, [450.0, 600.0, 240.0, 90.0]);
}

#[test]
fn lengths_follow_the_fitted_distribution() {
    let prompt = lengths("P50,P70,P90,P99", "500,700,1200,3000");
    let busy = TRAFFIC.replace(",5,", ",800,");
    let folder = Folder::with(&[("t.csv", &busy), ("p.csv", &prompt)]);
    let trace = folder.run(&format!(
        "{MAAS} --prompt-len-file @p.csv --output-length 77 --input-scale 0.001 --no-hash-ids"
    ));
    assert!(
        trace
            .iter()
            .all(|request| request.output_length == Some(77))
    );
    // Each request on its own, and divided: a millionth of the length is lost
    // to rounding.
    let mut sample: Vec<f64> = trace
        .iter()
        .map(|request| request.input_length.unwrap() as f64 / 1000.0)
        .collect();
    sample.sort_by(f64::total_cmp);
    let distinct = sample.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(distinct > sample.len() * 9 / 10);
    // The slope of ln(length) against the normal quantiles of the four, by hand.
    let reference = LogNormal::new(libm::log(500.0), 0.772_37).unwrap();
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().map(|(i, &x)| {
        let expected = reference.cdf(x);
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    });
    let excess = distance.fold(0.0, f64::max) * n.sqrt() / 1.949;
    assert!(n > 20_000.0 && excess < 1.0, "{n} {excess}");
}

#[test]
fn percentiles_without_times_belong_to_the_row_in_their_place() {
    let aligned =
        "P50,P70,P99\n100,100,100\n200,200,200\n0,0,0\n400,400,400\n500,500,500\n600,600,600\n";
    let folder = Folder::with(&[("t.csv", TRAFFIC), ("p.csv", aligned)]);
    let flags = format!("{MAAS} --prompt-len-file @p.csv");
    for request in folder.run(&flags) {
        let row = (request.timestamp.unwrap().as_secs() / 30.0) as u64;
        assert_eq!(request.input_length, Some(100 * (row + 1)));
    }
    std::fs::write(
        folder.0.path().join("p.csv"),
        &aligned[..aligned.len() - 12],
    )
    .unwrap();
    assert_eq!(
        folder.refusal(&flags),
        "p.csv has 5 rows and t.csv has 6; without a column Time there must be equally many"
    );
}

#[test]
fn rows_without_lengths_are_left_out() {
    let some: String = lengths("P50,P99", "50,50")
        .lines()
        .filter(|line| !line.contains("00:01:30"))
        .map(|line| format!("{line}\n"))
        .collect();
    let folder = Folder::with(&[("t.csv", TRAFFIC), ("c.csv", &some)]);
    let trace = folder.run(&format!(
        "{MAAS} --completion-len-file @c.csv --arrival constant"
    ));
    assert_eq!(
        counts(&trace, &EDGES),
        [150.0, 300.0, 0.0, 0.0, 240.0, 90.0]
    );
    assert!(
        trace
            .iter()
            .all(|request| request.output_length == Some(50))
    );
}

const RATE: &str = "\"Time\",\"Rate\"\n1727740800000,5\n1727740830000,10\n1727740860000,undefined\n1727740890000,20\n";
const BYTES: &str = "\"Time\",\"recv_bytes.rate@a\",\"recv_bytes.rate@b\",\"sent_bytes.rate@a\"
1727740800000,3000,2000,900\n1727740830000,3000,,900\n1727740860000,9,9,9\n1727740890000,5000,2300,900\n";
const CLOUD: &str =
    "--kind cloudide --traffic-file @r.csv --prompt-len-file @b.csv --arrival constant";

#[test]
fn bytes_become_the_lengths_of_their_own_direction() {
    let readme = "Time,recv_bytes,sent_bytes
2024-10-01 00:00:00,5000,900\n2024-10-01 00:00:30,3000,900\n2024-10-01 00:01:00,18,9\n2024-10-01 00:01:30,7300,900\n";
    let dates = "Time,qps\n2024-10-01 00:00:00,5\n2024-10-01 00:00:30,10\n2024-10-01 00:01:00,0\n2024-10-01 00:01:30,20\n";
    for (rate, bytes) in [(RATE, BYTES), (dates, readme)] {
        let trace = Folder::with(&[("r.csv", rate), ("b.csv", bytes)]).run(CLOUD);
        assert_eq!(counts(&trace, &EDGES[..5]), [150.0, 300.0, 0.0, 600.0]);
        for request in &trace {
            let row = (request.timestamp.unwrap().as_secs() / 30.0) as usize;
            let (input, output) = [(1000, 180), (300, 90), (0, 0), (365, 45)][row];
            assert_eq!(request.input_length, Some(input));
            assert_eq!(request.output_length, Some(output));
        }
    }
    let folder = Folder::with(&[("r.csv", RATE), ("b.csv", BYTES)]);
    let scaled = folder.run(&format!("{CLOUD} --input-scale 4 --output-scale 1000"));
    assert_eq!(
        (scaled[0].input_length, scaled[0].output_length),
        (Some(250), Some(1))
    );
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    let prompt = lengths("P50,P70", "500,700");
    let with = |name: &'static str, text: &str, flags: &str| {
        let mut files = vec![
            ("t.csv", TRAFFIC),
            ("p.csv", &prompt[..]),
            ("r.csv", RATE),
            ("b.csv", BYTES),
        ];
        files.push((name, text));
        Folder::with(&files).refusal(flags)
    };
    let maas = format!("{MAAS} --prompt-len-file @p.csv");
    for (name, text, flags, said) in [
        ("t.csv", "", &maas[..], "t.csv:1:1: there is no heading"),
        ("t.csv", "Time,Success\n", &maas, "t.csv has no rows"),
        (
            "t.csv",
            "Time,Success\n2024-10-01 00:00:00,5\n",
            MAAS,
            "t.csv has one row only, which could last any time",
        ),
        (
            "t.csv",
            "Time,Succes\n1,2\n",
            &maas,
            "t.csv:1:1: there is no column Success",
        ),
        (
            "t.csv",
            "Success\n1\n2\n",
            MAAS,
            "t.csv:1:1: there is no column Time",
        ),
        (
            "t.csv",
            "Time,Success\nsoon,5\n",
            &maas,
            "t.csv:2: column \"Time\": \"soon\" is not a time",
        ),
        (
            "t.csv",
            "Time,Success\n7,5\n7,5\n",
            &maas,
            "t.csv:3: column \"Time\": 7 is not later than the row before",
        ),
        (
            "t.csv",
            "Time,Success\n7,-5\n",
            &maas,
            "t.csv:2: column \"Success\": \"-5\" is not a number of at least 0",
        ),
        (
            "t.csv",
            "Time,Success\n7,5,9\n",
            &maas,
            "t.csv:2:1: 3 columns where the heading has 2",
        ),
        (
            "t.csv",
            "Time,Success\n7,0\n8,0\n",
            MAAS,
            "t.csv: no row has a request",
        ),
        (
            "p.csv",
            "P50,P70\n1,2\n",
            &maas,
            "p.csv has 1 rows and t.csv has 6; without a column Time there must be equally many",
        ),
        (
            "p.csv",
            "Time,P70,P99\n1,2,3\n",
            &maas,
            "p.csv:1:1: there are no columns P50, P70, P90 and P99 (or P50, P70 and P99)",
        ),
        (
            "p.csv",
            "Time,P50,P70\n2024-10-01 00:00:00,9,8\n",
            &maas,
            "p.csv:2:1: percentiles fall from one to the next",
        ),
        (
            "p.csv",
            "Time,P50,P70\n2024-10-01 00:00:00,0,8\n",
            &maas,
            "p.csv:2:1: P50 is 0 while there are 5 requests/s",
        ),
        (
            "p.csv",
            "Time,P50,P70\n2025-10-01 00:00:00,7,8\n",
            &maas,
            "t.csv: no row has a request and lengths",
        ),
        (
            "b.csv",
            "Time,bytes\n1,2\n",
            CLOUD,
            "b.csv:1:1: there is no column recv_bytes or recv_bytes.rate@…",
        ),
    ] {
        assert_eq!(with(name, text, flags), said);
    }
    let folder = Folder::with(&[("r.csv", RATE)]);
    assert!(folder.refusal(CLOUD).starts_with("cannot open b.csv: "));
    let binary = Folder::with(&[]);
    std::fs::write(binary.0.path().join("t.csv"), b"\x89PNG\r\n\x1a\n\0\xff\n").unwrap();
    assert_eq!(binary.refusal(MAAS), "t.csv:1:1: this is not text");
}
