//! OpenTelemetry spans of LLM calls, by the GenAI conventions.
//!
//! `{"spans": […]}`, an array or lines of spans, and OTLP's own JSON. A span
//! with token counts or messages becomes a request: its start, its lengths, its
//! messages where they were recorded. Its other attributes stay on the line.

use crate::args::Args;
use crate::clock::{Clock, TimeUnit, date, decimal};
use crate::elements::Elements;
use crate::format::{Decode, Format};
use crate::history::History;
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::sync::Arc;
use trace_core::{Error, Field, LineError, SessionId};

/// Spans with `gen_ai.*` attributes.
pub(crate) static FORMAT: Format = Format {
    name: "otel",
    about: "OpenTelemetry GenAI spans, as an export or one per line",
    detect: |head| {
        head.has("resourceSpans.scopeSpans.spans.traceId")
            || head.has("spans.span_id")
            || head.has("spans.spanId")
            || ((head.has("span_id") || head.has("spanId")) && head.has("attributes"))
    },
    needs: "spans[] with span_id, start_time and attributes",
    decoder: |args: &Args| {
        Ok(Box::new(Otel {
            clock: args.clock(),
            history: args.invents_ids().then(|| History::new(args.block_size())),
            elements: None,
            tag: None,
            waiting: VecDeque::new(),
        }))
    },
};

struct Otel {
    clock: Clock,
    history: Option<History>,
    elements: Option<Elements>,
    tag: Option<String>,
    /// Spans of an object that held several.
    waiting: VecDeque<Box<RawValue>>,
}

impl Decode for Otel {
    fn open(&mut self, input: Opened, _: &mut Report) -> anyhow::Result<()> {
        let elements = Elements::new(&input.name, input.bytes);
        // A pretty-printed export is one object as long as the file; its spans
        // are taken one at a time.
        let inside = input.head.has("spans.span_id") || input.head.has("spans.spanId");
        let array = matches!(input.head, crate::head::Head::Json { array: true, .. });
        self.elements = Some(if inside && !array {
            elements.inside("spans")
        } else {
            elements
        });
        self.tag = input.tag;
        Ok(())
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        loop {
            let Some(mut elements) = self.elements.take() else {
                return Ok(false);
            };
            let place = (elements.name().clone(), elements.began());
            let result = match self.waiting.pop_front() {
                Some(span) => self
                    .span(span.get().as_bytes(), &place, record, report)
                    .map_err(Error::from),
                None => self.element(&mut elements, record, report),
            };
            self.elements = Some(elements);
            match result? {
                Found::Request => return Ok(true),
                Found::Nothing => {}
                Found::End => return Ok(false),
            }
        }
    }

    fn has_clock(&self) -> bool {
        true
    }
}

enum Found {
    Request,
    Nothing,
    End,
}

/// A file and a line in it.
type Place = (Arc<str>, u64);

