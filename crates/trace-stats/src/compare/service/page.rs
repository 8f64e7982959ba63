//! Two runs side by side, for people.

use super::contest::{Contest, Side};
use super::trial::Trial;
use crate::format::{figure, plain, rounded};
use comfy_table::{CellAlignment, Table};

/// The contest for people.
pub fn page(contest: &Contest) -> String {
    let mut page = side("A", &contest.a) + &side("B", &contest.b);
    let percent = 100.0 * contest.level;
    page.push_str(&match contest.pairs {
        0 => "no request of one is one of the other (stage, concurrency, round, seq): held against each other as wholes\n".to_owned(),
        pairs => format!("{pairs} pairs by stage, concurrency, round and seq\n"),
    });
    if contest.unlike > 0 {
        page.push_str(&format!(
            "{} requests of one identity ask for different prompts and are no pairs: these are runs of different traces\n",
            contest.unlike
        ));
    }
    push_table(&mut page, &figures(contest));
    page.push_str(&format!(
        "\nB − A, with the interval that holds it at {percent} %\n"
    ));
    push_table(&mut page, &shifts(contest));
    page.push_str("\nis it chance?\n");
    push_table(&mut page, &tests(contest));
    page.push_str(
        "\np takes requests for independent, which those of one run are not quite; intervals allow for it\n",
    );
    page
}

fn side(letter: &str, side: &Side) -> String {
    let plural = if side.requests == 1 { "" } else { "s" };
    let mut line = format!(
        "{letter}: {} outcome{plural}, {} failed",
        side.requests, side.failed
    );
    if let Some(rate) = side.throughput_rps {
        line.push_str(&format!(", {}/s", rounded(rate)));
    }
    if side.unserved > 0 {
        line.push_str(&format!(", {} never served", side.unserved));
    }
    format!("{line} ({})\n", side.name)
}

fn figures(contest: &Contest) -> Table {
    let mut table = Table::new();
    table.set_header([
        "", "mean A", "mean B", "p50 A", "p50 B", "p90 A", "p90 B", "p99 A", "p99 B",
    ]);
    for trial in &contest.metrics {
        let mut row = vec![trial.name.to_owned()];
        for name in ["mean", "p50", "p90", "p99"] {
            for spread in [&trial.a, &trial.b] {
                let found = spread
                    .figures()
                    .into_iter()
                    .find(|(known, _)| *known == name);
                row.push(figure(spread, name, found.and_then(|(_, value)| value)));
            }
        }
        table.add_row(row);
    }
    plain(table, CellAlignment::Right)
}

fn shifts(contest: &Contest) -> Table {
    let mut table = Table::new();
    table.set_header(["", "mean", "", "p50", "", "p90", "", "p99", ""]);
    for trial in &contest.metrics {
        let mut row = vec![trial.name.to_owned()];
        for (_, shift) in &trial.shifts {
            let end = |end: Option<f64>| end.map_or("-".to_owned(), rounded);
            row.push(end(shift.difference));
            row.push(match shift.difference {
                Some(_) => format!("{}..{}", end(shift.low), end(shift.high)),
                None => String::new(),
            });
        }
        table.add_row(row);
    }
    plain(table, CellAlignment::Right)
}

fn tests(contest: &Contest) -> Table {
    let mut table = Table::new();
    table.set_header(["", "pairs", "test", "effect", "p", "ks", "p of ks"]);
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    let row = |trial: &Trial| {
        [
            trial.name.to_owned(),
            trial.pairs.to_string(),
            trial.test.to_owned(),
            trial
                .effect
                .map_or("-".to_owned(), |effect| format!("{effect:+.3}")),
            chance(trial.p),
            number(trial.ks),
            chance(trial.ks_p),
        ]
    };
    for trial in &contest.metrics {
        table.add_row(row(trial));
    }
    let failures = &contest.failures;
    let effect = match (failures.only_a, failures.only_b) {
        (Some(a), Some(b)) => format!("A {a}, B {b}"),
        _ => "-".to_owned(),
    };
    table.add_row([
        "failures".to_owned(),
        contest.pairs.to_string(),
        failures.test.to_owned(),
        effect,
        chance(Some(failures.p)),
        "-".to_owned(),
        "-".to_owned(),
    ]);
    plain(table, CellAlignment::Right)
}

/// A probability; one too small to print is not 0.
fn chance(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.0001 => "<0.0001".to_owned(),
        Some(p) => format!("{p:.4}"),
        None => "-".to_owned(),
    }
}

fn push_table(page: &mut String, table: &Table) {
    page.push('\n');
    for line in table.lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
}
