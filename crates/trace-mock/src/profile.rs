//! Engines by name: YAML → [`Cost`] and [`Limits`].
//!
//! A profile says what an engine costs, or the facts of its model and its GPUs from which that
//! follows. Prefill is bound by arithmetic, decode by memory:
//!
//! ```text
//! a = 2 · parameters / (tflops · gpus · prefill_efficiency)
//! b = step_overhead + parameters · weight_bytes / (bandwidth · gpus · decode_efficiency)
//! d = 2 · layers · kv_heads · head_dim · kv_bytes / (bandwidth · gpus · decode_efficiency)
//! cache = (memory · gpus · memory_share − weights) / bytes of a token's keys and values
//! ```
//!
//! The facts are published: the shape of a model, from which its parameters are counted, and the
//! memory, bandwidth and dense arithmetic of a GPU's data sheet; each built-in profile says where
//! its own are from. The efficiencies, overheads and c are
//! assumptions that a profile may replace, round numbers that nobody has measured here. Whoever has
//! measured better fits a profile to it.

use serde::Deserialize;

use crate::engine::{Cost, Jitter, Limits};

/// An engine, as its file has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// For people.
    pub model: Option<String>,
    /// For people.
    pub gpu: Option<String>,
    /// What the costs follow from.
    pub facts: Option<Facts>,
    /// The costs themselves; they win over the facts.
    pub costs: Option<Cost>,
    /// Sequences that run at once, 256 if not said.
    pub max_num_seqs: Option<u64>,
    /// Tokens of a step, 8192 if not said.
    pub max_num_batched_tokens: Option<u64>,
    /// Tokens that the KV cache holds; from the facts if not said.
    pub kv_cache_tokens: Option<u64>,
    /// How times scatter.
    pub jitter: Option<String>,
}

/// Facts of a model and of the GPUs that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Parameters that a token passes through.
    pub parameters: f64,
    /// Layers with attention.
    pub layers: u64,
    /// Heads of keys and values, in each layer.
    pub kv_heads: u64,
    /// Numbers of a head.
    pub head_dim: u64,
    /// Bytes of a parameter.
    pub weight_bytes: f64,
    /// Bytes of a number in the KV cache.
    pub kv_bytes: f64,
    /// GPUs that share each layer.
    pub gpus: f64,
    /// Memory of a GPU, in 10⁹ bytes.
    pub memory_gb: f64,
    /// Its bandwidth, in 10⁹ bytes per second.
    pub bandwidth_gb_s: f64,
    /// Its dense arithmetic in the type of the weights, in 10¹² operations per second.
    pub tflops: f64,
    /// Share of that arithmetic that prefill comes to.
    #[serde(default = "half")]
    pub prefill_efficiency: f64,
    /// Share of the bandwidth that decode comes to.
    #[serde(default = "three_quarters")]
    pub decode_efficiency: f64,
    /// Share of the memory that is used, vLLM's `gpu_memory_utilization`.
    #[serde(default = "nine_tenths")]
    pub memory_share: f64,
    /// Time of a request before and after the engine: HTTP, tokenizing.
    #[serde(default = "five")]
    pub overhead_ms: f64,
    /// Time of a step besides reading weights: launches, sampling, scheduling.
    #[serde(default = "one")]
    pub step_overhead_ms: f64,
    /// c: time of a step for each of its sequences.
    #[serde(default = "hundredth")]
    pub sequence_ms: f64,
}

const fn half() -> f64 {
    0.5
}
const fn three_quarters() -> f64 {
    0.75
}
const fn nine_tenths() -> f64 {
    0.9
}
const fn five() -> f64 {
    5.0
}
const fn one() -> f64 {
    1.0
}
const fn hundredth() -> f64 {
    0.01
}

impl Facts {
    /// The costs that follow.
    pub fn cost(&self) -> Cost {
        let arithmetic = self.tflops * 1e12 * self.gpus * self.prefill_efficiency;
        let bandwidth = self.bandwidth_gb_s * 1e9 * self.gpus * self.decode_efficiency;
        Cost {
            overhead_ms: self.overhead_ms,
            prefill_token_ms: 2.0 * self.parameters / arithmetic * 1e3,
            step_ms: self.step_overhead_ms + self.weights() / bandwidth * 1e3,
            sequence_ms: self.sequence_ms,
            context_token_ms: self.token_bytes() / bandwidth * 1e3,
        }
    }

