//! `trace-synth like` as a user meets it: odd traces, knobs, errors.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod like_lab;

use like_lab::{Trace, families};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use trace_core::{Request, SessionId};

/// Run `like` with `flags` on `input`.
fn run(flags: &str, input: &[u8]) -> Output {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("trace-synth"))
        .arg("like")
        .args(flags.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread: the tool may write before it has read all, or hang up.
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeder.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What it writes, and says on stderr.
fn made(flags: &str, input: &[u8]) -> (Vec<Request>, String) {
    let output = run(flags, input);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{flags}: {said}");
    (Trace::parse(&output.stdout).requests, said)
}

fn refusal(flags: &str, input: &[u8]) -> String {
    let output = run(flags, input);
    assert_eq!(output.status.code(), Some(2), "{flags}");
    assert_eq!(text(&output.stdout), "", "{flags}");
    text(&output.stderr)
}

/// Every flag that names a method.
const METHODS: [&str; 2] = ["--method faithful", "--method iid"];

#[test]
fn help_says_what_is_held_and_has_examples() {
    let help = run("--help", b"");
    assert!(help.status.success());
    let words = text(&help.stdout);
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    for shown in [
        "470 MB for a million requests",
        "Dynamo's `datagen synthesize`",
        "-n 1000000",
    ] {
        assert!(words.contains(shown), "{shown}: {words}");
    }
}

#[test]
fn nothing_is_not_a_trace_to_be_like() {
    for method in METHODS {
        assert_eq!(
            refusal(method, b""),
            "trace-synth: the trace has no requests to make others like\n"
        );
        assert!(refusal(method, b"\x89PNG\r\n\x1a\n").contains("<stdin>:1:1: this is a PNG image"));
    }
}

#[test]
fn a_bad_line_is_located_or_skipped() {
    let input = b"{\"input_length\":3}\n{\"input_length\":600,\"hash_ids\":[1]}\noops\n";
    for method in METHODS {
        assert_eq!(
            refusal(method, input),
            "trace-synth: <stdin>:2:21: 1 hash_ids for 600 tokens, where blocks of 512 would be 2; \
             --block-size says how large they are\n"
        );
        let (made, said) = made(&format!("{method} --skip-invalid -n 3"), input);
        assert_eq!(made.len(), 3);
        assert!(
            said.contains("skipped 1 invalid lines, the first: <stdin>:3:1"),
            "{said}"
        );
        assert!(said.contains("skipped 1 more lines"), "{said}");
    }
}

#[test]
fn flags_that_contradict_are_refused() {
    let input = b"{\"input_length\":3}\n";
    for method in METHODS {
        let flags = |more: &str| format!("{method} {more}");
        assert_eq!(
            refusal(&flags("--min-isl 9 --max-isl 8"), input),
            "trace-synth: --min-isl 9 is more than --max-isl 8\n"
        );
        assert_eq!(
            refusal(&flags("--min-isl 9"), input),
            "trace-synth: no request would pass --min-isl 9\n"
        );
        for bad in [
            "--speedup-ratio 0",
            "--prefix-len-multiplier -1",
            "--prompt-len-multiplier NaN",
            "--osl-multiplier x",
            "--prefix-root-multiplier 0",
            "--block-size 0",
            "-n -1",
        ] {
            assert!(
                refusal(&flags(bad), input).contains("invalid value"),
                "{bad}"
            );
        }
    }
}

#[test]
fn one_line_is_enough() {
    let input = b"{\"timestamp\":7,\"input_length\":600,\"output_length\":5,\"hash_ids\":[8,9]}";
    for method in METHODS {
        let (made, _) = made(&format!("{method} -n 4"), input);
        let lengths = |request: &Request| (request.input_length, request.output_length);
        assert!(
            made.iter()
                .all(|request| lengths(request) == (Some(600), Some(5)))
        );
        assert_eq!(made[3].hash_ids.as_deref(), Some(&[6, 7][..]), "{method}");
        assert_eq!(made.len(), 4);
    }
}

#[test]
fn the_largest_numbers_are_survived() {
    let most = u64::MAX;
    let input = format!(
        "{{\"timestamp\":0,\"input_length\":{most},\"output_length\":{most}}}\n\
         {{\"timestamp\":9007199254740992,\"input_length\":1,\"hash_ids\":[{most}]}}\n\
         {{\"timestamp\":9007199254740992,\"input_length\":1,\"hash_ids\":[{most}]}}\n"
    );
    for method in METHODS {
        for knobs in [
            "",
            "--speedup-ratio 0.000001 --prompt-len-multiplier 1000 --osl-multiplier 1000",
            "--block-size 18446744073709551615 --prefix-len-multiplier 1000",
        ] {
            let (made, _) = made(&format!("{method} -n 10 {knobs}"), input.as_bytes());
            assert_eq!(made.len(), 10, "{method} {knobs}");
        }
    }
}

#[test]
fn lengths_alone_are_learned() {
    let input = b"{\"timestamp\":0,\"input_length\":10}\n{\"timestamp\":40,\"input_length\":20}\n";
    for method in METHODS {
        let (made, said) = made(&format!("{method} -n 100"), input);
        assert!(made.iter().all(|request| request.hash_ids.is_none()));
        assert!(made.iter().all(|request| request.output_length.is_none()));
        assert!(made.iter().any(|request| request.input_length == Some(20)));
        assert!(made[99].timestamp.unwrap().as_millis() > 500.0, "{method}");
        assert_eq!(said, "", "{method}");
    }
}

#[test]
fn without_timestamps_none_are_written() {
    let input = b"{\"input_length\":10}\n{\"input_length\":20}\n{\"input_length\":30}\n";
    for method in METHODS {
        let (made, said) = made(method, input);
        assert!(made.iter().all(|request| request.timestamp.is_none()));
        assert_eq!(
            said,
            "trace-synth: no line has a timestamp, so none is written\n"
        );
    }
}

#[test]
fn what_is_not_learned_is_said() {
    let input = b"{\"timestamp\":5,\"input_length\":10,\"text_input\":\"a\"}\n{\"timestamp\":2,\"input_length\":20,\"extra\":{\"seed\":1}}\n{\"input_length\":1}\n";
    let (_, said) = made("", input);
    assert_eq!(
        said,
        "trace-synth: 1 lines were out of time order; 1 lines have no timestamp; \
         1 lines have a prompt or body in full, which is not learned; \
         1 lines have extra members for the body, which are not learned\n"
    );
}

#[test]
fn turns_of_a_session_stay_together_in_order() {
    let mut input = Vec::new();
    for session in 0..30_u64 {
        for turn in 0..3_u64 {
            let blocks: Vec<u64> = (0..=turn).map(|turn| session * 10 + turn).collect();
            let when = match turn {
                0 => format!("\"timestamp\":{},", session * 1000),
                _ => "\"delay\":250,".to_owned(),
            };
            writeln!(
                input,
                "{{{when}\"input_length\":{},\"hash_ids\":{blocks:?},\"session_id\":\"s{session}\",\"model\":\"m\"}}",
                512 * (turn + 1)
            )
            .unwrap();
        }
    }
    let (made, _) = made("-n 180", &input);
    let mut turns = std::collections::HashMap::<_, Vec<&Request>>::new();
    for request in &made {
        let Some(SessionId::Number(session)) = request.session_id else {
            panic!("{request:?}");
        };
        assert_eq!(request.model.as_deref(), Some("m"));
        turns.entry(session).or_default().push(request);
    }
    assert_eq!(turns.len(), 60);
    for session in turns.values() {
        let lengths: Vec<_> = session
            .iter()
            .map(|turn| turn.input_length.unwrap())
            .collect();
        assert_eq!(lengths, [512, 1024, 1536]);
        let (first, last) = (&session[0], &session[2]);
        assert!(first.timestamp.is_some() && last.timestamp.is_none());
        assert_eq!(last.delay.unwrap().as_millis(), 250.0);
        let ids = |turn: &Request| turn.hash_ids.clone().unwrap();
        assert_eq!(ids(first), ids(last)[..1]);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let input = families::documents();
    for method in METHODS {
        let one = run(method, &input).stdout;
        assert_eq!(one, run(method, &input).stdout);
        assert_ne!(one, run(&format!("{method} --seed 1"), &input).stdout);
    }
}

#[test]
fn every_knob_turns_what_it_names() {
    let input = families::system_prompts();
    for method in METHODS {
        let made = |flags: &str| made(&format!("{method} {flags}"), &input).0;
        let mean = |of: &dyn Fn(&Request) -> f64, trace: &[Request]| {
            trace.iter().map(of).sum::<f64>() / trace.len() as f64
        };
        let output = |request: &Request| request.output_length.unwrap() as f64;
        let prompt = |request: &Request| request.input_length.unwrap() as f64;
        let last = |trace: &[Request]| trace.last().unwrap().timestamp.unwrap().as_millis();
        let plain = made("");
        let ratio =
            |of: &dyn Fn(&Request) -> f64, flags: &str| mean(of, &made(flags)) / mean(of, &plain);
        assert!((ratio(&output, "--osl-multiplier 1.5") - 1.5).abs() < 0.01);
        assert!((last(&plain) / last(&made("--speedup-ratio 4")) - 4.0).abs() < 0.01);
        let longer = ratio(
            &prompt,
            "--prefix-len-multiplier 2 --prompt-len-multiplier 2",
        );
        assert!((1.9..2.1).contains(&longer), "{method}: {longer}");
        let clipped = made("--min-osl 100 --max-osl 150");
        assert!(
            clipped
                .iter()
                .all(|request| (100.0..=150.0).contains(&output(request)))
        );
        let filtered = made("--min-isl 2000 --max-isl 4000");
        assert_eq!(filtered.len(), plain.len());
        assert!(
            filtered
                .iter()
                .all(|request| (2000.0..=4000.0).contains(&prompt(request)))
        );
        assert!(
            (last(&filtered) / last(&plain) - 1.0).abs() < 0.1,
            "{method}"
        );
        let firsts = |trace: &[Request]| {
            let firsts = trace
                .iter()
                .map(|request| request.hash_ids.as_ref().unwrap()[0]);
            firsts.collect::<std::collections::HashSet<_>>().len()
        };
        assert!(
            firsts(&made("--prefix-root-multiplier 3")) > 2 * firsts(&plain),
            "{method}"
        );
    }
}

#[test]
fn every_block_keeps_one_block_before_it() {
    let input = families::agents();
    for method in METHODS {
        for factor in ["0.3", "1", "1.7"] {
            let flags = format!(
                "{method} --prefix-len-multiplier {factor} --prefix-root-multiplier 2 -n 9000"
            );
            let mut before = std::collections::HashMap::new();
            for request in made(&flags, &input).0 {
                let ids = request.hash_ids.unwrap();
                assert_eq!(
                    ids.len() as u64,
                    request.input_length.unwrap().div_ceil(512)
                );
                for pair in ids.windows(2) {
                    assert_eq!(
                        *before.entry(pair[1]).or_insert(pair[0]),
                        pair[0],
                        "{flags}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_trace_that_is_one_conversation_is_said_to_be() {
    let mut input = Vec::new();
    for turn in 1..20_u64 {
        let ids: Vec<u64> = (0..turn).collect();
        writeln!(
            input,
            "{{\"timestamp\":{turn},\"input_length\":{},\"hash_ids\":{ids:?}}}",
            turn * 512
        )
        .unwrap();
    }
    let (_, said) = made("", &input);
    assert!(
        said.contains("one conversation has 100 % of the source's requests"),
        "{said}"
    );
}

#[test]
fn fewer_requests_stand_for_all() {
    let input = families::chat();
    let source = Trace::parse(&input);
    let mean = |requests: &[Request]| {
        let lengths = requests
            .iter()
            .map(|request| request.input_length.unwrap() as f64);
        lengths.sum::<f64>() / requests.len() as f64
    };
    let (made, _) = made("-n 900", &input);
    assert_eq!(made.len(), 900);
    let ratio = mean(&made) / mean(&source.requests);
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
    let rate = |requests: &[Request]| {
        requests.len() as f64 / requests.last().unwrap().timestamp.unwrap().as_secs()
    };
    let ratio = rate(&made) / rate(&source.requests);
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

/// These change only with intent, as those of `golden.rs` do.
#[test]
fn the_same_flags_and_seed_give_the_bytes_they_always_gave() {
    let hash = |bytes: &[u8]| {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let mut found = String::from("\n");
    for flags in [
        "-n 9000",
        "-n 2000 --seed 7",
        "--prefix-len-multiplier 1.3 --prefix-root-multiplier 3 --max-isl 20000",
        "--method iid -n 2000",
        "--method iid -n 2000 --prefix-len-multiplier 0.4 --prompt-len-multiplier 1.5",
        "--method iid -n 2000 --max-isl 9000 --osl-multiplier 0.1 --speedup-ratio 3",
    ] {
        let bytes = run(flags, &families::agents()).stdout;
        found += &format!("{:016x} {flags}\n", hash(&bytes));
    }
    assert_eq!(found, GOLDEN, "{found}");
}

const GOLDEN: &str = "
735016fcafeb05de -n 9000
aa3d9609855839b0 -n 2000 --seed 7
92cd6cf392bb2ace --prefix-len-multiplier 1.3 --prefix-root-multiplier 3 --max-isl 20000
7109ab7c7cc222e2 --method iid -n 2000
7a5ee620d0200bb7 --method iid -n 2000 --prefix-len-multiplier 0.4 --prompt-len-multiplier 1.5
34c25f75cead0acb --method iid -n 2000 --max-isl 9000 --osl-multiplier 0.1 --speedup-ratio 3
";
