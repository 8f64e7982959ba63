//! A titled table of text, before it is known how it is printed.

/// A titled table of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) header: Vec<String>,
    /// How many of the first columns are names; the others are numbers.
    pub(super) names: usize,
    pub(super) rows: Vec<Vec<String>>,
}

/// A number of a report for people, a dash if it is undefined.
pub(super) fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), super::rounded)
}
