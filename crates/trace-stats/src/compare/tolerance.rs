//! How far apart two traces may be: `name=value`, from flags or a file.
//!
//! A name is that of a difference, such as `input_length.ks`, or a pattern of
//! several, in which `*` stands for anything: `*.ks`, `lru.*`. Of several that
//! fit a difference the last counts.

use super::comparison::Difference;
use anyhow::{Context, bail};
use serde::Serialize;
use trace_core::quantile;

/// The largest difference that is allowed under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// A name, or a pattern of names.
    pub pattern: String,
    /// The largest difference, 0 or more.
    pub largest: f64,
}

/// A difference beyond its tolerance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beyond {
    /// Its name.
    pub name: String,
    /// How far apart the two are; undefined if only one of them has it.
    #[serde(serialize_with = "quantile::number")]
    pub difference: Option<f64>,
    /// How far they may be.
    pub tolerance: f64,
}

/// The tolerances that the flags name: `name=value`, or a file of such lines,
/// in which `#` begins a comment.
///
/// # Errors
///
/// One line: where what is wrong.
pub fn parse_all(arguments: &[String]) -> anyhow::Result<Vec<Tolerance>> {
    let mut all = Vec::new();
    for argument in arguments {
        if argument.contains('=') {
            all.push(parse(argument).context("--tolerance")?);
            continue;
        }
        let text = std::fs::read_to_string(argument)
            .with_context(|| format!("--tolerance: cannot read {argument}"))?;
        for (number, line) in (1..).zip(text.lines()) {
            let rule = line.split('#').next().unwrap_or_default().trim();
            if !rule.is_empty() {
                all.push(parse(rule).with_context(|| format!("{argument}:{number}"))?);
            }
        }
    }
    Ok(all)
}

fn parse(rule: &str) -> anyhow::Result<Tolerance> {
    let Some((name, value)) = rule.split_once('=') else {
        bail!("{rule:?} is not a tolerance: write name=value");
    };
    let largest = value.trim().parse::<f64>();
    match largest {
        Ok(largest) if largest >= 0.0 => Ok(Tolerance {
            pattern: name.trim().to_owned(),
            largest,
        }),
        _ => bail!("{:?} is not a tolerance: a number, 0 or more", value.trim()),
    }
}

/// The differences that are beyond what `tolerances` allow.
///
/// # Errors
///
/// If one of them names no difference at all: a misspelt name would always be
/// kept.
pub fn judge(differences: &[Difference], tolerances: &[Tolerance]) -> anyhow::Result<Vec<Beyond>> {
    for tolerance in tolerances {
        let fits = |difference: &Difference| fits(&tolerance.pattern, &difference.name);
        if !differences.iter().any(fits) {
            let names: Vec<&str> = differences.iter().map(|d| d.name.as_str()).collect();
            bail!(
                "--tolerance {}: no such difference; there are {}",
                tolerance.pattern,
                names.join(" ")
            );
        }
    }
    let judged = differences.iter().filter_map(|difference| {
        let rule = tolerances
            .iter()
            .rfind(|tolerance| fits(&tolerance.pattern, &difference.name))?;
        let kept = difference
            .difference
            .is_some_and(|difference| difference <= rule.largest);
        (!kept).then(|| Beyond {
            name: difference.name.clone(),
            difference: difference.difference,
            tolerance: rule.largest,
        })
    });
    Ok(judged.collect())
}

/// Whether `name` is what `pattern` says, `*` being anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    let mut ends = (0..=name.len()).filter(|&at| name.is_char_boundary(at));
    ends.any(|at| fits(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(name: &str, difference: impl Into<Option<f64>>) -> Difference {
        Difference {
            name: name.to_owned(),
            difference: difference.into(),
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(fits("*.ks", "gap_ms.ks") && fits("lru.*", "lru.1000") && fits("*", "x"));
        assert!(fits("a*c*e", "abcde") && !fits("a*c*e", "abde"));
        assert!(!fits("lru", "lru.max") && !fits("*.ks", "gap_ms.mean"));
    }

    #[test]
    fn the_last_rule_that_fits_counts() {
        let rules = ["*.ks=0.1", "gap_ms.ks=0.5"].map(str::to_owned);
        let differences = [difference("gap_ms.ks", 0.3), difference("turns.ks", 0.3)];
        let beyond = judge(&differences, &parse_all(&rules).unwrap()).unwrap();
        let names: Vec<_> = beyond.iter().map(|beyond| beyond.name.as_str()).collect();
        assert_eq!(names, ["turns.ks"]);
    }

    #[test]
    fn what_only_one_of_them_has_is_beyond_any_tolerance() {
        let rules = parse_all(&["x=9".to_owned()]).unwrap();
        assert_eq!(judge(&[difference("x", None)], &rules).unwrap().len(), 1);
    }

    #[test]
    fn a_misspelt_name_is_an_error() {
        let rules = parse_all(&["gap.ks=0.1".to_owned()]).unwrap();
        let error = judge(&[difference("gap_ms.ks", 0.0)], &rules).unwrap_err();
        assert!(error.to_string().contains("there are gap_ms.ks"), "{error}");
        for bad in ["x=", "x=-1", "x=nan", "x=much"] {
            assert!(parse_all(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
