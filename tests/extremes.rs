//! A number at the end of its range is a number: no tool panics over it.
//!
//! The sums of the debug build that tests run are checked, so that one which
//! would silently begin again at zero in a release is found here.

use crate::harness::Dir;

/// The longest time that a line may have, ms.
const LONG: u64 = 1 << 53;

/// The largest number that a line may have.
const MOST: u64 = u64::MAX;

/// A turn of a conversation.
fn turn(time: u64, length: u64) -> String {
    format!(
        "{{\"timestamp\":{time},\"input_length\":{length},\"output_length\":{MOST},\
         \"session_id\":\"a\",\"delay\":{LONG},\"hash_ids\":[{MOST}]}}\n"
    )
}

/// An outcome whose durations are all `time`, and its other numbers `number`.
fn outcome(seq: u64, scheduled: u64, sent: u64, time: u64, number: u64) -> String {
    format!(
        "{{\"timestamp\":{scheduled},\"input_length\":{number},\"output_length\":{number},\
         \"seq\":{seq},\"round\":{number},\"concurrency\":{number},\
         \"scheduled_ms\":{scheduled},\"due_ms\":{scheduled},\"sent_ms\":{sent},\
         \"lateness_ms\":{time},\"queue_ms\":{time},\"connect_ms\":{time},\"ttft_ms\":{time},\
         \"last_token_ms\":{time},\"latency_ms\":{time},\"tpot_ms\":{time},\
         \"itl_ms\":[{time},0],\"input_tokens\":{number},\"cached_tokens\":{number},\
         \"output_tokens\":{number},\"token_source\":\"usage\",\"chunks\":{number},\
         \"status\":200}}\n"
    )
}

/// Lines that are right, and that nobody has ever seen.
fn files() -> [(&'static str, String); 6] {
    let lengths = format!(
        "{{\"timestamp\":0,\"input_length\":{MOST},\"output_length\":{MOST},\"hash_ids\":[{MOST}]}}\n"
    );
    let times = format!(
        "{{\"timestamp\":0,\"input_length\":8}}\n\
         {{\"timestamp\":{LONG},\"input_length\":8,\"hash_ids\":[0]}}\n"
    );
    let session = [
        turn(0, MOST),
        turn(LONG, MOST),
        turn(LONG, 5),
        turn(5, MOST),
    ];
    let nothing = "{\"timestamp\":0,\"input_length\":0,\"output_length\":0,\"hash_ids\":[]}\n\
        {\"input_length\":0}\n{\"text_input\":\"\"}\n{\"messages\":[]}\n{\"payload\":{}}\n\
        {\"timestamp\":5,\"input_length\":0,\"session_id\":-9223372036854775808}\n\
        {\"timestamp\":7,\"input_length\":0,\"session_id\":9223372036854775807}\n";
    let outcomes = [0, 1, MOST].map(|seq| outcome(seq, LONG, LONG, LONG, MOST));
    // Sent before it was scheduled, and the other way round.
    let clocks = [
        outcome(0, 0, 0, 0, 0),
        outcome(1, LONG, 0, LONG, 1),
        outcome(2, 0, LONG, 0, MOST),
        outcome(3, 1, 1, 1, 2),
    ];
    [
        ("lengths.jsonl", lengths.repeat(3)),
        ("times.jsonl", times),
        ("session.jsonl", session.concat()),
        ("nothing.jsonl", nothing.to_owned()),
        ("outcomes.jsonl", outcomes.concat()),
        ("clocks.jsonl", clocks.concat()),
    ]
}

/// Run each of `commands` over each of the files, whose name takes the place
/// of `FILE`.
fn survive(commands: &[&str]) {
    let dir = Dir::new();
    for (file, lines) in files() {
        dir.write(file, lines);
        for command in commands {
            let command = command.replace("FILE", file);
            let (name, args) = command.split_once(' ').unwrap();
            let run = dir.tool(name).args(args).run();
            let ended = matches!(run.codes[..], [Some(0..=2)]);
            run.check(ended, "it did not survive");
        }
    }
}

#[test]
fn trace_stats_survives() {
    survive(&[
        "trace-stats FILE",
        "trace-stats --block-size 1 FILE",
        "trace-stats --block-size 18446744073709551615 FILE",
        "trace-stats --full-blocks-only --by session_id,length-bucket FILE",
        "trace-stats --partial FILE",
        "trace-stats --format prometheus --slo ttft_ms=5 --window 0..1h FILE",
        "trace-stats cache --block-size 1 FILE",
        "trace-stats cache --policy lru,prefix-lru,fifo,lfu,s3-fifo,optimum \
         --capacities 1,18446744073709551615 FILE",
        "trace-stats cache --replicas 1,3 --policy prefix-lru \
         --routing round-robin,least-loaded,prefix-affinity --capacities 2 FILE",
        "trace-stats cache --bytes-per-token 1TiB --capacities 1TiB --sample 0.5 FILE",
        "trace-stats prefixes --cache --block-size 1 FILE",
        "trace-stats compare FILE FILE",
        "trace-stats lint --block-size 1 FILE",
        "trace-stats windows --length 10m FILE",
    ]);
}

#[test]
fn trace_convert_survives() {
    survive(&[
        "trace-convert --block-size 1 FILE",
        "trace-convert --repair FILE",
        "trace-convert --speed 0.000001 FILE",
        "trace-convert --speed 1000000 --zero --sample 0.5 FILE",
        "trace-convert --from-time 1h FILE",
        "trace-convert --ungroup-interval 3s FILE",
        "trace-convert --to aibrix FILE",
        "trace-convert --to aiperf FILE",
        "trace-convert --to csv FILE",
        "trace-convert --to phase02 FILE",
    ]);
}

#[test]
fn trace_merge_survives() {
    survive(&[
        "trace-merge FILE FILE",
        "trace-merge --concat --gap 10s FILE FILE",
        "trace-merge --offset 1h --speed 0.000001 FILE FILE",
        "trace-merge --outcomes FILE FILE",
        "trace-merge --sort FILE",
    ]);
}

#[test]
fn trace_plot_survives() {
    survive(&[
        "trace-plot FILE --out pictures --format svg",
        "trace-plot --html page.html FILE",
        "trace-plot --term rate FILE",
        "trace-plot sweep --slo ttft_ms=4 FILE --out sweep.svg",
        "trace-plot cache FILE --out cache.svg",
        "trace-plot compare FILE FILE --out compare.svg",
    ]);
}

#[test]
fn trace_synth_survives() {
    survive(&[
        "trace-synth like FILE -n 20",
        "trace-synth like FILE --method iid -n 20",
        "trace-synth like FILE --speedup-ratio 1000000 --prompt-len-multiplier 1000000",
    ]);
}

#[test]
fn the_files_are_traces() {
    // Else nothing would be tried but messages about lines that are wrong.
    let dir = Dir::new();
    for (file, lines) in files() {
        dir.write(file, &lines);
        let stats = dir.tool("trace-stats").args("--format json").arg(file);
        assert_eq!(stats.run().json()["requests"], lines.lines().count());
    }
}
