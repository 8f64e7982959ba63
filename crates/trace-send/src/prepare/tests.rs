use super::*;
use crate::dispatch;
use crate::endpoint::Endpoint;
use crate::leg::Label;
use crate::members::Members;
use crate::pace::Clocking;
use crate::target::Target;
use trace_core::time::Micros;
use trace_prompt::Prompts;

fn preparer() -> Preparer {
    let target = Target::parse("http://h", None).unwrap();
    let bodies = Bodies {
        endpoint: Endpoint::Completions,
        model: "m".to_owned(),
        stream: true,
        ignore_eos: false,
        min_tokens: false,
        extra: Members::default(),
        prompts: Prompts::new(0),
        prompt_as: PromptAs::Text,
    };
    let heads = Heads::new(&target, &[], None, "r", false).unwrap();
    Preparer {
        bodies,
        heads: Arc::new(heads),
        history: None,
        turns: TurnLengths::Whole,
        counting: false,
        selection: Selection::default(),
        repaired: AtomicU64::new(0),
        outlook: Arc::default(),
    }
}

fn leg(clocking: Clocking) -> Leg {
    Leg {
        label: Label::default(),
        pace: dispatch::Pace::Open(None),
        clocking,
        ramp: Micros::ZERO,
        requests: None,
        shuffle: None,
    }
}

fn trace(speed: f64, align_first: bool) -> Leg {
    leg(Clocking::Trace { speed, align_first })
}

fn run_with(preparer: &Preparer, leg: &Leg, input: &str) -> Result<Vec<(Prepared, Timing)>, Error> {
    let mut all = Vec::new();
    let input = std::io::Cursor::new(input.to_owned());
    let mut source = Source::Stream(Box::new(Reader::new("t", input)));
    preparer.run(&mut source, leg, |prepared, timing| {
        all.push((prepared, timing));
        true
    })?;
    Ok(all)
}

fn run(leg: &Leg, input: &str) -> Result<Vec<(Prepared, Timing)>, Error> {
    run_with(&preparer(), leg, input)
}

fn times(leg: &Leg, input: &str) -> Vec<Option<u64>> {
    let all = run(leg, input).unwrap();
    all.iter()
        .map(|(_, timing)| timing.at.map(Micros::as_micros))
        .collect()
}

const THREE: &str = "{\"timestamp\":10,\"input_length\":1}\n{\"input_length\":2}\n{\"timestamp\":30.5,\"input_length\":3,\"delay\":7}\n";

#[test]
fn a_request_is_ready_to_be_written() {
    let all = run(&trace(1.0, false), THREE).unwrap();
    let wire = String::from_utf8(all[2].0.wire.clone()).unwrap();
    assert!(
        wire.starts_with("POST /v1/completions HTTP/1.1\r\n"),
        "{wire}"
    );
    assert!(wire.contains("x-request-id: r-2\r\n"), "{wire}");
    assert_eq!(
        all[2].0.line,
        br#"{"timestamp":30.5,"input_length":3,"delay":7}"#
    );
}

#[test]
fn speed_divides_times_and_delays() {
    let fast = trace(4.0, false);
    assert_eq!(times(&fast, THREE), [Some(2_500), None, Some(7_625)]);
    let all = run(&fast, THREE).unwrap();
    assert_eq!(
        all[1].1.after.as_micros(),
        2_500,
        "it follows the line before"
    );
    assert_eq!(all[2].1.delay.as_micros(), 1_750);
}

#[test]
fn the_first_request_can_be_aligned_to_the_start() {
    let aligned = trace(2.0, true);
    assert_eq!(times(&aligned, THREE), [Some(0), None, Some(10_250)]);
}

#[test]
fn a_first_line_without_time_is_refused_in_open_loop_only() {
    let error = run(&trace(1.0, false), "{\"input_length\":1}\n").unwrap_err();
    assert!(
        error.to_string().starts_with("t:1:1: no timestamp"),
        "{error}"
    );
    assert!(error.to_string().contains("--concurrency"), "{error}");
    let closed = leg(Clocking::Closed);
    assert_eq!(times(&closed, "{\"input_length\":1}\n"), [Some(0)]);
}

