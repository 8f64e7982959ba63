//! BurstGPT: `Timestamp` in seconds, `Model`, `Request tokens`, `Response
//! tokens`, `Total tokens`, `Log Type`, and in later releases `Session ID`
//! and `Elapsed time` between them. Columns go by their names: the releases
//! differ in their order.

use crate::args::Args;
use crate::clock::{Clock, TimeUnit, decimal, short};
use crate::format::{Decode, Format};
use crate::history::History;
use crate::input::Opened;
use crate::record::{Name, Record};
use crate::report::{Kind, Report};
use crate::table::Table;
use trace_core::{Error, Field, SessionId};

/// The public BurstGPT tables, of 6 and of 8 columns.
pub(crate) static FORMAT: Format = Format {
    name: "burstgpt",
    about: "BurstGPT CSV, with and without sessions",
    detect: |head| head.has_columns(&REQUIRED),
    needs: "the columns Timestamp, Model, Request tokens, Response tokens",
    decoder: |args| Ok(Box::new(BurstGpt::new(args))),
};

const REQUIRED: [&str; 4] = ["Timestamp", "Model", "Request tokens", "Response tokens"];

struct BurstGpt {
    clock: Clock,
    history: Option<History>,
    unit: TimeUnit,
    /// The model of the row before.
    model: String,
    open: Option<(Table, Columns)>,
}

/// Where the columns stand.
struct Columns {
    timestamp: usize,
    model: usize,
    input: usize,
    output: usize,
    total: Option<usize>,
    session: Option<usize>,
    /// The others, and what the line calls them.
    rest: Vec<(usize, Name)>,
}

impl BurstGpt {
    fn new(args: &Args) -> Self {
        Self {
            clock: args.clock(),
            history: args.invents_ids().then(|| History::new(args.block_size())),
            unit: args.unit_or(TimeUnit::S),
            model: String::new(),
            open: None,
        }
    }
}

impl Decode for BurstGpt {
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()> {
        let table = Table::open(input)?;
        let [timestamp, model, input, output] = table.columns(REQUIRED)?;
        let total = table.column("Total tokens");
        let session = table.column("Session ID");
        let mut used = vec![timestamp, model, input, output];
        used.extend(total.into_iter().chain(session));
        let renamed = [("Log Type", "log_type"), ("Elapsed time", "elapsed_s")];
        let rest = table.others(&used, &renamed);
        report.assume(format!(
            "Timestamp in {}, zero at the first row",
            self.unit.as_str()
        ));
        let columns = Columns {
            timestamp,
            model,
            input,
            output,
            total,
            session,
            rest,
        };
        self.open = Some((table, columns));
        Ok(())
    }

    fn has_clock(&self) -> bool {
        true
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        let Some((table, columns)) = &mut self.open else {
            return Ok(false);
        };
        if !table.next(report)? {
            return Ok(false);
        }
        record.begin(table.name(), table.line());
        let micros = time(table, columns.timestamp, self.unit)?;
        let input = table.whole(columns.input)?;
        let output = table.whole(columns.output)?;
        let at = self.clock.place(micros, report);
        let at = at.map_err(|reason| table.error(columns.timestamp, reason))?;
        let session = match columns.session {
            Some(column) => table.text(column)?,
            None => "",
        };
        let session = (!session.is_empty()).then(|| SessionId::Text(session.to_owned()));
        let request = record.change(Field::Timestamp);
        request.timestamp = Some(at);
        request.input_length = Some(input);
        request.output_length = Some(output);
        request.session_id = session;
        request.source = table.tag().map(str::to_owned);
        if let Some(history) = &mut self.history {
            history.mark(record, report)?;
        }
        // Two models take turns over millions of rows.
        if table.bytes(columns.model) != self.model.as_bytes() {
            table.text(columns.model)?.clone_into(&mut self.model);
        }
        if !self.model.is_empty() {
            record.set_model(&self.model);
        }
        report.count(
            Kind::Noted,
            "requests answered with 0 tokens, which are failures (--failed drop|tag)",
            u64::from(output == 0),
        );
        if let Some(total) = columns.total
            && table.whole(total)? != input + output
        {
            report.count(
                Kind::Noted,
                "rows whose Total tokens is not the sum of the others, which is left out",
                1,
            );
        }
        table.carry(&columns.rest, record);
        Ok(true)
    }
}

/// The time in `column` of the row at hand, in microseconds.
fn time(table: &Table, column: usize, unit: TimeUnit) -> Result<i64, Error> {
    if let Some(micros) = short(table.bytes(column), unit) {
        return Ok(micros);
    }
    let time = table.text(column)?;
    decimal(time, unit).ok_or_else(|| {
        let reason = format!("{time:?}, expected a number of seconds");
        table.error(column, reason)
    })
}

#[cfg(test)]
mod tests {
    use crate::tests::{convert, convert_with};

    #[test]
    fn the_six_columns_become_a_trace() {
        let table = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45.25,GPT-4,1087,0,1087,API log\n";
        let expected = concat!(
            r#"{"timestamp":0,"input_length":472,"output_length":18,"hash_ids":[0],"model":"ChatGPT","log_type":"Conversation log"}"#,
            "\n",
            r#"{"timestamp":40250,"input_length":1087,"output_length":0,"hash_ids":[1,2,3],"model":"GPT-4","log_type":"API log"}"#,
            "\n",
        );
        assert_eq!(convert("", table), expected);
    }

    #[test]
    fn sessions_share_growing_prefixes_wherever_the_columns_stand() {
        let table = "Session ID,Timestamp,Elapsed time,Model,Request tokens,Response tokens,Log Type\na,10.0,3,m,600,500,x\n,11.0,1,m,5,5,API log\na,12.5,2,m,1200,1,x\n";
        let lines = convert("", table);
        let ids: Vec<&str> = lines
            .lines()
            .map(|line| {
                line.split("\"hash_ids\":")
                    .nth(1)
                    .unwrap()
                    .split(']')
                    .next()
                    .unwrap()
            })
            .collect();
        assert_eq!(ids, ["[0,1", "[2", "[0,1,3"]);
        assert!(lines.starts_with(r#"{"timestamp":0,"input_length":600,"output_length":500,"hash_ids":[0,1],"session_id":"a","model":"m","elapsed_s":3,"log_type":"x"}"#), "{lines}");
    }

    #[test]
    fn a_cell_that_is_no_number_is_told_by_its_place() {
        let table = "Timestamp,Model,Request tokens,Response tokens\n5,m,NaN,18\n";
        let (_, error, _) = convert_with("", table);
        assert_eq!(
            error.unwrap(),
            "in:2:5: Request tokens: \"NaN\", expected a whole number, 0 or more"
        );
    }
}
