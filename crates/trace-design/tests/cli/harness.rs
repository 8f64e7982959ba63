//! A server to ask, and a small client to ask it with.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// When something counts as never to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server under test. Killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Where it said that it is.
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// Its first line on stderr.
    pub(crate) announced: String,
    pub(crate) stderr: BufReader<ChildStderr>,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The JSON of an answer that must be good.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The line of one that must be a refusal.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let line = self.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-design"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Server {
    /// A server at a free port.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = command(&["--port", "0"]);
        command.args(args);
        Self::of(&mut command)
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut announced = String::new();
        stderr.read_line(&mut announced).unwrap();
        let url = announced
            .split_once("http://")
            .unwrap_or_else(|| panic!("{announced}"))
            .1;
        let address: SocketAddr = url.split_once('/').unwrap().0.parse().unwrap();
        let mut server = Self {
            child,
            port: address.port(),
            address,
            token: String::new(),
            announced,
            stderr,
        };
        let page = server.ask("GET", "/", &[], b"");
        if page.status == 200 {
            let page = String::from_utf8(page.body).unwrap();
            let token = page.split_once("name=\"token\" content=\"").unwrap().1;
            server.token = token.split_once('"').unwrap().0.to_owned();
        }
        server
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Ask with exactly these headers, and Host unless one is there.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.0\r\n");
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            text += &format!("Host: {}\r\n", self.host());
        }
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        // Refused half way, it is still answered.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: bytes[end + 4..].to_vec(),
            head,
        }
    }

    /// Ask as the page does.
    pub(crate) fn api(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.ask(method, path, &[("x-trace-design", &self.token)], body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.api("GET", path, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.api("POST", path, body.to_string().as_bytes())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.api("PUT", path, body.to_string().as_bytes())
    }

    /// Wait for its end, with what it wrote on stdout and the rest of stderr.
    pub(crate) fn wait(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        let stdout = self.child.stdout.take();
        stdout.map(|mut stdout| stdout.read_to_string(&mut out).unwrap());
        self.stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Send it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", "kill \"$0\" \"$1\"", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Most have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Look until there is something to see.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A design of two models for a second, a hundred requests or so.
pub(crate) fn design() -> Value {
    serde_json::json!({
        "version": 1, "duration_ms": 1000, "max_rate": 200, "seed": 5,
        "models": [
            { "name": "chat \"q\" <script>☃", "interpolation": "linear", "color": "#123456",
              "points": [{ "t_ms": 0, "rate": 10 }, { "t_ms": 1000, "rate": 100 }],
              "input_length": "lognormal:90,70", "output_length": 3 },
            { "name": "code", "interpolation": "step", "arrival": "constant", "prefixes": "pool:3,64",
              "points": [{ "t_ms": 0, "rate": 20 }, { "t_ms": 500, "rate": 60 }], "output_length": 2 }
        ]
    })
}

/// What `trace-synth curve` writes for `design`.
pub(crate) fn synth(design: &Value) -> Vec<u8> {
    use clap::Parser;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    std::fs::write(&file, design.to_string()).unwrap();
    let args = trace_synth::Args::try_parse_from(["trace-synth", "curve", file.to_str().unwrap()]);
    let mut bytes = Vec::new();
    trace_synth::run(&args.unwrap(), &mut bytes).unwrap();
    bytes
}
