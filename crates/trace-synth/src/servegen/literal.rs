//! Distributions as ServeGen's files hold them: Python dicts in strings.

/// Values, each with the share of all that are at most as large.
#[derive(Clone, Debug, PartialEq)]
pub struct Pdf {
    values: Vec<f64>,
    /// Sums of the weights, ending in 1.
    cumulative: Vec<f64>,
}

impl Pdf {
    /// The distribution that `{value: weight, …}` stands for; nothing for an
    /// empty one. The text is read, never evaluated.
    ///
    /// # Errors
    /// Anything that is no such dict, and weights that add up to nothing; the
    /// message counts characters from 1.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .ok_or("character 1: expected {value: weight, …}")?;
        if inner.trim().is_empty() {
            return Ok(None);
        }
        let mut entries = Vec::new();
        let inner = inner.trim_end();
        for part in inner.strip_suffix(',').unwrap_or(inner).split(',') {
            let place = || part.as_ptr().addr() - text.as_ptr().addr() + 1;
            let (value, weight) = part
                .split_once(':')
                .ok_or_else(|| format!("character {}: expected value: weight", place()))?;
            let number = |text: &str| -> Result<f64, String> {
                let number = text
                    .trim()
                    .parse()
                    .ok()
                    .filter(|n: &f64| *n >= 0.0 && n.is_finite());
                number.ok_or_else(|| {
                    format!(
                        "character {}: {text:?} is not a number of at least 0",
                        place()
                    )
                })
            };
            entries.push((number(value)?, number(weight)?));
        }
        entries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = entries.iter().map(|entry| entry.1).sum();
        if total <= 0.0 || !total.is_finite() {
            return Err(format!("weights add up to {total}"));
        }
        let mut sum = 0.0;
        let (values, cumulative) = entries
            .into_iter()
            .filter(|entry| entry.1 > 0.0)
            .map(|(value, weight)| {
                sum += weight;
                (value, sum / total)
            })
            .unzip();
        Ok(Some(Self { values, cumulative }))
    }

    /// The value that the share `below` of all, 0 to 1, lies below.
    pub fn at(&self, below: f64) -> f64 {
        let index = self.cumulative.partition_point(|&sum| sum <= below);
        self.values[index.min(self.values.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dict_becomes_a_distribution() {
        let pdf = Pdf::parse("{30: 0.5, 10: 0.25, 20.5: 0.25}")
            .unwrap()
            .unwrap();
        let found = [0.0, 0.24, 0.25, 0.49, 0.5, 0.99, 1.0].map(|share| pdf.at(share));
        assert_eq!(found, [10.0, 10.0, 20.5, 20.5, 30.0, 30.0, 30.0]);
        assert_eq!(Pdf::parse(" {} ").unwrap(), None);
        let rough = Pdf::parse("{1: 2e0, 0: 0.0, 7: 2,}").unwrap().unwrap();
        assert_eq!([0.0, 0.5].map(|share| rough.at(share)), [1.0, 7.0]);
    }

    #[test]
    fn what_is_no_dict_of_numbers_is_refused_where_it_stands() {
        for (text, said) in [
            ("", "character 1: expected {value: weight, …}"),
            ("[1]", "character 1: expected {value: weight, …}"),
            ("{1: 1, 2}", "character 7: expected value: weight"),
            (
                "{1: 1, __import__('os'): 1}",
                "character 7: \" __import__('os')\" is not a number of at least 0",
            ),
            (
                "{1: -1}",
                "character 2: \" -1\" is not a number of at least 0",
            ),
            (
                "{nan: 1}",
                "character 2: \"nan\" is not a number of at least 0",
            ),
            ("{1: 0}", "weights add up to 0"),
        ] {
            assert_eq!(Pdf::parse(text).unwrap_err(), said, "{text}");
        }
    }
}
