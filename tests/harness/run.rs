//! What came of a pipe, and how a failure shows it.

use serde_json::Value;
use std::fmt;
use std::path::PathBuf;

/// What came of a pipe.
pub(crate) struct Run {
    /// What was typed.
    pub(super) command: String,
    /// Where, if not where the tests run.
    pub(super) dir: Option<PathBuf>,
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
