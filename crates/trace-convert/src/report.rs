//! What a conversion dropped or made up, counted.
//!
//! No value is invented silently: whoever reads the converted trace must be
//! able to tell what in it was measured. One line on stderr, or an object in
//! a file.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What was done to requests that were not simply copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A request or a column that is not in the output.
    Dropped,
    /// A value the input did not have.
    Invented,
    /// A value that differs from the input's.
    Changed,
    /// A request that stands elsewhere in the output.
    Reordered,
    /// Nothing was done, but somebody should know.
    Noted,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Dropped,
        Self::Invented,
        Self::Changed,
        Self::Reordered,
        Self::Noted,
    ];

    /// Its name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Invented => "invented",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
            Self::Noted => "noted",
        }
    }
}

/// The counters of one run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The formats that were read, each once, with how they were told.
    formats: Vec<String>,
    /// Requests that were read.
    pub read: u64,
    /// Requests that were written.
    pub written: u64,
    /// Of those written, the ones beyond the first copy of each.
    pub copies: u64,
    /// Requests that are in no output line.
    pub dropped: u64,
    /// Rows that could not be read, and what was wrong with the first.
    skipped: u64,
    first_skipped: Option<String>,
    counts: Vec<(Kind, Cow<'static, str>, u64)>,
    assumed: Vec<String>,
    /// A page of statistics for stderr, when it was asked for.
    pub statistics: Option<String>,
    quiet: bool,
}

impl Report {
    /// Count `number` more of what `reason` says was done.
    pub fn count(&mut self, kind: Kind, reason: impl Into<Cow<'static, str>>, number: u64) {
        if number == 0 {
            return;
        }
        let reason = reason.into();
        // The same constant nearly always, so its address decides.
        let same = |r: &str| std::ptr::eq(r, &*reason) || r == reason;
        let found = self
            .counts
            .iter_mut()
            .find(|(k, r, _)| *k == kind && same(r));
        match found {
            Some((_, _, count)) => *count += number,
            None => self.counts.push((kind, reason, number)),
        }
    }

    /// Count a request that is not written, and why.
    pub fn drop_request(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.dropped += 1;
        self.count(Kind::Dropped, reason, 1);
    }

    /// Count `number` requests that are not written, and why.
    pub(crate) fn drop_requests(&mut self, reason: &'static str, number: u64) {
        self.dropped += number;
        self.count(Kind::Dropped, reason, number);
    }

    /// Say what was taken for granted; each thing once.
    pub fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumed.contains(&what) {
            self.assumed.push(what);
        }
    }

    /// Name the format of an input. `plain` is one that needs no word when
    /// nothing else happened.
    pub(crate) fn read_as(&mut self, format: &str, how: &str, plain: bool) {
        let text = format!("{format} ({how})");
        if !self.formats.contains(&text) {
            self.formats.push(text);
        }
        self.quiet = plain;
    }

    /// Count a row that could not be read.
    pub(crate) fn skip(&mut self, error: &impl ToString) {
        self.skipped += 1;
        if self.first_skipped.is_none() {
            self.first_skipped = Some(error.to_string());
        }
    }

    /// How often `kind` was counted for a reason that begins so.
    pub fn of(&self, kind: Kind, reason: &str) -> u64 {
        let same =
            |(k, r, _): &&(Kind, Cow<'static, str>, u64)| *k == kind && r.starts_with(reason);
        self.counts
            .iter()
            .filter(same)
            .map(|(_, _, count)| count)
            .sum()
    }

    /// The report in one line, or nothing when there is nothing to say.
    pub fn line(&self) -> Option<String> {
        let mut text = String::new();
        if let Some(first) = &self.first_skipped {
            let _ = write!(
                text,
                "skipped {} invalid lines, the first: {first}; ",
                self.skipped
            );
        }
        let copied = self.quiet && self.counts.is_empty() && self.assumed.is_empty();
        let silent = copied || self.formats.is_empty();
        if silent {
            let text = text.trim_end_matches("; ");
            return (!text.is_empty()).then(|| text.to_owned());
        }
        let _ = write!(
            text,
            "{}: {} requests read, {} written",
            self.formats.join(", "),
            self.read,
            self.written
        );
        for kind in Kind::ALL {
            let of_kind = || self.counts.iter().filter(|(k, _, _)| *k == kind);
            if of_kind().next().is_some() {
                let parts: Vec<_> = of_kind().map(|(_, r, n)| format!("{n} {r}")).collect();
                let _ = write!(text, "; {}: {}", kind.as_str(), parts.join(", "));
            }
        }
        if !self.assumed.is_empty() {
            let _ = write!(text, "; assumed: {}", self.assumed.join(", "));
        }
        Some(text)
    }

    /// The report as a JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::json!({
            "formats": self.formats,
            "read": self.read,
            "written": self.written,
            "copies": self.copies,
            "skipped_invalid": self.skipped,
            "first_skipped": self.first_skipped,
            "assumed": self.assumed,
            "requests_dropped": self.dropped,
        });
        for kind in Kind::ALL {
            let counts = self.counts.iter().filter(|(k, _, _)| *k == kind);
            let counts: serde_json::Map<_, _> = counts
                .map(|(_, r, n)| (r.to_string(), (*n).into()))
                .collect();
            object[kind.as_str()] = counts.into();
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_copy_says_nothing() {
        let mut report = Report::default();
        report.read_as("mooncake", "by its keys", true);
        assert_eq!(report.line(), None);
    }

    #[test]
    fn what_happened_is_one_line() {
        let mut report = Report::default();
        report.read_as("burstgpt", "by its header", false);
        report.read = 3;
        report.written = 2;
        report.drop_request("by --where");
        report.count(Kind::Invented, "hash_ids", 1);
        report.count(Kind::Invented, "hash_ids", 1);
        report.assume("seconds");
        let expected = "burstgpt (by its header): 3 requests read, 2 written; dropped: 1 by --where; invented: 2 hash_ids; assumed: seconds";
        assert_eq!(report.line().as_deref(), Some(expected));
        assert_eq!(report.to_json()["dropped"]["by --where"], 1);
        assert_eq!(report.of(Kind::Invented, "hash"), 2);
    }
}
