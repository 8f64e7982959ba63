//! Weka's agentic traces: one object per conversation, with its requests and
//! those of its subagents inside.
//!
//! Times count from the beginning of each conversation, and a block id means
//! something within its conversation only; both are said in the report.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::elements::Elements;
use crate::format::{Decode, Format};
use crate::formats::member::{list_of, text_of};
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use std::collections::{HashMap, VecDeque};
use trace_core::{Error, Field, Micros, SessionId};

/// One conversation per line, or an array of them.
pub(crate) static FORMAT: Format = Format {
    name: "weka",
    about: "Weka agentic traces: one conversation per object, subagents inside",
    detect: |head| head.has("requests.in") && head.has("requests.out"),
    needs: "objects with id and requests[] of t, in, out",
    decoder: |args: &Args| {
        Ok(Box::new(Weka {
            unit: args.unit_or(TimeUnit::S),
            block_size: args.from_block_size,
            elements: None,
            first: None,
            tag: None,
            waiting: VecDeque::new(),
            ids: HashMap::new(),
            next_id: 0,
        }))
    },
};

struct Weka {
    unit: TimeUnit,
    block_size: Option<u64>,
    elements: Option<Elements>,
    /// What came of the first conversation, which is read ahead.
    first: Option<Result<bool, Error>>,
    tag: Option<String>,
    /// The requests of one conversation.
    waiting: VecDeque<Record>,
    /// Ids of the conversation being read, or of all of them.
    ids: HashMap<u64, u64>,
    next_id: u64,
}

/// The size the published traces have.
const BLOCK: u64 = 64;

impl Decode for Weka {
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()> {
        report.assume(format!(
            "t in {} since the conversation began, and all conversations begin at 0",
            self.unit.as_str()
        ));
        self.tag = input.tag;
        self.elements = Some(Elements::new(&input.name, input.bytes));
        // The block size stands in the first conversation, and is needed before
        // the first request is through.
        self.first = Some(self.next(report));
        self.block_size.get_or_insert(BLOCK);
        Ok(())
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        while self.waiting.is_empty() {
            let first = self.first.take();
            if !first.unwrap_or_else(|| self.next(report))? {
                return Ok(false);
            }
        }
        if let Some(next) = self.waiting.pop_front() {
            *record = next;
        }
        Ok(true)
    }

    fn block_size(&self) -> Option<u64> {
        self.block_size
    }
}

impl Weka {
    /// Queue the requests of the next conversation; `false` at the end.
    fn next(&mut self, report: &mut Report) -> Result<bool, Error> {
        let Some(mut elements) = self.elements.take() else {
            return Ok(false);
        };
        let more = self.conversation(&mut elements, report);
        self.elements = Some(elements);
        if more.is_err() {
            // Of a conversation that is passed over, nothing is left.
            self.waiting.clear();
        }
        more
    }

    fn conversation(
        &mut self,
        elements: &mut Elements,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let Some(bytes) = elements.next()?.map(<[u8]>::to_vec) else {
            return Ok(false);
        };
        let members: Members<'_> =
            serde_json::from_slice(&bytes).map_err(|error| elements.json_error(&error))?;
        let text = |raw: &[u8]| {
            let string = serde_json::from_slice::<String>(raw);
            string.unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
        };
        let id = members.get("id").map(text);
        let id = id.ok_or_else(|| elements.error("a conversation without an id"))?;
        if let Some(size) = members.get("block_size") {
            let size: u64 = serde_json::from_slice(size).map_err(|e| elements.json_error(&e))?;
            match self.block_size {
                Some(other) if other != size => {
                    return Err(
                        elements.error(format!("blocks of {size} tokens after blocks of {other}"))
                    );
                }
                _ => self.block_size = Some(size),
            }
        }
        let scope = members.get("hash_id_scope").map(text);
        if scope.as_deref() != Some("global") {
            self.ids.clear();
        }
        let requests = members.get("requests");
        let requests = requests.ok_or_else(|| elements.error("a conversation without requests"))?;
        let models: Vec<String> = list_of(&members, "models").map_err(|why| elements.error(why))?;
        // Of several, each request says which.
        let model = models.first().filter(|_| models.len() == 1);
        self.requests(&id, model.map(String::as_str), requests, elements, report)?;
        Ok(true)
    }

    /// Queue every request of an array; subagents are sessions of their own.
    fn requests(
        &mut self,
        session: &str,
        model: Option<&str>,
        array: &[u8],
        elements: &Elements,
        report: &mut Report,
    ) -> Result<(), Error> {
        let all: Vec<Members<'_>> =
            serde_json::from_slice(array).map_err(|error| elements.json_error(&error))?;
        for members in all {
            if let Some(inner) = members.get("requests") {
                let agent = members.get("agent_id").map_or_else(
                    || format!("{}", self.waiting.len()),
                    |raw| String::from_utf8_lossy(raw).trim_matches('"').to_owned(),
                );
                report.count(Kind::Changed, "subagents, each a session of its own", 1);
                self.requests(
                    &format!("{session}/{agent}"),
                    model,
                    inner,
                    elements,
                    report,
                )?;
                continue;
            }
            let record = self.request(session, model, &members, elements)?;
            self.waiting.push_back(record);
        }
        Ok(())
    }

