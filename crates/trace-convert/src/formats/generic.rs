//! Any CSV or JSON lines with a column of prompt lengths or prompts.
//!
//! `--map` says which column is which of our fields; columns nobody mapped
//! are recognised by the names people give them, and else carried along. What
//! lies inside an object goes by its path (`usage.prompt_tokens`).

use super::block_size::BlockSize;
use super::cell::Cell;
use super::columns::{Mapping, Role, asks, is_known, roles};
use super::paths::{Member, around, members};
use crate::args::Args;
use crate::clock::{Clock, TimeUnit, decimal};
use crate::elements::Elements;
use crate::format::{Decode, Format};
use crate::head::Head;
use crate::history::History;
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use crate::table::Table;
use std::collections::VecDeque;
use std::sync::Arc;
use trace_core::date::date;
use trace_core::{Error, Field, LineError};

/// A table of any kind.
pub(crate) static CSV: Format = Format {
    name: "csv",
    about: "any CSV with a header; --map says which column is which",
    detect: |head| match head {
        Head::Table(header) => asks(header),
        _ => false,
    },
    needs: "a header line and columns that --map names",
    decoder: |args| Ok(Box::new(Generic::new(args))),
};

/// JSON objects of any kind.
pub(crate) static JSONL: Format = Format {
    name: "jsonl",
    about: "any JSON objects, one per line or in an array; --map says which key is which",
    detect: |head| match head {
        Head::Json { keys, .. } => asks(keys),
        _ => false,
    },
    needs: "JSON objects with keys that --map names",
    decoder: |args| Ok(Box::new(Generic::new(args))),
};

enum Rows {
    Table(Table, Vec<Role>),
    Objects(Objects),
}

/// Objects, and what becomes of the members of the last one.
struct Objects {
    elements: Elements,
    tag: Option<Arc<str>>,
    /// The objects inside in which fields are looked for.
    entered: Vec<String>,
    paths: Vec<String>,
    roles: Vec<Role>,
}

struct Generic {
    mappings: Vec<Mapping>,
    clock: Clock,
    history: Option<History>,
    unit: TimeUnit,
    /// Whether the numbers have been looked at, or need not be.
    told: bool,
    /// Whether time and length have our names, and so our unit and zero.
    ours: bool,
    /// Tokens per block of the ids in the rows, if they have any.
    block_size: Option<u64>,
    from_block_size: BlockSize,
    rows: Option<Rows>,
    /// Rows that wait for their time's unit, and rows behind them.
    ahead: VecDeque<(Record, Option<String>)>,
    ended: bool,
}

/// As many times as tell their unit.
const TELLING: usize = 1_000;

impl Generic {
    fn new(args: &Args) -> Self {
        Self {
            mappings: args.mappings.clone(),
            clock: args.clock(),
            history: args.invents_ids().then(|| History::new(args.block_size())),
            unit: args.time_unit,
            told: args.time_unit != TimeUnit::Auto,
            ours: false,
            block_size: None,
            from_block_size: BlockSize::new(args),
            rows: None,
            ahead: VecDeque::new(),
            ended: false,
        }
    }

    /// What becomes of the columns of these names; say what was guessed.
    fn roles(&mut self, names: &[String], report: &mut Report) -> Vec<Role> {
        let found = roles(names, &self.mappings);
        for (name, role) in names.iter().zip(&found) {
            let Role::Field(field) = role else { continue };
            if !self.mappings.iter().any(|m| m.from == *name) && name != field.name() {
                report.assume(format!("{name} is {}", field.name()));
            }
            if *field == Field::Timestamp
                && !self.told
                && let Some(unit) = TimeUnit::of_name(name)
            {
                self.unit = unit;
                self.told = true;
                report.assume(format!("{name} in {}, as its name says", unit.as_str()));
            }
        }
        found
    }

