//! Bodies of requests as OpenAI's endpoints take them, and batch files.
//!
//! ```text
//! {"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{…}}   a batch
//! {"model":"m","messages":[…],"max_tokens":9}                                 bodies, one per line
//! {"data":[{"session_id":"s","payloads":[{…},{…}]}]}                          AIPerf's inputs.json
//! {"custom_id":"a","response":{"status_code":200,"body":{…}},"error":null}    a batch's output
//! ```
//!
//! Of a chat, `messages`, `tools` and `model` become those fields; a `prompt`
//! that is a string becomes `text_input`; any other body stays whole, as
//! `payload`. `input_length` and `hash_ids` are of the text, `output_length` is
//! what the body allows (`max_tokens` and its kin). What else the body asks
//! for goes to `extra`, without `stream` and `stream_options`, which are the
//! sender's affair. There are no times.
//!
//! A line of a batch's output becomes a request of the lengths that its
//! `usage` tells, with `status`, `input_tokens`, `cached_tokens`,
//! `output_tokens` and `error`; `created` is its time.

use crate::args::Args;
use crate::clock::{Clock, TimeUnit, decimal};
use crate::counter::{Counter, content};
use crate::format::Format;
use crate::formats::member::{object_of, session, status_of, text, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::head::Head;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use trace_core::{ErrorKind, Failure, Field, Outcome, TokenSource};

/// Request bodies and batches.
pub(crate) static FORMAT: Format = Format {
    name: "openai",
    about: "request bodies of OpenAI's endpoints, one per line; batch files and their output; AIPerf's inputs.json",
    detect,
    needs: "JSON objects that are bodies (model, and messages, prompt or input), or have body, response.body, payload or payloads",
    decoder: |args: &Args| {
        let openai = OpenAi {
            bodies: Bodies::new(args)?,
            clock: args.clock(),
            read: 0,
        };
        Ok(Box::new(Objects::new(openai).inside("data")))
    },
};

/// How a body limits the answer.
const LIMITS: [&str; 3] = ["max_completion_tokens", "max_tokens", "max_output_tokens"];

/// What a body asks.
const ASKS: [&str; 3] = ["messages", "prompt", "input"];

/// Members that only a body has.
const SETTINGS: [&str; 4] = ["stream", "temperature", "top_p", "stream_options"];

fn detect(head: &Head) -> bool {
    let any = |names: &[&str]| names.iter().any(|name| head.has(name));
    let batch = ASKS.iter().any(|ask| head.has(&format!("body.{ask}")))
        || (head.has("custom_id") && head.has("response.body"));
    let ours = any(&["timestamp", "input_length", "text_input", "hash_ids"]);
    let body = head.has("model") && any(&ASKS) && (any(&LIMITS) || any(&SETTINGS));
    batch || any(&["data.payloads", "data.payload"]) || (body && !ours)
}

struct OpenAi {
    bodies: Bodies,
    clock: Clock,
    /// Answers read so far.
    read: u64,
}

impl Expand for OpenAi {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let payloads = object.get("payloads").or_else(|| object.get("payload"));
        if let Some(raw) = payloads {
            let bodies: Vec<Members<'_>> = serde_json::from_slice(raw)
                .map_err(|_| "payloads: expected an array of objects")?;
            let id = object.get("session_id").map(session);
            for body in &bodies {
                let record = self.bodies.asked(body, &raw_of(body), made, report)?;
                record.change(Field::SessionId).session_id.clone_from(&id);
            }
            return Ok(());
        }
        if let Some(raw) = object.get("body") {
            let body: Members<'_> =
                serde_json::from_slice(raw).map_err(|_| "body: expected an object")?;
            let record = self.bodies.asked(&body, raw, made, report)?;
            carry(record, object, &["body", "method"]);
            return Ok(());
        }
        if object.get("response").is_some() || object.get("custom_id").is_some() {
            return self.answer(object, made, report);
        }
        self.bodies.asked(object, &raw_of(object), made, report)?;
        Ok(())
    }
}

/// Makes requests of bodies.
pub(super) struct Bodies(Counter);

