//! How a server is to behave.

use trace_core::Micros;

use crate::fault::Fault;

/// How a server is to behave. The default answers at once, on any free port of 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name or address to listen at.
    pub host: String,
    /// Port to listen at; 0 for any that is free.
    pub port: u16,
    /// From the arrival of a request to its first token.
    pub ttft: Micros,
    /// From each token to the next.
    pub itl: Micros,
    /// Tokens of an answer whose request does not say how many.
    pub output_tokens: u64,
    /// Models on offer. Any model that is asked for answers; the first answers if none is.
    pub models: Vec<String>,
    /// What goes wrong with every request that does not say otherwise.
    pub fault: Option<Fault>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            host: "127.0.0.1".into(),
            port: 0,
            ttft: Micros::ZERO,
            itl: Micros::ZERO,
            output_tokens: 16, // as the completions of OpenAI and vLLM
            models: vec!["mock".into()],
            fault: None,
        }
    }
}
