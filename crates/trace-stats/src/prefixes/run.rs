//! Read the trace once, and print the report.

use super::Args;
use crate::format::Columns;
use crate::input::each_line;
use crate::report::{Kind, Report, Value};
use crate::sharing::Sharing;
use crate::summary::describe_demand;
use crate::workload::Workload;
use std::cell::RefCell;
use std::io::Write;
use trace_core::{Micros, Reader};

/// Read `input` to its end and print the report on `output`, and on `notes`
/// what is not part of it. Gives the exit code.
///
/// # Errors
///
/// Those of reading and writing.
pub fn run(
    args: &Args,
    input: &mut Reader<'_>,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    let report = report(args, input)?;
    crate::print(
        &report,
        args.format,
        &Columns::default(),
        &mut output,
        &mut notes,
    )
}

/// The report on all requests of `input`.
///
/// # Errors
///
/// Those of reading; a trace of more blocks than can be numbered.
pub fn report(args: &Args, input: &mut Reader<'_>) -> anyhow::Result<Report> {
    let block_size = args.block_size.block_size;
    let mut workload = Workload::new(usize::MAX);
    // What a line looks like is checked as it is read, and outcomes are taken
    // only after that.
    let sharing = Sharing::new(block_size).with_tree();
    let sharing = RefCell::new(if args.cache {
        sharing.with_cache()
    } else {
        sharing
    });
    let requests = each_line(
        input,
        |line, outcome| {
            workload.push(
                &line.request,
                outcome.and_then(|outcome| outcome.scheduled_ms),
            );
            sharing.borrow_mut().check(line);
        },
        |prompt| sharing.borrow_mut().push(&prompt),
    )?;
    let demand = workload.finish(&mut None);
    let mut report = Report::new(Kind::Trace);
    report.requests = requests;
    report.duration_ms = demand.duration.map(Micros::as_millis);
    describe_demand(&mut report, demand);
    sharing.into_inner().describe(&mut report)?;
    if input.skipped() > 0 {
        let skipped = Value::Count(input.skipped());
        report.scalars.push(("skipped_lines", skipped));
    }
    report
        .metrics
        .retain(|(_, spread)| spread.count + spread.censored > 0);
    Ok(report)
}
