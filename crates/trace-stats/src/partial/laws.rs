//! Parts add up to the whole, however they are cut.

use crate::{Args, combine, run};
use clap::Parser;
use proptest::prelude::*;
use trace_core::{Reader, Source};

/// What `trace-stats` with these flags prints about `text`.
fn stats(flags: &[&str], text: &str) -> String {
    let args = Args::parse_from([&["trace-stats"], flags].concat());
    let mut output = Vec::new();
    let mut input = Reader::new("t", text.as_bytes());
    run(&args, &mut input, &mut output, Vec::new()).unwrap();
    String::from_utf8(output).unwrap()
}

/// What it prints about these partial lines, or its error.
fn sum(flags: &[&str], parts: &str) -> Result<String, String> {
    let args = Args::parse_from([&["trace-stats", "--combine"], flags].concat());
    let mut output = Vec::new();
    let source = Source::stream("parts", parts.as_bytes());
    let done = combine(&args, vec![source], &mut output, Vec::new());
    done.map_err(|error| format!("{error:#}"))?;
    Ok(String::from_utf8(output).unwrap())
}

prop_compose! {
    /// Some of a line of a run, but for its times.
    fn answer()(
        input in 1u64..50,
        tokens in 1u64..9,
        chunks in 1u64..4,
        gaps in prop::collection::vec(0u64..500_000, 0..4),
        session in prop_oneof![Just("7"), Just("\"7\""), Just("\"a\"")],
        model in prop_oneof![Just(r#""a""#), Just("null"), Just(r#""b\n|""#)],
        fate in 0u64..8,
    ) -> String {
        let gaps: Vec<String> = gaps.iter().map(|&gap| (gap as f64 / 1e3).to_string()).collect();
        let error = match fate {
            0 => r#","error":{"kind":"timeout","message":""}"#,
            1 => r#","error":{"kind":"cancelled","message":""}"#,
            _ => "",
        };
        format!(
            r#""input_length":{input},"session_id":{session},"model":{model},"itl_ms":[{}],"input_tokens":{input},"output_tokens":{tokens},"chunks":{chunks}{error}"#,
            gaps.join(","),
        )
    }
}

/// Lines of a run, or of a trace, in the order of time; and the part of each.
fn lines() -> impl Strategy<Value = Vec<(String, usize)>> {
    let one = (answer(), 0u64..90_000, 0u64..9_000, 0usize..4);
    (prop::collection::vec(one, 0..24), any::<bool>()).prop_map(|(lines, outcomes)| {
        let mut clock = 0;
        let line = |(answer, gap, late, part): (String, u64, u64, usize)| {
            clock += gap;
            let ms = |micros: u64| micros as f64 / 1e3;
            let times = format!(
                r#""scheduled_ms":{0},"due_ms":{0},"sent_ms":{1},"ttft_ms":{2},"latency_ms":{3},"#,
                ms(clock),
                ms(clock + late),
                ms(late * 3),
                ms(late * 5 + gap),
            );
            let times = if outcomes { times } else { String::new() };
            let (error, _) = answer.split_once(r#","itl_ms""#).unwrap();
            let answer = if outcomes { &answer } else { error };
            (
                format!("{{\"timestamp\":{},{times}{answer}}}\n", ms(clock)),
                part,
            )
        };
        lines.into_iter().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_in_any_order_are_one_pass(
        lines in lines(),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
        limit in prop_oneof![Just("0"), Just("5"), Just("1000"), Just("all")],
        format in prop_oneof![Just("json"), Just("table")],
        more in prop_oneof![Just(vec![]), Just(vec!["--confidence", "--window", "50ms..1s"])],
    ) {
        let mut flags = vec!["--exact-up-to", limit, "--by", "model,session_id"];
        flags.extend(more);
        let whole: String = lines.iter().map(|(line, _)| line.as_str()).collect();
        let expected = stats(&[&flags[..], &["--no-prefix", "--format", format]].concat(), &whole);
        let part = |wanted: usize| {
            let lines = lines.iter().filter(|(_, part)| *part == wanted);
            let text: String = lines.map(|(line, _)| line.as_str()).collect();
            stats(&[&flags[..], &["--partial"]].concat(), &text)
        };
        let parts = order.map(part);
        prop_assert_eq!(&sum(&["--format", format], &parts.concat()).unwrap(), &expected);
        // Sums of sums are sums.
        let (left, right) = (parts[..2].concat(), parts[2..].concat());
        let halves = [left, right].map(|half| sum(&["--partial"], &half).unwrap());
        prop_assert_eq!(&sum(&["--format", format], &halves.concat()).unwrap(), &expected);
    }
}

#[test]
fn a_part_that_does_not_fit_is_located() {
    let line = r#"{"input_length":3,"model":"a"}"#;
    let part = stats(&["--partial"], line);
    let error = |parts: &str| sum(&[], parts).unwrap_err();
    assert_eq!(
        error(&(part.clone() + &stats(&["--partial", "--by", "model"], line))),
        "parts:2:1: counted with --by [\"model\"], the parts before with []: count all parts with the same flags"
    );
    assert_eq!(
        error(&format!("\n{line}\n")),
        "parts:2:1: not a partial line of trace-stats; --partial writes them"
    );
    assert_eq!(
        error("\u{89}PNG\r\n\u{1a}\n"),
        "parts:1:1: not a partial line of trace-stats; --partial writes them"
    );
    assert_eq!(
        error(&part.replace("\"version\":2", "\"version\":99")),
        "parts:1:1: a partial line of version 99, this trace-stats reads version 2: count the part again"
    );
    let cut = error(&part[..part.len() - 9]);
    assert!(cut.starts_with("parts:1:") && cut.contains("EOF"), "{cut}");
    let unknown = error(&part.replace("\"skipped\"", "\"skip\""));
    assert!(unknown.contains("unknown field `skip`"), "{unknown}");
    assert!(error("").contains("no partial lines"));
}

#[test]
fn many_arrivals_add_up_too() {
    let lines = |from: u64, to: u64| -> String {
        let line = |at: u64| {
            format!(
                "{{\"timestamp\":{},\"input_length\":1}}\n",
                at * at % 97 + at * 100
            )
        };
        (from..to).map(line).collect()
    };
    let flags = ["--partial", "--exact-up-to", "50"];
    let parts = [(140_000, 300_000), (0, 140_000)];
    let parts = parts
        .map(|(from, to)| stats(&flags, &lines(from, to)))
        .concat();
    assert!(
        parts.len() < 2_000_000,
        "half of the arrivals are taken: {}",
        parts.len()
    );
    let whole = stats(&["--no-prefix", "--exact-up-to", "50"], &lines(0, 300_000));
    assert_eq!(sum(&[], &parts).unwrap(), whole);
    assert!(whole.contains("gap_ms"));
}
