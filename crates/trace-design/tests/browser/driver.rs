//! The driver of a browser: WebDriver, which is JSON over HTTP/1.1.
//!
//! A page of standard library, where a crate would bring a hundred others.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// When an answer counts as never to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Times that a driver is started until one stays.
const TRIES: usize = 10;

/// A `chromedriver` that ends with its owner.
pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Start `program` on a port of its own choice.
    ///
    /// It chooses one of IPv6 and ends if that of IPv4 is taken, so several
    /// tries are needed where many ports are in use.
    pub(crate) fn start(program: &Path) -> Self {
        let started = (0..TRIES).find_map(|_| Self::try_start(program));
        started.unwrap_or_else(|| panic!("{} does not start", program.display()))
    }

    fn try_start(program: &Path) -> Option<Self> {
        let mut process = Command::new(program)
            .arg("--port=0")
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
        let body = body.map_or(String::new(), Value::to_string);
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
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