impl Otel {
    fn element(
        &mut self,
        elements: &mut Elements,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<Found, Error> {
        let Some(bytes) = elements.next()?.map(<[u8]>::to_vec) else {
            return Ok(Found::End);
        };
        let members: Members<'_> =
            serde_json::from_slice(&bytes).map_err(|error| elements.json_error(&error))?;
        let mut spans = Vec::new();
        collect(&members, &mut spans).map_err(|error| elements.json_error(&error))?;
        if spans.is_empty() {
            let place = (elements.name().clone(), elements.began());
            return Ok(self.span(&bytes, &place, record, report)?);
        }
        self.waiting.extend(spans);
        Ok(Found::Nothing)
    }

    /// Make a request of a span, if it is one of a model.
    fn span(
        &mut self,
        bytes: &[u8],
        (name, line): &Place,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<Found, LineError> {
        record.begin(name, *line);
        let members: Members<'_> = serde_json::from_slice(bytes)
            .map_err(|error| record.error(format!("not a span: {error}")))?;
        let attributes = Attributes::of(&members);
        let model = attributes.text(&["gen_ai.request.model", "gen_ai.response.model"]);
        let input = attributes.whole(&[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
        ]);
        let messages = attributes.json_array(&["gen_ai.input.messages", "gen_ai.prompt"]);
        if input.is_none() && messages.is_none() {
            let reason = if model.is_some() {
                "spans of a model without token counts or messages"
            } else {
                "spans that are no call of a model"
            };
            report.count(Kind::Dropped, reason, 1);
            return Ok(Found::Nothing);
        }
        let start = time(
            &members,
            &[
                "start_time",
                "startTimeUnixNano",
                "startTime",
                "start_time_unix_nano",
            ],
        );
        if let Some(start) = start {
            let at = self.clock.place(start, report);
            let at = at.map_err(|reason| record.error(reason))?;
            record.change(Field::Timestamp).timestamp = Some(at);
            let end = time(
                &members,
                &[
                    "end_time",
                    "endTimeUnixNano",
                    "endTime",
                    "end_time_unix_nano",
                ],
            );
            if let Some(micros) = end.and_then(|end| u64::try_from(end - start).ok()) {
                let mut millis = Vec::new();
                trace_core::Micros::from_micros(micros).push_millis(&mut millis);
                record.add("duration_ms", &millis);
            }
        }
        let output = attributes.whole(&[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
        ]);
        let asked = attributes.whole(&["gen_ai.request.max_tokens"]);
        if output.is_none() && asked.is_some() {
            report.count(
                Kind::Invented,
                "output lengths, from the max_tokens asked for",
                1,
            );
        }
        let session = attributes
            .text(&["gen_ai.conversation.id", "session.id"])
            .or_else(|| attributes.ending("session.id"));
        let session =
            session.or_else(|| text(members.get("trace_id").or_else(|| members.get("traceId"))?));
        let request = record.change(Field::InputLength);
        request.input_length = input;
        request.output_length = output.or(asked);
        request.session_id = session.map(SessionId::Text);
        request.model = model;
        request.source.clone_from(&self.tag);
        request.messages = messages;
        if let (Some(input), Some(history)) = (input, &mut self.history)
            && record.request().messages.is_none()
        {
            let mut ids = Vec::new();
            let request = record.request();
            let output = request.output_length.unwrap_or(0);
            let session = request.session_id.as_ref();
            let made = history.prompt(session, input, output, &mut ids, report);
            made.map_err(|why| record.error(why))?;
            record.change(Field::HashIds).hash_ids = Some(ids);
        }
        for key in [
            "trace_id",
            "traceId",
            "span_id",
            "spanId",
            "parent_span_id",
            "parentSpanId",
            "name",
            "status",
        ] {
            if let Some(raw) = members.get(key) {
                record.add(key, raw);
            }
        }
        for (key, raw) in &attributes.0 {
            if !USED.contains(&key.as_str()) {
                record.add(key, raw);
            }
        }
        Ok(Found::Request)
    }
}

/// Attributes that became fields.
const USED: [&str; 7] = [
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.input.messages",
    "gen_ai.conversation.id",
];

/// The spans that an export holds, however deep.
fn collect(members: &Members<'_>, spans: &mut Vec<Box<RawValue>>) -> serde_json::Result<()> {
    if let Some(raw) = members.get("spans") {
        spans.extend(serde_json::from_slice::<Vec<Box<RawValue>>>(raw)?);
    }
    for key in ["resourceSpans", "scopeSpans"] {
        if let Some(raw) = members.get(key) {
            for inner in serde_json::from_slice::<Vec<Members<'_>>>(raw)? {
                collect(&inner, spans)?;
            }
        }
    }
    Ok(())
}

/// The attributes of a span: each name with its JSON.
struct Attributes(Vec<(String, Vec<u8>)>);

impl Attributes {
    /// An object, or OTLP's list of `{"key", "value": {"stringValue"}}`.
    fn of(span: &Members<'_>) -> Self {
        let Some(raw) = span.get("attributes") else {
            return Self(Vec::new());
        };
        if raw.first() == Some(&b'{') {
            let members = crate::json::members(raw).into_iter();
            return Self(
                members
                    .map(|(key, raw)| (key.into_owned(), raw.to_vec()))
                    .collect(),
            );
        }
        let list = serde_json::from_slice::<Vec<Members<'_>>>(raw).unwrap_or_else(|_| Vec::new());
        let pair = |pair: Members<'_>| {
            let key = text(pair.get("key")?)?;
            let value = crate::json::members(pair.get("value")?);
            let (kind, raw) = value.first()?;
            // OTLP writes 64-bit integers as strings.
            let raw = match kind.as_ref() {
                "intValue" => text(raw)?.into_bytes(),
                _ => raw.to_vec(),
            };
            Some((key, raw))
        };
        Self(list.into_iter().filter_map(pair).collect())
    }

