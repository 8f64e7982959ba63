//! Whom to ask, and how to get there.

use super::values::positive_duration;
use crate::connect::Version;
use crate::endpoint::Endpoint;
use std::path::PathBuf;
use trace_core::time::{Micros, parse_duration};

/// Whom to ask, and how to get there.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Where to send: http://, https://, or mock: for a server inside
    ///
    /// A URL without a path, or with /v1 alone, gets the endpoint's own path.
    /// mock:?ttft=50ms&itl=10ms&tokens=64 sets the mock's times, and the length
    /// of answers that are not asked for one.
    #[arg(short, long, value_name = "URL", required_unless_present = "recipe")]
    pub url: Option<String>,

    /// What the server is asked for; by default as the URL's path says
    #[arg(long, value_name = "TYPE")]
    pub endpoint_type: Option<Endpoint>,

    /// Model of lines that name none; by default the first that /v1/models
    /// lists, else "default"
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,

    /// Environment variable that holds the key to send, as a bearer token or as
    /// the endpoint wants it. By default OPENAI_API_KEY, if it is set, and if
    /// the server is on this machine or is asked by https, which is said; empty
    /// for none
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,

    /// File that holds the key to send
    #[arg(long, value_name = "FILE", conflicts_with = "api_key_env")]
    pub api_key_file: Option<PathBuf>,

    /// A key, which is refused here: anybody on the machine can read what was
    /// typed.
    #[arg(long, value_name = "KEY", hide = true, num_args = 0..=1, default_missing_value = "")]
    pub api_key: Option<String>,

    /// Header field to send with every request; repeatable. @FILE takes every
    /// line of FILE for one, and keeps a secret out of the list of processes
    #[arg(
        short = 'H',
        long,
        value_name = "NAME: VALUE|@FILE",
        env = "TRACE_SEND_HEADER",
        hide_env_values = true
    )]
    pub header: Vec<String>,

    /// Header field that tells a request's session; empty for none
    #[arg(long, value_name = "NAME", default_value = "x-session-id")]
    pub session_header: String,

    /// Fail unless the server lists the model, --model or its own first; what
    /// lines name themselves is not looked up
    #[arg(long)]
    pub models_check: bool,

    /// Wait up to DURATION for the server to answer before the run begins
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub wait_ready: Option<Micros>,

    /// Longest time for one request, connecting included
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = positive_duration)]
    pub timeout: Micros,

    /// HTTP version
    #[arg(long, value_name = "VERSION", default_value = "1.1")]
    pub http: Version,

    /// Connect to the unix socket at PATH instead of the URL's host
    #[arg(long, value_name = "PATH")]
    pub unix_socket: Option<PathBuf>,

    /// Open a connection for every request; connect_ms is part of its times
    #[arg(long)]
    pub new_connections: bool,

    /// Do not check certificates
    #[arg(long)]
    pub insecure: bool,

    /// Trust the certificates in the PEM file FILE, too
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,

    /// Trust the system's certificates instead of Mozilla's
    #[arg(long)]
    pub native_certs: bool,

    /// Time to first token of mock:
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub mock_ttft: Option<Micros>,

    /// Time between tokens of mock:
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub mock_itl: Option<Micros>,
}
