//! A binary of this workspace, and how it is started.

use super::{Pipe, Run};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A binary of this workspace and what it is given.
#[derive(Clone)]
pub(crate) struct Tool {
    name: String,
    args: Vec<String>,
    /// Where it runs, if not where the tests do.
    pub(super) dir: Option<PathBuf>,
    /// Whether its words go to a disk that is full.
    unheard: bool,
}

/// The tool `name`.
pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        args: Vec::new(),
        dir: None,
        unheard: false,
    }
}

/// `trace-send`, to the server at `url`.
pub(crate) fn send(url: &str) -> Tool {
    tool("trace-send").arg("--url").arg(url)
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

    /// This tool, saying what it says to a disk that is full.
    #[cfg(target_os = "linux")]
    pub(crate) fn unheard(mut self) -> Self {
        self.unheard = true;
        self
    }

    /// This tool, run in `dir`.
    pub(super) fn within(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
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

    /// Start it, its output in pipes.
    pub(super) fn start(&self, stdin: Stdio) -> Child {
        let mut command = Command::new(binary(&self.name));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let stderr = match self.unheard {
            true => Stdio::from(File::options().write(true).open("/dev/full").unwrap()),
            false => Stdio::piped(),
        };
        let started = command
            .args(&self.args)
            // Keys, proxies and colours of whoever runs the tests are none of theirs.
            .env_remove("OPENAI_API_KEY")
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
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

/// Where cargo puts binaries: beside the directory of this test.
pub(crate) fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent);
    built
        .expect("tests run from target/PROFILE/deps")
        .to_owned()
}

/// The binary of that name.
fn binary(name: &str) -> PathBuf {
    let built = built();
    let path = built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "there is no {name} in {}: `cargo test --workspace` builds a tool that has tests/cli.rs, \
         `cargo build --workspace` does before `cargo test -p trace-tools-tests`",
        built.display()
    );
    path
}
