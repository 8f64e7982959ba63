//! What an answer says where that is not the usual words: JSON, or calls of tools.

use std::ops::Range;

use serde_json::Value;
use trace_core::seed::unit;
use trace_prompt::Tokenizer;

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
    /// Calls of tools, whose arguments are all of it; none if it is no call.
    pub(crate) calls: Vec<Call>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The tool, a JSON string.
    pub(crate) name: String,
    /// The tokens that its arguments are.
    pub(crate) tokens: Range<u64>,
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
            stop: None,
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
        let called = self.called(wanted, number);
        if !called.is_empty() {
            return Some(calling(tokenizer, &called));
        }
        let schema = match &wanted.shape {
            Shape::Text => return None,
            Shape::Said(text) => {
                return Some(Speech {
                    script: Script::of(tokenizer, text),
                    calls: Vec::new(),
                });
            }
            Shape::Json(schema) => schema,
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
        Some(Speech {
            script,
            calls: Vec::new(),
        })
    }

    /// The tools that are called, one after the other: those on offer in turn, unless one is named.
    fn called<'a>(&self, wanted: &'a Wanted, number: u64) -> Vec<&'a Tool> {
        let count = match wanted.choice {
            Choice::Never => 0,
            Choice::Named(place) => return wanted.tools.get(place).into_iter().collect(),
            Choice::Maybe if !self.likes_tools(number) => 0,
            Choice::Maybe | Choice::Must if wanted.parallel => self.tool_calls,
            Choice::Maybe | Choice::Must => 1,
        };
        wanted.tools.iter().cycle().take(count).collect()
    }

    /// Whether the answer to the request of that `number` calls tools where it need not.
    fn likes_tools(&self, number: u64) -> bool {
        let chance = self.tool_call_rate;
        chance > 0.0 && unit(&mut self.streams.stream_of("mock.tools", number)) < chance
    }
}

/// Calls of `tools` with arguments as their schemas have them.
fn calling(tokenizer: &Tokenizer, tools: &[&Tool]) -> Speech {
    let mut script = Script::default();
    let mut calls = Vec::with_capacity(tools.len());
    for tool in tools {
        let Sample { before, after } = sample(tool.parameters.as_deref(), || Sample {
            before: "{}".into(),
            after: None,
        });
        let start = script.len();
        script.add(tokenizer, &(before + after.as_deref().unwrap_or_default()));
        calls.push(Call {
            name: quoted(&tool.name),
            tokens: start..script.len(),
        });
    }
    Speech { script, calls }
}

fn sample(schema: Option<&str>, without: impl FnOnce() -> Sample) -> Sample {
    match schema.and_then(|schema| serde_json::from_str::<Value>(schema).ok()) {
        Some(schema) => Sample::of(&schema),
        None => without(),
    }
}