    /// Read one row; its time stays as it is written.
    fn row(
        &mut self,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<Option<Option<String>>, Error> {
        let mut time = None;
        let mut rows = self.rows.take();
        let done = match &mut rows {
            Some(Rows::Table(table, roles)) => {
                let more = table.next(report);
                match more {
                    Ok(true) => table_row(table, roles, record, &mut time, report).map(|()| true),
                    other => other,
                }
            }
            Some(Rows::Objects(objects)) => self.object(objects, record, &mut time, report),
            None => Ok(false),
        };
        self.rows = rows;
        Ok(done?.then_some(time))
    }

    fn object(
        &mut self,
        objects: &mut Objects,
        record: &mut Record,
        time: &mut Option<String>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let elements = &mut objects.elements;
        let name = elements.name().clone();
        let Some(bytes) = elements.next()?.map(<[u8]>::to_vec) else {
            return Ok(false);
        };
        let object: Members<'_> =
            serde_json::from_slice(&bytes).map_err(|error| elements.json_error(&error))?;
        record.begin(&name, elements.began());
        let all = members(&object, &objects.entered);
        if !all.iter().map(|member| &*member.path).eq(&objects.paths) {
            objects.paths = all.iter().map(|member| member.path.to_string()).collect();
            objects.roles = self.roles(&objects.paths, report);
        }
        let mut parts = Parts::default();
        for (Member { path, raw, inner }, role) in all.iter().zip(&objects.roles) {
            let cell = Cell { name: path, raw };
            match role {
                // It stays where it is, in the member around it.
                Role::Member(name) if *inner && name == path => {}
                Role::Member(name) if self.ours => record.add_own(name, raw),
                Role::Member(name) => record.add(name, raw),
                Role::Field(field) => cell.set(*field, record, time)?,
                Role::Part(field) => {
                    parts.add(
                        *field,
                        cell.whole()
                            .map_err(|why| record.error(format!("{path}: expected {why}")))?,
                    );
                    if !inner {
                        record.add(path, raw);
                    }
                }
            }
        }
        parts.join(record, report);
        record.change(Field::Source).source = objects.tag.as_ref().map(ToString::to_string);
        Ok(true)
    }

    /// Look far enough ahead to tell the unit of the times.
    fn look_ahead(&mut self, report: &mut Report) -> Result<(), Error> {
        while !self.told && !self.ended {
            let mut record = Record::default();
            match self.row(&mut record, report)? {
                None => self.ended = true,
                Some(time) => {
                    // A date needs no unit.
                    self.told = time.as_deref().is_some_and(|time| date(time).is_some());
                    self.ahead.push_back((record, time));
                    if self.ahead.len() >= TELLING {
                        break;
                    }
                }
            }
        }
        if self.told {
            return Ok(());
        }
        self.told = true;
        let times = self
            .ahead
            .iter()
            .filter_map(|(_, time)| time.as_deref()?.trim().parse().ok());
        let times: Vec<f64> = times.collect();
        if let Some(first) = times.first() {
            // A date since 1970 is nobody's own zero.
            self.ours &= (0.0..1e9).contains(first);
            let (unit, why) = if self.ours {
                self.clock.keep_zero();
                (TimeUnit::Ms, "as in Mooncake's traces")
            } else {
                TimeUnit::guess(&times)
            };
            self.unit = unit;
            report.assume(format!(
                "times in {}, {why} (--time-unit says otherwise)",
                unit.as_str()
            ));
        }
        Ok(())
    }

    /// Give a row its time and its ids.
    fn finish(
        &mut self,
        record: &mut Record,
        time: Option<String>,
        report: &mut Report,
    ) -> Result<(), LineError> {
        if let Some(time) = time {
            let micros = date(&time).or_else(|| decimal(&time, self.unit));
            let micros = micros.ok_or_else(|| {
                record.error(format!(
                    "timestamp: {time:?}, expected a number or a date like 2023-11-16T18:17:03Z"
                ))
            })?;
            let at = self.clock.place(micros, report);
            let at = at.map_err(|reason| record.error(reason))?;
            record.change(Field::Timestamp).timestamp = Some(at);
        } else {
            let reason = "requests without a time (--map timestamp=NAME)";
            report.count(Kind::Noted, reason, 1);
        }
        let request = record.request();
        if request.output_length.is_none() {
            let reason = "requests without an output length (--map output_length=NAME)";
            report.count(Kind::Noted, reason, 1);
        }
        if request.input_length == Some(0) {
            let reason = "requests with a prompt of 0 tokens (--min-input-length 1 drops them)";
            report.count(Kind::Noted, reason, 1);
        }
        if request.input_length.is_none() && !record.is_literal() {
            return Err(record.error(
                "no prompt and no length of one; name its column with --map input_length=NAME",
            ));
        }
        if let Some(history) = &mut self.history
            && request.hash_ids.is_none()
            && !record.is_literal()
        {
            history.mark(record, report)?;
        }
        Ok(())
    }
}

impl Decode for Generic {
    fn open(&mut self, mut input: Opened, report: &mut Report) -> anyhow::Result<()> {
        self.ended = false;
        let names = match &input.head {
            Head::Table(header) => header.clone(),
            Head::Json { keys, .. } => keys.clone(),
            _ => Vec::new(),
        };
        let mut missing: Vec<&str> = self.mappings.iter().map(|m| m.from.as_str()).collect();
        // A JSON key may be absent from the first object.
        missing.retain(|from| !names.iter().any(|name| name == from));
        let table = matches!(input.head, Head::Table(_));
        if !missing.is_empty() && table {
            anyhow::bail!(
                "{}:1: --map: no column {}; found {}",
                input.name,
                missing.join(", "),
                input.head.describe()
            );
        }
        let named = |ours: &str| names.iter().any(|name| name == ours);
        self.ours = named(Field::Timestamp.name())
            && named(Field::InputLength.name())
            && self.mappings.is_empty();
        if roles(&names, &self.mappings).contains(&Role::Field(Field::HashIds)) {
            self.history = None;
            self.from_block_size.open(&mut input, report)?;
            self.block_size = Some(self.from_block_size.get());
        }
        self.rows = Some(if table {
            let table = Table::open(input)?;
            let roles = self.roles(table.header(), report);
            Rows::Table(table, roles)
        } else {
            let known = names
                .iter()
                .map(String::as_str)
                .filter(|name| is_known(name));
            let mapped = self.mappings.iter().map(|mapping| mapping.from.as_str());
            Rows::Objects(Objects {
                entered: around(known.chain(mapped).chain(["usage."])),
                elements: Elements::new(&input.name, input.bytes),
                tag: input.tag.map(Into::into),
                paths: Vec::new(),
                roles: Vec::new(),
            })
        });
        Ok(())
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        self.look_ahead(report)?;
        let time = match self.ahead.pop_front() {
            Some((ahead, time)) => {
                *record = ahead;
                time
            }
            None if self.ended => return Ok(false),
            None => match self.row(record, report)? {
                Some(time) => time,
                None => return Ok(false),
            },
        };
        self.finish(record, time, report)?;
        Ok(true)
    }

