//! Starting the tool, the mock, and servers that misbehave.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use trace_core::{Line, Outcome};

/// What a run of the tool left.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// The outcome lines, in the order of their requests.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let parse = |text| Line::parse("stdout", text).unwrap();
        let mut lines: Vec<_> = self.stdout.lines().map(parse).collect();
        lines.sort_by_key(|line| line.outcome().unwrap().unwrap().seq);
        lines
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.lines()
            .iter()
            .map(|line| line.outcome().unwrap().unwrap())
            .collect()
    }

    /// The kind of error of each request, or "ok".
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let kind = |outcome: &Outcome| {
            outcome
                .error
                .as_ref()
                .map_or("ok", |failure| failure.kind.as_str())
        };
        self.outcomes().iter().map(kind).collect()
    }

    /// The message of the first request's error.
    pub(crate) fn message(&self) -> String {
        let failure = self
            .outcomes()
            .into_iter()
            .next()
            .and_then(|outcome| outcome.error);
        failure
            .unwrap_or_else(|| panic!("no error\n{}{}", self.stdout, self.stderr))
            .message
    }
}

pub(crate) fn tool() -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_trace-send"));
    tool.env_remove("OPENAI_API_KEY");
    tool
}

/// Start `command` with pipes at all its ends.
pub(crate) fn start(command: &mut Command) -> Child {
    let command = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Run `command` on `input`.
pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = start(command);
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let feeding = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let ran = child.wait_with_output().unwrap().into();
    // The tool may have had enough before its input ended.
    let _ = feeding.join().unwrap();
    ran
}

/// Run the tool with `flags` on `input`.
pub(crate) fn send(flags: &[&str], input: &str) -> Ran {
    run(tool().args(flags), input)
}

/// `count` requests at time zero.
pub(crate) fn requests(count: usize) -> String {
    "{\"timestamp\":0,\"input_length\":3,\"output_length\":4}\n".repeat(count)
}

/// The mock, and what it has written down.
pub(crate) struct Mock {
    running: trace_mock::Running,
    records: Records,
}

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<u8>>>);

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Mock {
    /// A mock with times in milliseconds.
    pub(crate) fn start(ttft: u64, itl: u64) -> Self {
        let ms = |millis| trace_core::Micros::from_micros(millis * 1_000);
        let settings = trace_mock::Settings {
            ttft: ms(ttft),
            itl: ms(itl),
            ..trace_mock::Settings::default()
        };
        let records = Records::default();
        let running = trace_mock::start(&settings, Some(Box::new(records.clone()))).unwrap();
        Self { running, records }
    }

    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    pub(crate) fn seen(&self) -> u64 {
        self.running.requests_seen()
    }

    /// Its records, by the number at the end of their `request_id`.
    pub(crate) fn finish(self) -> Vec<(u64, Line)> {
        self.running.finish().unwrap();
        let text = String::from_utf8(self.records.0.lock().unwrap().clone()).unwrap();
        let mut records: Vec<_> = text
            .lines()
            .map(|text| {
                let line = Line::parse("record", text).unwrap();
                let id: String = serde_json::from_slice(line.raw("request_id").unwrap()).unwrap();
                (id.rsplit('-').next().unwrap().parse().unwrap(), line)
            })
            .collect();
        records.sort_by_key(|(seq, _)| *seq);
        records
    }
}

/// Which of `key` the outcomes have, in the order they came.
pub(crate) fn marks(ran: &Ran, key: &str) -> Vec<f64> {
    let parse = |text| Line::parse("stdout", text).unwrap();
    let lines = ran.stdout.lines().map(parse);
    lines.map(|line| number(&line, key)).collect()
}

/// `marks` without those that are equal to the one before.
pub(crate) fn distinct(mut marks: Vec<f64>) -> Vec<f64> {
    marks.dedup();
    marks
}

/// A number of a line that no tool knows.
pub(crate) fn number(line: &Line, key: &str) -> f64 {
    serde_json::from_slice(line.raw(key).unwrap_or_else(|| panic!("no {key}"))).unwrap()
}

/// Serve every connection on a thread of its own with `serve`, which is given
/// its number.
pub(crate) fn server(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (serve, stream) = (Arc::clone(&serve), stream.unwrap());
            thread::spawn(move || serve(number, stream));
        }
    });
    address
}

/// A server that answers every request on every connection with `answer`,
/// byte for byte, and closes after each if `close`.
pub(crate) fn answering(answer: String, close: bool) -> SocketAddr {
    server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            if stream.write_all(answer.as_bytes()).is_err() || close {
                return;
            }
        }
    })
}

/// One request, head and body; nothing when the client has gone.
pub(crate) fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut piece) {
            Ok(length @ 1..) => bytes.extend_from_slice(&piece[..length]),
            _ => return None,
        }
    }
}

/// A response with its length.
pub(crate) fn response(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The shortest answer that is one.
pub(crate) fn good() -> String {
    let body = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";
    response("200 OK", "text/event-stream", body)
}

/// A stream of `words` chunks and no more.
pub(crate) fn chunks(words: usize) -> String {
    "data: {\"choices\":[{\"text\":\" a\"}]}\n\n".repeat(words)
}
