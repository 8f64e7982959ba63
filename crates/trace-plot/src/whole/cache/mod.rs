//! Hit rate of a KV cache against its capacity.
//!
//! From a trace: the exact LRU curve, by block and, of one cache, dashed by
//! token; of several groups a curve for each, in a cache of its own, and one of
//! all in one cache. From a cache object, as `trace-stats cache` prints it: the
//! curves in it.

mod drawn;
mod object;
mod trace;

use std::io::{BufRead, Cursor, Read};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use trace_core::{
    Reader, Source,
    cli::{InputArgs, report_skipped},
};

use self::object::Object;
use super::Whole;
use crate::figure::Figure;

pub(super) const WHOLE: Whole = Whole {
    name: "cache",
    about: "hit rate of an LRU cache against its capacity, of each group in a cache of its own; or what trace-stats cache --format json prints",
    files: None,
    sheet: |task| Ok(figure(task.input, &task.settings.by, task.block_size)?.into()),
};

/// The figure of a trace, or of a cache object if that is what the input is.
///
/// # Errors
/// Bad input, or nothing to draw.
pub fn figure(input: &InputArgs, by: &str, block_size: u64) -> Result<Figure> {
    let mut sources = input.sources()?;
    if sources.len() == 1 {
        let source = sources.remove(0);
        let (name, tag) = (source.name().clone(), source.tag().map(str::to_owned));
        let mut bytes = source
            .open()
            .with_context(|| format!("cannot open {name}"))?;
        let mut head = Vec::new();
        bytes
            .by_ref()
            .take(trace_core::MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut head)
            .with_context(|| format!("cannot read {name}"))?;
        if is_cache_object(&head) {
            bytes
                .read_to_end(&mut head)
                .with_context(|| format!("cannot read {name}"))?;
            let object: Object = serde_json::from_slice(&head)
                .with_context(|| format!("{name} is no cache object"))?;
            return object::figure(&object);
        }
        let whole = Source::stream(&name, Cursor::new(head).chain(bytes));
        sources.push(match tag {
            Some(tag) => whole.tagged(&tag),
            None => whole,
        });
    }
    let mut reader = Reader::over(sources).skip_invalid(input.skip_invalid);
    let figure = trace::figure(&mut reader, by, block_size);
    report_skipped("trace-plot", &reader);
    figure
}

/// Whether a file that begins with this line is a cache object: one object
/// over several lines, or one that says so.
fn is_cache_object(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    let line = line.trim_ascii();
    line == b"{" || serde_json::from_slice::<Head>(line).is_ok_and(|head| head.kind == "cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_object_says_that_it_is_one() {
        assert!(is_cache_object(b"{\n") && is_cache_object(b"{\"a\":1,\"kind\":\"cache\"}\n"));
        assert!(!is_cache_object(b"{\"input_length\":1}\n") && !is_cache_object(b"oops\n"));
    }
}
