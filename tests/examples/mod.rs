//! Every example works when it is pasted: those of `--help`, and those of the README.
//!
//! Each is given to bash as it stands, with the files that it names in its directory and our tools
//! in its `PATH`. What it names elsewhere is put in place of: a server is a `trace-mock` of the
//! test, a port is a free one, and what takes an hour or a million requests is made small
//! ([`stage`]). What serves until it is stopped is stopped once it has said its address.

mod page;
mod stage;

use crate::harness::{Run, root, tools};
use page::{Page, Statement};
use stage::Stage;
use std::io::Write;

/// Run every statement of `page`, one after the other, in one directory.
fn play(page: &Page) {
    let stage = Stage::new();
    assert!(!page.statements.is_empty(), "{} has no example", page.name);
    for statement in &page.statements {
        if let Some(program) = statement.lacks() {
            // Past the capture of a test that passes, or nobody would see it.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED: {program} is not there: {}", statement.0).unwrap();
            continue;
        }
        check(statement, &stage.run(statement));
    }
}

/// Fail unless `run` is what a person would expect of `statement`.
fn check(statement: &Statement, run: &Run) {
    let said = run.stderr.concat();
    run.check(!said.contains("panicked at"), "it panicked");
    let code = run.codes[0];
    if statement.serves() {
        // ^C stops a server well, and a page before anything was drawn: then bash stops, too.
        let mock = statement.begins("trace-mock");
        let ended = if mock {
            code == Some(0)
        } else {
            matches!(code, Some(130) | None)
        };
        run.check(ended, "^C should have stopped it");
        return;
    }
    let ended = code == Some(0) || code == Some(1) && statement.judges();
    run.check(ended, "the example should have worked");
    run.check(
        !run.stdout.is_empty() || statement.writes_files() || said.contains("nothing odd"),
        "the example should have written something",
    );
}

/// The examples of a tool, and of the commands inside of it.
fn of_tool(tool: &str) {
    for page in Page::of_help(tool) {
        play(&page);
    }
}

#[test]
fn of_trace_synth() {
    of_tool("trace-synth");
}

#[test]
fn of_trace_convert() {
    of_tool("trace-convert");
}

#[test]
fn of_trace_merge() {
    of_tool("trace-merge");
}

#[test]
fn of_trace_send() {
    of_tool("trace-send");
}

#[test]
fn of_trace_stats() {
    of_tool("trace-stats");
}

#[test]
fn of_trace_plot() {
    of_tool("trace-plot");
}

#[test]
fn of_trace_mock() {
    of_tool("trace-mock");
}

#[test]
fn of_trace_design() {
    of_tool("trace-design");
}

#[test]
fn of_every_tool() {
    let source = std::fs::read_to_string(root().join("tests/examples/mod.rs")).unwrap();
    for tool in tools() {
        let call = format!("of_tool(\"{tool}\")");
        assert!(source.contains(&call), "nobody runs the examples of {tool}");
    }
}

#[test]
fn of_the_readme() {
    play(&Page::of_readme());
}
