//! What only the process can show.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;

const TRACE: &str = "{\"timestamp\": 0, \"input_length\": 1, \"x\": 1e5}\n{\"timestamp\": 500,  \"input_length\": 2, \"delay\": 3}\n";

fn convert(flags: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(flags)
        .write_stdin(TRACE)
        .assert()
}

#[test]
fn without_flags_nothing_changes() {
    convert(&[]).success().stdout(TRACE);
}

#[test]
fn only_the_times_change() {
    let expected = "{\"timestamp\": 0, \"input_length\": 1, \"x\": 1e5}\n{\"timestamp\": 125,  \"input_length\": 2, \"delay\": 0.75}\n";
    convert(&["--speed", "4"]).success().stdout(expected);
}

#[test]
fn a_speed_that_is_none_is_refused() {
    for speed in ["0", "-1", "nan", "fast"] {
        convert(&[&format!("--speed={speed}")]).code(2);
    }
}

#[test]
fn a_bad_line_stops_it_and_what_came_before_is_written() {
    let bad = format!("{TRACE}oops\n");
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .write_stdin(bad)
        .assert();
    assert
        .code(2)
        .stdout(TRACE)
        .stderr("trace-convert: <stdin>:3:1: expected value\n");
}

#[test]
fn bad_lines_can_be_skipped() {
    let bad = format!("oops\n{TRACE}");
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .arg("--skip-invalid")
        .write_stdin(bad)
        .assert();
    let output = assert.success().stdout(TRACE).get_output().clone();
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .starts_with("trace-convert: skipped 1 invalid lines")
    );
}

#[test]
fn the_schemas_page_names_every_format() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/README.md");
    let page = std::fs::read_to_string(page).unwrap();
    for flag in ["--from", "--to"] {
        let refused = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
            .args([flag, "?"])
            .output()
            .unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        let list = told.split("possible values: ").nth(1).unwrap();
        let list = list.split(']').next().unwrap();
        for name in list.split(", ").filter(|name| *name != "auto") {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
