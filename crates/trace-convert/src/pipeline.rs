//! The transforms one after the other, and the encoder at their end.

use crate::args::{Args, Compat};
use crate::clock::TimeUnit;
use crate::counter::Counter;
use crate::format::{self, Encode, Out};
use crate::record::Record;
use crate::report::{Kind, Report};
use crate::statistics::Statistics;
use crate::transform::attach::Attach;
use crate::transform::condition::{Condition, Conditions, Lengths};
use crate::transform::copies::Copies;
use crate::transform::count::Count;
use crate::transform::draw::Draw;
use crate::transform::dynamo::Dynamo;
use crate::transform::keep::{Span, TimeWindow};
use crate::transform::reblock::{Reblock, Relabel};
use crate::transform::render::Render;
use crate::transform::repair::{BlockCounts, Failed, Repair};
use crate::transform::sample::Sample;
use crate::transform::scale::{Clip, Scale};
use crate::transform::spread::Spread;
use crate::transform::{Fate, Transform};
use anyhow::Context;
use trace_core::{Field, Micros};

/// What happens to every request of a run.
pub(crate) struct Pipeline {
    /// Requests that wait for a repair that looks ahead.
    held: Option<Vec<Record>>,
    /// How many may wait.
    hold: usize,
    sort: bool,
    units: bool,
    /// Timestamps are seconds that stand for milliseconds.
    seconds: bool,
    /// Whether sorted times begin with the earliest.
    own_clock: bool,
    /// What decides whether a request is kept.
    keeping: Vec<Box<dyn Transform>>,
    draw: Option<Draw>,
    spread: Option<Spread>,
    /// What changes it.
    changing: Vec<Box<dyn Transform>>,
    statistics: Option<Statistics>,
    copies: u64,
    /// What is done to each copy.
    finishing: Vec<Box<dyn Transform>>,
    encoder: Box<dyn Encode>,
    over: bool,
}

/// As many timestamps as tell their unit.
const TELLING: usize = 1_000;

impl Pipeline {
    /// The pipeline that `args` describe, for requests whose blocks have
    /// `block_size` tokens.
    ///
    /// # Errors
    /// Flags that do not go together.
    pub(crate) fn new(args: &Args, block_size: u64, own_clock: bool) -> anyhow::Result<Self> {
        let target = format::target(&args.to).context("an unknown format")?;
        let repairs = |repair| {
            args.repair
                .as_ref()
                .is_some_and(|all| all.contains(&repair))
        };
        let (sort, units) = (repairs(Repair::Order), repairs(Repair::Units) && !own_clock);
        Ok(Self {
            held: (sort || units).then(Vec::new),
            hold: if sort { usize::MAX } else { TELLING },
            sort,
            units,
            seconds: false,
            own_clock,
            keeping: keeping(args),
            draw: args
                .num_samples
                .map(|most| Draw::new(most, args.sample_by, args.seed.seed)),
            spread: args
                .ungroup_interval
                .map(|i| Spread::new(i, args.seed.seed)),
            changing: changing(args, block_size, repairs(Repair::Lengths)),
            statistics: args.prints_statistics().then(Statistics::default),
            copies: args.repeat,
            finishing: finishing(args, args.block_size.unwrap_or(block_size))?,
            encoder: (target.encoder)(args, args.block_size.unwrap_or(block_size))?,
            over: args.limit == Some(0),
        })
    }

    /// Whether nothing more will be written.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Send one request through.
    ///
    /// # Errors
    /// Those of the transforms and of writing.
    pub(crate) fn push(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if let Some(held) = &mut self.held {
            held.push(std::mem::take(record));
            if held.len() < self.hold {
                return Ok(());
            }
            return self.release(out, report);
        }
        self.keep(record, out, report)
    }

    /// Send on what waited.
    fn release(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        let mut held = self.held.take().unwrap_or_default();
        if self.units {
            let times = held.iter().take(TELLING);
            let times: Vec<f64> = times
                .filter_map(|record| Some(record.request().timestamp?.as_millis()))
                .collect();
            let (unit, why) = TimeUnit::guess(&times);
            self.seconds = times.len() > 1 && unit == TimeUnit::S;
            if self.seconds {
                report.assume(format!("timestamps are seconds, {why}"));
            }
        }
        let order = if self.sort {
            order(&held, report)
        } else {
            (0..held.len()).map(|at| (Micros::ZERO, at)).collect()
        };
        let zero = match order.first() {
            Some((time, _)) if self.own_clock => *time,
            _ => Micros::ZERO,
        };
        for (_, at) in order {
            if self.over {
                break;
            }
            let mut record = std::mem::take(&mut held[at]);
            if zero > Micros::ZERO
                && let Some(time) = record.request().timestamp
            {
                record.change(Field::Timestamp).timestamp = Some(time.saturating_sub(zero));
            }
            self.keep(&mut record, out, report)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if self.seconds
            && let Some(time) = record.request().timestamp
        {
            report.count(Kind::Changed, "timestamps, from seconds to milliseconds", 1);
            let time = Micros::from_micros(time.as_micros().saturating_mul(1_000));
            record.change(Field::Timestamp).timestamp = Some(time);
        }
        for stage in &mut self.keeping {
            match stage.apply(record, report)? {
                Fate::Kept => {}
                Fate::Dropped => return Ok(()),
                Fate::Last => self.over = true,
            }
        }
        if let Some(draw) = &mut self.draw {
            draw.push(record, report);
            return Ok(());
        }
        self.spread(record, out, report)
    }

    fn spread(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let Some(spread) = &mut self.spread else {
            return self.change(record, out, report);
        };
        for mut record in spread.push(record, report) {
            self.change(&mut record, out, report)?;
        }
        Ok(())
    }

    fn change(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for stage in &mut self.changing {
            if stage.apply(record, report)? == Fate::Dropped {
                return Ok(());
            }
        }
        if let Some(statistics) = &mut self.statistics {
            statistics.add(record.request());
        }
        if self.copies == 1 {
            return self.write(record, out, report);
        }
        let copies = Copies::of(record, self.copies);
        for copy in 0..self.copies {
            copies.make(copy, record)?;
            if self.finishing.is_empty() {
                self.write(record, out, report)?;
            } else {
                self.write(&mut record.clone(), out, report)?;
            }
            report.copies += u64::from(copy > 0);
        }
        Ok(())
    }

    /// Write a request that nothing but its text is wanting to.
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for stage in &mut self.finishing {
            stage.apply(record, report)?;
        }
        if self.encoder.write(record, out, report)? {
            report.written += 1;
        }
        Ok(())
    }

