//! A reader that hangs up ends a tool in silence and success, as `| head -1`
//! does to the tool before it.

use crate::harness::{Dir, Pipe, Run, Server, fixture, tool, tools};

/// More lines than fit in a pipe and the buffers at both of its ends.
const MANY: u64 = 20_000;

fn lines(many: u64) -> String {
    let line = |i| format!("{{\"timestamp\":{i},\"input_length\":40,\"output_length\":1}}\n");
    (0..many).map(line).collect()
}

fn many_lines() -> String {
    lines(MANY)
}

/// One line has come, the tool has ended well and said nothing.
fn ended_quietly(run: &Run) {
    run.succeeds();
    run.check(run.stdout.ends_with(b"\n"), "a line should have come");
    run.check(
        run.stderr.iter().all(String::is_empty),
        "nothing should be said on stderr",
    );
}

#[test]
fn synth_ends_when_its_reader_does() {
    for command in [
        "sine --duration 1000h",
        "rate --rate 1000 --requests 1000000000",
    ] {
        let run = Pipe::from(tool("trace-synth").args(command)).head("");
        ended_quietly(&run);
    }
}

#[test]
fn merge_ends_when_its_reader_does() {
    let synth = tool("trace-synth").args("rate --rate 1000 --requests 1000000000 --no-hash-ids");
    let merge = tool("trace-merge")
        .arg("-")
        .arg(fixture("fractional_times.jsonl"));
    ended_quietly(&synth.pipe(merge).head(""));
}

#[test]
fn convert_ends_when_its_reader_does() {
    let synth = tool("trace-synth").args("rate --rate 1000 --requests 1000000000 --no-hash-ids");
    ended_quietly(&synth.pipe(tool("trace-convert").args("--speed 3")).head(""));
}

#[test]
fn stats_ends_when_its_reader_does() {
    // A group for each line, so that the report does not fit in a pipe.
    for format in ["table", "json", "csv", "markdown"] {
        let stats = tool("trace-stats")
            .args("--by timestamp --max-groups 2000 --format")
            .arg(format);
        ended_quietly(&Pipe::from(stats).head(lines(2_000)));
    }
}

#[test]
fn plot_ends_when_its_reader_does() {
    // The first line of this PNG is its first six bytes; the rest does not fit in a pipe.
    let plot = tool("trace-plot").args("rate --format png --scale 4");
    ended_quietly(&Pipe::from(plot.arg(fixture("sessions.jsonl"))).head(""));
}

#[test]
fn send_ends_when_its_reader_does() {
    let server = Server::start("");
    let send = tool("trace-send")
        .args("--concurrency 4 --url")
        .arg(server.completions());
    let run = Pipe::from(send).head(many_lines());
    run.ok();
    run.check(run.stdout.ends_with(b"\n"), "a line should have come");
    let seen = server.stop().lines().count() as u64;
    run.check(
        seen < MANY,
        "it should not have gone on to the end of the trace",
    );
}

#[test]
fn a_pipe_ends_from_its_end() {
    let synth = tool("trace-synth").args("rate --rate 1000 --requests 1000000000 --no-hash-ids");
    let dir = Dir::new();
    dir.write("other.jsonl", many_lines());
    let merge = dir.tool("trace-merge").args("- other.jsonl");
    let run = synth.pipe(merge).pipe(tool("trace-merge")).head("");
    ended_quietly(&run);
}

#[test]
fn pages_end_when_their_reader_does() {
    for name in tools() {
        for page in ["--help", "--man", "--completions bash", "--version"] {
            ended_quietly(&Pipe::from(tool(&name).args(page)).head(""));
        }
    }
}

/// Words that nobody can read cost a run nothing but the words.
#[cfg(target_os = "linux")]
#[test]
fn no_tool_stops_because_its_words_cannot_be_written() {
    let bad = "{\"timestamp\":1,\"input_length\":1}\nnot a line\n";
    let line = "{\"timestamp\":0,\"input_length\":3,\"output_length\":1}\n";
    let rounds = "--url mock: --concurrency 4 --rounds 3";
    for (name, args, input, lines) in [
        ("trace-send", rounds, line.repeat(20), 60),
        (
            "trace-stats",
            "--skip-invalid --format csv --no-prefix",
            bad.to_owned(),
            2,
        ),
        ("trace-merge", "--skip-invalid -", bad.to_owned(), 1),
        (
            "trace-convert",
            "--from mooncake --skip-invalid",
            bad.to_owned(),
            1,
        ),
    ] {
        let run = tool(name).args(args).unheard().reading(input);
        run.succeeds();
        let came = run.stdout.iter().filter(|&&byte| byte == b'\n').count();
        run.check(came >= lines, format!("{came} lines came, not {lines}"));
    }
}