impl Bodies {
    /// Requests counted as `args` say.
    ///
    /// # Errors
    /// Those of [`Counter::new`].
    pub(super) fn new(args: &Args) -> anyhow::Result<Self> {
        Counter::new(args).map(Self)
    }

    /// A request for one body, whose JSON is `raw`, as long as it allows.
    fn asked<'a>(
        &mut self,
        body: &Members<'_>,
        raw: &[u8],
        made: &'a mut Made,
        report: &mut Report,
    ) -> Result<&'a mut Record, String> {
        let record = self.request(body, raw, made, report)?;
        Self::limit(body, record, report)?;
        Ok(record)
    }

    /// The same, without the length of its answer.
    ///
    /// # Errors
    /// A body that asks nothing, or for something else than a body can.
    pub(super) fn request<'a>(
        &mut self,
        body: &Members<'_>,
        raw: &[u8],
        made: &'a mut Made,
        report: &mut Report,
    ) -> Result<&'a mut Record, String> {
        let mut counted = Vec::new();
        let mut taken = vec!["model", "stream", "stream_options"];
        taken.extend(LIMITS);
        let record = made.next();
        record.change(Field::Model).model = text_of(body, "model")?;
        if let Some(messages) = body.get("messages") {
            self.count_chat(messages, &mut counted, report)?;
            record.change(Field::Messages).messages = Some(value(messages)?);
            if let Some(tools) = body.get("tools").filter(|raw| raw.first() == Some(&b'[')) {
                record.change(Field::Tools).tools = Some(value(tools)?);
                taken.push("tools");
            }
            taken.push("messages");
            self.0.measure(&counted, record, report);
        } else if let Some(prompt) = body.get("prompt").and_then(text) {
            self.0.append(&prompt, &mut counted)?;
            record.change(Field::TextInput).text_input = Some(prompt);
            taken.push("prompt");
            self.0.measure(&counted, record, report);
        } else {
            if !ASKS.iter().any(|ask| body.get(ask).is_some()) {
                return Err("a body without messages, prompt or input".to_owned());
            }
            record.change(Field::Payload).payload = Some(value(raw)?);
            report.count(
                Kind::Noted,
                "bodies kept whole, whose tokens are not counted",
                1,
            );
            taken.clear();
        }
        if !taken.is_empty() {
            record.change(Field::Extra).extra = rest(body, &taken)?;
        }
        Ok(record)
    }

    /// Ask for as many tokens as `body` allows.
    ///
    /// # Errors
    /// A limit that is no number of tokens.
    pub(super) fn limit(
        body: &Members<'_>,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<(), String> {
        let found = LIMITS
            .iter()
            .find_map(|name| tokens(body, name).transpose());
        if let Some(limit) = found.transpose()? {
            record.change(Field::OutputLength).output_length = Some(limit);
            let reason = "output lengths, from the most tokens asked for";
            report.count(Kind::Invented, reason, 1);
        }
        Ok(())
    }

    fn count_chat(
        &mut self,
        messages: &[u8],
        counted: &mut Vec<u32>,
        report: &mut Report,
    ) -> Result<(), String> {
        let messages: Vec<Members<'_>> =
            serde_json::from_slice(messages).map_err(|_| "messages: expected objects")?;
        for message in &messages {
            let Some(raw) = message.get("content") else {
                continue;
            };
            let said = content(raw, report).map_err(|why| format!("messages: {why}"))?;
            self.0.append(&said, counted)?;
        }
        Ok(())
    }
}

