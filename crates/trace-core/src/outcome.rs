//! An outcome: what happened to a request, beside the request on one line.
//!
//! An outcome line is its request line plus these fields, so whatever reads a
//! trace reads a result too, and a result can be replayed. Times are in
//! milliseconds since the run began where they name a moment
//! (`scheduled_ms`, `due_ms`, `sent_ms`), and since `sent_ms` where they name
//! a span.

use crate::cursor::Cursor;
use crate::decode::{Json, Millis, Whole};
use crate::error::Flaw;
use crate::field::Field;
use crate::line::Member;
use crate::record::Object;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// What happened to one request. Every field may be absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// 0-based index of the line in the unsharded input.
    pub seq: Option<u64>,
    /// Which round of a sweep, from 1.
    pub round: Option<u64>,
    /// The closed-loop concurrency of a sweep's level.
    pub concurrency: Option<u64>,
    /// The stage of a recipe.
    pub stage: Option<String>,
    /// When the trace wanted it to leave.
    pub scheduled_ms: Option<Micros>,
    /// When it was allowed to: as scheduled, or later under a concurrency cap.
    pub due_ms: Option<Micros>,
    /// Just before connecting or writing.
    pub sent_ms: Option<Micros>,
    /// Sent − due: the client's own fault.
    pub lateness_ms: Option<Micros>,
    /// Due − scheduled: the concurrency cap's.
    pub queue_ms: Option<Micros>,
    /// Wall clock of `sent_ms`, since the Unix epoch.
    pub sent_unix_ms: Option<Micros>,
    /// Time to connect, if a connection was opened for this request.
    pub connect_ms: Option<Micros>,
    /// Sent → first non-empty output delta, reasoning included.
    pub ttft_ms: Option<Micros>,
    /// Sent → first visible content, when that differs from `ttft_ms`.
    pub first_content_ms: Option<Micros>,
    /// Sent → last output delta.
    pub last_token_ms: Option<Micros>,
    /// Sent → end of the response.
    pub latency_ms: Option<Micros>,
    /// (last token − first token) / (output tokens − 1).
    pub tpot_ms: Option<Micros>,
    /// Gaps between output chunks.
    pub itl_ms: Option<Vec<Micros>>,
    /// Prompt tokens, as `token_source` counted them.
    pub input_tokens: Option<u64>,
    /// Prompt tokens that the server took from its cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of the answer, as `token_source` counted them.
    pub output_tokens: Option<u64>,
    /// Of those, tokens of reasoning, which the user does not see.
    pub reasoning_tokens: Option<u64>,
    /// Who counted the tokens.
    pub token_source: Option<TokenSource>,
    /// Content chunks received.
    pub chunks: Option<u64>,
    /// HTTP status, absent when there was no response.
    pub status: Option<u16>,
    /// Why it failed; absent on success.
    pub error: Option<Failure>,
    /// How often it was tried, where that is more than once; its times count
    /// from the first.
    pub attempts: Option<u64>,
    /// Peak GPU memory over the request, in MB.
    pub gpu_memory_mb: Option<f64>,
}

/// Who counted the tokens of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenSource {
    /// The server, in its `usage`.
    Usage,
    /// The tokenizer in use, over the text.
    Tokenizer,
    /// Nobody: one chunk was taken for one token.
    Chunks,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which of the ways to fail.
    pub kind: ErrorKind,
    /// One line for people.
    pub message: String,
}

/// The ways a request can fail: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// No connection: refused, unreachable, or the name has no address.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// No complete answer in the time allowed.
    Timeout,
    /// A status other than 2xx.
    Http,
    /// An answer that is not what the endpoint speaks, such as HTML.
    Content,
    /// The answer broke off, or told of an error half way.
    Stream,
    /// A complete answer without any output.
    Empty,
    /// Given up by ^C.
    Cancelled,
    /// Not sent, because an earlier turn of its session failed.
    Skipped,
    /// The client ran out of ports or file descriptors.
    Exhausted,
    /// The request could not be built or written.
    Request,
}

impl ErrorKind {
    /// Every kind, in the order of the list.
    pub const ALL: [Self; 11] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Http,
        Self::Content,
        Self::Stream,
        Self::Empty,
        Self::Cancelled,
        Self::Skipped,
        Self::Exhausted,
        Self::Request,
    ];

    /// Its name in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Http => "http",
            Self::Content => "content",
            Self::Stream => "stream",
            Self::Empty => "empty",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Exhausted => "exhausted",
            Self::Request => "request",
        }
    }

    /// Whether the request was never tried, or given up by the user: counted
    /// apart, and no fault of the server.
    pub fn is_unserved(self) -> bool {
        matches!(self, Self::Cancelled | Self::Skipped)
    }
}

