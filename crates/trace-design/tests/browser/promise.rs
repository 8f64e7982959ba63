//! What the page counts is what `trace-synth curve` makes.

use crate::designer::Page;
use clap::Parser;
use serde_json::Value;
use std::path::Path;

/// Lines of the trace that `trace-synth curve FILE` makes.
fn trace_of(curve: &Path, seed: &str) -> Vec<Value> {
    let args = [
        "trace-synth",
        "curve",
        curve.to_str().unwrap(),
        "--seed",
        seed,
    ];
    let mut trace = Vec::new();
    trace_synth::run(&trace_synth::Args::parse_from(args), &mut trace).unwrap();
    lines(&trace)
}

fn lines(trace: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(trace).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sum(trace: &[Value], model: &str, field: &str) -> f64 {
    let of_model = trace.iter().filter(|line| line["model"] == model);
    of_model.map(|line| line[field].as_f64().unwrap()).sum()
}

/// Two models unlike each other, and the curve file of them.
fn drawn(page: &Page) {
    page.fill("#models .name", "chat \"a\"");
    page.draw(&[(0.1, 0.2), (0.3, 0.6), (0.5, 0.5), (0.9, 0.9)]);
    page.browser.click("#tab-traffic");
    page.fill("#input-length", "lognormal:900,700,max=8192");
    page.fill("#prefixes", "pool:20,1024");
    page.browser.click("#add-model");
    page.fill("#models li:last-child .name", "🚀 code");
    page.browser.click("input[value=step]");
    page.draw(&[(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.6, 0.3)]);
    page.fill("#output-length", "77");
    page.browser.choose("#arrival", "gamma");
    page.fill("#arrival-cv", "3");
}

#[test]
fn the_exported_curve_gives_the_counts_that_the_page_promised() {
    let Some(page) = Page::open(&[]) else { return };
    drawn(&page);
    page.design();
    page.browser.click("#open-files");
    page.browser.click("#save-json");
    page.browser.downloaded("curve.json");
    let trace = trace_of(&page.browser.downloads().join("curve.json"), "0");
    assert!(trace.len() > 1000);
    for model in ["chat \"a\"", "🚀 code"] {
        let of_model = trace.iter().filter(|line| line["model"] == model);
        assert_eq!(
            page.total(model, "requests"),
            of_model.count() as f64,
            "{model}"
        );
        assert_eq!(
            page.total(model, "input_tokens"),
            sum(&trace, model, "input_length"),
            "{model}"
        );
        assert_eq!(
            page.total(model, "output_tokens"),
            sum(&trace, model, "output_length"),
            "{model}"
        );
    }
    assert_eq!(page.total("Total", "requests"), trace.len() as f64);
    // The mean rate is what there is over the minute.
    let mean = page.total("Total", "mean");
    assert!((mean - trace.len() as f64 / 60.0).abs() < 0.01, "{mean}");
    page.is_quiet();
}

#[test]
fn another_seed_is_another_trace_and_the_download_is_that_of_trace_synth() {
    let Some(page) = Page::open(&[]) else { return };
    drawn(&page);
    let before = page.total("Total", "input_tokens");
    page.fill("#seed", "7");
    page.design();
    let after = page.total("Total", "input_tokens");
    assert_ne!(before, after);
    page.browser.click("#open-files");
    page.browser.click("#save-json");
    page.browser.click("#save-trace");
    page.browser.downloaded("curve.json");
    let trace = lines(&page.browser.downloaded("trace.jsonl"));
    assert_eq!(
        trace,
        trace_of(&page.browser.downloads().join("curve.json"), "7")
    );
    assert_eq!(trace.len() as f64, page.total("Total", "requests"));
}

#[test]
fn a_spelling_that_is_wrong_is_said_at_its_field() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&[(0.1, 0.2), (0.5, 0.6), (0.9, 0.9)]);
    page.browser.click("#tab-traffic");
    page.fill("#input-length", "about a thousand");
    page.browser
        .wait_for("document.querySelector('#panel-traffic .field-error')");
    page.browser.becomes(
        "document.querySelector('#input-length').getAttribute('aria-invalid')",
        "true",
    );
    page.fill("#input-length", "1000");
    page.browser
        .wait_for("!document.querySelector('#panel-traffic .field-error')");
    let requests = page.total("Total", "requests");
    assert_eq!(page.total("Total", "input_tokens"), requests * 1000.0);
}

#[test]
fn the_rate_of_a_trace_lies_below_and_is_traced_over() {
    let Some(page) = Page::open(&[]) else { return };
    // 5 requests a second for half a minute, then 20.
    let at = |i: u32| {
        if i < 150 {
            f64::from(i) * 200.0
        } else {
            30_000.0 + f64::from(i - 150) * 50.0
        }
    };
    let line = |i| {
        format!(
            "{{\"timestamp\":{},\"input_length\":9,\"output_length\":1}}\n",
            at(i)
        )
    };
    let trace: String = (0..750).map(line).collect();
    let path = page.designer.path().join("recorded.jsonl");
    std::fs::write(&path, trace).unwrap();
    page.browser.click("#open-underlay");
    page.browser.keys("#underlay-file", path.to_str().unwrap());
    page.browser
        .wait_for("!document.querySelector('#underlay-settings').hidden");
    page.browser.says("#underlay-about", "recorded.jsonl");
    // A reload finds it again.
    page.load();
    page.browser.click("#open-underlay");
    page.browser.click("#underlay-trace");
    page.browser
        .wait_for("document.querySelector('#points-body tr')");
    let promised = page.total("Total", "requests");
    assert!((promised - 750.0).abs() < 120.0, "{promised}");
}

#[test]
fn a_seed_of_many_digits_loses_none() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&[(0.1, 0.2), (0.5, 0.6), (0.9, 0.9)]);
    let seed = "18446744073709551615";
    page.fill("#seed", seed);
    page.design();
    page.browser.says("#totals-note", seed);
    page.load();
    page.browser.field_becomes("#seed", seed);
    let promised = page.total("Total", "input_tokens");
    page.browser.click("#open-files");
    page.browser.click("#save-json");
    let file = String::from_utf8(page.browser.downloaded("curve.json")).unwrap();
    assert!(file.contains(&format!("\"seed\": {seed}")), "{file}");
    // The file has it, and no flag is needed.
    let trace = trace_of(&page.browser.downloads().join("curve.json"), "0");
    assert_eq!(sum(&trace, "default", "input_length"), promised);
    page.browser.click("#files [data-close]");
    for bad in ["18446744073709551616", "-1", "1.5", "x"] {
        page.fill("#seed", bad);
        page.browser.speaks("header .field-error");
        page.fill("#seed", seed);
        page.browser
            .wait_for("!document.querySelector('header .field-error')");
    }
}

#[test]
fn of_millions_the_page_says_that_it_estimates() {
    let Some(page) = Page::open(&[]) else { return };
    page.fill("#duration", "24h");
    page.browser.click("input[value=line]");
    page.draw(&[(0.0, 0.5), (1.0, 0.5)]);
    assert!(page.total("Total", "requests") > 4e6);
    page.browser.says("#totals-note", "estimated");
    page.browser.says("#totals-note", "2 M");
    for field in ["requests", "input_tokens", "mean"] {
        page.browser
            .says(&format!("#totals-foot [data-field={field}]"), "≈");
    }
    let peak = page.browser.text("#totals-foot [data-field=peak]");
    assert!(!peak.contains('≈'), "{peak}");
}