impl OpenAi {
    /// A request of the lengths that an answer tells.
    fn answer(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let seq = self.read;
        self.read += 1;
        let response = object_of(object, "response")?;
        let body = object_of(&response, "body")?;
        let usage = object_of(&body, "usage")?;
        let count = |names: [&str; 2]| -> Result<Option<u64>, String> {
            Ok(tokens(&usage, names[0])?.or(tokens(&usage, names[1])?))
        };
        let input = count(["prompt_tokens", "input_tokens"])?;
        let output = count(["completion_tokens", "output_tokens"])?;
        if input.is_none() {
            report.drop_request("answers without usage");
            return Ok(());
        }
        let details = match usage.get("prompt_tokens_details") {
            Some(_) => object_of(&usage, "prompt_tokens_details")?,
            None => object_of(&usage, "input_tokens_details")?,
        };
        let status = status_of(&response, "status_code")?;
        let record = made.next();
        if let Some(at) = created(&body)? {
            let at = self.clock.place(at, report)?;
            record.change(Field::Timestamp).timestamp = Some(at);
            report.assume("timestamp is when an answer was created, to the second");
        }
        record.change(Field::InputLength).input_length = input;
        record.change(Field::OutputLength).output_length = output;
        record.change(Field::Model).model = text_of(&body, "model")?;
        record.outcome = Some(Outcome {
            seq: Some(seq),
            status,
            input_tokens: input,
            output_tokens: output,
            cached_tokens: tokens(&details, "cached_tokens")?,
            token_source: Some(TokenSource::Usage),
            error: failure(object, &body, status),
            ..Outcome::default()
        });
        carry(record, object, &["id", "response", "error"]);
        Ok(())
    }
}

/// The object of what else a body asks for; none where that is nothing.
fn rest(body: &Members<'_>, taken: &[&str]) -> Result<Option<Box<RawValue>>, String> {
    let rest = body.0.iter();
    let rest = rest.filter(|(name, raw)| !taken.contains(&&**name) && *raw != b"null");
    let rest = Members(rest.cloned().collect());
    (!rest.0.is_empty())
        .then(|| value(&raw_of(&rest)))
        .transpose()
}

/// When an answer was created, in microseconds since 1970.
fn created(body: &Members<'_>) -> Result<Option<i64>, String> {
    let found = ["created", "created_at"]
        .into_iter()
        .find_map(|name| Some((name, body.get(name)?)));
    let Some((name, raw)) = found else {
        return Ok(None);
    };
    let spelled = std::str::from_utf8(raw).ok();
    let micros = spelled.and_then(|raw| decimal(raw, TimeUnit::S));
    let micros = micros.ok_or_else(|| format!("{name}: expected seconds since 1970"))?;
    Ok(Some(micros))
}

/// Why there is no good answer: what the line says, or the body of a status of
/// 400 and above. An error is an object with a message, or the message.
fn failure(object: &Members<'_>, body: &Members<'_>, status: Option<u16>) -> Option<Failure> {
    let failed = status.is_some_and(|status| status >= 400);
    let told = match object.get("error") {
        Some(raw) => Some(raw),
        None => body.get("error").filter(|_| failed),
    };
    if told.is_none() && !failed {
        return None;
    }
    let message = told.map(|raw| {
        let members = crate::json::members(raw);
        let said = members.iter().find(|(name, _)| name == "message");
        let said = said.map_or(raw, |(_, message)| message);
        text(said).unwrap_or_else(|| String::from_utf8_lossy(said).into_owned())
    });
    Some(Failure {
        kind: ErrorKind::Http,
        message: message.unwrap_or_default(),
    })
}

/// The JSON of an object that was taken apart.
fn raw_of(object: &Members<'_>) -> Vec<u8> {
    crate::json::object(object.0.iter().map(|(name, raw)| (&**name, *raw)))
}

