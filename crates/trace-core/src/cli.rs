//! Manners in a pipe: flags, files, exit codes and progress, the same in
//! every tool.

mod slo;

pub use self::slo::{SloClock, SloClockArg};

use crate::block::BLOCK_TOKENS;
use crate::error::in_words;
use crate::manual;
use crate::reader::Reader;
use crate::source::Source;
use anyhow::{Context, bail};
use clap::error::ErrorKind;
use clap::{Args, Parser};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Done.
pub const DONE: u8 = 0;
/// Done, and the answer is no.
pub const NO: u8 = 1;
/// Could not do it.
pub const FAILED: u8 = 2;
/// Stopped by ^C, after what was begun has been finished.
pub const INTERRUPTED: u8 = 130;

/// Parse the command line, run the tool, and say how it went.
///
/// `run` returns one of the codes above. An error is printed in one line and
/// gives [`FAILED`]; one that comes from a reader that hung up is success.
/// `--man` and `--completions SHELL` are answered here.
pub fn main<A: Parser>(run: impl FnOnce(A) -> anyhow::Result<u8>) -> ExitCode {
    let command = A::command();
    let name = command.get_name().to_owned();
    let result = match pages::<A>(&name) {
        Some(printed) => printed.map(|()| DONE).map_err(Into::into),
        None => run(parse(&name)),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_hang_up(&error) => ExitCode::from(DONE),
        Err(error) => {
            crate::say!("{name}: {}", in_words(&format!("{error:#}")));
            ExitCode::from(FAILED)
        }
    }
}

/// The arguments, or the exit that clap's help, version or errors ask for.
fn parse<A: Parser>(name: &str) -> A {
    let also = format!(
        "{name} --man prints the manual page, {name} --completions SHELL a completion script."
    );
    let mut command = A::command();
    let after = match command.get_after_help() {
        Some(examples) => format!("{examples}\n\n{also}"),
        None => also,
    };
    command = command.after_help(after);
    let parsed = command
        .try_get_matches()
        .and_then(|matches| A::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| {
        if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        {
            crate::say!("{name}: {}", in_one_line(&error));
            std::process::exit(FAILED.into());
        }
        error.exit()
    })
}

/// What clap says of wrong arguments in several lines as one, without the usage.
pub fn in_one_line(error: &clap::Error) -> String {
    usage_error(&error.render().to_string())
}

fn usage_error(text: &str) -> String {
    let end = text
        .find("\nUsage:")
        .or_else(|| text.find("\nFor more information"));
    let said = text[..end.unwrap_or(text.len())]
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let said: Vec<_> = said
        .map(|line| line.trim_start_matches("error: "))
        .collect();
    // A list of missing flags follows its colon; a tip is a sentence of its own.
    let line = said.join("; ").replace(":; ", ": ");
    format!("{line} (see --help)")
}

/// The manual page or a completion script, if that is what was asked.
fn pages<A: Parser>(name: &str) -> Option<io::Result<()>> {
    let asked: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut page = Vec::new();
    match asked.as_slice() {
        [man] if man == "--man" => {
            if let Err(error) = manual::write(A::command(), &mut page) {
                return Some(Err(error));
            }
        }
        [completions, shell] if completions == "--completions" => {
            let shell: clap_complete::Shell = match shell.to_string_lossy().parse() {
                Ok(shell) => shell,
                Err(_) => {
                    let shells = "expected bash, elvish, fish, powershell or zsh";
                    let reason = format!("--completions {}: {shells}", shell.display());
                    return Some(Err(io::Error::new(io::ErrorKind::InvalidInput, reason)));
                }
            };
            clap_complete::generate(shell, &mut A::command(), name, &mut page);
        }
        _ => return None,
    }
    Some(io::stdout().write_all(&page))
}

/// Whether the error says that whoever reads our output has gone.
pub fn is_hang_up(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The traces to read.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Traces to read as one stream; `-` or none is stdin, NAME=FILE sets the
    /// field `source` to NAME on every line of FILE
    ///
    /// Gzip and zstd are recognised by content.
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,

    /// Go on past lines that cannot be read, and report their number
    #[arg(long)]
    pub skip_invalid: bool,
}

impl InputArgs {
    /// The reader over those files, one after the other.
    ///
    /// # Errors
    /// A file that is missing, and a terminal where a trace should be.
    pub fn open(&self) -> anyhow::Result<Reader<'static>> {
        Ok(Reader::over(self.sources()?).skip_invalid(self.skip_invalid))
    }

    /// A reader for each of those files.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_each(&self) -> anyhow::Result<Vec<Reader<'static>>> {
        let reader = |source| Reader::over([source]).skip_invalid(self.skip_invalid);
        Ok(self.sources()?.into_iter().map(reader).collect())
    }

    /// Let ^C end what feeds our stdin, not us.
    ///
    /// ^C goes to every tool of a pipe. The sender at its head stops sending,
    /// drains and ends; a tool behind it that died at once would lose what was
    /// measured. So when stdin is read, the first ^C is left to the others and
    /// the input is read to its end; the second ends this tool too.
    ///
    /// # Errors
    /// A system that does not let signals be handled.
    pub fn outlast_interrupt(&self) -> io::Result<()> {
        use signal_hook::{consts::SIGINT, flag};
        let is_stdin = |file: &String| file == "-" || file.ends_with("=-");
        if !self.files.is_empty() && !self.files.iter().any(is_stdin) {
            return Ok(());
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        // In this order: a signal ends the tool only if one came before.
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&interrupted))?;
        flag::register(SIGINT, interrupted)?;
        Ok(())
    }

    /// Those files, not yet opened.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn sources(&self) -> anyhow::Result<Vec<Source<'static>>> {
        if self.files.iter().filter(|file| *file == "-").count() > 1 {
            bail!("`-` stands for stdin, which can be read only once");
        }
        let named: Vec<&str> = match self.files.as_slice() {
            [] => vec!["-"],
            files => files.iter().map(String::as_str).collect(),
        };
        named.into_iter().map(source).collect()
    }
}