    fn get(&self, names: &[&str]) -> Option<&[u8]> {
        names.iter().find_map(|name| {
            let found = self.0.iter().find(|(key, _)| key == name);
            found.map(|(_, raw)| raw.as_slice())
        })
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        text(self.get(names)?)
    }

    fn whole(&self, names: &[&str]) -> Option<u64> {
        text(self.get(names)?)?.parse().ok()
    }

    /// The text of the first attribute whose name ends so.
    fn ending(&self, end: &str) -> Option<String> {
        let found = self.0.iter().find(|(key, _)| key.ends_with(end));
        text(&found?.1)
    }

    /// Messages: an array, or a string that spells one.
    fn json_array(&self, names: &[&str]) -> Option<Box<RawValue>> {
        let raw = self.get(names)?;
        let spelled = serde_json::from_slice::<String>(raw).ok();
        let bytes = spelled.as_deref().map_or(raw, str::as_bytes).trim_ascii();
        if bytes.first() != Some(&b'[') {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }
}

/// A string's content, or a number as it is written.
fn text(raw: &[u8]) -> Option<String> {
    match raw.first()? {
        b'"' => serde_json::from_slice(raw).ok(),
        b'n' | b'{' | b'[' => None,
        _ => String::from_utf8(raw.to_vec()).ok(),
    }
}

/// Microseconds since 1970: a date, or nanoseconds as OTLP counts them.
fn time(span: &Members<'_>, names: &[&str]) -> Option<i64> {
    let text = names.iter().find_map(|name| text(span.get(name)?))?;
    date(&text).or_else(|| decimal(&text, TimeUnit::Ns))
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn spans_of_a_model_become_requests_and_others_are_counted() {
        let trace = r#"{"trace_id":"T","spans":[
 {"span_id":"a","start_time":"2026-02-25T10:00:00.000000","end_time":"2026-02-25T10:00:02.500000","attributes":{"x.session.id":"s","gen_ai.request.model":"m","gen_ai.request.max_tokens":500,"gen_ai.input.messages":"[{\"role\": \"user\", \"content\": \"Hi\"}]"}},
 {"span_id":"b","start_time":"2026-02-25T10:00:01","attributes":{"http.method":"GET"}}]}"#;
        let (out, error, report) = convert_with("", trace);
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"timestamp\":0,\"output_length\":500,\"session_id\":\"s\",\"model\":\"m\",\"messages\":[{\"role\": \"user\", \"content\": \"Hi\"}],\"duration_ms\":2500,\"span_id\":\"a\",\"x.session.id\":\"s\",\"gen_ai.request.max_tokens\":500}\n"
        );
        let line = report.line().unwrap();
        assert!(
            line.contains("1 spans that are no call of a model"),
            "{line}"
        );
        assert!(
            line.contains("1 output lengths, from the max_tokens"),
            "{line}"
        );
    }

    #[test]
    fn otlp_is_read_too() {
        let span = |nanos: &str, tokens: &str| {
            format!(
                r#"{{"traceId":"t","spanId":"1","startTimeUnixNano":"{nanos}","attributes":[{{"key":"gen_ai.request.model","value":{{"stringValue":"m"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"{tokens}"}}}},{{"key":"gen_ai.usage.output_tokens","value":{{"intValue":"7"}}}}]}}"#
            )
        };
        let trace = format!(
            r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"spans":[{},{}]}}]}}]}}"#,
            span("1700000000000000000", "600"),
            span("1700000001500000000", "1200")
        );
        let (out, error, _) = convert_with("", &trace);
        assert_eq!(error, None);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with(r#"{"timestamp":0,"input_length":600,"output_length":7,"hash_ids":[0,1],"session_id":"t","model":"m""#), "{out}");
        assert!(
            lines[1].starts_with(
                r#"{"timestamp":1500,"input_length":1200,"output_length":7,"hash_ids":[0,1,2]"#
            ),
            "{out}"
        );
    }
}
