//! Tools in a row, run to their end.

use super::process::{PATIENCE, collect_stderr, interrupt, wait};
use super::{Run, Tool};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Tools, each reading what the one before it writes.
pub(crate) struct Pipe(Vec<Tool>);

impl From<Tool> for Pipe {
    fn from(tool: Tool) -> Self {
        Self(vec![tool])
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&tools.join(" | "))
    }
}

impl Pipe {
    /// The pipe, writing to `next`.
    pub(crate) fn pipe(mut self, next: Tool) -> Self {
        self.0.push(next);
        self
    }

    /// Let it run to its end, with nothing to read.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        self.reading(Vec::new())
    }

    /// Let it run to its end; the first tool reads `input`.
    #[track_caller]
    pub(crate) fn reading(self, input: impl Into<Vec<u8>>) -> Run {
        self.finish(input.into(), read_all, |_| ())
    }

    /// Press ^C once `ready` says so: at a terminal every tool of a pipe hears it.
    #[track_caller]
    pub(crate) fn interrupt_when(self, ready: impl Fn() -> bool) -> Run {
        self.finish(Vec::new(), read_all, |children| {
            let patience = Instant::now() + PATIENCE;
            while !ready() && Instant::now() < patience {
                thread::sleep(Duration::from_millis(5));
            }
            children.iter().for_each(interrupt);
        })
    }

    /// Read one line of what it writes and hang up, as `| head -1` does.
    #[track_caller]
    pub(crate) fn head(self, input: impl Into<Vec<u8>>) -> Run {
        let read_line = |stdout| {
            let mut line = Vec::new();
            BufReader::with_capacity(1, stdout)
                .read_until(b'\n', &mut line)
                .unwrap();
            line
        };
        self.finish(input.into(), read_line, |_| ())
    }

    #[track_caller]
    fn finish(
        self,
        input: Vec<u8>,
        read: impl FnOnce(ChildStdout) -> Vec<u8> + Send + 'static,
        meanwhile: impl FnOnce(&[Child]),
    ) -> Run {
        let mut children: Vec<Child> = Vec::new();
        for tool in &self.0 {
            let stdin = match children.last_mut() {
                None => Stdio::piped(),
                Some(before) => Stdio::from(before.stdout.take().expect("it is piped")),
            };
            children.push(tool.start(stdin));
        }
        let mut stdin = children[0].stdin.take().expect("it is piped");
        // A tool that stops early does not read all of it, and may.
        let feed = thread::spawn(move || drop(stdin.write_all(&input)));
        let last = children.last_mut().expect("a pipe has a tool");
        let stdout = last.stdout.take().expect("it is piped");
        let stdout = thread::spawn(move || read(stdout));
        let stderr: Vec<JoinHandle<String>> = children.iter_mut().map(collect_stderr).collect();

        meanwhile(&children);
        let patience = Instant::now() + PATIENCE;
        let ends: Vec<Option<ExitStatus>> = children
            .iter_mut()
            .map(|child| wait(child, patience))
            .collect();
        let run = Run {
            command: self.to_string(),
            dir: self.0.iter().find_map(|tool| tool.dir.clone()),
            stdout: stdout.join().unwrap(),
            stderr: stderr
                .into_iter()
                .map(|text| text.join().unwrap())
                .collect(),
            codes: ends
                .iter()
                .map(|end| end.and_then(|status| status.code()))
                .collect(),
        };
        drop(feed.join());
        run.check(ends.iter().all(Option::is_some), "it hung and was killed");
        run
    }
}

fn read_all(mut stdout: ChildStdout) -> Vec<u8> {
    let mut bytes = Vec::new();
    stdout.read_to_end(&mut bytes).unwrap();
    bytes
}
