//! What is to be done, once the arguments are understood.

use crate::args::Args;
use crate::edit::Edit;
use crate::input::Input;
use crate::namespace::Namespace;
use crate::setting::{Setting, one_for};
use crate::shift::{Shift, parse_offset, parse_speed};
use crate::trace::{Order, Trace};
use anyhow::{Context, bail};
use trace_core::{Error, Field};

/// How all inputs are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) order: Order,
    pub(crate) skip_invalid: bool,
    /// Bytes that a sort keeps before it writes to a file.
    pub(crate) memory: u64,
    /// How many inputs may be open together, if that is not left to the
    /// system.
    pub(crate) open_files: Option<usize>,
}

/// One input, and what changes in its lines.
pub(crate) struct Part<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) edit: Edit,
}

impl<'a> Part<'a> {
    /// Open it as one of `count` that are open together.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub(crate) fn open(self, plan: Plan, count: usize) -> Result<Trace<'a>, Error> {
        Trace::open(self.input, self.edit, plan.order, plan.skip_invalid, count)
    }
}

impl Plan {
    /// The plan that `args` ask for.
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            order: match args.sort {
                true => Order::Any,
                false => Order::Sorted,
            },
            skip_invalid: args.input.skip_invalid,
            memory: args.sort_memory,
            open_files: args.open_files,
        }
    }
}

/// Each input with the changes that `args` ask for.
///
/// # Errors
/// A setting for an input that is not there, or with a wrong value.
pub(crate) fn parts<'a>(args: &Args, inputs: Vec<Input<'a>>) -> anyhow::Result<Vec<Part<'a>>> {
    let labels: Vec<String> = inputs.iter().map(|input| input.label.clone()).collect();
    let offsets = Setting::all("--offset", &args.offset, &labels, parse_offset)?;
    let speeds = Setting::all("--speed", &args.speed, &labels, parse_speed)?;
    let models = Setting::all(
        "--model",
        &args.model,
        &labels,
        |model| Ok(model.to_owned()),
    )?;
    let tags = Setting::all("--tag", &args.tag, &labels, parse_tag)?;
    let keep = args.shared_ids || args.outcomes;
    let count = inputs.len();
    let edit = |number: usize, input: &Input<'_>| {
        let offset = one_for(&offsets, number).copied().unwrap_or_default();
        let speed = one_for(&speeds, number).copied().unwrap_or(1.0);
        let namespace = Namespace::new(number, count).filter(|_| !keep);
        let mut edit = Edit::new(Shift::new(speed, offset), namespace);
        if let Some(source) = &input.source {
            edit.label("source", source);
        }
        if let Some(model) = one_for(&models, number) {
            edit.label("model", model);
        }
        for tag in tags.iter().filter(|tag| tag.is_for(number)) {
            edit.label(&tag.value.0, &tag.value.1);
        }
        edit
    };
    let part = |(number, input): (usize, Input<'a>)| Part {
        edit: edit(number, &input),
        input,
    };
    Ok(inputs.into_iter().enumerate().map(part).collect())
}

/// `FIELD=VALUE`, for a field that holds a string.
fn parse_tag(text: &str) -> Result<(String, String), String> {
    let Some((field, value)) = text.split_once('=') else {
        return Err(format!("{text:?} is no tag: write FIELD=VALUE"));
    };
    let settable = matches!(
        Field::from_name(field.as_bytes()),
        None | Some(Field::Source | Field::Model | Field::Stage)
    );
    if field.is_empty() || !settable || field.contains(['"', '\\']) {
        return Err(format!(
            "{field:?} cannot be set to a string: name source, model, stage, or a field of your own"
        ));
    }
    Ok((field.to_owned(), value.to_owned()))
}

/// Refuse what cannot be done to rows of an AIBrix workload.
///
/// # Errors
/// The flag that was given.
pub(crate) fn refuse_for_aibrix(args: &Args, inputs: &[Input<'_>]) -> anyhow::Result<()> {
    let tagged = inputs.iter().any(|input| input.source.is_some());
    if tagged || !args.tag.is_empty() || !args.model.is_empty() {
        bail!(
            "rows of an AIBrix workload have no field of their own for a name or a model; read them with trace-convert --from aibrix first"
        );
    }
    Ok(())
}

/// The changes of time to each of `inputs`.
///
/// # Errors
/// A setting for an input that is not there, or with a wrong value.
pub(crate) fn shifts<'a>(
    args: &Args,
    inputs: Vec<Input<'a>>,
) -> anyhow::Result<Vec<(Input<'a>, Shift)>> {
    let parts = parts(args, inputs).context("cannot place the inputs in time")?;
    Ok(parts
        .into_iter()
        .map(|part| (part.input, part.edit.shift))
        .collect())
}
