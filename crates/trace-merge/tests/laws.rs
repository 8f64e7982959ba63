//! What holds for every merge.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use proptest::prelude::*;
use serde_json::Value;
use trace_merge::{Args, Input, run};

/// What `flags` make of `traces`.
fn merged(flags: &[&str], traces: &[String]) -> String {
    let args = Args::parse_from([&["trace-merge"], flags].concat());
    let inputs = traces
        .iter()
        .enumerate()
        .map(|(n, text)| Input::stream(&n.to_string(), text.as_bytes()))
        .collect();
    let mut out = Vec::new();
    run(&args, inputs, &mut out, false).unwrap();
    String::from_utf8(out).unwrap()
}

/// Lines with times (some without), ids, sessions and things nobody knows.
fn trace() -> impl Strategy<Value = Vec<(Option<u64>, String)>> {
    let time = proptest::option::weighted(0.8, 0..60_u64);
    let ids = prop_oneof![
        Just(String::new()),
        Just(", \"hash_ids\": [0, 7,1e1]".to_owned()),
        Just(", \"session_id\": 3, \"hash_ids\": []".to_owned()),
        Just(", \"session_id\":\"é\\n\", \"x\": {\"timestamp\": 1e5}".to_owned()),
    ];
    proptest::collection::vec((time, ids), 0..25)
}

fn spell(trace: &[(Option<u64>, String)], tag: usize) -> Vec<String> {
    let line = |(n, (time, rest)): (usize, &(Option<u64>, String))| {
        let time = time.map_or(String::new(), |time| format!("\"timestamp\" :{time} , "));
        format!("{{{time}\"input_length\": {n}, \"from\": {tag}{rest}}}\n")
    };
    trace.iter().enumerate().map(line).collect()
}

/// The time of each line, those without one at the time before.
fn times(lines: &[String]) -> Vec<u64> {
    let mut last = 0;
    lines
        .iter()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            last = line["timestamp"].as_u64().unwrap_or(last);
            last
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_merge_is_the_stable_sort_of_all_lines(traces in proptest::collection::vec(trace(), 0..6), memory in 1..6_000_u64, open in 2..5_usize) {
        let traces: Vec<Vec<String>> = traces.iter().enumerate().map(|(n, trace)| spell(trace, n)).collect();
        let mut all: Vec<(u64, &String)> = traces.iter()
            .flat_map(|lines| times(lines).into_iter().zip(lines))
            .collect();
        all.sort_by_key(|&(time, _)| time);
        let expected: String = all.into_iter().map(|(_, line)| line.as_str()).collect();

        // Out of order, on disk.
        let texts: Vec<String> = traces.iter().map(|lines| lines.concat()).collect();
        let memory = memory.to_string();
        let sorted = merged(&["--shared-ids", "--sort", "--sort-memory", &memory], &texts);
        prop_assert_eq!(&sorted, &expected);

        // Each in order, all at once and few at a time.
        let texts: Vec<String> = texts.iter()
            .map(|text| merged(&["--shared-ids", "--sort"], std::slice::from_ref(text)))
            .collect();
        prop_assert_eq!(&merged(&["--shared-ids"], &texts), &expected);
        let open = open.to_string();
        prop_assert_eq!(&merged(&["--shared-ids", "--open-files", &open], &texts), &expected);
    }

    #[test]
    fn the_content_does_not_depend_on_the_order_of_the_inputs(traces in proptest::collection::vec(trace(), 0..6)) {
        let texts: Vec<String> = traces.iter().enumerate().map(|(n, trace)| spell(trace, n).concat()).collect();
        let content = |texts: &[String]| {
            let out = merged(&["--shared-ids", "--sort"], texts);
            let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let mut turned = texts.clone();
        turned.reverse();
        prop_assert_eq!(content(&texts), content(&turned));
    }

    #[test]
    fn ids_and_sessions_of_two_inputs_never_meet(traces in proptest::collection::vec(trace(), 2..6)) {
        let texts: Vec<String> = traces.iter().enumerate().map(|(n, trace)| spell(trace, n).concat()).collect();
        let out = merged(&["--sort"], &texts);
        let count = texts.len() as u64;
        for line in out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let from = line["from"].as_u64().unwrap();
            for id in line["hash_ids"].as_array().into_iter().flatten() {
                prop_assert_eq!(id.as_u64().unwrap() % count, from);
            }
            if let Some(session) = line.get("session_id") {
                let prefix = format!("{from}:");
                prop_assert!(session.as_str().unwrap().starts_with(&prefix));
            }
        }
    }

    #[test]
    fn a_concatenation_keeps_every_distance(traces in proptest::collection::vec(trace(), 1..5), gap in 0..100_u64) {
        let texts: Vec<String> = traces.iter().enumerate()
            .map(|(n, trace)| merged(&["--shared-ids", "--sort"], &[spell(trace, n).concat()]))
            .collect();
        let gap_flag = format!("{gap}ms");
        let out = merged(&["--shared-ids", "--concat", "--gap", &gap_flag], &texts);
        let mut expected = Vec::new();
        let mut start = 0;
        for text in &texts {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let moved: Vec<u64> = times(&lines).iter().map(|time| start + time).collect();
            start = moved.last().map_or(start, |last| last + gap);
            let stamped = lines.iter().map(|line| line.contains("\"timestamp\" :"));
            expected.extend(moved.iter().zip(stamped).filter_map(|(&time, has)| has.then_some(time)));
        }
        let found: Vec<u64> = out.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["timestamp"].as_u64())
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(out.lines().count(), texts.iter().map(|text| text.lines().count()).sum::<usize>());
    }
}
