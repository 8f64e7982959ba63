//! The fields of an outcome, read with the line they stand on.
//!
//! Whoever looks into every outcome of a run would go over each line twice: to
//! find its fields, then to read them. Here the quick way through a line reads
//! them as it meets them, into the same [`Outcome`] line after line. It knows
//! plain values only, as [`scan`](crate::scan) does; of whatever else it meets
//! [`Outcome::from_members`] has the say.

use crate::cursor::Cursor;
use crate::field::Field;
use crate::line::Spare;
use crate::outcome::{ErrorKind, Failure, Outcome, TokenSource};

/// The place of an outcome that is filled line after line.
pub(crate) struct Along<'a> {
    slot: &'a mut Option<Outcome>,
    /// Whether the slot is of this line.
    begun: bool,
    /// Whether some value was not plain.
    odd: bool,
}

impl<'a> Along<'a> {
    pub(crate) fn new(slot: &'a mut Option<Outcome>) -> Self {
        Self {
            slot,
            begun: false,
            odd: false,
        }
    }

    /// Read the value of `field`, if it is plain; otherwise `cursor` is
    /// anywhere.
    #[inline]
    pub(crate) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        field: Field,
        spare: &mut Spare,
    ) -> Option<()> {
        let outcome = self.slot.get_or_insert_default();
        if !self.begun {
            self.begun = true;
            empty(outcome, spare);
        }
        let read = plain(cursor, field, outcome, spare);
        self.odd |= read.is_none();
        read
    }

    /// Whether the slot holds the outcome of a line whose fields were all met.
    pub(crate) fn is_whole(&self) -> bool {
        self.begun && !self.odd
    }

    /// Put `outcome` in the slot; what stood there keeps its room.
    pub(crate) fn put(self, outcome: Option<Outcome>, spare: &mut Spare) {
        if let Some(before) = self.slot {
            empty(before, spare);
        }
        *self.slot = outcome;
    }
}

/// Forget what `outcome` tells, but for the room it takes.
fn empty(outcome: &mut Outcome, spare: &mut Spare) {
    if let Some(gaps) = outcome.itl_ms.take() {
        spare.gaps = gaps;
    }
    if let Some(stage) = outcome.stage.take() {
        spare.stage = stage;
    }
    *outcome = Outcome::default();
}

/// One field, if its value is plain.
#[inline]
fn plain(
    cursor: &mut Cursor<'_>,
    field: Field,
    outcome: &mut Outcome,
    spare: &mut Spare,
) -> Option<()> {
    if cursor.peek() == Some(b'n') {
        return cursor.word(b"null");
    }
    match field {
        Field::Seq => outcome.seq = Some(cursor.integer()?),
        Field::Round => outcome.round = Some(cursor.integer()?),
        Field::Concurrency => outcome.concurrency = Some(cursor.integer()?),
        Field::Stage => {
            let mut stage = std::mem::take(&mut spare.stage);
            stage.clear();
            stage.push_str(cursor.text()?);
            outcome.stage = Some(stage);
        }
        Field::ScheduledMs => outcome.scheduled_ms = Some(cursor.millis()?),
        Field::DueMs => outcome.due_ms = Some(cursor.millis()?),
        Field::SentMs => outcome.sent_ms = Some(cursor.millis()?),
        Field::LatenessMs => outcome.lateness_ms = Some(cursor.millis()?),
        Field::QueueMs => outcome.queue_ms = Some(cursor.millis()?),
        Field::SentUnixMs => outcome.sent_unix_ms = Some(cursor.millis()?),
        Field::ConnectMs => outcome.connect_ms = Some(cursor.millis()?),
        Field::TtftMs => outcome.ttft_ms = Some(cursor.millis()?),
        Field::FirstContentMs => outcome.first_content_ms = Some(cursor.millis()?),
        Field::LastTokenMs => outcome.last_token_ms = Some(cursor.millis()?),
        Field::LatencyMs => outcome.latency_ms = Some(cursor.millis()?),
        Field::TpotMs => outcome.tpot_ms = Some(cursor.millis()?),
        Field::ItlMs => {
            let mut gaps = std::mem::take(&mut spare.gaps);
            gaps.clear();
            cursor.gaps(&mut gaps)?;
            outcome.itl_ms = Some(gaps);
        }
        Field::InputTokens => outcome.input_tokens = Some(cursor.integer()?),
        Field::CachedTokens => outcome.cached_tokens = Some(cursor.integer()?),
        Field::OutputTokens => outcome.output_tokens = Some(cursor.integer()?),
        Field::ReasoningTokens => outcome.reasoning_tokens = Some(cursor.integer()?),
        Field::TokenSource => outcome.token_source = Some(token_source(cursor.text()?)?),
        Field::Chunks => outcome.chunks = Some(cursor.integer()?),
        Field::Status => outcome.status = Some(u16::try_from(cursor.integer()?).ok()?),
        Field::Error => outcome.error = Some(failure(cursor)?),
        Field::Attempts => outcome.attempts = Some(cursor.integer()?),
        Field::GpuMemoryMb => {
            let from = cursor.at;
            cursor.number()?;
            let number = &cursor.line()[from..cursor.at];
            outcome.gpu_memory_mb = Some(serde_json::from_slice(number).ok()?);
        }
        _ => return None,
    }
    Some(())
}

