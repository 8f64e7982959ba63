//! A span taken apart: what it tells of a request.

use super::attributes::Attributes;
use super::messages::{self, is_part};
use super::moment::Moment;
use crate::formats::member::object_of;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;

/// What a span tells of itself, beside its attributes.
const CARRIED: [&str; 13] = [
    "id",
    "trace_id",
    "traceId",
    "span_id",
    "spanId",
    "traceID",
    "spanID",
    "parent_span_id",
    "parentSpanId",
    "parent_id",
    "name",
    "operationName",
    "status",
];

/// Attributes that become fields.
const USED: [&str; 11] = [
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.conversation.id",
    "llm.model_name",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.usage.prompt_tokens",
    "llm.usage.completion_tokens",
];

/// A span of any export.
pub(super) struct Span<'a> {
    members: Members<'a>,
    /// Where the ids stand in some exports.
    context: Members<'a>,
    attributes: Attributes,
}

impl<'a> Span<'a> {
    /// The span that `bytes` are.
    ///
    /// # Errors
    /// Bytes that are none.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, String> {
        let members: Members<'_> =
            serde_json::from_slice(bytes).map_err(|error| format!("not a span: {error}"))?;
        Ok(Self {
            context: object_of(&members, "context")?,
            attributes: Attributes::of(&members)?,
            members,
        })
    }

    /// The model that was asked.
    pub(super) fn model(&self) -> Result<Option<String>, String> {
        self.attributes.text(&[
            "gen_ai.request.model",
            "gen_ai.response.model",
            "llm.model_name",
        ])
    }

    /// Tokens of the prompt.
    pub(super) fn input(&self) -> Result<Option<u64>, String> {
        self.attributes.whole(&[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
        ])
    }

    /// Tokens of the answer, or how many were asked for.
    pub(super) fn output(&self, report: &mut Report) -> Result<Option<u64>, String> {
        let output = self.attributes.whole(&[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "llm.usage.completion_tokens",
        ])?;
        let asked = self.attributes.whole(&["gen_ai.request.max_tokens"])?;
        report.count(
            Kind::Invented,
            "output lengths, from the max_tokens asked for",
            u64::from(output.is_none() && asked.is_some()),
        );
        Ok(output.or(asked))
    }

    /// The prompt, where it was recorded.
    pub(super) fn messages(&self, report: &mut Report) -> Option<Box<RawValue>> {
        messages::of(&self.attributes, report)
    }

    /// When it was.
    pub(super) fn moment(&self, report: &mut Report) -> Result<Option<Moment>, String> {
        Moment::of(&self.members, report)
    }

    /// The conversation it is of, or else its trace.
    pub(super) fn session(&self) -> Result<Option<String>, String> {
        let named = &["gen_ai.conversation.id", "session.id"];
        if let Some(session) = self.attributes.text(named)? {
            return Ok(Some(session));
        }
        if let Some(session) = self.attributes.ending("session.id") {
            return Ok(Some(session));
        }
        let mut trace = ["trace_id", "traceId", "traceID"].into_iter();
        Ok(trace.find_map(|name| super::attributes::text(self.own(name)?)))
    }

    /// What it tells of itself under `name`.
    fn own(&self, name: &str) -> Option<&'a [u8]> {
        self.members.get(name).or_else(|| self.context.get(name))
    }

    /// Put what became no field on the line.
    pub(super) fn carry(&self, record: &mut Record, has_messages: bool) {
        for name in CARRIED {
            if let Some(raw) = self.own(name) {
                record.add(name, raw);
            }
        }
        for (key, raw) in self.attributes.iter() {
            let used = USED.contains(&key) || (has_messages && is_part(key));
            if !used {
                record.add(key, raw);
            }
        }
    }
}
