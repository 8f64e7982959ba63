//! A server that lives as long as a stage.

use anyhow::Context;
use serde::Deserialize;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a server has to end by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be started, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    command: String,
    #[serde(default = "ready")]
    ready: String,
}

fn ready() -> String {
    "10m".to_owned()
}

impl Settings {
    /// The server that `command` starts.
    pub(super) fn new(command: String) -> Self {
        Self {
            command,
            ready: ready(),
        }
    }

    /// How long it may take until it answers.
    pub(super) fn ready(&self) -> &str {
        &self.ready
    }
}

/// A server under way.
pub(super) struct Server(Child);

impl Server {
    /// Start it by the shell. What it says goes to stderr.
    ///
    /// # Errors
    /// A system that cannot start it.
    pub(super) fn start(settings: &Settings, env: &[(String, String)]) -> anyhow::Result<Self> {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &settings.command])
            .envs(env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(std::io::stderr());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        let child = shell.spawn().context("cannot start the server")?;
        Ok(Self(child))
    }

    /// How it ended, if it did and not well: a command may leave a server
    /// behind and be done.
    pub(super) fn fallen(&mut self) -> Option<ExitStatus> {
        let ended = self.0.try_wait().ok()?;
        ended.filter(|status| !status.success())
    }

    fn signal(&self, kill: bool) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let signal = if kill { Signal::KILL } else { Signal::TERM };
            if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
                // It may have ended by itself.
                let _ = kill_process_group(group, signal);
            }
        }
        #[cfg(not(unix))]
        let _ = kill;
    }
}

/// Ask the process `id` to end.
pub(super) fn end(id: u32) {
    #[cfg(unix)]
    if let Some(id) = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = id;
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(false);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.signal(true);
        // Nothing is left to be done if even that fails.
        let _ = self.0.wait();
    }
}
