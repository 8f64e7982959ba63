//! Flags that hold for one input: `[INPUT=]VALUE`.

use anyhow::anyhow;

/// A value, and the input it is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting<T> {
    /// `None` for every input.
    input: Option<usize>,
    pub(crate) value: T,
}

impl<T> Setting<T> {
    /// What `flag` was given, for inputs called `labels` or by their number.
    ///
    /// # Errors
    /// A name that no input has, or two have, and what `parse` refuses.
    pub(crate) fn all(
        flag: &str,
        given: &[String],
        labels: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<Vec<Self>> {
        let one = |text: &String| {
            Self::one(text, labels, &parse).map_err(|reason| anyhow!("{flag} {text}: {reason}"))
        };
        given.iter().map(one).collect()
    }

    fn one(
        text: &str,
        labels: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Self, String> {
        let named = |label: &String| {
            text.strip_prefix(label.as_str())
                .and_then(|rest| rest.strip_prefix('='))
        };
        let mut matches = labels.iter().enumerate().filter_map(|(number, label)| {
            let value = named(label)?;
            Some((label.len(), number, value))
        });
        // File names may have `=` in them: the longest that fits is meant.
        let longest = matches.clone().map(|(length, ..)| length).max();
        if let Some(longest) = longest {
            let mut meant = matches.by_ref().filter(|&(length, ..)| length == longest);
            let first = meant.next();
            if meant.next().is_some() {
                return Err(
                    "several inputs have that name; call them by their number, from 0".to_owned(),
                );
            }
            if let Some((_, number, value)) = first {
                let value = parse(value)?;
                return Ok(Self {
                    input: Some(number),
                    value,
                });
            }
        }
        if let Some((number, value)) = numbered(text) {
            if number >= labels.len() {
                return Err(format!(
                    "there is no input {number}: the last of {} is {}",
                    labels.len(),
                    labels.len().saturating_sub(1)
                ));
            }
            let value = parse(value)?;
            return Ok(Self {
                input: Some(number),
                value,
            });
        }
        match parse(text) {
            Ok(value) => Ok(Self { input: None, value }),
            Err(reason) => Err(match text.split_once('=') {
                Some((name, _)) => format!(
                    "no input is called {name:?}: give NAME of NAME=FILE, FILE as it was given, or its number from 0 ({reason})"
                ),
                None => reason,
            }),
        }
    }

    /// Whether it holds for input `number`.
    pub(crate) fn is_for(&self, number: usize) -> bool {
        self.input.is_none_or(|input| input == number)
    }
}

/// `NUMBER=VALUE`.
fn numbered(text: &str) -> Option<(usize, &str)> {
    let (number, value) = text.split_once('=')?;
    Some((number.parse().ok()?, value))
}

/// What was set for input `number`: the last that names it, else the last
/// that is for every input.
pub(crate) fn one_for<T>(settings: &[Setting<T>], number: usize) -> Option<&T> {
    let own = settings.iter().rfind(|s| s.input == Some(number));
    let any = settings.iter().rfind(|s| s.input.is_none());
    own.or(any).map(|setting| &setting.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Setting<u64>, String> {
        let labels = ["chat", "a.jsonl", "x", "x", "k=v.jsonl"].map(str::to_owned);
        Setting::one(text, &labels, |value| {
            value.parse().map_err(|_| format!("{value:?} is no number"))
        })
    }

    fn placed(input: Option<usize>, value: u64) -> Setting<u64> {
        Setting { input, value }
    }

    #[test]
    fn an_input_is_called_by_its_name_its_file_or_its_number() {
        assert_eq!(read("7"), Ok(placed(None, 7)));
        assert_eq!(read("chat=7"), Ok(placed(Some(0), 7)));
        assert_eq!(read("a.jsonl=7"), Ok(placed(Some(1), 7)));
        assert_eq!(read("k=v.jsonl=7"), Ok(placed(Some(4), 7)));
        assert_eq!(read("3=7"), Ok(placed(Some(3), 7)));
    }

    #[test]
    fn a_name_that_is_not_there_is_said() {
        assert!(
            read("code=7")
                .unwrap_err()
                .contains("no input is called \"code\"")
        );
        assert!(read("5=7").unwrap_err().contains("the last of 5 is 4"));
        assert!(read("x=7").unwrap_err().contains("several inputs"));
        assert!(read("chat=y").unwrap_err().contains("\"y\" is no number"));
    }

    #[test]
    fn what_names_an_input_wins() {
        let settings = [placed(Some(1), 5), placed(None, 7)];
        assert_eq!(one_for(&settings, 0), Some(&7));
        assert_eq!(one_for(&settings, 1), Some(&5));
        assert_eq!(one_for(&settings[..1], 0), None);
    }
}