    fn block_size(&self) -> Option<u64> {
        self.block_size
    }

    fn has_clock(&self) -> bool {
        true
    }
}

/// Tokens that belong to the lengths of a row beside those already in them.
#[derive(Default)]
struct Parts {
    input: u64,
    output: u64,
}

impl Parts {
    fn add(&mut self, field: Field, tokens: u64) {
        let length = match field {
            Field::OutputLength => &mut self.output,
            _ => &mut self.input,
        };
        *length = length.saturating_add(tokens);
    }

    fn join(&self, record: &mut Record, report: &mut Report) {
        if (self.input, self.output) == (0, 0) {
            return;
        }
        let reason = "lengths, with the tokens of a cache or of reasoning beside them";
        report.count(Kind::Changed, reason, 1);
        let request = record.change(Field::InputLength);
        let sum = |length: Option<u64>, more| length.map(|length| length.saturating_add(more));
        request.input_length = sum(request.input_length, self.input);
        record.change(Field::OutputLength).output_length =
            sum(record.request().output_length, self.output);
    }
}

fn table_row(
    table: &Table,
    roles: &[Role],
    record: &mut Record,
    time: &mut Option<String>,
    report: &mut Report,
) -> Result<(), Error> {
    record.begin(table.name(), table.line());
    let mut parts = Parts::default();
    for (column, role) in roles.iter().enumerate() {
        let text = table.text(column)?;
        if text.is_empty() {
            continue;
        }
        match role {
            Role::Member(name) => add(record, name, text),
            Role::Part(field) => {
                parts.add(*field, table.whole(column)?);
                add(record, &table.header()[column], text);
            }
            Role::Field(Field::Timestamp) => *time = Some(text.to_owned()),
            Role::Field(Field::InputLength) => {
                record.change(Field::InputLength).input_length = Some(table.whole(column)?);
            }
            Role::Field(Field::OutputLength) => {
                record.change(Field::OutputLength).output_length = Some(table.whole(column)?);
            }
            Role::Field(field) => {
                let json = spelled(*field, text);
                let cell = Cell {
                    name: field.name(),
                    raw: &json,
                };
                let set = cell.set(*field, record, time);
                set.map_err(|error| table.error(column, error.reason))?;
            }
        }
    }
    parts.join(record, report);
    record.change(Field::Source).source = table.tag().map(str::to_owned);
    Ok(())
}

/// Add a cell that no field holds.
fn add(record: &mut Record, name: &str, text: &str) {
    if crate::json::is_number(text.as_bytes()) {
        record.add(name, text.as_bytes());
    } else {
        record.add_text(name, text);
    }
}

/// The JSON of a cell: numbers and arrays stand in cells as they do in JSON.
fn spelled(field: Field, text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    match field {
        Field::HashIds | Field::Delay | Field::Messages | Field::Payload | Field::Extra => {
            json.extend_from_slice(text.as_bytes());
        }
        _ => crate::json::push_text(&mut json, text),
    }
    json
}

#[cfg(test)]
mod tests {
    use crate::tests::{convert, convert_with};

