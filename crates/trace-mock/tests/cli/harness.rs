//! A mock as a process, and what it answers.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A mock on a free port, ended when dropped.
pub(crate) struct Mock {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// What it said before it listened.
    pub(crate) words: Vec<String>,
    pub(crate) stderr: BufReader<ChildStderr>,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
}

impl Mock {
    pub(crate) fn start(args: &[&str]) -> Mock {
        Mock::start_with(args, Stdio::piped())
    }

    /// One at a port that was free a moment ago.
    pub(crate) fn start_at(port: &str) -> Mock {
        Mock::spawn(&["--port", port], Stdio::piped())
    }

    pub(crate) fn start_with(args: &[&str], stdout: Stdio) -> Mock {
        Mock::spawn(&[&["--port", "0"], args].concat(), stdout)
    }

    fn spawn(args: &[&str], stdout: Stdio) -> Mock {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trace-mock"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut words = Vec::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{words:?}");
            let line = line.trim_end();
            match line.strip_prefix("trace-mock: listening on http") {
                Some(url) => break url.trim_start_matches('s')[3..].to_owned(),
                None => words.push(line.to_owned()),
            }
        };
        let stdout = child.stdout.take().map(BufReader::new);
        Mock {
            child,
            address,
            words,
            stderr,
            stdout,
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        // Only so that a test ends: a machine that does much besides answers late.
        let timeout = Some(Duration::from_secs(60));
        stream.set_read_timeout(timeout).unwrap();
        stream
    }

    pub(crate) fn send(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = self.connect();
        let length = body.len();
        write!(
            stream,
            "{head}\r\nhost: mock\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    pub(crate) fn ask(&self, head: &str, body: &str) -> Response {
        let mut bytes = Vec::new();
        let end = self.send(head, body).read_to_end(&mut bytes);
        Response::read(&bytes, end.err().map(|err| err.kind()))
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Response {
        self.ask(&format!("POST {path} HTTP/1.1{headers}"), body)
    }

    pub(crate) fn complete(&self, fault: &str, body: &str) -> Response {
        self.post(
            "/v1/completions",
            &format!("\r\nx-mock-fault: {fault}"),
            body,
        )
    }

    /// The next record.
    pub(crate) fn record(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|err| panic!("{err}: {line:?}"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Wait for its end. Returns its status, its further records, and its further words.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_string(&mut out).unwrap();
        }
        self.stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }
}

/// Run to the end: status, stdout, stderr.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-mock"));
    let output = command.args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

impl Drop for Mock {
    fn drop(&mut self) {
        // Either may fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end, and if not, why not.
    pub(crate) whole: bool,
    pub(crate) error: Option<ErrorKind>,
}

impl Response {
    pub(crate) fn read(bytes: &[u8], error: Option<ErrorKind>) -> Response {
        let split = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        let split = split.unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
        let mut rest = &bytes[split + 4..];
        let (mut body, mut whole) = (Vec::new(), true);
        if head.contains("transfer-encoding: chunked") {
            whole = false;
            while let Some(line) = rest.windows(2).position(|end| end == b"\r\n") {
                let size = std::str::from_utf8(&rest[..line]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                whole = size == 0;
                body.extend_from_slice(&rest[line + 2..line + 2 + size]);
                rest = &rest[line + 4 + size..];
            }
        } else {
            body.extend_from_slice(rest);
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            whole &= length.unwrap().parse::<usize>().unwrap() == body.len();
        }
        Response {
            status: head[9..12].parse().unwrap(),
            head,
            body,
            whole,
            error,
        }
    }

    /// What a field of the head says; nothing if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields
            .find(|(field, _)| *field == name)
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The data of the events but for the end mark, which must be there.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert!(
            self.head.contains("content-type: text/event-stream"),
            "{}",
            self.head
        );
        let events = self.text().strip_suffix("data: [DONE]\n\n").unwrap();
        let data =
            |event: &str| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        events.split_terminator("\n\n").map(data).collect()
    }
}
