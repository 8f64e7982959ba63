//! What tells the series of one metric apart.

use crate::format::bare;
use crate::report::Report;

/// Names and values of one series.
pub(super) type Labels = Vec<(String, String)>;

/// The fields of the group as labels.
pub(super) fn labels(report: &Report) -> Labels {
    let mut labels = Labels::new();
    for (field, value) in &report.by {
        let name = free(&labels, &label_name(field));
        labels.push((name, label_value(value.get())));
    }
    labels
}

/// `labels` and one more, under a name that none of them has.
pub(super) fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut labels = labels.clone();
    // `quantile` means what it means: fields of that name got another.
    let name = if name == "quantile" {
        name.to_owned()
    } else {
        free(&labels, name)
    };
    labels.push((name, value.to_owned()));
    labels
}

fn free(labels: &Labels, name: &str) -> String {
    let taken = |name: &str| labels.iter().any(|(known, _)| known == name);
    let mut free = name.to_owned();
    let mut number = 2;
    while taken(&free) || free == "quantile" {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

/// `field` in letters, digits and underscores, as labels are named.
fn label_name(field: &str) -> String {
    let letters = field
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let name: String = letters.collect();
    let name = name.trim_start_matches('_');
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("by_{name}")
    } else {
        name.to_owned()
    }
}

/// Text as it is, unless it would be taken for another JSON value: an empty
/// label is no label, and "1" is not 1.
fn label_value(json: &str) -> String {
    let text = bare(json);
    let ambiguous = json.starts_with('"')
        && (text.is_empty() || serde_json::from_str::<serde_json::Value>(&text).is_ok());
    if ambiguous { json.to_owned() } else { text }
}

/// `text` between the quotes of a value.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;
    use serde_json::value::RawValue;

    #[test]
    fn labels_can_be_told_apart() {
        let label = |json: &str| label_value(json);
        assert_eq!(label("null"), "null");
        assert_eq!(label(r#""null""#), r#""null""#);
        assert_eq!(label("1"), "1");
        assert_eq!(label(r#""1""#), r#""1""#);
        assert_eq!(label(r#""""#), r#""""#);
        assert_eq!(label(r#""gpt-4""#), "gpt-4");
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
        let mut report = Report::new(Kind::Trace);
        for field in ["error.kind", "error_kind", "quantile", "__x", "9", "ü"] {
            let value = RawValue::from_string("1".to_owned()).unwrap();
            report.by.push((field.to_owned(), value));
        }
        let labels = labels(&report);
        let names: Vec<_> = labels.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "error_kind",
                "error_kind_2",
                "quantile_2",
                "x",
                "by_9",
                "by_"
            ]
        );
    }
}
