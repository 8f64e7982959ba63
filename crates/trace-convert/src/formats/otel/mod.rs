//! OpenTelemetry spans of LLM calls, by the GenAI conventions.
//!
//! `{"spans": […]}`, an array or lines of spans (as the console exporters print
//! them, too), OTLP's own JSON in both spellings, and Jaeger's. A span with
//! token counts or messages becomes a request: its start, its lengths, its
//! messages where they were recorded, be it as one attribute or, as OpenLLMetry
//! and OpenInference do, as one for each part. Its other attributes stay on the
//! line.

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
            || head.has("resource_spans.scope_spans.spans.trace_id")
            || head.has("data.spans.spanID")
            || head.has("spans.span_id")
            || head.has("spans.spanId")
            || (["span_id", "spanId", "context.span_id"]
                .iter()
                .any(|id| head.has(id))
                && head.has("attributes"))
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
        let model = attributes.text(&[
            "gen_ai.request.model",
            "gen_ai.response.model",
            "llm.model_name",
        ]);
        let input = attributes.whole(&[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
        ]);
        let messages = attributes.messages(report);
        if input.is_none() && messages.is_none() {
            let reason = if model.is_some() {
                "spans of a model without token counts or messages"
            } else {
                "spans that are no call of a model"
            };
            report.count(Kind::Dropped, reason, 1);
            return Ok(Found::Nothing);
        }
        let (start, end) = times(&members);
        if let Some(start) = start {
            let at = self.clock.place(start, report);
            let at = at.map_err(|reason| record.error(reason))?;
            record.change(Field::Timestamp).timestamp = Some(at);
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
            "llm.usage.completion_tokens",
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
        let context = crate::json::members(members.get("context").unwrap_or(b"{}"));
        let context = Members(context);
        let trace = ["trace_id", "traceId", "traceID"].into_iter();
        let trace = trace
            .clone()
            .find_map(|name| members.get(name).or(context.get(name)));
        let session = session.or_else(|| text(trace?));
        let request = record.change(Field::InputLength);
        request.input_length = input;
        request.output_length = output.or(asked);
        request.session_id = session.map(SessionId::Text);
        request.model = model;
        request.source.clone_from(&self.tag);
        let has_messages = messages.is_some();
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
            "traceID",
            "spanID",
            "parent_span_id",
            "parentSpanId",
            "parent_id",
            "name",
            "operationName",
            "status",
        ] {
            if let Some(raw) = members.get(key).or(context.get(key)) {
                record.add(key, raw);
            }
        }
        for (key, raw) in &attributes.0 {
            let used = USED.contains(&key.as_str()) || (has_messages && is_part(key));
            if !used {
                record.add(key, raw);
            }
        }
        Ok(Found::Request)
    }
}

/// Attributes that became fields.
const USED: [&str; 12] = [
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.input.messages",
    "gen_ai.conversation.id",
    "llm.model_name",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.usage.prompt_tokens",
    "llm.usage.completion_tokens",
];

/// Messages of which each part is an attribute: what stands before the number,
/// and between that and `role` or `content`.
const NUMBERED: [(&str, &str); 2] = [
    ("gen_ai.prompt.", "."),
    ("llm.input_messages.", ".message."),
];

/// Whether an attribute of that name is part of a message.
fn is_part(key: &str) -> bool {
    NUMBERED.iter().any(|(before, _)| key.starts_with(before))
}