    fn request(
        &mut self,
        session: &str,
        model: Option<&str>,
        members: &Members<'_>,
        elements: &Elements,
    ) -> Result<Record, Error> {
        let mut record = Record::default();
        record.begin(elements.name(), elements.began());
        let whole = |raw: &[u8], name: &str| {
            let number = serde_json::from_slice::<u64>(raw);
            number
                .map_err(|_| elements.error(format!("{name}: expected a whole number, 0 or more")))
        };
        let seconds = |raw: &[u8], name: &str| {
            let micros = std::str::from_utf8(raw)
                .ok()
                .and_then(|text| decimal(text, self.unit));
            let micros = micros.and_then(|micros| u64::try_from(micros).ok());
            let time = micros.map(Micros::from_micros);
            time.ok_or_else(|| elements.error(format!("{name}: expected a number, 0 or more")))
        };
        let (mut timestamp, mut delay, mut input, mut output, mut blocks) =
            (None, None, None, None, None);
        let mut name = model.map(str::to_owned);
        for (key, raw) in members.0.iter().filter(|(_, raw)| *raw != b"null") {
            match key.as_ref() {
                "t" => timestamp = Some(seconds(raw, "t")?),
                "think_time" => delay = Some(seconds(raw, "think_time")?),
                "in" => input = Some(whole(raw, "in")?),
                "out" => output = Some(whole(raw, "out")?),
                "hash_ids" => {
                    blocks = Some(
                        serde_json::from_slice::<Vec<u64>>(raw)
                            .map_err(|e| elements.json_error(&e))?,
                    );
                }
                "model" => name = text_of(members, "model").map_err(|why| elements.error(why))?,
                // Measured seconds of the recorded run, not of a run of ours.
                "ttft" => record.add("ttft_s", raw),
                "api_time" => record.add("api_time_s", raw),
                key => record.add(key, raw),
            }
        }
        if input.is_none() {
            return Err(elements.error("a request without `in`, the length of its prompt"));
        }
        let request = record.change(Field::Timestamp);
        request.timestamp = timestamp;
        request.delay = delay;
        request.input_length = input;
        request.output_length = output;
        request.session_id = Some(SessionId::Text(session.to_owned()));
        request.model = name;
        request.source.clone_from(&self.tag);
        request.hash_ids = blocks.map(|ids| ids.into_iter().map(|id| self.id(id)).collect());
        Ok(record)
    }

    fn id(&mut self, local: u64) -> u64 {
        let next = self.next_id;
        let id = *self.ids.entry(local).or_insert(next);
        self.next_id += u64::from(id == next);
        id
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn conversations_become_sessions_with_ids_of_their_own() {
        let trace = r#"{"id":"c1","models":["m"],"block_size":64,"hash_id_scope":"local","requests":[{"t":0.5,"type":"n","in":100,"out":5,"hash_ids":[0,1],"ttft":0.25},{"type":"subagent","agent_id":"a","requests":[{"t":1,"type":"s","in":64,"out":1,"hash_ids":[0]}]},{"t":2,"in":130,"out":5,"hash_ids":[0,1,2],"think_time":1.5}]}
{"id":"c2","requests":[{"t":0,"in":64,"out":5,"hash_ids":[0],"model":"q"}]}
"#;
        let (out, error, report) = convert_with("", trace);
        assert_eq!(error, None);
        let expected = concat!(
            r#"{"timestamp":500,"input_length":100,"output_length":5,"hash_ids":[0,1],"session_id":"c1","model":"m","type":"n","ttft_s":0.25}"#,
            "\n",
            r#"{"timestamp":1000,"input_length":64,"output_length":1,"hash_ids":[0],"session_id":"c1/a","model":"m","type":"s"}"#,
            "\n",
            r#"{"timestamp":2000,"input_length":130,"output_length":5,"hash_ids":[0,1,2],"session_id":"c1","delay":1500,"model":"m"}"#,
            "\n",
            r#"{"timestamp":0,"input_length":64,"output_length":5,"hash_ids":[3],"session_id":"c2","model":"q"}"#,
            "\n",
        );
        assert_eq!(out, expected);
        assert_eq!(report.read, 4);
    }
    #[test]
    fn a_bad_conversation_is_passed_over_whole_be_it_the_first() {
        let trace = concat!(
            r#"{"id":"a","requests":[{"t":0,"in":1,"out":1},{"t":1,"out":1}]}"#,
            "\n",
            r#"{"id":"b","requests":[{"t":0,"in":64,"out":5}]}"#,
            "\n",
            r#"{"id":"c","block_size":16,"requests":[{"t":0,"in":64,"out":5}]}"#,
            "\n",
        );
        let (out, error, report) = convert_with("--skip-invalid", trace);
        assert_eq!(error, None);
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(out.contains(r#""session_id":"b""#), "{out}");
        let line = report.line().unwrap();
        assert!(line.contains("skipped 2 invalid lines"), "{line}");
        let (out, error, _) = convert_with("", trace);
        let reason = "in:1:1: a request without `in`, the length of its prompt";
        assert_eq!((out.as_str(), error.as_deref()), ("", Some(reason)));
    }
}