impl TokenSource {
    /// Its name in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Tokenizer => "tokenizer",
            Self::Chunks => "chunks",
        }
    }
}

/// A trace of someone else's may have a member of that name, where no unit
/// stands behind it.
fn of_an_outcome(mut flaw: Flaw, field: Field) -> Flaw {
    let common = [
        Field::Status,
        Field::Error,
        Field::Stage,
        Field::Round,
        Field::Seq,
        Field::Concurrency,
        Field::Chunks,
    ];
    if common.contains(&field) {
        let name = field.name();
        flaw.reason += &format!(
            " ({name} tells what happened to a request; a member of your own needs another name)"
        );
    }
    flaw
}

impl Outcome {
    /// Add the fields to `line`, a JSON object: before its closing brace, in
    /// the order of the fields above, absent ones left out.
    pub fn append_to(&self, line: &mut Vec<u8>) {
        let mut object = Object::reopen(line);
        object.integer("seq", self.seq);
        object.integer("round", self.round);
        object.integer("concurrency", self.concurrency);
        object.string("stage", self.stage.as_deref());
        object.millis("scheduled_ms", self.scheduled_ms);
        object.millis("due_ms", self.due_ms);
        object.millis("sent_ms", self.sent_ms);
        object.millis("lateness_ms", self.lateness_ms);
        object.millis("queue_ms", self.queue_ms);
        object.millis("sent_unix_ms", self.sent_unix_ms);
        object.millis("connect_ms", self.connect_ms);
        object.millis("ttft_ms", self.ttft_ms);
        object.millis("first_content_ms", self.first_content_ms);
        object.millis("last_token_ms", self.last_token_ms);
        object.millis("latency_ms", self.latency_ms);
        object.millis("tpot_ms", self.tpot_ms);
        if let Some(gaps) = &self.itl_ms {
            object.key("itl_ms");
            push_gaps(object.out, gaps);
        }
        object.integer("input_tokens", self.input_tokens);
        object.integer("cached_tokens", self.cached_tokens);
        object.integer("output_tokens", self.output_tokens);
        object.integer("reasoning_tokens", self.reasoning_tokens);
        object.string("token_source", self.token_source.map(TokenSource::as_str));
        object.integer("chunks", self.chunks);
        object.integer("status", self.status.map(u64::from));
        if let Some(failure) = &self.error {
            object.key("error");
            serde_json::to_writer(&mut *object.out, failure)
                .expect("two strings into memory cannot fail");
        }
        object.integer("attempts", self.attempts);
        if let Some(memory) = self.gpu_memory_mb {
            object.key("gpu_memory_mb");
            serde_json::to_writer(&mut *object.out, &memory)
                .expect("a number into memory cannot fail");
        }
        object.end();
    }

    /// The outcome fields among `members`.
    pub(crate) fn from_members(line: &[u8], members: &[Member]) -> Result<Self, Flaw> {
        let mut outcome = Self::default();
        for member in members {
            if let Some(field) = member.field {
                let json = Json {
                    line,
                    value: member.value.range(),
                };
                outcome
                    .read(field, &json)
                    .map_err(|flaw| of_an_outcome(flaw, field))?;
            }
        }
        Ok(outcome)
    }

    fn read(&mut self, field: Field, json: &Json<'_>) -> Result<(), Flaw> {
        match field {
            Field::Seq => self.seq = whole(json)?,
            Field::Round => self.round = whole(json)?,
            Field::Concurrency => self.concurrency = whole(json)?,
            Field::Stage => self.stage = json.read()?,
            Field::ScheduledMs => self.scheduled_ms = millis(json)?,
            Field::DueMs => self.due_ms = millis(json)?,
            Field::SentMs => self.sent_ms = millis(json)?,
            Field::LatenessMs => self.lateness_ms = millis(json)?,
            Field::QueueMs => self.queue_ms = millis(json)?,
            Field::SentUnixMs => self.sent_unix_ms = millis(json)?,
            Field::ConnectMs => self.connect_ms = millis(json)?,
            Field::TtftMs => self.ttft_ms = millis(json)?,
            Field::FirstContentMs => self.first_content_ms = millis(json)?,
            Field::LastTokenMs => self.last_token_ms = millis(json)?,
            Field::LatencyMs => self.latency_ms = millis(json)?,
            Field::TpotMs => self.tpot_ms = millis(json)?,
            Field::ItlMs => self.itl_ms = gaps(json)?,
            Field::InputTokens => self.input_tokens = whole(json)?,
            Field::CachedTokens => self.cached_tokens = whole(json)?,
            Field::OutputTokens => self.output_tokens = whole(json)?,
            Field::ReasoningTokens => self.reasoning_tokens = whole(json)?,
            Field::TokenSource => self.token_source = json.read()?,
            Field::Chunks => self.chunks = whole(json)?,
            Field::Status => self.status = json.read()?,
            Field::Error => self.error = json.read()?,
            Field::Attempts => self.attempts = whole(json)?,
            Field::GpuMemoryMb => self.gpu_memory_mb = json.read()?,
            _ => {}
        }
        Ok(())
    }
}

