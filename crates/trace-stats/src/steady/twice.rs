//! An input that is read twice.

use anyhow::Context;
use std::io::{Cursor, Read};
use std::sync::Arc;
use trace_core::cli::InputArgs;
use trace_core::{Reader, Source};

/// The input of `args`, to be read two times: files are opened again, what
/// comes through a pipe is held.
///
/// # Errors
///
/// Those of opening, and of reading a pipe.
pub fn open(args: &InputArgs) -> anyhow::Result<[Reader<'static>; 2]> {
    let mut first = Vec::new();
    let mut second = Vec::new();
    for source in args.sources()? {
        let name = source.name().clone();
        let tag = source.tag().map(str::to_owned);
        let tagged = |source: Source<'static>| match &tag {
            Some(tag) => source.tagged(tag),
            None => source,
        };
        let is_file = std::fs::metadata(&*name).is_ok_and(|file| file.is_file());
        if is_file {
            second.push(tagged(Source::file(&*name)));
            first.push(source);
            continue;
        }
        let mut bytes = Vec::new();
        let mut pipe = source
            .open()
            .with_context(|| format!("cannot open {name}"))?;
        let read = pipe.read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {name}"))?;
        let bytes: Arc<[u8]> = bytes.into();
        first.push(tagged(Source::stream(&name, Cursor::new(bytes.clone()))));
        second.push(tagged(Source::stream(&name, Cursor::new(bytes))));
    }
    let reader = |sources| Reader::over(sources).skip_invalid(args.skip_invalid);
    Ok([reader(first), reader(second)])
}