fn value(raw: &[u8]) -> Result<Box<RawValue>, String> {
    serde_json::from_slice(raw).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn a_batch_and_its_bodies_alone_are_the_same_requests() {
        let chat = r#"{"model":"m","messages":[{"role":"user","content":"1?"}],"tools":[{"type":"function"}],"max_tokens":9,"temperature":0.5,"stream":true}"#;
        let line = r#""output_length":9,"hash_ids":[0],"model":"m","messages":[{"role":"user","content":"1?"}],"tools":[{"type":"function"}],"extra":{"temperature":0.5}"#;
        let (out, error, report) = convert_with("", chat);
        assert_eq!(error, None);
        assert_eq!(out, format!("{{\"input_length\":2,{line}}}\n"));
        assert_eq!(report.of(Kind::Invented, "output lengths"), 1);
        let batch = format!(
            r#"{{"custom_id":"r-1","method":"POST","url":"/v1/chat/completions","body":{chat}}}"#
        );
        let (out, error, _) = convert_with("", &batch);
        assert_eq!(error, None);
        let beside = r#""custom_id":"r-1","url":"/v1/chat/completions""#;
        assert_eq!(out, format!("{{\"input_length\":2,{line},{beside}}}\n"));
    }

    #[test]
    fn prompts_are_texts_and_other_bodies_stay_whole() {
        let batch = concat!(
            r#"{"custom_id":"a","url":"/v1/completions","body":{"model":"m","prompt":"1?","max_tokens":3,"n":1}}"#,
            "\n",
            r#"{"custom_id":"b","url":"/v1/embeddings","body":{"model":"e","input":["x","y"]}}"#,
        );
        let (out, error, report) = convert_with("", batch);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"input_length":2,"output_length":3,"hash_ids":[0],"model":"m","text_input":"1?","extra":{"n":1},"custom_id":"a","url":"/v1/completions"}"#,
                "\n",
                r#"{"model":"e","payload":{"model":"e","input":["x","y"]},"custom_id":"b","url":"/v1/embeddings"}"#,
                "\n",
            )
        );
        assert_eq!(report.of(Kind::Noted, "bodies kept whole"), 1);
        let (_, error, _) = convert_with(
            "",
            r#"{"custom_id":"b","body":{"input":1}}
{"custom_id":"c","body":{}}"#,
        );
        assert_eq!(
            error.unwrap(),
            "in:2:1: a body without messages, prompt or input"
        );
    }

    #[test]
    fn inputs_of_aiperf_are_sessions() {
        let inputs = r#"{"data": [
 {"session_id": "s", "payloads": [
  {"model": "m", "messages": [{"role": "user", "content": "1?"}], "stream": true},
  {"model": "m", "messages": [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "1\n"}, {"role": "user", "content": "2?"}]}]},
 {"payload": [{"model": "m", "messages": [{"role": "user", "content": "1?"}]}]}]}"#;
        let (out, error, _) = convert_with("", inputs);
        assert_eq!(error, None);
        let starts: Vec<&str> = out
            .lines()
            .map(|l| l.split(",\"model").next().unwrap())
            .collect();
        assert_eq!(
            starts,
            [
                r#"{"input_length":2,"hash_ids":[0],"session_id":"s""#,
                r#"{"input_length":6,"hash_ids":[0],"session_id":"s""#,
                r#"{"input_length":2,"hash_ids":[0]"#,
            ]
        );
    }

    #[test]
    fn of_an_object_that_is_passed_over_nothing_is_left() {
        let good = r#"{"custom_id":"a","body":{"prompt":"1?"}}"#;
        let half = r#"{"payloads":[{"prompt":"1?"},{"messages":[7]}]}"#;
        let (out, error, report) =
            convert_with("--skip-invalid", &format!("{good}\n{half}\n{good}\n"));
        assert_eq!(error, None);
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(report.line().unwrap().contains("skipped 1 invalid"));
    }

    #[test]
    fn answers_of_a_batch_are_outcomes() {
        let answers = concat!(
            r#"{"id":"batch_req_1","custom_id":"r-1","response":{"status_code":200,"request_id":"x","body":{"created":1711652795,"model":"m","usage":{"prompt_tokens":22,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":16}}}},"error":null}"#,
            "\n",
            r#"{"id":"batch_req_2","custom_id":"r-2","response":{"status_code":500,"body":{"created":1711652797,"usage":{"prompt_tokens":5,"completion_tokens":0},"error":{"message":"busy"}}},"error":null}"#,
            "\n",
            r#"{"id":"batch_req_3","custom_id":"r-3","response":null,"error":{"code":"expired","message":"late"}}"#,
        );
        let (out, error, report) = convert_with("", answers);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"timestamp":0,"input_length":22,"output_length":2,"model":"m","custom_id":"r-1","seq":0,"input_tokens":22,"cached_tokens":16,"output_tokens":2,"token_source":"usage","status":200}"#,
                "\n",
                r#"{"timestamp":2000,"input_length":5,"output_length":0,"custom_id":"r-2","seq":1,"input_tokens":5,"output_tokens":0,"token_source":"usage","status":500,"error":{"kind":"http","message":"busy"}}"#,
                "\n",
            )
        );
        assert_eq!(report.of(Kind::Dropped, "answers without usage"), 1);
    }
}
