//! Sessions, agents and prompts of words: the laws of whole traces, and their
//! distributions against theory, with fixed seeds.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod theory;

use std::collections::BTreeMap;

use clap::Parser;
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, Discrete, Exp, Normal, Poisson};
use theory::{assert_mean, chi_square, ks};
use trace_core::{Line, Micros, Reader, Request, SessionId, blocks_of};
use trace_prompt::{Prompts, Recover, Tokenizer};
use trace_synth::popularity::Popularity;
use trace_synth::{Args, run};

fn bytes(flags: &str) -> Vec<u8> {
    let words = ["trace-synth", "rate"]
        .into_iter()
        .chain(flags.split_whitespace());
    let args = Args::try_parse_from(words).unwrap_or_else(|err| panic!("{flags}: {err}"));
    let mut bytes = Vec::new();
    run(&args, &mut bytes).unwrap();
    bytes
}

fn requests(flags: &str) -> Vec<Request> {
    let bytes = bytes(flags);
    Reader::new("trace", &bytes[..])
        .map(|line| line.unwrap().request)
        .collect()
}

/// The numbers in the members called `name`, where there is one.
fn members(flags: &str, name: &str) -> Vec<u64> {
    let bytes = bytes(flags);
    let number = |line: Result<Line, _>| {
        let line = line.unwrap();
        let line = std::str::from_utf8(line.bytes()).unwrap().to_owned();
        let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(digits.parse().unwrap())
    };
    Reader::new("trace", &bytes[..])
        .filter_map(number)
        .collect()
}

fn by_session(trace: &[Request]) -> BTreeMap<SessionId, Vec<&Request>> {
    let mut sessions: BTreeMap<SessionId, Vec<&Request>> = BTreeMap::new();
    for request in trace {
        sessions
            .entry(request.session_id.clone().unwrap())
            .or_default()
            .push(request);
    }
    sessions
}

/// In time order, as many ids as blocks, new ids consecutive from 0.
fn check_lines(trace: &[Request], block_size: u64) -> Result<(), TestCaseError> {
    for pair in trace.windows(2) {
        prop_assert!(pair[0].timestamp <= pair[1].timestamp);
    }
    let mut next = 0;
    for request in trace {
        let ids = request.hash_ids.as_ref().unwrap();
        prop_assert_eq!(
            ids.len() as u64,
            blocks_of(request.input_length.unwrap(), block_size)
        );
        for &id in ids {
            prop_assert!(id <= next);
            next = next.max(id + 1);
        }
    }
    Ok(())
}

/// Each prompt is the one before, its answer, and something new; no earlier
/// than the answer and the delay allow.
fn check_turns(turns: &[&Request], service_ms: f64, exactly: bool) -> Result<(), TestCaseError> {
    prop_assert!(turns[0].delay.is_none());
    for pair in turns.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let told = before.input_length.unwrap() + before.output_length.unwrap();
        prop_assert!(after.input_length.unwrap() > told);
        let ids = before.hash_ids.as_ref().unwrap();
        prop_assert_eq!(&after.hash_ids.as_ref().unwrap()[..ids.len()], &ids[..]);
        let due = before.timestamp.unwrap().as_millis()
            + service_ms * before.output_length.unwrap() as f64
            + after.delay.unwrap().as_millis();
        let time = after.timestamp.unwrap().as_millis();
        prop_assert!(time > due - 0.001, "{} before {}", time, due);
        prop_assert!(!exactly || time < due + 0.001, "{} after {}", time, due);
    }
    Ok(())
}

fn prefixes() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (1..5u64, 1..30u64).prop_map(|(n, p)| format!("--prefixes pool:{n},fixed:{}", 8 * p)),
        (1..5u64, 1..9u64, 1..9u64, 1..4u64).prop_map(|(n, p, q, m)| format!(
            "--prefixes pool:{n},{},zipf=1.1 --prefixes pool:{m},{}",
            8 * p,
            8 * q
        )),
        (0.0..1.0, 0.0..0.5)
            .prop_map(|(share, sd)| format!("--prefixes shared:{share},{sd},groups=2")),
    ]
}

