//! A bad line is one clear message and status 2, and nothing before it is lost.

use crate::harness::{Dir, Run, Server, Tool, records, tool, tools};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const GOOD: &str = "{\"timestamp\":0,\"input_length\":8,\"output_length\":2}\n";

/// The eight bytes every PNG begins with, and the head of its first chunk.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\x80\x08\x02\0\0\0";

/// A tool that reads a trace.
struct Reading {
    tool: Tool,
    /// Whether it writes a line for each it reads.
    streams: bool,
}

/// Every tool that reads a trace, to be run in `dir`.
fn readers(dir: &Dir, server: &Server) -> Vec<Reading> {
    let reading = |tool, streams| Reading { tool, streams };
    let send = dir.tool("trace-send").args("--url");
    vec![
        reading(send.arg(server.completions()), true),
        reading(dir.tool("trace-merge"), true),
        reading(dir.tool("trace-convert"), true),
        reading(dir.tool("trace-stats"), false),
        reading(dir.tool("trace-plot").args("--out plots"), false),
    ]
}

/// It gave up, and said why in one line on stderr that has `words` in it.
fn gave_up(run: &Run, words: &str) {
    let said = run.fails(2).to_owned();
    // What it did before is no complaint.
    let before = |line: &&str| {
        let words = [" requests in ", "no requests were sent", "client-limited"];
        words.iter().any(|words| line.contains(words))
    };
    let mut complaints = said.lines().filter(|line| !before(line));
    let complaint = complaints.next().unwrap_or_default();
    run.check(
        complaint.contains(words),
        format!("it should say {words:?}"),
    );
    run.check(
        complaint.starts_with("trace-"),
        "it should begin with the name of the tool",
    );
    run.check(
        complaints.next().is_none(),
        "one line should be all that it says",
    );
}

#[test]
fn a_bad_line_is_located_and_nothing_before_it_is_lost() {
    let server = Server::start("");
    let cases: [(&str, &str, &[u8]); 8] = [
        ("truncated", "bad.jsonl:3:", b"{\"timestamp\":2,\"input_le"),
        (
            "wrong type",
            "bad.jsonl:3:31: invalid type: string \"x\"",
            b"{\"timestamp\":2,\"input_length\":\"x\"}\n",
        ),
        (
            "negative time",
            "bad.jsonl:3:14: ",
            b"{\"timestamp\":-2,\"input_length\":8}\n",
        ),
        (
            "no number",
            "bad.jsonl:3:14: ",
            b"{\"timestamp\":NaN,\"input_length\":8}\n",
        ),
        (
            "infinite",
            "bad.jsonl:3:14: ",
            b"{\"timestamp\":1e999,\"input_length\":8}\n",
        ),
        ("no object", "bad.jsonl:3:1: ", b"[1,2]\n"),
        (
            "no request",
            "bad.jsonl:3:1: not a request",
            b"{\"timestamp\":2}\n",
        ),
        ("a picture", "bad.jsonl:3:", PNG),
    ];
    for (_, place, bad) in cases {
        let dir = Dir::new();
        let mut bytes = GOOD.repeat(2).into_bytes();
        bytes.extend_from_slice(bad);
        dir.write("bad.jsonl", bytes);
        for Reading { tool, streams } in readers(&dir, &server) {
            let run = tool.arg("bad.jsonl").run();
            gave_up(&run, place);
            if streams {
                let kept = records(&run.text());
                run.check(kept.len() == 2, "the lines before it should be there");
                let plain = kept.iter().all(|line| line.get("error").is_none());
                run.check(plain, "the lines before it should have been served");
            }
        }
    }
}

#[test]
fn bad_lines_can_be_skipped_and_are_counted() {
    let server = Server::start("");
    let dir = Dir::new();
    dir.write(
        "bad.jsonl",
        format!("{GOOD}oops\n{GOOD}{{\"timestamp\":-1}}\n{GOOD}"),
    );
    for Reading { tool, streams } in readers(&dir, &server) {
        let run = tool.args("--skip-invalid bad.jsonl").run();
        run.ok();
        let said = &run.stderr[0];
        run.check(
            said.contains("skipped 2 invalid lines, the first: bad.jsonl:2:"),
            "the number and the first should be said",
        );
        if streams {
            run.check(
                records(&run.text()).len() == 3,
                "the good lines should be there",
            );
        }
    }
}

