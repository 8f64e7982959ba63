//! What was typed.

use clap::Parser;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use trace_core::cli::SeedArg;

const EXAMPLES: &str = "\
Examples:
  trace-design | trace-synth curve - | trace-send --url http://localhost:8000
  trace-design curve.json --out curve.json --open
  trace-design --dir designs --port 8080
  trace-design --check curve.json | jq '.models[0].points'

The page is for this machine alone: it listens on 127.0.0.1, answers only to
that name, and opens no file but FILE, --out and plain names inside --dir.
Exit codes: 0 after Done, 130 after ^C (nothing is written then), 2 if it could
not be served or the curve could not be written.";

/// Draw traffic in the browser, and pipe it on
///
/// Serves a page on this machine, says its address on stderr, and ends when
/// Done is pressed there: then the curve file is written to stdout or --out.
/// A curve is requests per second over time, by model; `trace-synth curve`
/// makes a trace of it. The design is held in memory, 64 MiB at most; traces
/// are streamed, and what the page sends is measured as by trace-send.
#[derive(Clone, Debug, Parser)]
#[command(name = "trace-design", version, after_help = EXAMPLES)]
pub struct Args {
    /// The curve to begin with: a curve file or what the Traffic Designer
    /// saves; `-` is stdin
    #[arg(value_name = "FILE")]
    pub file: Option<String>,

    /// Write the curve to FILE instead of stdout
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    pub out: Option<PathBuf>,

    /// Port to listen at, or the next free one above it; 0 takes any
    #[arg(long, value_name = "PORT", default_value_t = 5000)]
    pub port: u16,

    /// Address to listen at; with other than a loopback address whoever reaches
    /// it and has the link can draw, save into --dir and send
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,

    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,

    /// Let the page load and save designs (NAME.json, NAME.pkl) in DIR, which
    /// also gets the outcomes of what it sends; else they are gone at the end,
    /// but for what the page downloads
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    pub dir: Option<PathBuf>,

    /// Serve no page: say what is wrong with FILE, else write it with its
    /// points in order of time; without FILE of stdin
    #[arg(long)]
    pub check: bool,

    /// Where randomness starts, for a design that does not say.
    #[command(flatten)]
    pub seed: SeedArg,

    /// Serve the page's files from DIR, for who works on them.
    #[arg(long, value_name = "DIR", hide = true)]
    pub assets: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_fit_together() {
        Args::command().debug_assert();
    }
}