    /// Tokens that the KV cache holds.
    pub fn kv_cache_tokens(&self) -> u64 {
        let memory = self.memory_gb * 1e9 * self.gpus * self.memory_share - self.weights();
        // The cast saturates: none where the weights do not fit.
        (memory / self.token_bytes()) as u64
    }

    fn weights(&self) -> f64 {
        self.parameters * self.weight_bytes
    }

    /// Bytes of the keys and values of a token.
    fn token_bytes(&self) -> f64 {
        2.0 * (self.layers * self.kv_heads * self.head_dim) as f64 * self.kv_bytes
    }
}

/// The profiles that are built in.
const BUILT_IN: [(&str, &str); 4] = [
    (
        "a100-llama-3.1-8b",
        include_str!("../profiles/a100-llama-3.1-8b.yaml"),
    ),
    (
        "h100-llama-3.1-8b",
        include_str!("../profiles/h100-llama-3.1-8b.yaml"),
    ),
    (
        "4xh100-llama-3.1-70b",
        include_str!("../profiles/4xh100-llama-3.1-70b.yaml"),
    ),
    (
        "2xh200-llama-3.1-70b",
        include_str!("../profiles/2xh200-llama-3.1-70b.yaml"),
    ),
];

impl Profile {
    /// The profile of this name, or in the file of this path.
    ///
    /// # Errors
    /// There is neither, or the file is no profile.
    pub fn load(name: &str) -> Result<Profile, String> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Profile::parse(name, text);
        }
        let text = std::fs::read(name).map_err(|err| {
            let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            let err = trace_core::in_words(&err);
            format!(
                "cannot open {name}: {err}; a profile is a FILE or one of {}",
                names.join(", ")
            )
        })?;
        let text =
            String::from_utf8(text).map_err(|err| format!("{name}: not a profile: {err}"))?;
        Profile::parse(name, &text)
    }

    /// The profile in `text`, called `name` in errors.
    ///
    /// # Errors
    /// `NAME:LINE:COLUMN: what is wrong`.
    pub fn parse(name: &str, text: &str) -> Result<Profile, String> {
        let profile: Profile = serde_saphyr::from_str(text).map_err(|err| {
            let at = err.location().map_or(String::new(), |at| {
                format!(":{}:{}", at.line(), at.column())
            });
            let reason = err.without_snippet().to_string();
            format!(
                "{name}{at}: {}",
                reason.lines().next().unwrap_or("not a profile")
            )
        })?;
        let wrong = |reason: String| format!("{name}: {reason}");
        profile.cost().map_err(wrong)?.check().map_err(wrong)?;
        profile.jitter().map_err(wrong)?;
        for (name, limit) in [
            ("max_num_seqs", profile.max_num_seqs),
            ("max_num_batched_tokens", profile.max_num_batched_tokens),
        ] {
            if limit == Some(0) {
                return Err(wrong(format!("{name} is 0")));
            }
        }
        if profile.kv_cache_tokens() == Some(0) {
            return Err(wrong("the weights leave no memory for a KV cache".into()));
        }
        Ok(profile)
    }

    /// What its steps take.
    ///
    /// # Errors
    /// It has neither costs nor facts.
    pub fn cost(&self) -> Result<Cost, String> {
        let facts = self.facts.as_ref().map(Facts::cost);
        self.costs
            .or(facts)
            .ok_or_else(|| "it has neither `costs` nor `facts`".to_owned())
    }

    /// How its times scatter.
    ///
    /// # Errors
    /// What it says is no distribution.
    pub fn jitter(&self) -> Result<Jitter, String> {
        self.jitter.as_deref().map_or(Ok(Jitter::None), str::parse)
    }

    fn kv_cache_tokens(&self) -> Option<u64> {
        let facts = self.facts.as_ref().map(Facts::kv_cache_tokens);
        self.kv_cache_tokens.or(facts)
    }

    /// What bounds its batches, with blocks of so many tokens.
    pub fn limits(&self, block_size: u64) -> Limits {
        let limits = Limits::default();
        let blocks = self
            .kv_cache_tokens()
            .map(|tokens| (tokens / block_size).max(1));
        Limits {
            sequences: self.max_num_seqs.unwrap_or(limits.sequences),
            tokens: self.max_num_batched_tokens.unwrap_or(limits.tokens),
            blocks: blocks.unwrap_or(limits.blocks),
            block_size,
            ..limits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_are_sensible() {
        for (name, _) in BUILT_IN {
            let profile = Profile::load(name).unwrap();
            let cost = profile.cost().unwrap();
            // A token alone takes some milliseconds, a prompt token some dozen microseconds.
            assert!((4.0..30.0).contains(&cost.step_ms), "{name}: {cost:?}");
            assert!(
                (0.02..0.2).contains(&cost.prefill_token_ms),
                "{name}: {cost:?}"
            );
            assert!(cost.context_token_ms < 1e-3, "{name}: {cost:?}");
            assert!(profile.limits(16).blocks > 10_000, "{name}");
        }
    }

    #[test]
    fn the_built_in_profiles_are_as_the_schema_says() {
        let schema = include_str!("../../../schemas/profile.schema.json");
        let schema = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (name, text) in BUILT_IN {
            let json: serde_json::Value = serde_saphyr::from_str(text).unwrap();
            validator
                .validate(&json)
                .unwrap_or_else(|err| panic!("{name}: {err}"));
        }
        let neither = serde_json::json!({"model": "x"});
        assert!(!validator.is_valid(&neither));
    }

    #[test]
    fn costs_follow_from_the_facts() {
        let facts = Profile::load("h100-llama-3.1-8b").unwrap().facts.unwrap();
        let cost = facts.cost();
        // 16.06 GB at 3350 · 0.75 GB/s, and 1 ms.
        assert!((cost.step_ms - 7.392).abs() < 0.001, "{cost:?}");
        // 16.06 GFLOP at 494.5 TFLOPS.
        assert!((cost.prefill_token_ms - 0.032_477).abs() < 1e-6, "{cost:?}");
        // 131,072 bytes at 2512.5 GB/s.
        assert!((cost.context_token_ms - 52.168e-6).abs() < 1e-9, "{cost:?}");
        assert_eq!(facts.kv_cache_tokens(), 426_788);
    }

    #[test]
    fn parameters_follow_from_the_shape_of_the_model() {
        // Words in and out, attention with 8 of its heads for keys and values, what is behind it,
        // and norms.
        let shape = |hidden: u64, layers: u64, inner: u64| {
            let attention = 2 * hidden * hidden + 2 * hidden * 1_024;
            let layer = attention + 3 * hidden * inner + 2 * hidden;
            2 * 128_256 * hidden + layers * layer + hidden
        };
        for (name, parameters) in [
            ("a100-llama-3.1-8b", shape(4_096, 32, 14_336)),
            ("h100-llama-3.1-8b", shape(4_096, 32, 14_336)),
            ("4xh100-llama-3.1-70b", shape(8_192, 80, 28_672)),
            ("2xh200-llama-3.1-70b", shape(8_192, 80, 28_672)),
        ] {
            let facts = Profile::load(name).unwrap().facts.unwrap();
            let ratio = facts.parameters / parameters as f64;
            assert!((ratio - 1.0).abs() < 1e-4, "{name}: {parameters}");
        }
    }

    #[test]
    fn costs_and_limits_may_be_given_instead() {
        let text = "costs: {step_ms: 7, prefill_token_ms: 0.1}\nmax_num_seqs: 9\njitter: normal:0.1\nkv_cache_tokens: 64\n";
        let profile = Profile::parse("p", text).unwrap();
        assert_eq!(profile.cost().unwrap().step_ms, 7.0);
        assert_eq!(profile.jitter(), Ok(Jitter::Normal(0.1)));
        assert_eq!(
            (profile.limits(16).sequences, profile.limits(16).blocks),
            (9, 4)
        );
    }

    #[test]
    fn an_error_says_where() {
        let error = |text| Profile::parse("p.yaml", text).unwrap_err();
        let unknown = error("costs:\n  step_ms: 1\n  setp_ms: 2\n");
        assert!(unknown.starts_with("p.yaml:3:"), "{unknown}");
        assert!(
            unknown.contains("setp_ms") && unknown.lines().count() == 1,
            "{unknown}"
        );
        assert!(error("costs: {step_ms: 1}\nmax_num_seqs: 0\n").contains("max_num_seqs is 0"));
        assert!(error("model: x\n").contains("neither `costs` nor `facts`"));
        assert!(error("costs: {step_ms: -1}\n").contains("step_ms is -1"));
        assert!(error("\u{89}PNG\r\n").starts_with("p.yaml"));
        assert!(
            Profile::load("nothing-here")
                .unwrap_err()
                .contains("one of a100")
        );
    }
}
