//! A fit as a profile, with how sure it is in its comments.

use std::fmt::Write as _;

use super::Fit;
use super::certainty::COLLINEAR;

/// A standard error that is more than this share of its coefficient leaves it unsure.
const UNSURE: f64 = 0.1;

/// Errors of more than this share are not those of a clock.
const POOR: f64 = 0.15;

impl Fit {
    /// A profile, with how well it fits in its comments.
    pub(crate) fn yaml(&self, name: &str) -> String {
        let Fit { cost, steps, .. } = self;
        let mut out = String::new();
        let _ = writeln!(out, "# Fitted to {} answers of {name}.", self.samples);
        if let Some(starts) = &self.starts {
            let _ = writeln!(out, "# {}: {}.", starts.of, starts.quality);
        }
        let _ = writeln!(out, "# {}: {}.", steps.of, steps.quality);
        let _ = writeln!(
            out,
            "# After ± stands the standard error, were errors independent."
        );
        for doubt in self.doubts() {
            let _ = writeln!(out, "# {doubt}.");
        }
        let _ = writeln!(out, "costs:");
        let starts = self.starts.as_ref().map(|starts| starts.certainty.errors);
        let [overhead, by_starts] = starts.unwrap_or_default();
        let [b, c, d, by_steps] = steps.certainty.errors;
        let a = if self.from_steps { by_steps } else { by_starts };
        for (letter, name, value, error) in [
            ("", "overhead_ms", cost.overhead_ms, overhead),
            ("a", "prefill_token_ms", cost.prefill_token_ms, a),
            ("b", "step_ms", cost.step_ms, b),
            ("c", "sequence_ms", cost.sequence_ms, c),
            ("d", "context_token_ms", cost.context_token_ms, d),
        ] {
            if value == 0.0 && self.is_unknown(name, letter) {
                let _ = writeln!(out, "  # {name}: not told by this run");
                continue;
            }
            let _ = write!(out, "  {name}: {value:.9}");
            let letter = if letter.is_empty() {
                String::new()
            } else {
                format!("{letter} ")
            };
            let _ = match error {
                Some(error) => writeln!(out, " # {letter}± {error:.2e}"),
                None => writeln!(out, " # {letter}is not in the data, or was below 0"),
            };
        }
        out
    }

    /// Whether the run says nothing of a coefficient.
    fn is_unknown(&self, name: &str, letter: &str) -> bool {
        let overhead = name == "overhead_ms";
        let no_starts = self.starts.is_none();
        let named = |why: &String| !letter.is_empty() && why.starts_with(&format!("{letter}:"));
        (no_starts && overhead)
            || (no_starts && letter == "a" && !self.from_steps)
            || self.unknown.iter().any(named)
    }

    /// What the run does not tell, or not well.
    fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<_> = self
            .unknown
            .iter()
            .map(|why| format!("Not to be told from this run: {why}"))
            .collect();
        if self.steps.quality.median_error > POOR {
            doubts.push(
                "These costs explain the times poorly: the server does not work in such steps, or \
                 one of the machines did something else meanwhile"
                    .to_owned(),
            );
        }
        let steps = &self.steps.certainty;
        let condition = format!("condition number {:.0}", steps.condition);
        let related = steps.correlation(1, 2);
        let (c, d) = (self.cost.sequence_ms, self.cost.context_token_ms);
        let known = !self
            .unknown
            .iter()
            .any(|why| why.starts_with("c:") || why.starts_with("d:"));
        // Many steps tell apart even what goes together.
        let unsure = [1, 2].map(|at| self.steps.doubt(at).is_some_and(|doubt| doubt > UNSURE));
        let together = steps.condition > COLLINEAR || related < -0.95;
        if c > 0.0 && d > 0.0 && together && unsure.contains(&true) {
            doubts.push(format!(
                "c and d cannot be told apart, only what they come to together: {condition}, \
                 their errors correlate by {related:.2}"
            ));
        } else if known && (c == 0.0) != (d == 0.0) {
            let (none, other) = if c == 0.0 { ("c", "d") } else { ("d", "c") };
            doubts.push(format!(
                "{none} came out below 0 and is 0 here: {other} and b have what it costs"
            ));
        } else if known {
            doubts.push(format!(
                "Batch and context changed apart enough to tell c from d: {condition}"
            ));
        }
        doubts
    }
}