/// The spans that an export holds, however deep.
fn collect(members: &Members<'_>, spans: &mut Vec<Box<RawValue>>) -> serde_json::Result<()> {
    if let Some(raw) = members.get("spans") {
        spans.extend(serde_json::from_slice::<Vec<Box<RawValue>>>(raw)?);
    }
    let around = [
        "resourceSpans",
        "scopeSpans",
        "resource_spans",
        "scope_spans",
        "data",
    ];
    for key in around {
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
        let Some(raw) = span.get("attributes").or_else(|| span.get("tags")) else {
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
            let raw = pair.get("value")?;
            if raw.first() != Some(&b'{') {
                // Jaeger's tags hold the value itself.
                return Some((key, raw.to_vec()));
            }
            let value = crate::json::members(raw);
            let (kind, raw) = value.first()?;
            // OTLP writes 64-bit integers as strings.
            let raw = match kind.as_ref() {
                "intValue" | "int_value" => text(raw)?.into_bytes(),
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

    /// The messages of the prompt as endpoints take them.
    fn messages(&self, report: &mut Report) -> Option<Box<RawValue>> {
        let Some(given) = self.json_array(&["gen_ai.input.messages", "gen_ai.prompt"]) else {
            return NUMBERED.iter().find_map(|shape| self.numbered(*shape));
        };
        let all: Vec<Members<'_>> = serde_json::from_str(given.get()).ok()?;
        if !all.iter().any(|message| message.get("parts").is_some()) {
            return Some(given);
        }
        // The conventions' own form: parts with a type and a content.
        let mut json = String::new();
        for message in &all {
            let role = text(message.get("role")?)?;
            let parts = message.get("parts").unwrap_or(b"[]");
            let parts: Vec<Members<'_>> = serde_json::from_slice(parts).ok()?;
            let mut said = String::new();
            for part in &parts {
                match part
                    .get("content")
                    .or_else(|| part.get("response"))
                    .and_then(text)
                {
                    Some(content) => said.push_str(&content),
                    None => report.count(Kind::Dropped, "parts of messages that are no text", 1),
                }
            }
            push_message(&mut json, &role, &said);
        }
        closed(json)
    }

    /// Messages of which each part is an attribute.
    fn numbered(&self, (before, between): (&str, &str)) -> Option<Box<RawValue>> {
        let mut json = String::new();
        for number in 0.. {
            let part = |name: &str| self.text(&[&format!("{before}{number}{between}{name}")]);
            let Some(role) = part("role") else {
                break;
            };
            push_message(&mut json, &role, &part("content").unwrap_or_default());
        }
        closed(json)
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

/// Append a message to an array that is not closed yet.
fn push_message(json: &mut String, role: &str, content: &str) {
    json.push(if json.is_empty() { '[' } else { ',' });
    let mut message = b"{\"role\":".to_vec();
    trace_core::push_string(&mut message, role);
    message.extend_from_slice(b",\"content\":");
    trace_core::push_string(&mut message, content);
    message.push(b'}');
    json.push_str(&String::from_utf8_lossy(&message));
}

/// The array, if there is anything in it.
fn closed(mut json: String) -> Option<Box<RawValue>> {
    if json.is_empty() {
        return None;
    }
    json.push(']');
    RawValue::from_string(json).ok()
}

/// When a span began and ended, in microseconds since 1970.
fn times(span: &Members<'_>) -> (Option<i64>, Option<i64>) {
    if span.get("spanID").is_some() {
        // Jaeger counts microseconds.
        let number = |name: &str| decimal(&text(span.get(name)?)?, TimeUnit::Us);
        let start = number("startTime");
        return (
            start,
            start.zip(number("duration")).map(|(at, long)| at + long),
        );
    }
    let start = [
        "start_time",
        "startTimeUnixNano",
        "startTime",
        "start_time_unix_nano",
    ];
    let end = [
        "end_time",
        "endTimeUnixNano",
        "endTime",
        "end_time_unix_nano",
    ];
    (time(span, &start), time(span, &end))
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
    fn exports_of_every_kind_tell_of_the_same_request() {
        let request = r#"{"timestamp":0,"input_length":10,"output_length":5,"hash_ids":[0],"session_id":"t","model":"m","duration_ms":1000"#;
        let console = r#"{"name":"chat m","context":{"trace_id":"t","span_id":"s"},"parent_id":null,"start_time":"2024-05-10T00:00:00.000000Z","end_time":"2024-05-10T00:00:01.000000Z","attributes":{"gen_ai.request.model":"m","gen_ai.usage.input_tokens":10,"gen_ai.usage.output_tokens":5}}"#;
        let inference = r#"{"context":{"trace_id":"t","span_id":"s"},"start_time":"2024-05-10T00:00:00Z","end_time":"2024-05-10T00:00:01Z","attributes":{"llm.model_name":"m","llm.token_count.prompt":10,"llm.token_count.completion":5}}"#;
        let snake = r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"t","span_id":"s","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":"1700000001000000000","attributes":[{"key":"gen_ai.request.model","value":{"string_value":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"int_value":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"int_value":5}}]}]}]}]}"#;
        let jaeger = r#"{"data":[{"traceID":"t","spans":[{"traceID":"t","spanID":"s","operationName":"chat","startTime":1700000000000000,"duration":1000000,"tags":[{"key":"gen_ai.request.model","type":"string","value":"m"},{"key":"gen_ai.usage.input_tokens","type":"int64","value":10},{"key":"gen_ai.usage.output_tokens","type":"int64","value":5}]}],"processes":{}}]}"#;
        for export in [console, inference, snake, jaeger] {
            let (out, error, _) = convert_with("", export);
            assert_eq!(error, None, "{export}");
            assert!(out.starts_with(request), "{out}");
        }
    }

    #[test]
    fn messages_are_found_in_every_form() {
        let expected =
            r#""messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]"#;
        for attributes in [
            r#""gen_ai.input.messages":"[{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"a\"}]},{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"b\"},{\"type\":\"blob\"}]}]""#,
            r#""gen_ai.prompt.0.role":"system","gen_ai.prompt.0.content":"a","gen_ai.prompt.1.role":"user","gen_ai.prompt.1.content":"b""#,
            r#""llm.input_messages.0.message.role":"system","llm.input_messages.0.message.content":"a","llm.input_messages.1.message.role":"user","llm.input_messages.1.message.content":"b""#,
        ] {
            let span = format!(
                r#"{{"span_id":"s","start_time":"2024-05-10T00:00:00Z","attributes":{{"gen_ai.request.model":"m",{attributes}}}}}"#
            );
            let (out, error, _) = convert_with("", &span);
            assert_eq!(error, None);
            assert!(out.contains(expected), "{out}");
            assert!(!out.contains("message."), "{out}");
            assert!(!out.contains("gen_ai.prompt"), "{out}");
        }
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