fn whole(json: &Json<'_>) -> Result<Option<u64>, Flaw> {
    if let Some(number) = Cursor::whole(json.line, json.value.clone(), Cursor::integer) {
        return Ok(Some(number));
    }
    Ok(json.read::<Whole>()?.map(|whole| whole.0))
}

fn millis(json: &Json<'_>) -> Result<Option<Micros>, Flaw> {
    if let Some(time) = Cursor::whole(json.line, json.value.clone(), Cursor::millis) {
        return Ok(Some(time));
    }
    Ok(json.read::<Millis>()?.map(|millis| millis.0))
}

fn gaps(json: &Json<'_>) -> Result<Option<Vec<Micros>>, Flaw> {
    let mut gaps = Vec::new();
    let plain = |cursor: &mut Cursor<'_>| cursor.gaps(&mut gaps);
    if Cursor::whole(json.line, json.value.clone(), plain).is_some() {
        return Ok(Some(gaps));
    }
    let gaps = json.read::<Vec<Millis>>()?;
    Ok(gaps.map(|gaps| gaps.iter().map(|gap| gap.0).collect()))
}

fn push_gaps(out: &mut Vec<u8>, gaps: &[Micros]) {
    out.push(b'[');
    for (i, gap) in gaps.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        gap.push_millis(out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;
    use proptest::prelude::*;

    #[test]
    fn every_kind_is_written_by_its_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{}\"", kind.as_str())
            );
        }
    }

    #[test]
    fn a_request_line_has_no_outcome() {
        let line = Line::parse("t", r#"{"input_length":3,"tag":1}"#).unwrap();
        assert_eq!(line.outcome().unwrap(), None);
    }

    #[test]
    fn an_unknown_kind_of_error_is_located() {
        let line = Line::parse(
            "t",
            r#"{"input_length":3,"error":{"kind":"bored","message":""}}"#,
        )
        .unwrap();
        let error = line.outcome().unwrap_err().to_string();
        assert!(
            error.starts_with("t:1:") && error.contains("unknown variant `bored`"),
            "{error}"
        );
        let line = Line::parse("t", r#"{"input_length":3,"status":"active"}"#).unwrap();
        let error = line.outcome().unwrap_err().to_string();
        assert!(error.contains("(status tells what happened"), "{error}");
    }

    fn micros() -> impl Strategy<Value = Option<Micros>> {
        proptest::option::of((0..1u64 << 50).prop_map(Micros::from_micros))
    }

    prop_compose! {
        fn outcomes()(
            seq in proptest::option::of(0..1u64 << 53),
            sent_ms in micros(),
            ttft_ms in micros(),
            latency_ms in micros(),
            itl_ms in proptest::option::of(proptest::collection::vec((0..1u64 << 40).prop_map(Micros::from_micros), 0..5)),
            status in proptest::option::of(100..600u16),
            kind in proptest::option::of(0..ErrorKind::ALL.len()),
            message in ".*",
        ) -> Outcome {
            let error = kind.map(|kind| Failure { kind: ErrorKind::ALL[kind], message });
            let token_source = seq.map(|_| TokenSource::Usage);
            Outcome { seq, sent_ms, ttft_ms, latency_ms, itl_ms, status, error, token_source, ..Outcome::default() }
        }
    }

    proptest! {
        #[test]
        fn what_was_appended_reads_back(outcome in outcomes()) {
            let mut bytes = br#"{"input_length": 3, "tag": 1.50 }"#.to_vec();
            outcome.append_to(&mut bytes);
            let line = Line::parse("t", std::str::from_utf8(&bytes).unwrap()).unwrap();
            let expected = (outcome != Outcome::default()).then_some(outcome);
            prop_assert_eq!(line.outcome().unwrap(), expected);
            let kept = line.request_bytes();
            prop_assert_eq!(std::str::from_utf8(&kept).unwrap().trim_end_matches([' ', '}']), r#"{"input_length": 3, "tag": 1.50"#);
        }
    }
}
