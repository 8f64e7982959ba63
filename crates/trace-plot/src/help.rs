//! The parts of the help that are made of tables.

use crate::{kinds::KINDS, whole::WHOLES};

const HOLDS: &str = "\
cache and compare hold what they need: for a million requests some 20 MB
(outcomes 112 MB) and 16 to 48 bytes for each distinct block id; compare takes
300 MB, and 4 to 30 bytes an id.
";

const MANNERS: &str = "\
Requests are told apart by model, or by --by FIELD; the eight largest groups
have a colour, and of a field with many values the first 64 are told apart. A
failed request is never answered: it makes a latency curve end below 100 % and
counts as infinite in quantiles. What a picture leaves out is written below it.

A picture of several panels is wider or higher than --width and --height say.
Names in letters that the font inside the program (DejaVu Sans) lacks, such as
Chinese ones, are text in SVG and HTML, for the fonts of whoever looks at it; a
PNG has their numbers, as <U+4E2D>.

Nothing is held but counts: per group at most 20,000 bins over time and about
32 bytes for each latency that differs by more than 0.01 % from the others (at
most some 10 MB a group), and of all together 24 MB of dots and of sessions,
however long the input. --html also holds, of each metric and group, 8 bytes a
value while a million are kept, then a sketch.

Examples:
  trace-plot outcomes.jsonl --out report/
  trace-plot --html report.html before=a.jsonl after=b.jsonl
  trace-plot rate latency-cdf --term outcomes.jsonl
  trace-plot rate day1.jsonl day2.jsonl.gz > rate.png
  trace-plot latency-cdf before=a.jsonl after=b.jsonl --by source --out cdf.svg
  trace-plot sweep --slo ttft_ms=500 --slo tpot_ms=50 outcomes.jsonl > sweep.png
  trace-plot cache conversation.jsonl > cache.png
  trace-stats cache --policy lru,optimum --capacities 1000,3000,10000,30000 \\
    --format json conversation.jsonl | trace-plot cache --out cache.svg
  trace-plot compare conversation.jsonl synthetic.jsonl --out compare.png
  trace-plot telemetry --metric running telemetry.jsonl --out telemetry.png
  trace-synth sine --time-duration 600 | trace-plot rate --theme dark > rate.png
  trace-synth curve drawn.json | trace-plot --preset traffic-designer";

/// The kinds with what they show, then the rest of the help.
pub(crate) fn after_help() -> String {
    let rows = |usual: bool| {
        let kinds = KINDS.iter().filter(move |kind| kind.usual == usual);
        kinds.map(|kind| (kind.name, kind.about))
    };
    let wholes = WHOLES.iter().map(|whole| (whole.name, whole.about));
    format!(
        "Kinds:\n{}\nOnly drawn when named:\n{}\nDrawn by themselves, of the whole input:\n{}\n{HOLDS}\n{MANNERS}",
        table(rows(true)),
        table(rows(false)),
        table(wholes)
    )
}

/// Names and what they mean, in two columns.
fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let names = KINDS.iter().map(|kind| kind.name.len());
    let widest = names.max().unwrap_or(0);
    let mut text = String::new();
    for (name, about) in rows {
        let mut line = format!("  {name:widest$} ");
        for word in about.split_whitespace() {
            if line.chars().count() + word.chars().count() >= 80 {
                text.push_str(&line);
                line = format!("\n  {:widest$} ", "");
            }
            line.push(' ');
            line.push_str(word);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_tells_of_every_kind() {
        let help = after_help();
        let wholes = WHOLES.iter().map(|whole| whole.name);
        for name in KINDS.iter().map(|kind| kind.name).chain(wholes) {
            assert!(help.contains(&format!("\n  {name} ")), "{help}");
        }
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
    }
}