/// Say on stderr how many lines `input` skipped, if any.
pub fn report_skipped(tool: &str, input: &Reader<'_>) {
    if let Some(first) = input.first_skipped() {
        crate::say!(
            "{tool}: skipped {} invalid lines, the first: {first}",
            input.skipped()
        );
    }
}

/// Whether that is the file that stdout is written to: with `>>` reading it
/// would never end.
#[cfg(unix)]
fn is_output(input: &std::fs::Metadata) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let output = stdout.and_then(|stdout| std::fs::File::from(stdout).metadata());
    let same = |output: std::fs::Metadata| {
        (output.dev(), output.ino()) == (input.dev(), input.ino()) && input.is_file()
    };
    output.is_ok_and(same)
}

#[cfg(not(unix))]
fn is_output(_: &std::fs::Metadata) -> bool {
    false
}

/// `-`, `FILE` or `NAME=FILE`.
fn source(argument: &str) -> anyhow::Result<Source<'static>> {
    let (tag, path) = match argument.split_once('=') {
        Some((tag, path)) if !tag.contains('/') && !Path::new(argument).exists() => {
            (Some(tag), path)
        }
        _ => (None, argument),
    };
    let source = if path == "-" {
        if io::stdin().is_terminal() {
            bail!("stdin is a terminal; pipe a trace in or name a FILE");
        }
        Source::stdin()
    } else {
        // Found missing now rather than after an hour of other files.
        let found = std::fs::metadata(path).with_context(|| format!("cannot open {path}"))?;
        if is_output(&found) {
            bail!("{path} is both an input and the output");
        }
        Source::file(path)
    };
    Ok(match tag {
        Some(tag) => source.tagged(tag),
        None => source,
    })
}

/// The seed of everything random.
#[derive(Debug, Clone, Copy, Args)]
pub struct SeedArg {
    /// Seed of everything random; the same flags and seed give the same bytes
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub seed: u64,
}

/// The size of a KV block.
#[derive(Debug, Clone, Copy, Args)]
pub struct BlockSizeArg {
    /// Tokens per KV block
    #[arg(long, value_name = "TOKENS", default_value_t = BLOCK_TOKENS, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub block_size: u64,
}

/// Standard output without a buffer: [`Writer`](crate::Writer) has one.
///
/// # Errors
/// When stdout cannot be had, as when it is closed.
#[cfg(unix)]
pub fn stdout() -> io::Result<impl Write + Send + 'static> {
    use std::os::fd::AsFd;
    // Rust's own handle looks for line ends in everything that is written.
    Ok(std::fs::File::from(
        io::stdout().as_fd().try_clone_to_owned()?,
    ))
}

/// Standard output.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn stdout() -> io::Result<impl Write + Send + 'static> {
    Ok(io::stdout())
}

/// A line on stderr that tells how far a long run is; on a terminal only, and
/// only once it has taken a second.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// Progress of `what`, towards `total` if that is known.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let count = if total.is_some() {
            "{human_pos}/{human_len}"
        } else {
            "{human_pos}"
        };
        // What is said is cut where the terminal ends.
        let template = format!("{{prefix}} {count} {{wide_msg}} {{elapsed}}");
        bar.set_style(ProgressStyle::with_template(&template).expect("the template is fixed"));
        bar.set_prefix(what);
        Self {
            bar,
            started: Instant::now(),
            shown: false,
        }
    }

    /// Set how much is done, and what else to say.
    pub fn set(&mut self, done: u64, message: impl Into<String>) {
        if !self.shown && self.started.elapsed() >= Duration::from_secs(1) {
            self.shown = true;
            self.bar.set_message(message.into());
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        } else if self.shown {
            self.bar.set_message(message.into());
        }
        self.bar.set_position(done);
    }

    /// Take the line off the terminal.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_is_one_line() {
        let text = "error: unexpected argument '--sped' found\n\n  tip: a similar argument exists: '--speed'\n\nUsage: trace-x [FILE]\n\nFor more information, try '--help'.\n";
        assert_eq!(
            usage_error(text),
            "unexpected argument '--sped' found; tip: a similar argument exists: '--speed' (see --help)"
        );
        let text = "error: the following required arguments were not provided:\n  --url <URL>\n\nUsage: x\n";
        assert_eq!(
            usage_error(text),
            "the following required arguments were not provided: --url <URL> (see --help)"
        );
    }

    #[test]
    fn a_reader_that_hung_up_is_found_under_context() {
        let error =
            anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write");
        assert!(is_hang_up(&error));
        assert!(!is_hang_up(&anyhow::Error::msg("other")));
    }
}