fn token_source(name: &str) -> Option<TokenSource> {
    let all = [
        TokenSource::Usage,
        TokenSource::Tokenizer,
        TokenSource::Chunks,
    ];
    all.into_iter().find(|source| source.as_str() == name)
}

/// A failure as our tools write it.
fn failure(cursor: &mut Cursor<'_>) -> Option<Failure> {
    cursor.take(b'{')?;
    member(cursor, b"\"kind\"")?;
    let kind = cursor.text()?;
    let kind = ErrorKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)?;
    cursor.space();
    cursor.take(b',')?;
    member(cursor, b"\"message\"")?;
    let message = cursor.text()?.to_owned();
    cursor.space();
    cursor.take(b'}')?;
    Some(Failure { kind, message })
}

/// Go to the value of the member that is called `key`.
fn member(cursor: &mut Cursor<'_>, key: &[u8]) -> Option<()> {
    cursor.space();
    cursor.word(key)?;
    cursor.space();
    cursor.take(b':')?;
    cursor.space();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Line, Reader};
    use proptest::prelude::*;

    /// What was read with each line, or why not.
    fn along(text: &[u8]) -> Vec<Result<Option<Outcome>, String>> {
        let mut reader = Reader::new("t", text);
        let (mut line, mut outcome) = (Line::default(), None);
        let mut all = Vec::new();
        loop {
            match reader.read_outcome(&mut line, &mut outcome) {
                Ok(true) => all.push(Ok(outcome.clone())),
                Ok(false) => return all,
                Err(error) => all.push(Err(error.to_string())),
            }
        }
    }

    /// The same in two steps.
    fn apart(text: &[u8]) -> Vec<Result<Option<Outcome>, String>> {
        let read = |line: Result<Line, Error>| line.and_then(|line| Ok(line.outcome()?));
        let lines = Reader::new("t", text).map(read);
        lines.map(|read| read.map_err(|e| e.to_string())).collect()
    }

    fn quickly(text: &str) -> Outcome {
        let mut slot = None;
        let mut along = Along::new(&mut slot);
        let (mut members, mut request) = (Vec::new(), crate::Request::default());
        let read = crate::scan::scan(
            text.as_bytes(),
            &mut members,
            &mut request,
            &mut Spare::default(),
            Some(&mut along),
        );
        assert!(read && along.is_whole(), "{text}");
        slot.unwrap()
    }

    #[test]
    fn what_trace_send_writes_is_read_with_the_line() {
        let text = r#"{"input_length":1,"seq":3,"stage":"a b","sent_ms":1234567.891,"ttft_ms":0.125,"itl_ms":[10.551,4,0.5],"output_tokens":4,"token_source":"tokenizer","status":200,"gpu_memory_mb":80123.5}"#;
        let line = Line::parse("t", text).unwrap();
        assert_eq!(Some(quickly(text)), line.outcome().unwrap());
        let failed = r#"{"input_length":1,"seq":3,"error":{"kind":"http","message":"503 from the server"},"attempts":2}"#;
        let line = Line::parse("t", failed).unwrap();
        assert_eq!(Some(quickly(failed)), line.outcome().unwrap());
    }

    #[test]
    fn nothing_is_left_of_the_line_before() {
        let text = concat!(
            r#"{"input_length":1,"seq":1,"stage":"a","itl_ms":[1,2]}"#,
            "\n",
            r#"{"input_length":1}"#,
            "\n",
            r#"{"input_length":1,"itl_ms":[3]}"#,
            "\n",
            r#"{"input_length":1,"seq":1e0,"itl_ms":[3.0001]}"#,
            "\n",
            r#"{"input_length":1,"seq":"x","itl_ms":[4]}"#,
            "\n",
            r#"{"input_length":1,"seq":null}"#,
        );
        let found = along(text.as_bytes());
        assert_eq!(found, apart(text.as_bytes()));
        assert!(found[3].is_ok() && found[4].is_err(), "{found:?}");
        assert_eq!(found[5], Ok(Some(Outcome::default())));
    }

    #[test]
    fn a_bad_value_is_located_and_can_be_gone_past() {
        let text = "{\"input_length\":1,\"itl_ms\":[1,\"x\"]}\n{\"input_length\":2,\"seq\":1}\n";
        assert_eq!(
            along(text.as_bytes())[0],
            Err("t:1:33: invalid type: string \"x\", expected milliseconds, 0 or more".to_owned())
        );
        let mut reader = Reader::new("t", text.as_bytes()).skip_invalid(true);
        let (mut line, mut outcome) = (Line::default(), None);
        assert!(reader.read_outcome(&mut line, &mut outcome).unwrap());
        assert_eq!((line.number(), reader.skipped()), (2, 1));
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9]{1,4}",
            "[0-9]{1,8}\\.[0-9]{0,4}",
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            "\"(usage|chunks|[a-z\\\\\"é]{0,4})\"",
            "\\[([0-9]{1,4}(\\.[0-9]{1,4})?, ?){0,4}[0-9]{1,4}\\]",
            Just("null".to_owned()),
            Just("[]".to_owned()),
            Just(r#"{"kind":"http","message":"no"}"#.to_owned()),
            Just(r#"{ "kind" : "tls" , "message" : "n\n" }"#.to_owned()),
            Just(r#"{"message":"","kind":"stream"}"#.to_owned()),
            Just(r#"{"kind":"bored","message":""}"#.to_owned()),
            ".{0,4}",
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let outcomes = Field::ALL.iter().filter(|field| field.is_outcome());
        let names: Vec<&str> = outcomes.map(|field| field.name()).collect();
        let member = (proptest::sample::select(names), "[ ]{0,1}", value());
        proptest::collection::vec(member, 0..6).prop_map(|members| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(k, space, v)| format!(",{space}\"{k}\":{space}{v}{space}"))
                .collect();
            format!("{{\"input_length\":1{}}}", members.concat())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_outcome_read_along_is_the_one_read_apart(lines in proptest::collection::vec(line(), 1..4)) {
            let text = lines.join("\n");
            prop_assert_eq!(along(text.as_bytes()), apart(text.as_bytes()));
        }

        #[test]
        fn damage_makes_no_difference(lines in proptest::collection::vec(line(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = lines.join("\n").into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            prop_assert_eq!(along(&bytes), apart(&bytes));
        }
    }
}
