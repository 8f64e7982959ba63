//! The driver of a browser: WebDriver, which is JSON over HTTP/1.1.
//!
//! A page of standard library, where a crate would bring a hundred others.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// When an answer counts as never to come.
const PATIENCE: Duration = Duration::from_secs(240);

/// Times that a driver is started until one stays.
const TRIES: usize = 10;

/// A `chromedriver` that ends with its owner.
pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Start `program` on a port of its own choice, with `temporary` as the
    /// folder of its temporary files and of the browser's.
    ///
    /// It chooses one of IPv6 and ends if that of IPv4 is taken, so several
    /// tries are needed where many ports are in use.
    pub(crate) fn start(program: &Path, temporary: &Path) -> Self {
        let started = (0..TRIES).find_map(|_| Self::try_start(program, temporary));
        started.unwrap_or_else(|| panic!("{} does not start", program.display()))
    }

    fn try_start(program: &Path, temporary: &Path) -> Option<Self> {
        let mut process = Command::new(program)
            .arg("--port=0")
            .env("TMPDIR", temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = process.stdout.take().unwrap();
        let mut driver = Self { process, port: 0 };
        driver.port = port_said(stdout)?;
        Some(driver)
    }

    /// Status and body of the answer to one request, on a connection of its own.
    pub(crate) fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.try_exchange(method, path, body);
        answer.unwrap_or_else(|err| panic!("{method} {path}: the driver does not answer: {err}"))
    }

    /// The same, where the driver may be gone.
    pub(crate) fn try_exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<(u16, Value)> {
        let body = body.map_or(String::new(), Value::to_string);
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        answer(BufReader::new(stream))
    }

    /// End the driver, and be sure that it has ended.
    pub(crate) fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Status and body of an answer.
fn answer(mut reader: impl BufRead) -> io::Result<(u16, Value)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {line:?}")))?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok((status, serde_json::from_slice(&bytes)?))
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

/// The first of `names` that PATH has.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = |name: &&str| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    };
    names.iter().find_map(found)
}

/// The port that the driver says it listens at; none if it ends instead.
fn port_said(stdout: impl Read + Send + 'static) -> Option<u16> {
    let mut lines = BufReader::new(stdout).lines();
    let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let after = line.split_once("started successfully on port ")?.1;
        after.trim_end_matches('.').parse().ok()
    });
    // The driver must be able to go on talking.
    thread::spawn(move || lines.for_each(drop));
    said
}
