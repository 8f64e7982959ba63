//! Processes as the system knows them: their ends, their streams, ^C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, ExitStatus};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// When a process counts as hung. Only a bug takes as long.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Press ^C.
pub(super) fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
}

/// Collect what it says while it runs: a full pipe would stop it.
pub(super) fn collect_stderr(child: &mut Child) -> JoinHandle<String> {
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stderr) = stderr {
            stderr.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// How it ended, or `None` if it had to be killed.
pub(super) fn wait(child: &mut Child, patience: Instant) -> Option<ExitStatus> {
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

/// Collect what comes, and pass on each line of it.
pub(super) fn each_line(
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
