//! Objectives in a YAML file.
//!
//! Two forms are in use, and both are read:
//!
//! ```yaml
//! name: chat
//! constraints:
//!   ttft_ms: {max: 500}
//!   output_token_throughput: {min: 10}
//! ```
//!
//! ```yaml
//! slo:
//!   ttft_ms: 1000
//!   itl_ms: 50
//! ```

use super::{Clock, Constraint, Limits, Quantity, Slo};
use anyhow::{Context, anyhow, bail};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::path::Path;

/// The file as it is written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    constraints: Option<Table>,
    slo: Option<Table>,
}

/// Limits by quantity, in the order of the file.
#[derive(Debug)]
struct Table(Vec<(Quantity, Limits)>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bounds by name, such as ttft_ms: 500")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let mut table = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    table.push(entry);
                }
                Ok(Table(table))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// The objectives in the file at `path`.
///
/// # Errors
///
/// A file that cannot be read; `file:line:column: reason` for one that does not
/// hold objectives.
pub(super) fn read(path: &Path, clock: Clock) -> anyhow::Result<Slo> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{name}:1:1: not UTF-8 text"))?;
    parse(&name, &text, clock)
}

fn parse(name: &str, text: &str, clock: Clock) -> anyhow::Result<Slo> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map_or(":1:1".to_owned(), |at| {
            format!(":{}:{}", at.line(), at.column())
        });
        let reason = error.without_snippet().to_string();
        let reason = reason.lines().next().unwrap_or("not YAML");
        anyhow!("{name}{place}: {reason}")
    })?;
    let table = match (file.constraints, file.slo) {
        (Some(table), None) | (None, Some(table)) => table,
        (Some(_), Some(_)) => bail!("{name}:1:1: both constraints and slo; expected one of them"),
        (None, None) => bail!("{name}:1:1: neither constraints nor slo"),
    };
    if table.0.is_empty() {
        bail!("{name}:1:1: no objectives");
    }
    let mut slo = Slo {
        name: file.name,
        clock,
        constraints: Vec::new(),
    };
    for (quantity, limits) in table.0 {
        slo.set(Constraint::new(quantity, limits));
    }
    Ok(slo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Slo {
        parse("slo.yaml", text, Clock::Sent).unwrap()
    }

    #[test]
    fn both_forms_say_the_same() {
        let sides = read(
            "name: chat\nconstraints:\n  ttft_ms: {max: 500}\n  output_token_throughput:\n    min: 10.5\n",
        );
        assert_eq!(sides.name.as_deref(), Some("chat"));
        let flat = read("slo:\n  ttft_ms: 500   # TTFT\n  output_token_throughput: 10.5\n");
        assert_eq!(sides.constraints, flat.constraints);
        assert_eq!(flat.constraints[0].max, Some(500.0));
        assert_eq!(flat.constraints[1].min, Some(10.5));
    }

    #[test]
    fn what_is_wrong_is_located() {
        let error = |text| {
            parse("slo.yaml", text, Clock::Sent)
                .unwrap_err()
                .to_string()
        };
        let unknown = error("slo:\n  ttft: 1000\n");
        assert!(unknown.starts_with("slo.yaml:2:3: "), "{unknown}");
        assert!(unknown.contains("did you mean ttft_ms?"), "{unknown}");
        let word = error("constraints:\n  ttft_ms: {max: fast}\n");
        assert!(word.starts_with("slo.yaml:2:"), "{word}");
        let side = error("constraints:\n  ttft_ms: {most: 5}\n");
        assert!(side.contains("unknown field"), "{side}");
        let negative = error("slo: {ttft_ms: -5}\n");
        assert!(negative.contains("0 or more"), "{negative}");
        for text in ["", "{}", "slo: {}", "constraint:\n  ttft_ms: 5\n", "- 1"] {
            assert!(error(text).starts_with("slo.yaml:1:"), "{text:?}");
        }
        let twice = error("slo:\n  ttft_ms: 5\n  ttft_ms: 6\n");
        assert!(twice.contains("duplicate"), "{twice}");
    }
}