#[test]
fn the_limit_counts_lines() {
    let two = Leg {
        requests: Some(2),
        ..trace(1.0, false)
    };
    assert_eq!(run(&two, THREE).unwrap().len(), 2);
}

#[test]
fn a_line_that_cannot_be_asked_is_given_on_with_its_reason() {
    let all = run(
        &trace(1.0, false),
        "{\"timestamp\":0,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n",
    )
    .unwrap();
    assert!(all[0].0.refused.is_some() && all[0].0.wire.is_empty());
}

#[test]
fn outcomes_are_sent_again_in_the_order_of_their_requests() {
    let input = "{\"timestamp\":9,\"input_length\":1,\"tag\":\"b\",\"seq\":1,\"ttft_ms\":5}\n{\"timestamp\":3,\"input_length\":1,\"tag\":\"a\",\"seq\":0,\"ttft_ms\":5}\n";
    let all = run(&trace(1.0, false), input).unwrap();
    let lines: Vec<_> = all
        .iter()
        .map(|(prepared, _)| std::str::from_utf8(&prepared.line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            r#"{"timestamp":3,"input_length":1,"tag":"a"}"#,
            r#"{"timestamp":9,"input_length":1,"tag":"b"}"#
        ]
    );
    assert_eq!(all[1].1.seq, 1);
}

fn body(prepared: &Prepared) -> &str {
    std::str::from_utf8(&prepared.wire).unwrap()
}

const TURNS: &str = "{\"timestamp\":0,\"input_length\":4,\"output_length\":2,\"session_id\":1}\n{\"timestamp\":0,\"input_length\":9,\"output_length\":1,\"session_id\":1}\n{\"timestamp\":0,\"input_length\":5,\"session_id\":1}\n";

#[test]
fn a_live_turn_is_as_long_as_what_it_adds() {
    let live = Preparer {
        history: Some(History::Live),
        ..preparer()
    };
    let all = run_with(&live, &trace(1.0, false), TURNS).unwrap();
    let tokens: Vec<_> = all
        .iter()
        .map(|(prepared, _)| prepared.part.as_ref().unwrap().tokens)
        .collect();
    assert_eq!(tokens, [4, 3, 1], "9 − 4 − 2, and 5 is less than 9 + 1");
    assert_eq!(live.repaired.load(Ordering::Relaxed), 1);
    assert!(
        body(&all[0].0).starts_with('{'),
        "its head waits for its length"
    );
    let recorded = run(&trace(1.0, false), TURNS).unwrap();
    assert!(recorded.iter().all(|(prepared, _)| prepared.part.is_none()));
}

#[test]
fn turns_that_count_what_they_add_are_live_or_have_made_up_answers() {
    let delta = Preparer {
        turns: TurnLengths::Delta,
        ..preparer()
    };
    let all = run_with(&delta, &trace(1.0, false), TURNS).unwrap();
    let part = all[1].0.part.as_ref().unwrap();
    assert_eq!((part.tokens, &part.answer), (9, &None));
    let recorded = Preparer {
        history: Some(History::Recorded),
        ..delta
    };
    let all = run_with(&recorded, &trace(1.0, false), TURNS).unwrap();
    assert!(all[1].0.part.as_ref().unwrap().answer.is_some());
}

#[test]
fn a_shuffle_keeps_the_order_of_turns() {
    let text: String = (0..40)
        .map(|i| format!("{{\"input_length\":1,\"session_id\":{}}}\n", i % 5))
        .collect();
    let lines: Vec<Line> = text
        .lines()
        .map(|line| Line::parse("t", line).unwrap())
        .collect();
    let order = |seed| {
        let mut order: Vec<usize> = (0..40).collect();
        shuffle(&mut order, &lines, seed);
        order
    };
    let first = order(1);
    assert!(!first.is_sorted() && first != order(2) && first == order(1));
    for session in 0..5 {
        let turns: Vec<_> = first.iter().filter(|&&at| at % 5 == session).collect();
        assert!(turns.is_sorted());
    }
    let mut sorted = first;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..40).collect::<Vec<_>>());
}
