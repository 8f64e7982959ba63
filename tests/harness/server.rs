//! A `trace-mock` on a port of its own.

use super::process::each_line;
use super::{Background, tool};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A `trace-mock` on a port of its own.
pub(crate) struct Server {
    process: Background,
    url: String,
    seen: Arc<AtomicUsize>,
}

impl Server {
    /// Start one with these flags; it listens before this returns.
    pub(crate) fn start(flags: &str) -> Self {
        let tool = tool("trace-mock").args("--port 0").args(flags);
        let mut child = tool.start(Stdio::null());
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut said = String::new();
        let url = loop {
            let from = said.len();
            let read = stderr.read_line(&mut said).unwrap();
            assert!(read > 0, "{tool} ended, saying: {said}");
            if let Some(at) = said[from..].find("http://") {
                let url = said[from + at..].split_whitespace().next();
                break url.expect("it was found").to_owned();
            }
        };
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        let stdout = child.stdout.take().expect("it is piped");
        let stdout = each_line(stdout, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let stderr = thread::spawn(move || {
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        let process = Background {
            tool,
            child,
            stdout: Some(stdout),
            stderr: Some(stderr),
        };
        Self { process, url, seen }
    }

    /// How many requests have ended.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }

    /// Where it listens.
    pub(crate) fn origin(&self) -> &str {
        &self.url
    }

    /// Where it takes completions.
    pub(crate) fn completions(&self) -> String {
        format!("{}/v1/completions", self.url)
    }

    /// Where it takes chats.
    pub(crate) fn chat(&self) -> String {
        format!("{}/v1/chat/completions", self.url)
    }

    /// Stop it and give the lines it wrote: what the server knows of its requests.
    pub(crate) fn stop(self) -> String {
        self.process.interrupt().ok()
    }
}
