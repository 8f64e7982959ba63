//! A tool that runs on while the test does other things.

use super::process::{PATIENCE, collect_stderr, each_line, interrupt, wait};
use super::{Run, Tool};
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

/// A tool that runs on while the test does other things.
pub(crate) struct Background {
    pub(super) tool: Tool,
    pub(super) child: Child,
    pub(super) stdout: Option<JoinHandle<Vec<u8>>>,
    pub(super) stderr: Option<JoinHandle<String>>,
}

impl Background {
    /// Start `tool` with nothing to read, and pass on each line of its stdout.
    pub(crate) fn start(tool: Tool, line: impl FnMut(&[u8]) + Send + 'static) -> Self {
        let mut child = tool.start(Stdio::null());
        let stdout = each_line(child.stdout.take().expect("it is piped"), line);
        let stderr = collect_stderr(&mut child);
        Self {
            tool,
            child,
            stdout: Some(stdout),
            stderr: Some(stderr),
        }
    }

    /// Press ^C and wait for its end.
    pub(crate) fn interrupt(mut self) -> Run {
        interrupt(&self.child);
        let end = wait(&mut self.child, Instant::now() + PATIENCE);
        let run = Run {
            command: format!("{}  # and ^C", self.tool),
            dir: self.tool.dir.clone(),
            stdout: self.stdout.take().expect("kept").join().unwrap(),
            stderr: vec![self.stderr.take().expect("kept").join().unwrap()],
            codes: vec![end.and_then(|status| status.code())],
        };
        run.check(end.is_some(), "^C did not end it");
        run
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Only a test that failed leaves it running.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
