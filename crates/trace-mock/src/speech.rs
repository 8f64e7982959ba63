//! What an answer says where that is not the usual words: JSON, or the call of a tool.

use serde_json::Value;
use trace_core::seed::unit;

use crate::ask::{Choice, Shape, Tool, Wanted};
use crate::count::Order;
use crate::plan::{Plan, Reason};
use crate::reply::quoted;
use crate::schema::Sample;
use crate::script::Script;
use crate::service::Service;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Speech {
    pub(crate) script: Script,
    /// The tool whose arguments that are, a JSON string.
    pub(crate) call: Option<String>,
}

impl Speech {
    /// The plan of saying it, in `limit` tokens at most.
    pub(crate) fn plan(&self, limit: Option<u64>) -> Plan {
        let tokens = self.script.len();
        let cut = limit.filter(|limit| *limit < tokens);
        Plan {
            tokens: cut.unwrap_or(tokens),
            reason: cut.map_or(Reason::Stop, |_| Reason::Length),
            visible: u64::MAX,
        }
    }
}

impl Service {
    /// What to say to an order that wants more than words, the request of that `number`. JSON is as
    /// long as any answer: words fill it up.
    pub(crate) fn speech(
        &self,
        order: &Order,
        wanted: &Wanted,
        (default, number): (u64, u64),
    ) -> Option<Speech> {
        let tokenizer = &self.counter.tokenizer;
        if let Some(tool) = self.called(wanted, number) {
            let Sample { before, after } = sample(tool.parameters.as_deref(), || Sample {
                before: "{}".into(),
                after: None,
            });
            let text = before + after.as_deref().unwrap_or_default();
            return Some(Speech {
                script: Script::of(tokenizer, &text),
                call: Some(quoted(&tool.name)),
            });
        }
        let Shape::Json(schema) = &wanted.shape else {
            return None;
        };
        let Sample { before, after } = sample(schema.as_deref(), Sample::object);
        let after = after.as_deref();
        let least = Script::filled(tokenizer, &before, 0, after.unwrap_or_default());
        let words = order
            .ask
            .limit
            .unwrap_or(default)
            .saturating_sub(least.len());
        let script = match after {
            Some(after) if words > 0 => Script::filled(tokenizer, &before, words, after),
            _ => least,
        };
        Some(Speech { script, call: None })
    }

    /// The tool that is called, if one is.
    fn called<'a>(&self, wanted: &'a Wanted, number: u64) -> Option<&'a Tool> {
        match wanted.choice {
            Choice::Never => None,
            Choice::Must(place) => wanted.tools.get(place),
            Choice::Maybe => {
                let chance = self.tool_call_rate;
                let called = chance > 0.0
                    && unit(&mut self.streams.stream_of("mock.tools", number)) < chance;
                wanted.tools.first().filter(|_| called)
            }
        }
    }
}

fn sample(schema: Option<&str>, without: impl FnOnce() -> Sample) -> Sample {
    match schema.and_then(|schema| serde_json::from_str::<Value>(schema).ok()) {
        Some(schema) => Sample::of(&schema),
        None => without(),
    }
}