#[test]
fn binary_data_is_no_trace() {
    let server = Server::start("");
    let dir = Dir::new();
    dir.write("picture.png", [PNG, &[0; 5_000]].concat());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&GOOD.repeat(2_000).into_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    dir.write("cut.jsonl.gz", &packed[..packed.len() / 2]);
    for Reading { tool, .. } in readers(&dir, &server) {
        gave_up(&tool.clone().arg("picture.png").run(), " picture.png:");
        gave_up(&tool.arg("cut.jsonl.gz").run(), " cut.jsonl.gz:");
    }
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    // Longer than the longest line a reader takes, and no longer than it must be.
    let limit = trace_core::MAX_LINE_BYTES;
    let server = Server::start("");
    let dir = Dir::new();
    let mut long = GOOD.as_bytes().to_vec();
    long.extend_from_slice(b"{\"input_length\":8,\"text\":\"");
    // The limit is looked at once a buffer.
    long.resize(limit + 1_000_000, b'a');
    long.extend_from_slice(b"\"}\n");
    dir.write("long.jsonl", long);
    for Reading { tool, .. } in readers(&dir, &server) {
        gave_up(&tool.arg("long.jsonl").run(), "long.jsonl:2:");
    }
}

#[test]
fn a_missing_file_is_named() {
    let server = Server::start("");
    let dir = Dir::new();
    dir.write("good.jsonl", GOOD);
    for Reading { tool, .. } in readers(&dir, &server) {
        // Found missing before the first file is worked on.
        let run = tool.args("good.jsonl missing.jsonl").run();
        gave_up(&run, "cannot open missing.jsonl: No such file or directory");
        run.check(run.stdout.is_empty(), "it should not have begun");
    }
}

#[test]
fn a_directory_is_no_trace() {
    let server = Server::start("");
    let dir = Dir::new();
    std::fs::create_dir(dir.path("folder.d")).unwrap();
    for Reading { tool, .. } in readers(&dir, &server) {
        gave_up(&tool.arg("folder.d").run(), " folder.d");
    }
}

#[test]
fn an_empty_file_is_no_crash() {
    let server = Server::start("");
    let dir = Dir::new();
    dir.write("empty.jsonl", "");
    dir.write("blank.jsonl", "\n\r\n  \n");
    for file in ["empty.jsonl", "blank.jsonl"] {
        for Reading { tool, streams } in readers(&dir, &server) {
            let run = tool.arg(file).run();
            let code = run.codes[0];
            if streams {
                run.check(code == Some(0), "no lines in, no lines out");
                run.check(run.stdout.is_empty(), "no lines in, no lines out");
            } else {
                // Nothing to count or draw: said in a line, whatever the status.
                run.check(code == Some(0) || code == Some(2), "it should not crash");
                run.check(
                    run.stderr[0].lines().count() == 1,
                    "it should say so in a line",
                );
            }
        }
    }
}

#[test]
fn what_windows_adds_is_tolerated() {
    let server = Server::start("");
    let dir = Dir::new();
    let lines = GOOD.trim_end().to_owned() + "\r\n";
    dir.write("windows.jsonl", format!("\u{feff}{lines}\r\n{lines}"));
    for Reading { tool, streams } in readers(&dir, &server) {
        let run = tool.arg("windows.jsonl").run();
        run.ok();
        if streams {
            run.check(
                records(&run.text()).len() == 2,
                "two lines should have come through",
            );
        }
    }
}

#[test]
fn the_header_of_another_format_is_named() {
    let server = Server::start("");
    let dir = Dir::new();
    dir.write(
        "agent.jsonl",
        "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2}\n{\"timestamp\":0,\"requests\":[]}\n",
    );
    for Reading { tool, .. } in readers(&dir, &server) {
        let run = tool.arg("agent.jsonl").run();
        gave_up(&run, " agent.jsonl:");
        run.check(
            run.stderr[0].contains("trace-convert"),
            "it should say what may read it",
        );
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for name in tools() {
        let run = tool(&name).args("--no-such-flag").run();
        let said = run.fails(2);
        run.check(said.contains("--no-such-flag"), "the flag should be named");
        run.check(run.stdout.is_empty(), "records alone go to stdout");
    }
}