    #[test]
    fn mapped_columns_become_fields_and_the_others_members() {
        let table = "start,who,prompt_tokens,out,note\n1700000000.5,u1,600,7,\"a, b\"\n1700000001,u1,700,,\n";
        let (out, error, report) = convert_with(
            "--map timestamp=start,output_length=out --map session_id=who",
            table,
        );
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"timestamp":0,"input_length":600,"output_length":7,"hash_ids":[0,1],"session_id":"u1","note":"a, b"}"#,
                "\n",
                r#"{"timestamp":500,"input_length":700,"hash_ids":[0,1],"session_id":"u1"}"#,
                "\n",
            )
        );
        let line = report.line().unwrap();
        assert!(
            line.contains("times in seconds, as that makes them dates"),
            "{line}"
        );
        assert!(line.contains("prompt_tokens is input_length"), "{line}");
    }

    #[test]
    fn a_unit_in_the_name_or_a_flag_decides() {
        let out = convert("", "arrival_ms,input_tokens\n5,1\n6,1\n");
        assert!(out.contains("\"timestamp\":1,"), "{out}");
        let out = convert("--time-unit us --from csv", "time,input_tokens\n5,1\n6,1\n");
        assert!(out.contains("\"timestamp\":0.001,"), "{out}");
        let out = convert(
            "",
            "time,input_tokens\n2024-01-01T00:00:00Z,1\n2024-01-01T00:00:01+00:00,1\n",
        );
        assert!(out.contains("\"timestamp\":1000,"), "{out}");
    }

    #[test]
    fn tables_and_arrays_with_our_names_keep_our_unit_and_zero() {
        let trace = concat!(
            r#"{"timestamp":7,"input_length":600,"output_length":3,"hash_ids":[4,9],"note":"x;y"}"#,
            "\n",
            r#"{"timestamp":8.25,"input_length":5,"hash_ids":[4]}"#,
            "\n",
        );
        let table = convert("--to csv", trace);
        assert_eq!(convert("", &table), trace);
        let array = format!("[{}]", trace.trim_end().replace('\n', ",\n "));
        assert_eq!(convert("", &array), trace);
        // A date is no time since the trace began.
        let dates = r#"[{"timestamp":1700000000,"input_length":1},{"timestamp":1700000001,"input_length":1}]"#;
        assert!(convert("", dates).contains("\"timestamp\":1000,"));
    }

    #[test]
    fn json_objects_are_mapped_too() {
        let lines = "{\"request_id\": \"r0\", \"arrival_ms\": 7.5, \"input_length\": 906, \"cost\": {\"x\": 1}}\n";
        let out = convert("--map timestamp=arrival_ms", lines);
        assert_eq!(
            out,
            "{\"timestamp\":0,\"input_length\":906,\"hash_ids\":[0,1],\"request_id\":\"r0\",\"cost\":{\"x\": 1}}\n"
        );
        let out = convert(
            "--from jsonl",
            "[{\"prompt\": \"hi\", \"output_tokens\": \"3\"}]",
        );
        assert_eq!(out, "{\"output_length\":3,\"text_input\":\"hi\"}\n");
    }

    #[test]
    fn ids_that_are_there_are_read_and_split() {
        let lines = "{\"arrival_ms\": 7, \"input_length\": 100, \"hash_ids\": [3, 4]}\n";
        let out = convert("--from-block-size 64 --block-size 32", lines);
        assert_eq!(
            out,
            "{\"timestamp\":0,\"input_length\":100,\"hash_ids\":[6,7,8,9]}\n"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = |flags, text| convert_with(flags, text).1.unwrap();
        assert_eq!(
            error("--map input_length=n", "a,b\n1,2\n"),
            "in:1: --map: no column n; found a table with the columns a, b"
        );
        assert!(error("--from csv", "a,b\n1,2\n").contains("in:2:1: no prompt and no length"));
        assert!(error("", "time,input_tokens\n1,\n").contains("no prompt and no length"));
        assert!(error("", "time,input_tokens\n1,x\n").contains("input_tokens: \"x\""));
        assert!(
            error("", "a,b\n1,2\n").contains("found")
                || error("", "a,b\n1,2\n").contains("cannot tell the format")
        );
    }
}
