//! Real processes, connected by real pipes.
//!
//! [`tool`] names a binary of this workspace, [`Tool::pipe`] puts the next one
//! behind it, [`Pipe::run`] lets them run to their end. Whatever is then asked
//! of the [`Run`] fails with everything a person needs to repeat it: the
//! command line, each status, both streams, the files. [`Dir`] is a place for
//! files, [`Server`] a `trace-mock` that runs until it is stopped.

use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// When a process counts as hung. Only a bug takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the checkout")
}

/// Every tool there is: each crate with a `main.rs`.
pub(crate) fn tools() -> Vec<String> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap());
    let mut names: Vec<String> = crates
        .filter(|krate| krate.path().join("src/main.rs").is_file())
        .map(|krate| krate.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The path of a fixture in `tests/data`.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    assert!(path.is_file(), "no fixture {}", path.display());
    path.to_string_lossy().into_owned()
}

/// Every line of `text` as JSON.
pub(crate) fn records(text: &str) -> Vec<Value> {
    let record = |line| match serde_json::from_str(line) {
        Ok(record) => record,
        Err(error) => panic!("{error} in {line}"),
    };
    text.lines().map(record).collect()
}

/// A directory that goes away with the test.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("trace-tools-").unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Put `bytes` into the file `name`.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The text of the file `name`.
    pub(crate) fn read(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The tool `name`, to be run here.
    pub(crate) fn tool(&self, name: &str) -> Tool {
        Tool {
            dir: Some(self.0.path().to_owned()),
            ..tool(name)
        }
    }
}

/// A binary of this workspace and what it is given.
#[derive(Clone)]
pub(crate) struct Tool {
    name: String,
    args: Vec<String>,
    dir: Option<PathBuf>,
}

/// The tool `name`.
pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        args: Vec::new(),
        dir: None,
    }
}

impl Tool {
    /// Further arguments, between spaces.
    pub(crate) fn args(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(str::to_owned));
        self
    }

    /// One further argument, spaces and all.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// This tool, writing to `next`.
    pub(crate) fn pipe(self, next: Tool) -> Pipe {
        Pipe::from(self).pipe(next)
    }

    /// Let it run on its own, with nothing to read.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        Pipe::from(self).run()
    }

    /// Let it run on its own, reading `input`.
    #[track_caller]
    pub(crate) fn reading(self, input: impl Into<Vec<u8>>) -> Run {
        Pipe::from(self).reading(input)
    }

    fn start(&self, stdin: Stdio) -> Child {
        let mut command = Command::new(binary(&self.name));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let started = command
            .args(&self.args)
            // Keys, proxies and colours of whoever runs the tests are none of theirs.
            .env_remove("OPENAI_API_KEY")
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        started.unwrap_or_else(|error| panic!("cannot start {self}: {error}"))
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for arg in &self.args {
            if arg.contains(|c: char| c.is_whitespace() || "*?$\"'|&;<>".contains(c)) {
                write!(f, " '{arg}'")?;
            } else {
                write!(f, " {arg}")?;
            }
        }
        Ok(())
    }
}

/// Where cargo put the binary of that name: beside the directory of this test.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test
        .parent()
        .and_then(Path::parent)
        .expect("tests run from target/PROFILE/deps");
    let path = built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "there is no {name} in {}: `cargo test --workspace` builds a tool that has tests/cli.rs, \
         `cargo build --workspace` does before `cargo test -p trace-tools-tests`",
        built.display()
    );
    path
}

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

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
}

fn collect_stderr(child: &mut Child) -> JoinHandle<String> {
    let mut stderr = child.stderr.take().expect("it is piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// How it ended, or `None` if it had to be killed.
fn wait(child: &mut Child, patience: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// What came of a pipe.
pub(crate) struct Run {
    command: String,
    dir: Option<PathBuf>,
    /// What the last tool wrote.
    pub(crate) stdout: Vec<u8>,
    /// What each tool said on stderr.
    pub(crate) stderr: Vec<String>,
    /// The exit code of each tool; `None` for one that a signal ended.
    pub(crate) codes: Vec<Option<i32>>,
}

impl Run {
    /// What the last tool wrote, every one having succeeded.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        self.succeeds();
        self.text()
    }

    /// Fail unless every tool has succeeded.
    #[track_caller]
    pub(crate) fn succeeds(&self) {
        let done = self.codes.iter().all(|&code| code == Some(0));
        self.check(done, "it should have succeeded");
    }

    /// The JSON object that the last tool wrote, every one having succeeded.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = self.ok();
        let object = serde_json::from_str(&text);
        object.unwrap_or_else(|error| self.fail(&format!("its output is not JSON: {error}")))
    }

    /// What the last tool said on stderr, having ended with `code`.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &str {
        let ended = self.codes.last() == Some(&Some(code));
        self.check(ended, format!("it should have ended with {code}"));
        self.stderr.last().expect("a pipe has a tool")
    }

    /// What the last tool wrote.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8(self.stdout.clone());
        text.unwrap_or_else(|error| self.fail(&format!("its output is not UTF-8: {error}")))
    }

    /// Fail, showing everything, unless `fact` holds.
    #[track_caller]
    pub(crate) fn check(&self, fact: bool, claim: impl AsRef<str>) {
        if !fact {
            self.fail(claim.as_ref());
        }
    }

    #[track_caller]
    fn fail(&self, claim: &str) -> ! {
        panic!("{claim}\n{self}");
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.command)?;
        for (code, stderr) in self.codes.iter().zip(&self.stderr) {
            match code {
                Some(code) => writeln!(f, "status {code}")?,
                None => writeln!(f, "ended by a signal")?,
            }
            section(f, "stderr", stderr.as_bytes())?;
        }
        section(f, "stdout", &self.stdout)?;
        if let Some(dir) = &self.dir {
            writeln!(f, "files in {}:", dir.display())?;
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let size = entry.metadata().map_or(0, |data| data.len());
                writeln!(f, "  {:>9}  {}", size, entry.file_name().to_string_lossy())?;
            }
        }
        Ok(())
    }
}

/// A stream, its middle left out if it is long.
fn section(f: &mut fmt::Formatter<'_>, title: &str, bytes: &[u8]) -> fmt::Result {
    const SHOWN: usize = 2_000;
    let text = String::from_utf8_lossy(bytes);
    writeln!(f, "--- {title}, {} bytes", bytes.len())?;
    if text.len() <= 2 * SHOWN {
        return writeln!(f, "{text}");
    }
    let head: String = text.chars().take(SHOWN).collect();
    let tail: Vec<char> = text.chars().rev().take(SHOWN).collect();
    writeln!(f, "{head}\n[…]\n{}", tail.iter().rev().collect::<String>())
}

/// Collect what comes, and pass on each line of it.
fn each_line(
    stdout: ChildStdout,
    mut line: impl FnMut(&[u8]) + Send + 'static,
) -> JoinHandle<Vec<u8>> {
    let mut stdout = BufReader::new(stdout);
    thread::spawn(move || {
        let mut all = Vec::new();
        loop {
            let from = all.len();
            if stdout.read_until(b'\n', &mut all).unwrap() == 0 {
                return all;
            }
            line(&all[from..]);
        }
    })
}

/// A tool that runs on while the test does other things.
pub(crate) struct Background {
    tool: Tool,
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<String>>,
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
