//! How a server is to behave.

use std::path::PathBuf;

use trace_core::{BLOCK_TOKENS, Micros};
use trace_prompt::Name;

use crate::engine::{Cost, Jitter, Limits};
use crate::fault::Faults;
use crate::origins::Origins;
use crate::turn::KeepAlive;

/// How a server is to behave. The default answers at once, on any free port of 127.0.0.1, and
/// counts tokens as o200k does.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Name or address to listen at.
    pub host: String,
    /// Port to listen at; 0 for any that is free.
    pub port: u16,
    /// From the arrival of a request to its first token, where there is no engine.
    pub ttft: Micros,
    /// From each token to the next, where there is no engine.
    pub itl: Micros,
    /// How every `ttft` and `itl` scatters.
    pub jitter: Jitter,
    /// Paces tokens instead of `ttft` and `itl`.
    pub engine: Option<Model>,
    /// Tokens of an answer whose request does not say how many.
    pub output_tokens: u64,
    /// Chance at each token that an answer ends by itself, unless the request ignores that.
    pub eos_rate: f64,
    /// Chance that a tool is called where the request leaves that to the server.
    pub tool_call_rate: f64,
    /// Calls of an answer that calls tools.
    pub tool_calls: u32,
    /// Pages that browsers may let ask.
    pub origins: Origins,
    /// Most tokens of a prompt and its answer together.
    pub max_model_len: Option<u64>,
    /// Numbers of an embedding whose request does not say how many.
    pub embedding_dimensions: u64,
    /// Models on offer. The first answers if none is asked for.
    pub models: Vec<String>,
    /// Adapters on offer, which are asked for like models.
    pub adapters: Vec<Adapter>,
    /// Whether a model that is not on offer is refused; else any answers.
    pub strict_models: bool,
    /// Keys one of which a request must have; none are needed if there are none.
    pub api_keys: Vec<String>,
    /// How long it takes to become ready: until then it is not, and answers 503.
    pub startup_delay: Micros,
    /// How long connections are kept between requests.
    pub keep_alive: KeepAlive,
    /// Speak TLS as this one, if it is said.
    pub tls: Option<Identity>,
    /// A server that answers instead; see [`crate`].
    pub upstream: Option<Forward>,
    /// What goes wrong.
    pub faults: Faults,
    /// What chance is drawn from.
    pub seed: u64,
    /// Counts tokens.
    pub tokenizer: Name,
    /// How requests are written down.
    pub record: Recording,
}

/// Who the server is, to clients that speak TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A PEM file with its certificate, and those up to a root.
    pub certificate: PathBuf,
    /// A PEM file with the key of it.
    pub key: PathBuf,
}

/// A LoRA adapter: a name on top of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// What it is asked for by.
    pub name: String,
    /// The model that it adapts; the first on offer if not said.
    pub base: Option<String>,
}

impl std::str::FromStr for Adapter {
    type Err = String;

    /// `NAME`, or `NAME=BASE`.
    fn from_str(text: &str) -> Result<Adapter, String> {
        let (name, base) = match text.split_once('=') {
            Some((name, base)) => (name, Some(base.to_owned())),
            None => (text, None),
        };
        if name.is_empty() || base.as_deref() == Some("") {
            return Err("an adapter is NAME or NAME=MODEL".into());
        }
        Ok(Adapter {
            name: name.to_owned(),
            base,
        })
    }
}

/// Where requests go on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// URL of the server, `http` or `https`.
    pub url: String,
    /// A PEM file of certificates to trust besides Mozilla's.
    pub ca: Option<PathBuf>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// Look for bytes without sleeping for so long after the last came, zero for never. Unless
    /// said, 100 ms where there is more than one core.
    pub busy_poll: Option<Micros>,
}

impl Forward {
    /// On to `url`, trusting whom browsers trust.
    pub fn to(url: &str) -> Forward {
        Forward {
            url: url.to_owned(),
            ca: None,
            insecure: false,
            busy_poll: None,
        }
    }
}

/// A model of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Model {
    /// What its steps take.
    pub cost: Cost,
    /// What bounds its batches.
    pub limits: Limits,
    /// How its times scatter.
    pub jitter: Jitter,
}

/// How requests are written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Whether lines have `hash_ids`.
    pub hash_ids: bool,
    /// Tokens of a block, also of the engine's cache.
    pub block_size: u64,
    /// Makes ids hashes under this key, instead of numbers in first-seen order.
    pub salt: Option<[u8; 16]>,
    /// Header that names the session.
    pub session_header: String,
    /// Whether requests without that header are put into sessions by what their prompts share.
    pub sessions_by_prefix: bool,
    /// Whether prompts are written too.
    pub keep_text: bool,
}

impl Default for Recording {
    fn default() -> Recording {
        Recording {
            hash_ids: true,
            block_size: BLOCK_TOKENS,
            salt: None,
            session_header: "x-session-id".into(),
            sessions_by_prefix: false,
            keep_text: false,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            host: "127.0.0.1".into(),
            port: 0,
            ttft: Micros::ZERO,
            itl: Micros::ZERO,
            jitter: Jitter::None,
            engine: None,
            output_tokens: 16, // as the completions of OpenAI and vLLM
            eos_rate: 0.0,
            tool_call_rate: 0.0,
            tool_calls: 1,
            origins: Origins::Any,
            max_model_len: None,
            embedding_dimensions: 768,
            models: vec!["mock".into()],
            adapters: Vec::new(),
            strict_models: false,
            api_keys: Vec::new(),
            startup_delay: Micros::ZERO,
            keep_alive: KeepAlive::default(),
            tls: None,
            upstream: None,
            faults: Faults::default(),
            seed: 0,
            tokenizer: Name::O200k,
            record: Recording::default(),
        }
    }
}
