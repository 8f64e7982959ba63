//! What a person would paste into a shell.

use super::process::{PATIENCE, collect_stderr, each_line, wait};
use super::tool::built;
use super::{Dir, Run};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Some text for bash, to be run in a directory with our tools in its `PATH`.
pub(crate) struct Script {
    text: String,
    dir: PathBuf,
}

impl Script {
    /// A script in `dir`; programs in its folder `bin` come before all others.
    pub(crate) fn new(dir: &Dir, text: String) -> Self {
        Self {
            text,
            dir: dir.path(""),
        }
    }

    /// Let it run to its end, with nothing to read.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        self.finish(None)
    }

    /// Press ^C once it says `word` on stderr.
    #[track_caller]
    pub(crate) fn interrupt_when_it_says(self, word: &'static str) -> Run {
        self.finish(Some(word))
    }

    #[track_caller]
    fn finish(self, word: Option<&'static str>) -> Run {
        let mut child = self.start();
        let stdout = child.stdout.take().expect("it is piped");
        let stdout = each_line(stdout, |_| ());
        let stderr = match word {
            None => collect_stderr(&mut child),
            Some(word) => {
                let (stderr, said) = listen(&mut child, word);
                // It may have ended without a word; then that is what the status tells.
                let _ = said.recv_timeout(PATIENCE);
                // No person is so quick that bash has not started all of a pipe.
                thread::sleep(Duration::from_millis(300));
                let group = Pid::from_child(&child);
                let _ = kill_process_group(group, Signal::INT);
                stderr
            }
        };
        let end = wait(&mut child, Instant::now() + PATIENCE);
        let run = Run {
            command: self.text,
            dir: Some(self.dir),
            stdout: stdout.join().unwrap(),
            stderr: vec![stderr.join().unwrap()],
            codes: vec![end.and_then(|status| status.code())],
        };
        run.check(end.is_some(), "it hung and was killed");
        run
    }

    fn start(&self) -> Child {
        let mut path = vec![self.dir.join("bin"), built()];
        path.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        let started = Command::new("bash")
            .arg("-c")
            .arg(format!("set -o pipefail\n{}", self.text))
            .current_dir(&self.dir)
            .env("PATH", std::env::join_paths(path).unwrap())
            .env_remove("OPENAI_API_KEY")
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            // Of its own, so that ^C reaches all of it and nothing else.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        started.unwrap_or_else(|error| panic!("cannot start bash: {error}"))
    }
}

/// Collect what it says on stderr, and tell when that has `word` in it.
fn listen(
    child: &mut Child,
    word: &'static str,
) -> (thread::JoinHandle<String>, mpsc::Receiver<()>) {
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let (tell, said) = mpsc::channel();
    let all = thread::spawn(move || {
        let mut all = String::new();
        while !all.contains(word) {
            if stderr.read_line(&mut all).unwrap() == 0 {
                return all;
            }
        }
        tell.send(()).unwrap();
        stderr.read_to_string(&mut all).unwrap();
        all
    });
    (all, said)
}
