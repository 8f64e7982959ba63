//! How well objectives were kept, as a table.

use super::sheet::{Sheet, cell};
use crate::report::Report;
use crate::slo::{Attainment, Constraint, Share};

/// The objectives of `report`, one row each, and the joint ones last.
pub(super) fn sheet(report: &Report) -> Option<Sheet> {
    let slo = report.slo.as_ref()?;
    let each = slo.each();
    let mut rows: Vec<_> = each
        .map(|(constraint, share)| row(constraint.quantity.name(), bound(constraint), share))
        .collect();
    rows.push(row("all", String::new(), &slo.joint));
    Some(Sheet {
        title: title(slo),
        header: [
            "objective",
            "bound",
            "good",
            "attainment",
            "goodput_rps",
            "goodput_tps",
        ]
        .map(str::to_owned)
        .to_vec(),
        names: 1,
        rows,
    })
}

fn title(slo: &Attainment) -> String {
    let name = slo.slo.name.as_deref();
    let name = name.map_or(String::new(), |name| format!(" {name}"));
    format!(
        "objectives{name}, from when a request was {}, of {} requests",
        slo.slo.clock.as_str(),
        slo.scheduled
    )
}

fn row(name: &str, bound: String, share: &Share) -> Vec<String> {
    let figures = share.figures().map(|(_, value)| cell(value));
    [name.to_owned(), bound]
        .into_iter()
        .chain(figures)
        .collect()
}

fn bound(constraint: &Constraint) -> String {
    let max = constraint.max.map(|max| format!("<= {max}"));
    let min = constraint.min.map(|min| format!(">= {min}"));
    let sides: Vec<String> = min.into_iter().chain(max).collect();
    sides.join(", ")
}
