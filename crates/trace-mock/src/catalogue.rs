//! What is on offer, as Ollama and the metrics of adapters tell it.

use std::time::Instant;

use hyper::StatusCode;
use serde::Deserialize;

use crate::api::Quoted;
use crate::reply::{Refusal, quoted};
use crate::service::Service;
use crate::wire::ollama::date;

/// What Ollama tells of the insides of a model. There are none.
const DETAILS: &str = "{\"parent_model\":\"\",\"format\":\"gguf\",\"family\":\"mock\",\
    \"families\":[\"mock\"],\"parameter_size\":\"0B\",\"quantization_level\":\"none\"}";

impl Service {
    /// Ollama's list of models, which are all loaded.
    pub(crate) fn catalogue(&self) -> String {
        let modified = date(self.books.unix(self.ready_at));
        let model = |name: &String| {
            let name = quoted(name);
            format!(
                "{{\"name\":{name},\"model\":{name},\"modified_at\":\"{modified}\",\"size\":0,\
                 \"size_vram\":0,\"digest\":\"\",\"details\":{DETAILS}}}"
            )
        };
        let models: Vec<_> = self.models.names().iter().map(model).collect();
        format!("{{\"models\":[{}]}}", models.join(","))
    }

    /// What Ollama tells of the model that `body` names.
    pub(crate) fn show(&self, body: &[u8]) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(alias = "name")]
            model: String,
        }
        let named: Named = serde_json::from_slice(body)
            .map_err(|err| Refusal::bad(format!("cannot read the body: {err}")))?;
        if !self.models.names().contains(&named.model) {
            let reason = format!("model '{}' not found", named.model);
            return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
        }
        let modified = date(self.books.unix(self.ready_at));
        // A client that finds one takes it for a number.
        let length = self
            .max_model_len
            .map(|length| format!(",\"mock.context_length\":{length}"));
        let length = length.unwrap_or_default();
        Ok(format!(
            "{{\"modelfile\":\"\",\"parameters\":\"\",\"template\":\"\",\"details\":{DETAILS},\
             \"model_info\":{{\"general.architecture\":\"mock\"{length}}},\
             \"capabilities\":[\"completion\",\"tools\"],\"modified_at\":\"{modified}\"}}"
        ))
    }

    /// What text-generation-inference tells of itself.
    pub(crate) fn tgi_info(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let most = self
            .max_model_len
            .map_or("null".to_owned(), |most| most.to_string());
        format!(
            "{{\"model_id\":{},\"max_total_tokens\":{most},\"max_input_tokens\":{most},\
             \"router\":\"trace-mock\",\"version\":\"{version}\"}}",
            self.models.first
        )
    }

    /// vLLM's metric of how the KV cache is laid out, which routers read; nothing without an engine.
    pub(crate) fn cache_config(&self) -> String {
        let Some(limits) = self.limits else {
            return String::new();
        };
        let blocks = match limits.blocks {
            u64::MAX => "None".to_owned(), // as many as it takes
            blocks => blocks.to_string(),
        };
        let caching = if limits.prefix_caching {
            "True"
        } else {
            "False"
        };
        let name = "vllm:cache_config_info";
        format!(
            "# HELP {name} How the KV cache is laid out.\n# TYPE {name} gauge\n\
             {name}{{block_size=\"{}\",enable_prefix_caching=\"{caching}\",engine=\"0\",\
             num_gpu_blocks=\"{blocks}\"}} 1\n",
            limits.block_size,
        )
    }

    /// vLLM's metric of the adapters that are being asked; nothing, if there are none.
    pub(crate) fn adapters(&self) -> String {
        let adapters = self.models.adapters();
        if adapters.is_empty() {
            return String::new();
        }
        let named = |has: fn(&crate::engine::Gauges) -> bool| {
            let asked = adapters.iter().filter(|name| {
                let group = self.books.metrics.find(&quoted(name));
                group.is_some_and(|group| has(&self.gauges(group)))
            });
            asked.cloned().collect::<Vec<_>>().join(",")
        };
        let (running, waiting) = (
            named(|gauges| gauges.running > 0),
            named(|gauges| gauges.waiting > 0),
        );
        let name = "vllm:lora_requests_info";
        format!(
            "# HELP {name} Adapters that are being asked, at the time that is the value.\n\
             # TYPE {name} gauge\n\
             {name}{{max_lora=\"{}\",running_lora_adapters={},waiting_lora_adapters={}}} {}\n",
            adapters.len(),
            Quoted(&running),
            Quoted(&waiting),
            self.books.unix(Instant::now()).as_secs_f64(),
        )
    }
}
