//! `trace-stats lint` and `trace-stats windows` as processes.

use assert_cmd::Command;
use serde_json::Value;

fn stats(args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

const SOUND: &str = r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2]}
{"timestamp":1000,"input_length":28,"output_length":8,"hash_ids":[0,1,3]}
"#;

#[test]
fn a_sound_trace_is_success() {
    let (code, stdout, stderr) = stats(&["lint", "--block-size", "10"], SOUND);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert_eq!(stderr, "trace-stats: nothing odd in 2 lines\n");
}

#[test]
fn findings_have_a_place_and_end_with_one() {
    let odd = r#"{"timestamp":9,"input_length":25,"output_length":0,"hash_ids":[0,1,2]}
{"timestamp":1.5,"input_length":28,"output_length":8,"hash_ids":[0,2,2]}
{"timestamp":9,"input_length":28,"output_length":0,"hash_ids":[5,6,7]}
"#;
    let (code, stdout, stderr) = stats(&["lint", "--block-size", "10", "--limit", "1"], odd);
    assert_eq!(code, 1);
    insta::assert_snapshot!(stdout, @r"
    <stdin>:1: zero_output: output_length is 0: no response
    <stdin>:2: order: timestamp 1.5 is before that of the line above, 9
    <stdin>:2: two_parents: hash_ids[1] is 2 behind 0, and behind another id in an earlier prompt: no true prefix
    <stdin>:2: duplicate_id: hash_ids[2] is 2 again: an id stands for all that is before it, too
    ");
    assert_eq!(
        stderr,
        "trace-stats: 6 findings in 3 lines: order 1, duplicate_id 1, two_parents 2, zero_output 2; \
         4 of them listed, --limit 0 lists all\n"
    );
    let (code, stdout, _) = stats(&["lint", "--format", "json", "--block-size", "10"], odd);
    assert_eq!(code, 1);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["counts"]["zero_output"], 2);
    assert_eq!(report["findings"].as_array().unwrap().len(), 6);
}

#[test]
fn a_wrong_block_size_is_told_with_the_right_one() {
    let (code, stdout, _) = stats(
        &["lint", "--limit", "1"],
        &SOUND.replace("25,", "33,").replace("28,", "40,"),
    );
    assert_eq!(code, 1);
    assert!(stdout.contains("the ids of --block-size 16"), "{stdout}");
}

#[test]
fn flags_of_a_slice_can_be_pasted() {
    let minute = |start: u64, gap: u64, count: u64| {
        let line = move |n: u64| {
            format!(
                "{{\"timestamp\":{},\"input_length\":5}}\n",
                1000 * (start + n * gap)
            )
        };
        (0..count).map(line).collect::<String>()
    };
    let trace = minute(0, 3, 20) + &minute(60, 1, 60) + &minute(120, 2, 31);
    let (code, stdout, stderr) = stats(&["windows", "--length", "60s"], &trace);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
                    requests  rate_rps  variation  distance  flags
    steadiest             60         1          0    0.2793  --from-time 60s --to-time 120s
    busiest               60         1          0    0.2793  --from-time 60s --to-time 120s
    representative        36    0.6000     0.5443    0.0627  --from-time 24s --to-time 84s
    ");
    let (_, stdout, _) = stats(&["windows", "--length", "1m", "--pick", "busiest"], &trace);
    assert_eq!(stdout, "--from-time 60s --to-time 120s\n");
    let (_, stdout, _) = stats(&["windows", "--length", "1m", "--format", "json"], &trace);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["windows"][1]["requests"], 60);
}

#[test]
fn lengths_that_no_prompt_has_are_counted_and_not_obeyed() {
    let line = format!(
        "{{\"timestamp\":0,\"input_length\":{},\"hash_ids\":[0,1]}}\n",
        u64::MAX
    );
    for command in [
        "cache --policy lru,optimum,s3-fifo --capacities 1,18446744073709551615",
        "cache --replicas 2 --routing least-loaded",
        "cache --sample 1",
        "cache --full-blocks-only",
        "prefixes --cache",
        "lint",
    ] {
        let args: Vec<&str> = command.split(' ').collect();
        let (code, stdout, stderr) = stats(&args, &line.repeat(4));
        assert!(code < 2 && !stdout.is_empty(), "{command}: {stderr}");
    }
    let apart = "{\"timestamp\":0,\"input_length\":5}\n{\"timestamp\":9e15,\"input_length\":5}\n";
    let (code, _, stderr) = stats(&["windows", "--length", "1us"], apart);
    assert_eq!(code, 2);
    assert!(stderr.contains("a longer --length helps"), "{stderr}");
}

#[test]
fn what_has_no_slices_is_an_error() {
    for (input, reason) in [
        (SOUND, "the trace lasts 1 s, less than a slice of 60 s"),
        ("{\"input_length\":5}\n", "no request has a timestamp"),
        ("", "no request has a timestamp"),
    ] {
        let (code, stdout, stderr) = stats(&["windows", "--length", "60"], input);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains(reason), "{stderr}");
    }
}