/// Flags of sessions whose prompts all have a multiple of eight tokens, so
/// that no two last blocks are too short to differ, and service per token.
fn sessions() -> impl Strategy<Value = (String, u64)> {
    let turns = prop_oneof![
        (1..7u64).prop_map(|n| n.to_string()),
        (1..4u64, 0..4u64).prop_map(|(low, more)| format!("uniform:{low}..{}", low + more)),
        (1.0..4.0).prop_map(|mean| format!("geometric:{mean}")),
    ];
    let tools = prop_oneof![
        Just(String::new()),
        (0..3u64, 0.0..1.0, 0..3u64, 1..9u64).prop_map(|(most, failure, retries, result)| format!(
            "--tools uniform:0..{most},min=0 --tool-failure {failure} --tool-retries {retries} \
             --tool-result {}",
            8 * result
        )),
    ];
    let times = (0..3000u64, 0..50u64);
    let lengths = (1..20u64, 1..20u64, 1..20u64);
    (turns, tools, times, lengths, prefixes(), any::<u64>()).prop_map(
        |(turns, tools, (think, service), (first, later, answer), prefixes, seed)| {
            let flags = format!(
                "--sessions {turns} {tools} --think-time exponential:{think}.5ms \
                 --service-time 0+{service}ms --input-length {} --turn-length {} \
                 --output-length {} {prefixes} --block-size 16 --seed {seed}",
                8 * first,
                8 * later,
                8 * answer
            );
            (flags, service)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn sessions_keep_their_laws((flags, service) in sessions(), started in 1..40usize, by_request: bool) {
        let what = if by_request { "requests" } else { "sessions" };
        let trace = requests(&format!("--rate 3 --requests {started} --arrivals-are {what} {flags}"));
        check_lines(&trace, 16)?;
        let sessions = by_session(&trace);
        if by_request {
            prop_assert_eq!(trace.len(), started);
        } else {
            prop_assert_eq!(sessions.len(), started);
        }
        for turns in sessions.values() {
            check_turns(turns, service as f64, !by_request)?;
        }
    }

    #[test]
    fn prompts_rendered_and_read_back_have_the_ids_of_the_trace((flags, _) in sessions()) {
        let trace = requests(&format!("--rate 3 --requests 12 {flags}"));
        let prompts = Prompts::with(&Tokenizer::words(), 5).unwrap().block_size(16);
        let mut recover = Recover::new(16);
        let (mut text, mut found) = (String::new(), Vec::new());
        for request in &trace {
            text.clear();
            let (ids, length) = (request.hash_ids.as_ref().unwrap(), request.input_length.unwrap());
            prompts.render(ids, length, 0, &mut text);
            prop_assert_eq!(recover.text(prompts.tokenizer(), &text, &mut found).unwrap(), length);
            prop_assert_eq!(&found, ids);
        }
    }

    #[test]
    fn a_context_is_never_longer_than_asked((flags, _) in sessions(), most in 2..2000u64) {
        let trace = requests(&format!("--rate 3 --requests 12 --max-context {most} {flags}"));
        check_lines(&trace, 16)?;
        for request in &trace {
            prop_assert!(request.input_length.unwrap() + request.output_length.unwrap() <= most);
        }
        prop_assert_eq!(by_session(&trace).len(), 12);
    }

    #[test]
    fn arrivals_of_requests_are_those_without_sessions((flags, _) in sessions(), seed: u64) {
        let times = |flags: &str| -> Vec<_> {
            let trace = requests(&format!("--rate 3 --requests 50 --seed {seed} {flags}"));
            trace.iter().map(|request| request.timestamp).collect()
        };
        let (flags, _) = flags.rsplit_once("--seed").unwrap();
        prop_assert_eq!(times(&format!("--arrivals-are requests {flags}")), times(""));
    }
}

#[test]
fn in_a_real_vocabulary_too_prompts_read_back_have_the_ids_of_the_trace() {
    let trace = requests(
        "--rate 3 --requests 8 --sessions geometric:3 --tools 2 --prefixes pool:3,700 \
         --input-length uniform:30..900 --turn-length 57 --output-length 41 --block-size 64",
    );
    for tokenizer in [Tokenizer::o200k(), Tokenizer::cl100k()] {
        let prompts = Prompts::with(&tokenizer, 0).unwrap().block_size(64);
        let (mut recover, mut text, mut found) = (Recover::new(64), String::new(), Vec::new());
        for request in &trace {
            text.clear();
            let (ids, length) = (request.hash_ids.as_ref(), request.input_length.unwrap());
            prompts.render(ids.unwrap(), length, 0, &mut text);
            assert_eq!(recover.text(&tokenizer, &text, &mut found).unwrap(), length);
            assert_eq!(Some(&found), ids);
        }
    }
}

#[test]
fn requests_are_the_sum_of_all_turns() {
    assert_eq!(requests("--rate 3 --requests 50 --sessions 7").len(), 350);
    assert_eq!(
        requests("--rate 3 --requests 50 --sessions 7 --tools 2").len(),
        700
    );
    assert_eq!(
        requests("--rate 3 --requests 50 --prefixes pool:3,512").len(),
        50
    );
    let turns = members("--rate 3 --requests 50 --sessions 3", "turn");
    for turn in 0..3 {
        assert_eq!(turns.iter().filter(|&&found| found == turn).count(), 50);
    }
}

#[test]
fn what_a_session_asks_does_not_depend_on_when() {
    let lengths = |flags: &str| -> Vec<Vec<_>> {
        let trace = requests(&format!(
            "--rate 3 --requests 40 --sessions geometric:3 --input-length exponential:500 {flags}"
        ));
        let length = |request: &&Request| (request.input_length, request.output_length);
        by_session(&trace)
            .values()
            .map(|turns| turns.iter().map(length).collect())
            .collect()
    };
    assert_eq!(lengths(""), lengths("--think-time 1h --service-time 1s+1s"));
    assert_eq!(lengths(""), lengths("--arrival gamma --cv 5"));
}

#[test]
fn think_times_are_as_asked() {
    let trace = requests("--rate 9 --requests 5000 --sessions 5 --think-time exponential:1000s");
    let delays: Vec<f64> = trace
        .iter()
        .filter_map(|request| request.delay)
        .map(Micros::as_secs)
        .collect();
    assert_eq!(delays.len(), 20_000);
    let exponential = Exp::new(1e-3).unwrap();
    assert!(ks(delays.clone(), |x| exponential.cdf(x)) < 1.0);
    let slower = Exp::new(0.95e-3).unwrap();
    assert!(ks(delays, |x| slower.cdf(x)) > 1.0);
}

#[test]
fn a_follow_up_waits_for_the_last_of_the_tools() {
    let trace = requests(
        "--rate 9 --requests 20000 --sessions 1 --tools 3 --tool-latency uniform:0s..1000s \
         --output-length 1",
    );
    let waits: Vec<f64> = trace
        .iter()
        .filter_map(|request| request.delay)
        .map(Micros::as_secs)
        .collect();
    assert_eq!(waits.len(), 20_000);
    assert!(ks(waits.clone(), |x| (x / 1000.0).powi(3)) < 1.0);
    assert!(ks(waits, |x| (x / 1000.0).powi(2)) > 1.0);
}

#[test]
fn tools_are_tried_again_as_often_as_they_fail() {
    let flags =
        "--rate 9 --requests 20000 --sessions 1 --tools 1 --tool-failure 0.4 --tool-retries 3";
    let mut counts = [0; 4];
    for retries in members(flags, "tool_retries") {
        counts[retries as usize] += 1;
    }
    let p: f64 = 0.4;
    let expected = [1.0 - p, p * (1.0 - p), p * p * (1.0 - p), p.powi(3)];
    assert!(chi_square(&counts, &expected) < 1.0, "{counts:?}");
}

#[test]
fn of_requests_one_in_the_mean_number_of_turns_opens_a_session() {
    let flags = "--rate 100 --requests 100000 --sessions geometric:4 --think-time exponential:1s \
                 --arrivals-are requests --output-length 1";
    let turns = members(flags, "turn");
    // After 50 s the sessions of the beginning have ended.
    let opened: Vec<f64> = turns[5_000..]
        .iter()
        .map(|&turn| f64::from(u8::from(turn == 0)))
        .collect();
    assert_mean(&opened, 0.25, "first turns");
}

#[test]
fn a_pools_hits_are_as_many_as_its_popularity_makes_likely() {
    // A text of one block is met for the first time as often as it is met at
    // all: of n requests, Σ 1 − (1 − pᵢ)ⁿ have a first block not seen before.
    let n = 400;
    let zipf = Popularity::zipf(200, 1.0);
    let expected: f64 = (0..200)
        .map(|text| 1.0 - (1.0 - zipf.probability(text, 0.0)).powi(n))
        .sum();
    let distinct: Vec<f64> = (0..300)
        .map(|seed| {
            let trace = requests(&format!(
                "--rate 9 --requests {n} --prefixes pool:200,16,zipf=1 --input-length 16 \
                 --block-size 16 --seed {seed}"
            ));
            let mut first: Vec<u64> = trace
                .iter()
                .map(|request| request.hash_ids.as_ref().unwrap()[0])
                .collect();
            first.sort_unstable();
            first.dedup();
            first.len() as f64
        })
        .collect();
    assert_mean(&distinct, expected, "distinct texts");
}

#[test]
fn drift_makes_cold_texts_hot_and_so_costs_hits() {
    // All requests are hot ones: 4 texts at first, and one more each 10 s.
    let trace = requests(
        "--rate 50 --arrival constant --duration 100 --input-length 16 --block-size 16 \
         --prefixes pool:1000,16,hot=4,share=1,drift=10s",
    );
    let mut first: Vec<u64> = trace
        .iter()
        .map(|request| request.hash_ids.as_ref().unwrap()[0])
        .collect();
    let late: Vec<u64> = first.split_off(500 * 9);
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 4 + 8);
    assert!(
        late.iter()
            .all(|id| first.iter().rev().take(3).any(|old| old == id) || !first.contains(id))
    );
}

#[test]
fn prompts_of_words_are_those_of_phase_02() {
    let trace = requests("--rate 5 --requests 20000 --prompt-words poisson:15");
    let texts: Vec<&str> = trace
        .iter()
        .map(|request| request.text_input.as_deref().unwrap())
        .collect();
    assert!(trace.iter().all(|request| request.input_length.is_none()
        && request.output_length.is_none()
        && request.hash_ids.is_none()));

    let mut words = vec![0; 25];
    let (mut lengths, mut letters) = (vec![0; 9], vec![0; 26]);
    for text in &texts {
        words[text.split(' ').count().clamp(4, 28) - 4] += 1;
        for word in text.split(' ') {
            lengths[word.len().clamp(1, 9) - 1] += 1;
            word.bytes()
                .for_each(|letter| letters[usize::from(letter - b'a')] += 1);
        }
    }
    let poisson = Poisson::new(15.0).unwrap();
    let mut expected: Vec<f64> = (4..28).map(|count| poisson.pmf(count)).collect();
    expected[0] += (0..4).map(|count| poisson.pmf(count)).sum::<f64>();
    expected.push(1.0 - expected.iter().sum::<f64>());
    assert!(chi_square(&words, &expected) < 1.0, "words");

    // Of 1 to 9 and more letters: cut, and never less than one.
    let normal = Normal::new(5.0, 1.25).unwrap();
    let below = |letters: i32| match letters {
        0 => 0.0,
        9 => 1.0,
        letters => normal.cdf(f64::from(letters + 1)),
    };
    let expected: Vec<f64> = (1..=9)
        .map(|letters| below(letters) - below(letters - 1))
        .collect();
    assert!(chi_square(&lengths, &expected) < 1.0, "{lengths:?}");
    assert!(chi_square(&letters, &[1.0 / 26.0; 26]) < 1.0, "letters");
}

#[test]
fn turns_of_words_are_what_they_add() {
    let trace = requests("--rate 5 --requests 3 --prompt-words 2 --sessions 2 --output-length 9");
    assert_eq!(trace.len(), 6);
    for request in &trace {
        assert_eq!(request.text_input.as_ref().unwrap().split(' ').count(), 2);
        assert!(request.session_id.is_some() && request.output_length == Some(9));
    }
}

#[test]
fn flags_that_need_another_are_refused_without_it() {
    let refused = |flags: &str| {
        let words = ["trace-synth", "rate", "--rate", "1", "--requests", "1"];
        let all = words.into_iter().chain(flags.split_whitespace());
        Args::try_parse_from(all).expect_err(flags).to_string()
    };
    for (flags, named) in [
        ("--think-time 3s", "--sessions"),
        ("--tools 2", "--sessions"),
        ("--sessions 2 --tool-latency 3s", "--tools"),
        ("--sessions 2 --total-blocks 9", "--total-blocks"),
        ("--prefixes toolbench --total-blocks 9", "--total-blocks"),
        ("--prompt-words 3 --prefixes toolbench", "--prefixes"),
        ("--prompt-words 3 --input-length 3", "--input-length"),
        ("--sessions 2 --max-context 1", "--max-context"),
        ("--sessions 100001", "more than 100000"),
        ("--sessions 0", "at least 1 turn"),
        (
            "--sessions 1 --tools uniform:20000..30000",
            "more than 10000",
        ),
        ("--prefixes books", "toolbench"),
        ("--sessions 2 --think-time soon", "90s"),
    ] {
        let said = refused(flags);
        assert!(said.contains(named), "{flags}: {said}");
    }
}
