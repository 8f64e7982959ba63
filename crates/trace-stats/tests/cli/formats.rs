//! How the report is printed.

use crate::groups::SWEEP;
use crate::harness::{OUTCOMES, TRACE, stats};
use std::collections::BTreeSet;

#[test]
fn markdown_and_csv_hold_every_figure() {
    let (_, markdown, _) = stats(&["--format", "markdown"], TRACE);
    assert!(
        markdown.contains("| input_length | 5 | 0 | 20 | 9.099 | 5 | 14 | 25 |"),
        "{markdown}"
    );
    let (_, csv, notes) = stats(&["--format", "csv", "--block-size", "10"], TRACE);
    let mut lines = csv.lines();
    let header = "metric,value,count,censored,mean,std,min,p25,p50,p75,p90,p95,p99,p99.9,max";
    assert_eq!(lines.next(), Some(header));
    let columns = header.split(',').count();
    assert!(
        lines.all(|line| line.split(',').count() == columns),
        "{csv}"
    );
    assert!(csv.contains("\nblock_hit_rate,0.5,,"), "{csv}");
    assert!(csv.contains("\ncontext_length,,5,0,15.2,"), "{csv}");
    assert!(
        notes.contains("1 of 5 requests have no hash_ids"),
        "{notes}"
    );
}

/// The series of a page, each line of which must be what Prometheus reads.
fn series(page: &str) -> BTreeSet<String> {
    let mut typed = BTreeSet::new();
    let mut families = BTreeSet::new();
    let mut series = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, words) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} has two families");
            assert!(!words.is_empty(), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.contains(name), "{line}");
            assert!(["gauge", "summary"].contains(&kind), "{line}");
            typed.insert(name.to_owned());
            continue;
        }
        let (of, value) = line.rsplit_once(' ').unwrap();
        assert!(
            value == "+Inf" || value.parse::<f64>().unwrap().is_finite(),
            "{line}"
        );
        let name = of.split('{').next().unwrap();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(is_word), "{line}");
        let stem = name.trim_end_matches("_sum").trim_end_matches("_count");
        assert!(typed.contains(name) || typed.contains(stem), "{line}");
        assert!(of == name || of.ends_with("\"}"), "{line}");
        assert!(series.insert(of.to_owned()), "{of} is there twice");
    }
    series
}

#[test]
fn prometheus_gets_what_it_reads() {
    for (flags, input) in [
        (&["--block-size", "10"][..], TRACE),
        (&["--by", "model,session_id"], TRACE),
        (
            &["--slo", "ttft_ms=100", "--assert", "requests>0"],
            OUTCOMES,
        ),
        (&["--by", "error.kind,status,quantile,kind,name"], OUTCOMES),
        (&["--by", "concurrency,round"], SWEEP),
        (&[], ""),
    ] {
        let (code, page, _) = stats(&[&["--format", "prometheus"], flags].concat(), input);
        assert_eq!(code, 0);
        let series = series(&page);
        assert!(series.contains("trace_stats_requests"), "{page}");
    }
    let (_, page, _) = stats(&["--format", "prometheus", "--by", "round"], SWEEP);
    assert!(
        page.contains("trace_stats_ttft_seconds{round=\"1\",quantile=\"0.5\"} 0.3\n"),
        "{page}"
    );
    assert!(
        page.contains("trace_stats_errors{round=\"2\",name=\"http\"} 1\n"),
        "{page}"
    );
}

#[test]
fn every_format_has_the_groups() {
    let run = |format| {
        stats(
            &["--format", format, "--by", "round", "--slo", "ttft_ms=300"],
            SWEEP,
        )
        .1
    };
    let csv = run("csv");
    assert!(csv.starts_with("round,metric,value,"), "{csv}");
    assert!(csv.contains("\n2,slo.ttft_ms.attainment,"), "{csv}");
    let markdown = run("markdown");
    assert!(
        markdown.contains("\n### ttft_ms\n\n| round | count |"),
        "{markdown}"
    );
    assert!(markdown.contains("\n### round to round\n"), "{markdown}");
}

#[test]
fn the_columns_of_the_table_can_be_chosen() {
    let (_, table, _) = stats(&["--quantiles", "25,99.9"], TRACE);
    let header: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(
        header,
        ["count", "mean", "std", "min", "p25", "p99.9", "max"]
    );
    let (code, _, stderr) = stats(&["--quantiles", "98"], TRACE);
    assert_eq!(code, 2);
    assert!(stderr.contains("25, 50, 75, 90, 95, 99, 99.9"), "{stderr}");
}
