//! Sessions as flags: turns, think time, growing context, tools.

use anyhow::Context;
use clap::value_parser;
use trace_core::parse_duration;

use crate::args::{TraceArgs, parse_share};
use crate::conversation::{Pace, Service};
use crate::dist::{self, Dist};
use crate::empirical::Field;
use crate::length::MAX_TOKENS;
use crate::script::{MAX_TURNS, Script};
use crate::tools::{MAX_TOOLS, Tools};

const HEADING: &str = "Sessions";

/// Flags that make requests turns of sessions.
#[derive(Clone, Debug, clap::Args)]
pub struct SessionArgs {
    /// Sessions of this many turns (at most 100000), each of whose prompts is
    /// the whole conversation: the prompt and the response before, and then
    /// something new
    #[arg(long, value_name = "DIST", value_parser = parse_turns)]
    #[arg(allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub sessions: Option<Dist>,

    /// From a response to the next turn: the field delay
    #[arg(long, value_name = "TIMES", value_parser = dist::parse_times, default_value = "0")]
    #[arg(requires = "sessions", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub think_time: Dist,

    /// Tokens that a turn after the first adds to the conversation, its answer
    /// not counted [default: as --input-length]
    #[arg(long, value_name = "DIST", value_parser = dist::parse_input)]
    #[arg(requires = "sessions", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub turn_length: Option<Dist>,

    /// End a session before a prompt and its response together have more
    /// tokens than this; a first prompt is cut to it
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(2..=MAX_TOKENS))]
    #[arg(requires = "sessions", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub max_context: Option<u64>,

    /// How long a response is expected to take, such as 300ms+20ms: so long
    /// and so much more for each of its tokens. A later turn's timestamp is
    /// the one before + this + the delay: the earliest it may leave
    #[arg(long, value_name = "TIME[+PER_TOKEN]", value_parser = parse_service, default_value = "0")]
    #[arg(requires = "sessions", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub service_time: Service,

    /// What arrives
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Pace::Sessions)]
    #[arg(requires = "sessions")]
    #[arg(help_heading = HEADING)]
    pub arrivals_are: Pace,

    /// Agents: a turn plans, calls this many tools in parallel (at most 10000),
    /// and follows up with what they said when the last is done: two requests
    #[arg(long, value_name = "DIST", value_parser = |text: &str| dist::parse_up_to(text, MAX_TOOLS))]
    #[arg(requires = "sessions", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub tools: Option<Dist>,

    /// How long an attempt of a tool takes
    #[arg(long, value_name = "TIMES", value_parser = dist::parse_times)]
    #[arg(
        default_value = "uniform:100ms..500ms",
        requires = "tools",
        allow_negative_numbers = true
    )]
    #[arg(help_heading = HEADING)]
    pub tool_latency: Dist,

    /// Tokens that a tool's result adds to the follow-up
    #[arg(long, value_name = "DIST", value_parser = dist::parse_input, default_value = "64")]
    #[arg(requires = "tools", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub tool_result: Dist,

    /// Share of attempts that fail and are tried again
    #[arg(long, value_name = "SHARE", value_parser = parse_share, default_value_t = 0.0)]
    #[arg(requires = "tools", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub tool_failure: f64,

    /// Attempts at most after a tool's first; the last one never fails
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(0..=1000))]
    #[arg(default_value_t = 1, requires = "tools", allow_negative_numbers = true)]
    #[arg(help_heading = HEADING)]
    pub tool_retries: u64,
}

/// More about sessions, for `--help`.
pub const NOTES: &str = "\
Sessions: an arrival opens a session, so --rate, --requests and curves count
sessions, and turns that are due later come on top, also after --duration. With
--arrivals-are requests they count requests: an arrival is the turn that is due
longest, or opens a session if none is due, and what is open at the end is cut
off. Lines have session_id, turn (from 0) and delay; agents' also phase (plan or
follow_up), tool_calls and tool_retries. trace-send sends a turn at the later of its
timestamp and the end of the one before + delay. Memory holds the sessions that
have a turn to come, some hundred bytes each and 40 for each of its turns.";

fn parse_turns(text: &str) -> Result<Dist, String> {
    let turns = dist::parse_up_to(text, MAX_TURNS)?;
    if turns.least() == 0 {
        return Err("a session has at least 1 turn".to_owned());
    }
    Ok(turns)
}

fn parse_service(text: &str) -> Result<Service, String> {
    let (base, per_token) = text.split_once('+').unwrap_or((text, "0"));
    Ok(Service {
        base: parse_duration(base)?,
        per_token: parse_duration(per_token)?,
    })
}

impl SessionArgs {
    /// How conversations go on; nothing if there are none.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn script(&self, trace: &TraceArgs) -> anyhow::Result<Option<Script>> {
        let Some(sessions) = &self.sessions else {
            return Ok(None);
        };
        let streams = trace.streams();
        let open = |dist: &Dist, field, flag: &'static str| {
            let length = dist.open(field).context(flag)?;
            anyhow::Ok((length, streams.stream(flag.trim_start_matches('-'))))
        };
        let added = match &self.turn_length {
            Some(dist) => Some(open(dist, Field::Added, "--turn-length")?),
            None => None,
        };
        let tools = match &self.tools {
            None => None,
            Some(tools) => Some(Tools {
                count: open(tools, Field::Untold("tools"), "--tools")?,
                latency: open(
                    &self.tool_latency,
                    Field::Untold("times of tools"),
                    "--tool-latency",
                )?,
                result: open(
                    &self.tool_result,
                    Field::Untold("results of tools"),
                    "--tool-result",
                )?,
                failure: self.tool_failure,
                retries: self.tool_retries,
                luck: streams.stream("tool-failure"),
            }),
        };
        Ok(Some(Script {
            turns: open(sessions, Field::Turns, "--sessions")?,
            think: open(&self.think_time, Field::Delay, "--think-time")?,
            added,
            tools,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Micros;

    #[test]
    fn a_service_time_may_grow_with_the_response() {
        let service = parse_service("300ms+20ms").unwrap();
        assert_eq!(service.time(100), Micros::from_micros(2_300_000));
        assert_eq!(
            parse_service("1.5").unwrap().time(9),
            Micros::from_micros(1_500_000)
        );
        assert!(parse_service("a+b").is_err());
    }
}
