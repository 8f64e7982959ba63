//! OpenTelemetry spans of LLM calls, by the GenAI conventions.
//!
//! `{"spans": […]}`, an array or lines of spans (as the console exporters print
//! them, too), OTLP's own JSON in both spellings and as Tempo gives it, Jaeger's
//! and Zipkin's. A span with
//! token counts or messages becomes a request: its start, its lengths, its
//! messages where they were recorded, be it as one attribute or, as OpenLLMetry
//! and OpenInference do, as one for each part. Its other attributes stay on the
//! line.

mod attributes;
mod messages;
mod moment;
mod span;

use crate::args::Args;
use crate::clock::Clock;
use crate::elements::Elements;
use crate::format::{Decode, Format};
use crate::history::History;
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use span::Span;
use std::collections::VecDeque;
use std::sync::Arc;
use trace_core::{Error, Field, LineError, SessionId};

/// Spans with `gen_ai.*` attributes.
pub(crate) static FORMAT: Format = Format {
    name: "otel",
    about: "OpenTelemetry GenAI spans, as an export or one per line",
    detect: |head| {
        let exports = [
            "resourceSpans",
            "resource_spans",
            "batches.scopeSpans",
            "trace.resourceSpans",
            "data.spans.spanID",
            "spans.span_id",
            "spans.spanId",
        ];
        // Zipkin has tags, and no other name for the id of a span.
        let zipkin = ["traceId", "id", "duration", "tags"];
        exports.iter().any(|key| head.has(key))
            || zipkin.iter().all(|key| head.has(key))
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
        let export = collect(&members, &mut spans).map_err(|error| elements.json_error(&error))?;
        if !export {
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
        let made = Span::of(bytes).and_then(|span| self.request(&span, record, report));
        if !made.map_err(|why| record.error(why))? {
            return Ok(Found::Nothing);
        }
        if let Some(history) = &mut self.history
            && record.request().messages.is_none()
        {
            history.mark(record, report)?;
        }
        Ok(Found::Request)
    }

    /// Whether `span` is a call of a model; if so, `record` is its request.
    fn request(
        &mut self,
        span: &Span<'_>,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<bool, String> {
        let (model, input) = (span.model()?, span.input()?);
        let messages = span.messages(report);
        if input.is_none() && messages.is_none() {
            let reason = if model.is_some() {
                "spans of a model without token counts or messages"
            } else {
                "spans that are no call of a model"
            };
            report.count(Kind::Dropped, reason, 1);
            return Ok(false);
        }
        let output = span.output(report)?;
        let moment = span.moment(report)?;
        let place = moment.map(|moment| self.clock.place(moment.start, report));
        let has_messages = messages.is_some();
        let request = record.change(Field::InputLength);
        request.timestamp = place.transpose()?;
        request.input_length = input;
        request.output_length = output;
        request.session_id = span.session()?.map(SessionId::Text);
        request.model = model;
        request.source.clone_from(&self.tag);
        request.messages = messages;
        if let Some(span) = moment.and_then(|moment| moment.duration) {
            let mut millis = Vec::new();
            span.push_millis(&mut millis);
            record.add("duration_ms", &millis);
        }
        span.carry(record, has_messages);
        Ok(true)
    }
}

/// What an export has around its spans.
const AROUND: [&str; 6] = [
    "resourceSpans",
    "scopeSpans",
    "resource_spans",
    "scope_spans",
    "data",
    "batches",
];

/// The spans that an export holds, however deep; `false` for an object that is
/// none.
fn collect(members: &Members<'_>, spans: &mut Vec<Box<RawValue>>) -> serde_json::Result<bool> {
    let mut export = false;
    if let Some(raw) = members.get("spans") {
        spans.extend(serde_json::from_slice::<Vec<Box<RawValue>>>(raw)?);
        export = true;
    }
    if let Some(trace) = members.get("trace").filter(|raw| raw.starts_with(b"{")) {
        export |= collect(&serde_json::from_slice(trace)?, spans)?;
    }
    for raw in AROUND.iter().filter_map(|key| members.get(key)) {
        for inner in serde_json::from_slice::<Vec<Members<'_>>>(raw)? {
            collect(&inner, spans)?;
        }
        export = true;
    }
    Ok(export)
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
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
        let zipkin = r#"[{"traceId":"t","id":"s","name":"chat","timestamp":1700000000000000,"duration":1000000,"tags":{"gen_ai.request.model":"m","gen_ai.usage.input_tokens":"10","gen_ai.usage.output_tokens":"5"}}]"#;
        let tempo = r#"{"batches":[{"resource":{},"scopeSpans":[{"spans":[{"traceId":"t","spanId":"s","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000","attributes":[{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"5"}}]}]}]}]}"#;
        let tempo_2 = tempo.replacen(r#"{"batches""#, r#"{"trace":{"resourceSpans""#, 1) + "}";
        for export in [console, inference, snake, jaeger, zipkin, tempo, &tempo_2] {
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
            r#""gen_ai.system_instructions":"[{\"type\":\"text\",\"content\":\"a\"}]","gen_ai.input.messages":[{"role":"user","parts":[{"type":"text","content":"b"}]}]"#,
            r#""gen_ai.system_instructions":"a","gen_ai.input.messages":[{"role":"user","content":"b"}]"#,
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
            assert!(!out.contains("instructions"), "{out}");
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

    #[test]
    fn messages_of_otlp_may_be_lists_and_maps() {
        let text = |text: &str| format!(r#"{{"stringValue":"{text}"}}"#);
        let pair = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{value}}}"#);
        let map =
            |pairs: &[String]| format!(r#"{{"kvlistValue":{{"values":[{}]}}}}"#, pairs.join(","));
        let list = |value: &str| format!(r#"{{"arrayValue":{{"values":[{value}]}}}}"#);
        let part = map(&[pair("type", &text("text")), pair("content", &text("b"))]);
        let message = map(&[pair("role", &text("user")), pair("parts", &list(&part))]);
        let span = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"t","startTimeUnixNano":"1","attributes":[{}]}}]}}]}}]}}"#,
            pair("gen_ai.input.messages", &list(&message))
        );
        let (out, error, _) = convert_with("", &span);
        assert_eq!(error, None);
        let expected = r#""messages":[{"role":"user","content":"b"}]"#;
        assert!(out.contains(expected), "{out}");
    }

    #[test]
    fn an_export_without_spans_has_none() {
        let (out, error, _) = convert_with("", r#"{"resourceSpans":[]}"#);
        assert_eq!((out.as_str(), error), ("", None));
    }

    #[test]
    fn what_is_odd_about_a_span_is_counted() {
        let span = r#"{"span_id":"s","start_time":"2024-05-10T00:00:02Z","end_time":"2024-05-10T00:00:01Z","attributes":{"gen_ai.usage.input_tokens":"3","gen_ai.input.messages":"[{\"role\":\"us"}}"#;
        let (out, error, report) = convert_with("", span);
        assert_eq!(error, None);
        assert!(
            out.starts_with(r#"{"timestamp":0,"input_length":3,"hash_ids":[0]"#),
            "{out}"
        );
        assert!(!out.contains("duration_ms"), "{out}");
        assert_eq!(report.of(Kind::Dropped, "ends of spans before"), 1);
        assert_eq!(report.of(Kind::Noted, "prompts that are no JSON list"), 1);
    }
}
