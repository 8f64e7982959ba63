//! Files that are not what they should be: each ends in one line that says
//! where, what, and what to do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use std::io::Write;
use std::path::PathBuf;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Exit code, stdout and stderr of a run in the directory.
    fn convert(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
            .current_dir(self.0.path())
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// The one line a failing run prints.
    fn failure(&self, arguments: &[&str]) -> String {
        let (code, _, message) = self.convert(arguments);
        assert_eq!(code, 2, "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }
}

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00,5,1\n";

#[test]
fn files_that_are_no_trace_are_named() {
    let dir = Dir::new();
    for (bytes, what) in [
        (&b"\x89PNG\r\n\x1a\n\0\0"[..], "a PNG image, not a trace"),
        (b"PAR1\0\0", "a Parquet file (export it"),
        (b"\0\x01\x02\xff", "binary data, not a trace"),
        (b"<!DOCTYPE html>", "HTML or XML, not a trace"),
        (b"\xfd7zXZ\0", "xz data (unpack it first"),
        (b"BZh91AY&SY", "bzip2 data (unpack it first"),
        (b"\xff\xfea\0,\0", "UTF-16 text (convert it first"),
        (b"hello\n", "a first line that is \"hello\""),
        (b"a,b\n1,2\n", "a table with the columns a, b"),
        (b"[1,2]", "JSON without objects"),
    ] {
        dir.file("x", bytes);
        let message = dir.failure(&["x"]);
        assert!(
            message.starts_with("trace-convert: x: ") && message.contains(what),
            "{message}"
        );
    }
}

#[test]
fn nothing_in_gives_nothing_out() {
    let dir = Dir::new();
    dir.file("empty", b"");
    dir.file("blank", b"\n \n");
    assert_eq!(
        dir.convert(&["empty", "blank"]),
        (0, String::new(), String::new())
    );
}

#[test]
fn a_format_that_was_named_and_is_not_there_is_refused() {
    let dir = Dir::new();
    dir.file("a.csv", AZURE.as_bytes());
    assert_eq!(
        dir.failure(&["--from", "burstgpt", "a.csv"]),
        "trace-convert: a.csv: not burstgpt, which has the columns Timestamp, Model, Request tokens, Response tokens; found a table with the columns TIMESTAMP, ContextTokens, GeneratedTokens\n"
    );
    assert!(
        dir.failure(&["--from", "mooncake", "a.csv"])
            .contains("not mooncake")
    );
    assert!(
        dir.failure(&["--map", "input_length=Tokens", "a.csv"])
            .contains("no column Tokens; found")
    );
}

#[test]
fn formats_do_not_mix() {
    let dir = Dir::new();
    dir.file("a.csv", AZURE.as_bytes());
    dir.file("b.jsonl", b"{\"timestamp\":0,\"input_length\":1}\n");
    for files in [["a.csv", "b.jsonl"], ["b.jsonl", "a.csv"]] {
        let message = dir.failure(&files);
        assert!(message.contains("convert each on its own"), "{message}");
    }
    let message = dir.failure(&["--limit", "5", "b.jsonl", "a.csv"]);
    assert!(message.contains("convert each on its own"), "{message}");
    // A line of one in the middle of the other.
    dir.file(
        "c.jsonl",
        format!("{{\"input_length\":1}}\n{AZURE}").as_bytes(),
    );
    assert!(
        dir.failure(&["c.jsonl"])
            .contains("c.jsonl:2:1: expected value")
    );
}

#[test]
fn a_row_that_is_too_wide_is_told_by_its_line() {
    let dir = Dir::new();
    let wide = format!("{AZURE}{}\n2023-11-16 18:00:01,6,1\n", ",".repeat(999_999));
    dir.file("a.csv", wide.as_bytes());
    assert_eq!(
        dir.failure(&["a.csv"]),
        "trace-convert: a.csv:3:1: 1000000 cells where the header has 3\n"
    );
    let (code, out, message) = dir.convert(&["--skip-invalid", "a.csv"]);
    assert_eq!((code, out.lines().count()), (0, 2));
    assert!(message.contains("skipped 1 invalid lines"), "{message}");
    // A header of a million columns is a table of nothing we know.
    dir.file("b.csv", format!("a{}\n", ",a".repeat(999_999)).as_bytes());
    assert!(dir.failure(&["b.csv"]).len() < 1_000);
}

#[test]
fn what_was_read_before_an_archive_breaks_off_is_written() {
    let dir = Dir::new();
    let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let rows = "2023-11-16 18:00:00,5,1\n".repeat(20_000);
    pack.write_all(format!("{}\n{rows}", AZURE.lines().next().unwrap()).as_bytes())
        .unwrap();
    let packed = pack.finish().unwrap();
    dir.file("a.csv.gz", &packed[..packed.len() / 2]);
    let (code, out, message) = dir.convert(&["a.csv.gz"]);
    assert_eq!(code, 2);
    assert!(
        out.lines().count() > 1_000 && out.ends_with('\n'),
        "{}",
        out.lines().count()
    );
    assert!(message.contains("cannot read on"), "{message}");
    let (code, _, _) = dir.convert(&["--limit", "10", "a.csv.gz"]);
    assert_eq!(code, 0, "what is not needed need not be there");
}

#[test]
fn an_archive_that_breaks_off_in_its_first_line_is_no_strange_table() {
    let dir = Dir::new();
    let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    pack.write_all(AZURE.as_bytes()).unwrap();
    let packed = pack.finish().unwrap();
    dir.file("a.csv.gz", &packed[..40]);
    let message = dir.failure(&["a.csv.gz"]);
    assert!(message.contains("a.csv.gz:1: cannot read on"), "{message}");
}

#[test]
fn what_could_not_end_well_is_not_begun() {
    let dir = Dir::new();
    dir.file("a.csv", AZURE.as_bytes());
    for (flags, said) in [
        (&["--report", "no/x", "a.csv"][..], "cannot write no/x"),
        (
            &[
                "--min-input-length",
                "9",
                "--max-input-length",
                "8",
                "a.csv",
            ],
            "--min-input-length 9 is more than --max-input-length 8",
        ),
        (
            &["--from-time", "2", "--to-time", "1", "a.csv"],
            "--from-time is not before --to-time",
        ),
        (
            &["--to", "csv", "--columns", ",", "a.csv"],
            "expected names with commas between them",
        ),
        (
            &["--sample", "0.5", "--num-samples", "1", "a.csv"],
            "cannot be used with",
        ),
    ] {
        let (code, out, message) = dir.convert(flags);
        assert_eq!((code, out.as_str()), (2, ""), "{message}");
        assert!(message.contains(said), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn missing_files_and_empty_directories_are_named() {
    let dir = Dir::new();
    assert_eq!(
        dir.failure(&["no.csv"]),
        "trace-convert: cannot open no.csv: No such file or directory\n"
    );
    std::fs::create_dir(dir.0.path().join("d")).unwrap();
    assert!(dir.failure(&["d"]).contains("d is a directory without"));
}
