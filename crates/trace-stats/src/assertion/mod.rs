//! Assertions: numbers that a report must have for the answer to be yes.
//!
//! ```text
//! --assert → Assertion (Path, Comparison, bound) + Report → Judged → exit code
//! ```
//!
//! A quantile that failed requests reach is infinite: it fails every `<`. A
//! number that is undefined, because no request has such a value, fails
//! whatever is asserted of it.

mod args;
mod judged;
mod parse;
mod path;

pub use args::Args;
pub use judged::Judged;
pub use parse::{Assertion, Comparison};
pub use path::{Found, Path};

use crate::report::Report;

/// Hold `assertions` against `report`, or against each of its groups if there
/// are any, and note in them how it went.
pub fn judge(assertions: &[Assertion], report: &mut Report) {
    let of = |report: &Report| {
        let judged = assertions.iter();
        judged.map(|assertion| assertion.judge(report)).collect()
    };
    if report.groups.is_empty() {
        report.assertions = of(report);
    }
    for group in &mut report.groups {
        group.assertions = of(group);
    }
}

/// Everything that was asserted of `report` or its groups, each with the title
/// of its group.
pub fn all(report: &Report) -> impl Iterator<Item = (String, &Judged)> {
    let parts = std::iter::once(report).chain(&report.groups);
    parts.flat_map(|part| part.assertions.iter().map(|judged| (part.title(), judged)))
}