    /// Write what was held back.
    ///
    /// # Errors
    /// Those of the transforms and of writing.
    pub(crate) fn finish(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        self.release(out, report)?;
        for mut record in self.draw.as_mut().map(Draw::finish).into_iter().flatten() {
            self.spread(&mut record, out, report)?;
        }
        if let Some(spread) = &mut self.spread {
            for mut record in spread.take(None, report) {
                self.change(&mut record, out, report)?;
            }
        }
        if let Some(statistics) = &self.statistics {
            report.statistics = Some(statistics.to_string());
        }
        self.encoder.finish(out, report)
    }
}

fn keeping(args: &Args) -> Vec<Box<dyn Transform>> {
    let mut stages: Vec<Box<dyn Transform>> = Vec::new();
    if args.from_time.is_some() || args.to_time.is_some() {
        stages.push(Box::new(TimeWindow::new(args.from_time, args.to_time)));
    }
    let mut conditions = args.conditions.clone();
    conditions.extend(
        args.model
            .iter()
            .map(|model| Condition::equals("model", model)),
    );
    conditions.extend(
        args.log_type
            .iter()
            .map(|kind| Condition::equals("log_type", kind)),
    );
    if !conditions.is_empty() {
        stages.push(Box::new(Conditions::new(conditions)));
    }
    if args.limits_lengths() && !args.clip {
        stages.push(Box::new(Lengths {
            input: args.min_input_length.unwrap_or(0)..=args.max_input_length.unwrap_or(u64::MAX),
            output: args.min_output_length.unwrap_or(0)
                ..=args.max_output_length.unwrap_or(u64::MAX),
        }));
    }
    if args.failed == Failed::Drop {
        stages.push(Box::new(args.failed));
    }
    if let Some(probability) = args.sample {
        stages.push(Box::new(Sample::new(
            probability,
            args.sample_by,
            args.seed.seed,
        )));
    }
    if args.skip > 0 || args.limit.is_some() {
        stages.push(Box::new(Span::new(args.skip, args.limit)));
    }
    stages
}

fn changing(args: &Args, block_size: u64, fit_ids: bool) -> Vec<Box<dyn Transform>> {
    let mut stages: Vec<Box<dyn Transform>> = Vec::new();
    let pace = args.pace();
    if !pace.is_idle() {
        stages.push(Box::new(pace));
    }
    if fit_ids {
        stages.push(Box::new(BlockCounts::new(block_size)));
    }
    if args.clip {
        stages.push(Box::new(Clip {
            input: args.max_input_length.unwrap_or(u64::MAX),
            output_min: args.min_output_length.unwrap_or(0),
            output_max: args.max_output_length.unwrap_or(u64::MAX),
            block_size,
        }));
    }
    if args.scale_input != 1.0 || args.scale_output != 1.0 {
        stages.push(Box::new(Scale {
            input: args.scale_input,
            output: args.scale_output,
            block_size,
        }));
    }
    if args.compat == Some(Compat::Dynamo) {
        stages.push(Box::new(Dynamo::new(
            args.block_size(),
            args.num_hash_blocks,
        )));
    } else if let Some(wanted) = args.block_size.filter(|wanted| *wanted != block_size) {
        stages.push(Box::new(Reblock::new(block_size, wanted)));
    }
    if args.relabel {
        stages.push(Box::new(Relabel::default()));
    }
    if args.failed == Failed::Tag {
        stages.push(Box::new(args.failed));
    }
    stages
}

/// What concerns text, which copies have of their own.
fn finishing(args: &Args, block_size: u64) -> anyhow::Result<Vec<Box<dyn Transform>>> {
    let mut stages: Vec<Box<dyn Transform>> = Vec::new();
    if let Some(path) = &args.prompts {
        stages.push(Box::new(Attach::new(path, args, block_size)?));
    }
    if args.count {
        stages.push(Box::new(Count::new(Counter::with(args, block_size)?)));
    }
    if let Some(how) = args.render {
        stages.push(Box::new(Render::new(how, args, block_size)?));
    }
    Ok(stages)
}

/// The order by timestamp, with the place of each request. One without a
/// timestamp stays behind the one before it; equal times keep their order.
fn order(held: &[Record], report: &mut Report) -> Vec<(Micros, usize)> {
    let (mut latest, mut last) = (Micros::ZERO, Micros::ZERO);
    let mut order = Vec::with_capacity(held.len());
    for (at, record) in held.iter().enumerate() {
        last = record.request().timestamp.unwrap_or(last);
        let behind = u64::from(last < latest);
        report.count(Kind::Reordered, "requests by --repair=order", behind);
        latest = latest.max(last);
        order.push((last, at));
    }
    order.sort_unstable();
    order
}
