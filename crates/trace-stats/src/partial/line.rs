//! The line of a part.

use super::{Settings, micros};
use crate::by::Groups;
use crate::collection::Collection;
use crate::summary::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Write};
use trace_core::Micros;

/// The layout of a partial line; another one has another number.
pub const VERSION: u32 = 2;

#[derive(Serialize)]
struct Written<'a> {
    partial: &'static str,
    version: u32,
    settings: &'a Settings,
    skipped: u64,
    outside: u64,
    #[serde(with = "micros")]
    end: Option<Micros>,
    whole: &'a Summary,
    groups: &'a Groups,
}

/// What stands at the head of a line of any version.
#[derive(Deserialize)]
struct Head {
    partial: Option<serde_json::Value>,
    version: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    #[serde(rename = "partial")]
    _partial: serde::de::IgnoredAny,
    #[serde(rename = "version")]
    _version: serde::de::IgnoredAny,
    settings: Settings,
    skipped: u64,
    outside: u64,
    #[serde(with = "micros")]
    end: Option<Micros>,
    whole: Summary,
    groups: BTreeMap<String, Summary>,
}

/// Write `collection` as one line, in pieces that no other process which writes
/// one to the same stdout gets in between of (on Linux).
///
/// # Errors
///
/// Those of writing.
pub fn write(collection: &Collection, mut output: impl Write) -> io::Result<()> {
    let line = Written {
        partial: "trace-stats",
        version: VERSION,
        settings: &collection.settings,
        skipped: collection.skipped,
        outside: collection.outside,
        end: collection.end,
        whole: &collection.whole,
        groups: &collection.groups,
    };
    let _turn = super::turn::wait();
    serde_json::to_writer(&mut output, &line).map_err(io::Error::from)?;
    output.write_all(b"\n")?;
    output.flush()
}

/// The collection of a line, or the column and what is wrong there.
///
/// # Errors
///
/// Anything that [`write()`] would not have written.
pub fn read(line: &[u8]) -> Result<Collection, (usize, String)> {
    let flaw = |error: serde_json::Error| {
        let words = error.to_string();
        let reason = words.rsplit_once(" at line ").map(|(reason, _)| reason);
        (error.column().max(1), reason.unwrap_or(&words).to_owned())
    };
    let what = "not a partial line of trace-stats; --partial writes them";
    let head = match serde_json::from_slice::<Head>(line) {
        Ok(head) => head,
        Err(error) if line.trim_ascii_start().starts_with(b"{") => return Err(flaw(error)),
        Err(_) => return Err((1, what.to_owned())),
    };
    if head.partial.is_none_or(|name| name != "trace-stats") {
        return Err((1, what.to_owned()));
    }
    if head.version != Some(VERSION) {
        let found = head
            .version
            .map_or("none".to_owned(), |found| found.to_string());
        let reason = format!(
            "a partial line of version {found}, this trace-stats reads version {VERSION}: count the part again"
        );
        return Err((1, reason));
    }
    let found: Found = serde_json::from_slice(line).map_err(flaw)?;
    for summary in found.groups.values().chain([&found.whole]) {
        summary.check().map_err(|reason| (1, reason.to_owned()))?;
    }
    let groups = Groups::of(&found.settings, found.groups).map_err(|reason| (1, reason))?;
    Ok(Collection {
        groups,
        settings: found.settings,
        whole: found.whole,
        skipped: found.skipped,
        outside: found.outside,
        end: found.end,
        files: None,
    })
}
